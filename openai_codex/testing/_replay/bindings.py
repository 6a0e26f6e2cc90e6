"""Which recorded request the program means, and which recorded thread.

A program that starts threads side by side may start them in another order than when it was recorded. What it then does
with one shows which it is: equal threads that have done nothing yet are exchanged.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import orjson

from openai_codex.testing._replay.matching import is_same_request
from openai_codex.testing._replay.recording import Input, thread_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_codex.testing._replay.recording import Recording


class Bindings:
    """The requests of one start that have not arrived yet, and the ids of its threads as the program knows them."""

    def __init__(self, recording: Recording, exchanged: Callable[[str, str], None]) -> None:
        self._recording = recording
        self._exchanged = exchanged
        self._inputs: dict[str, list[Input]] = {}
        for each in recording.inputs:
            self._inputs.setdefault(each.method, []).append(each)
        # The id that the program has, by the recorded one, and the other way round. Others are the same.
        self._shown: dict[str, str] = {}
        self._meant: dict[str, str] = {}

    def find(self, frame: dict[str, Any]) -> Input | None:
        """Return the request that a redacted one is; ``None`` if the journal has none."""
        meant = _renamed(frame, self._meant)
        return self._first(meant) or self._exchange(meant)

    def shown(self, line: bytes) -> bytes:
        """Return a line of the runtime with the ids that the program has."""
        return _replaced(line, self._shown)

    def _first(self, frame: dict[str, Any]) -> Input | None:
        method, params = str(frame["method"]), frame.get("params") or {}
        waiting = (each for each in self._inputs.get(method, ()) if each.arrived is None)
        return next((each for each in waiting if is_same_request(method, each.params or {}, params)), None)

    def _exchange(self, frame: dict[str, Any]) -> Input | None:
        thread = thread_of(frame)
        opening = self._recording.openings.get(thread)
        if opening is None or self._is_used(thread):
            return None
        for other, its in self._recording.openings.items():
            is_equal = its.method == opening.method and is_same_request(
                its.method, its.params or {}, opening.params or {}
            )
            if other != thread and is_equal and not self._is_used(other):
                found = self._first(_renamed(frame, {thread: other}))
                if found is not None:
                    mine, other_shown = self._shown.get(thread, thread), self._shown.get(other, other)
                    self._shown |= {thread: other_shown, other: mine}
                    self._meant = {shown: recorded for recorded, shown in self._shown.items()}
                    self._exchanged(thread, other)
                    return found
        return None

    def _is_used(self, thread: str) -> bool:
        """Return whether the program has done more with a thread than to start it."""
        opening = self._recording.openings[thread]
        inputs = (each for each in self._recording.lanes[opening.lane] if each is not opening)
        return any(isinstance(each, Input) and each.arrived is not None for each in inputs)


def _renamed(frame: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    if not names:
        return frame
    renamed: dict[str, Any] = orjson.loads(_replaced(orjson.dumps(frame), names))
    return renamed


def _replaced(line: bytes, names: dict[str, str]) -> bytes:
    if not names:
        return line
    encoded = {name.encode(): other.encode() for name, other in names.items()}
    return re.sub(b"|".join(map(re.escape, encoded)), lambda found: encoded[found[0]], line)
