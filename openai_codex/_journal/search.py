"""Finds lines of a journal: by thread, turn, method, time and direction. They stay as they are."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import attrs

from openai_codex._journal.labels import field
from openai_codex._journal.read import Envelope, Header, entries_of

if TYPE_CHECKING:
    import os
    import re
    from collections.abc import Iterator

Key = tuple[str, int, Any, str, str]

# Where frames have the id of a thread and of a turn: in events, in notifications and requests, and in responses.
_THREADS = (
    ("thread_id",),
    ("params", "threadId"),
    ("params", "thread", "id"),
    ("params", "conversationId"),
    ("result", "thread", "id"),
)
_TURNS = (("turn_id",), ("params", "turnId"), ("params", "turn", "id"), ("result", "turn", "id"))

# By which direction a request goes that an answer of the other one belongs to.
_ASKED = {"<": ">", ">": "<"}


@attrs.frozen
class Search:
    """What lines are wanted; ``None`` and an empty one mean any.

    Attributes:
        thread: The beginning of the id of a thread.
        turn: The beginning of the id of a turn.
        method: Is found in the method, or in the name of an event.
        since: The earliest time, in seconds since the epoch.
        until: The latest time.
        directions: Some of ``>``, ``<`` and ``!``.
    """

    thread: str | None = None
    turn: str | None = None
    method: re.Pattern[str] | None = None
    since: float | None = None
    until: float | None = None
    directions: str = ""

    def lines(self, path: str | os.PathLike[str], *, bare: bool = False) -> Iterator[bytes]:
        """Yield the lines that are wanted, an answer with its request.

        Args:
            path: A journal.
            bare: Leave out the headers, and the starts of runtimes that are not wanted: without them, the lines are a
                journal no more.

        Raises:
            ConfigError: It does not exist, or is not a journal.
        """
        asked = _started(path, [self])[0] if self.turn is not None or self.thread is not None else set[Key]()
        for line, item in entries_of(path):
            if isinstance(item, Header):
                wanted = not bare
            elif item is None:
                wanted = False
            else:
                wanted = self.wants(item, asked) or (not bare and item.event == "process_started")
            if wanted:
                yield line if line.endswith(b"\n") else line + b"\n"

    def wants(self, item: Envelope, asked: set[Key]) -> bool:
        """Return whether a line is wanted; ``asked`` has the requests whose answers are."""
        if self.method is None and self.thread is None and self.turn is None:
            return self._wants_line(item)
        key = _key(item, item.dir if item.method else _ASKED.get(item.dir, ""))
        is_request = item.method is not None and "id" in item.frame
        is_answer = item.method is None and "id" in item.frame
        wanted = key in asked if is_answer else self._wants_frame(item, key in asked)
        if is_request:  # whatever of it is wanted by these, its answer is, too
            asked.add(key) if wanted else asked.discard(key)
        return wanted and self._wants_line(item)

    def _wants_frame(self, item: Envelope, is_asked: bool) -> bool:
        name = item.method or item.event or ""
        if self.method is not None and not self.method.search(name):
            return False
        return is_asked or self.concerns(item.frame)

    def concerns(self, frame: dict[str, Any]) -> bool:
        """Return whether a frame names the thread and the turn."""
        return _names(frame, _THREADS, self.thread) and _names(frame, _TURNS, self.turn)

    def _wants_line(self, item: Envelope) -> bool:
        if self.directions and item.dir not in self.directions:
            return False
        return (self.since is None or item.at >= self.since) and (self.until is None or item.at <= self.until)


def newest(path: str | os.PathLike[str], turns: list[str], most: int) -> list[list[bytes]]:
    """Return the newest lines of each of these turns, at most so many. Reads the journal twice, however many they are."""
    searches = [Search(turn=turn) for turn in turns]
    asked, words = _started(path, searches), [turn.encode() for turn in turns]
    found = [deque[bytes](maxlen=most) for _ in turns]
    for line, item in entries_of(path):
        # Most lines name none of them; an answer names nothing.
        if isinstance(item, Envelope) and ("id" in item.frame or any(word in line for word in words)):
            for search, keys, lines in zip(searches, asked, found, strict=True):
                if search.wants(item, keys):
                    lines.append(line)
    return [list(lines) for lines in found]


def _started(path: str | os.PathLike[str], searches: list[Search]) -> list[set[Key]]:
    """Return for each search the requests whose answers name what is wanted, such as the one that has started the turn."""
    found = [set[Key]() for _ in searches]
    for _, item in entries_of(path):
        if isinstance(item, Envelope) and "result" in item.frame:
            for search, keys in zip(searches, found, strict=True):
                if search.concerns(item.frame):
                    keys.add(_key(item, _ASKED.get(item.dir, "")))
    return found


def _names(frame: dict[str, Any], places: tuple[tuple[str, ...], ...], wanted: str | None) -> bool:
    return wanted is None or any(
        isinstance(value := field(frame, *place), str) and value.startswith(wanted) for place in places
    )


def _key(item: Envelope, direction: str) -> Key:
    client = item.header.client if item.header is not None else ""
    return client, item.gen, item.pid, direction, repr(item.frame.get("id"))
