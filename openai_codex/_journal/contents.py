"""What becomes of the contents of a conversation where a journal has no more than hashes or the beginnings of texts.

Which texts are contents is told by the names of their fields, except in foreign JSON: there, all are.
"""

from __future__ import annotations

import hashlib
import os
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openai_codex._journal.settings import Content

# Fields whose texts stay when contents are hashed or cut: what a frame is about, and no part of what was said.
_STRUCTURE_NAMES = """
    method id type status phase model modelProvider kind decision approvalPolicy approvalsReviewer effort serviceTier
    cliVersion source codexErrorInfo role platformFamily platformOs userAgent version tool server namespace sandbox event
    scope mode planType cwd
"""
STRUCTURE = frozenset(_STRUCTURE_NAMES.split())

# Of an event of ours: these, and of a reason what is before its first colon; the rest may be the text of an error. The end of a
# turn has the reason of the model.
OF_EVENTS = STRUCTURE | {"client", "signal", "by", "command"}
_OF_TURNS = OF_EVENTS | {"error"}
_TURNS = frozenset({"turn_completed", "turn_failed", "turn_interrupted"})

# Fields whose values are JSON of tools, servers, models and programs, in which any text is a part of what was said.
_FOREIGN_NAMES = """
    arguments _meta structuredContent annotations inputSchema outputSchema requestedSchema icons logprobs metadata payload
    effectiveValue value config serverCapabilities rateLimitUpsell results tools
"""
FOREIGN = frozenset(_FOREIGN_NAMES.split())
"""Fields whose values are foreign JSON."""

# What has such a value by its method, or by the field above it,
FOREIGN_OF = frozenset(
    {
        ("thread/realtime/itemAdded", "item"),
        ("thread/inject_items", "items"),
        ("thread/approveGuardianDeniedAction", "event"),
        ("error", "data"),
    }
)
"""Fields whose values are foreign JSON in a method, or below another field."""

# and the contents of an answer of an MCP server or to one, by the fields beside it.
_OF_ANSWERS = frozenset({"structuredContent", "_meta", "isError", "action"})
_IDS = re.compile(r"(?:Id|Ids|At|_id)$")
NOTHING = frozenset[str]()

_CUT_AT = 32
_HASH_BYTES = 8


def kept_of_event(event: object) -> frozenset[str]:
    """Return the fields of an event of ours whose texts are no contents."""
    return _OF_TURNS if event in _TURNS else OF_EVENTS


def is_foreign(method: object, above: str, name: str, beside: Mapping[str, Any]) -> bool:
    """Return whether a field has foreign JSON: by its method, the field above it, its own name, and those beside it."""
    if name in FOREIGN or (method, name) in FOREIGN_OF or (above, name) in FOREIGN_OF:
        return True
    if name == "content":
        return len(beside) == 1 or not _OF_ANSWERS.isdisjoint(beside)
    return name == "params" and bool(above)


class Contents:
    """Shows contents as a journal is to have them."""

    def __init__(self, content: Content) -> None:
        self.are_kept = content == "keep"
        self._is_cut = content == "cut"
        # Of this journal, or a short text could be found by trying.
        self._key = os.urandom(16)

    def shown(self, text: str, name: str, kept: frozenset[str]) -> str:
        """Return the text of a field as it is to be shown. ``kept`` are the fields whose texts are no contents."""
        if self.are_kept or not text or name in kept or (kept and _IDS.search(name)):
            return text
        if kept is OF_EVENTS and name == "reason":
            ours, colon, rest = text.partition(": ")
            return f"{ours}{colon}{self.shown(rest, '', NOTHING)}"
        if self._is_cut:
            most = 0 if name == "delta" else _CUT_AT  # the deltas of a text together would be all of it
            return text if len(text) <= most else f"{text[:most]}… ({len(text)} characters)"
        hashed = hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=_HASH_BYTES, key=self._key)
        return f"hash:{hashed.hexdigest()} ({len(text)} characters)"
