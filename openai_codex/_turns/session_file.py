"""What the file of a stored thread says that no request of the protocol asks for: its instructions and its tools.

The runtime itself reads the whole file to load the thread, so reading it here takes a small part of that time. It knows
lines of JSON and no more of the format, and answers "not known" where a line is not as expected.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import orjson

# How the file marks the instructions that the thread was started with, and a message that a client has added.
_KINDS = (b'"generic.developer_instructions"', b'"content_item_kinds":["unknown"]')


def instructions(text: str) -> dict[str, Any]:
    """Return the item of the history that gives instructions to the model."""
    return {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": text}]}


def are_newest(path: str | None, text: str) -> bool:
    """Return whether these are the newest instructions in the file of a thread; ``False`` if it cannot be read."""
    needle, is_newest = b'"text":' + orjson.dumps(text), False
    with suppress(OSError), open(path or "", "rb") as lines:  # noqa: PTH123  as the path may be empty
        for line in lines:
            # A compaction replaces what came before by a summary, and the first messages by those of that time.
            is_compaction = b'"type":"compacted"' in line
            if is_compaction or (b'"role":"developer"' in line and any(kind in line for kind in _KINDS)):
                is_newest = needle in line
    return is_newest


def declared_tools(path: str | None) -> dict[tuple[str | None, str], Any] | None:
    """Return the schemas of the tools that the thread was started with, by namespace and name; ``None`` if not known."""
    try:
        with open(path or "", "rb") as lines:  # noqa: PTH123  as above
            first = orjson.loads(next(lines, b""))
        declared: dict[tuple[str | None, str], Any] = {}
        for spec in first["payload"].get("dynamic_tools") or ():
            is_namespace = spec.get("type") == "namespace"
            namespace = spec["name"] if is_namespace else spec.get("namespace")
            for each in spec["tools"] if is_namespace else [spec]:
                declared[namespace, each["name"]] = each.get("inputSchema")
    except (OSError, ValueError, LookupError, TypeError, AttributeError):  # another format, or none
        return None
    return declared
