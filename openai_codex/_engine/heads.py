"""What the beginning of a line says that is too long or broken: its method, its id and the first of its params."""

from __future__ import annotations

import re
from typing import Any

import orjson

SIZE = 1_024
"""How many bytes of a line are looked at: the runtime writes method, id, thread and turn within the first 200."""

# One complete token of JSON: a number with the delimiter after it, because it might go on; a text without invalid characters.
_PART = (
    r'\s*(?:([{\[])|([}\]])|(,)|:|"(?:[^"\\\x00-\x1f\ufffd]|\\(?:["\\/bfnrt]|u(?![dD][89a-fA-F])[0-9a-fA-F]{4}))*"'
    r"|(?:true|false|null|-?\d[\d.eE+-]*)(?=\s*[,}\]]))"
)
_CLOSING = {"{": "}", "[": "]"}


def read_head(line: bytes) -> dict[str, Any]:
    """Return the members that are complete at the beginning of a line, also those of objects that are not.

    Output that has run into the line before its first brace is passed over. Empty if there is no object. The cost is
    bounded by `SIZE`.
    """
    text = line[:SIZE].decode("utf-8", "replace")
    start = text.find("{", 0, 64)
    cut, position, open_now = "", max(start, 0), ""
    # Compiled at first use, and kept by the module of expressions: hardly a program meets such a line.
    token = re.compile(_PART)
    while match := token.match(text, position):
        position = match.end()
        if match[1]:
            open_now = _CLOSING[match[1]] + open_now
        elif match[2]:
            open_now = open_now[1:]
        elif match[3]:
            cut = text[start : match.start()] + open_now
        if not open_now:
            break
    try:
        head = orjson.loads(cut)
    except orjson.JSONDecodeError:
        return {}
    return head if isinstance(head, dict) else {}
