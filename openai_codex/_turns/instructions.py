"""Developer instructions of a thread that has a history already: whether the model has them, and how it gets them."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import orjson

# How the thread's file marks the instructions that it was started with, and a message that a client has added.
_KINDS = (b'"generic.developer_instructions"', b'"content_item_kinds":["unknown"]')


def message(text: str) -> dict[str, Any]:
    """Return the item of the history that gives instructions to the model."""
    return {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": text}]}


def are_newest(path: str | None, text: str) -> bool:
    """Return whether these are the newest instructions in the file of a thread; ``False`` if it cannot be read.

    The runtime itself reads the whole file to load the thread, so reading it here takes a small part of that time.
    """
    needle, is_newest = b'"text":' + orjson.dumps(text), False
    with suppress(OSError), open(path or "", "rb") as lines:  # noqa: PTH123  as the path may be empty
        for line in lines:
            # A compaction replaces what came before by a summary, and the first messages by those of that time.
            is_compaction = b'"type":"compacted"' in line
            if is_compaction or (b'"role":"developer"' in line and any(kind in line for kind in _KINDS)):
                is_newest = needle in line
    return is_newest
