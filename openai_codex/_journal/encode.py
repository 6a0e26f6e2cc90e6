"""Turns what is noted into lines of the journal: envelopes of redacted frames.

A flood of text is checked by batches: a step of Python for each delta would cost more than reading it.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from contextlib import suppress
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any

import orjson

from openai_codex._engine.wire import LongLine
from openai_codex._journal.deltas import OF_ITEM, OF_ITEMS, Deltas, Pieces
from openai_codex._journal.redact import Redactor
from openai_codex._protocol.methods import RUNTIME_VERSION, SCHEMA_HASH
from openai_codex._runtime.process_info import signal_name
from openai_codex._version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openai_codex._engine.wire import Frame
    from openai_codex._journal.settings import Journal

FORMAT = 1
"""The version of the format."""

# After these, a runtime sends nothing more.
_ENDS = frozenset({"connection_closed", "process_exited"})

# The fields of a piece of text of an item: one with more may hold anything.
_FIELDS = 4

# How much of a line that is not a frame is written.
_MOST_OF_A_LINE = 1 << 16

# In C, as is `map`.
_METHOD, _PARAMS, _ITEM, _DELTA = attrgetter("method"), attrgetter("params"), itemgetter(*OF_ITEM), itemgetter("delta")


def pieces_of(frames: list[Frame]) -> Pieces | None:
    """Return what `Deltas.plain` takes of frames that are all pieces of texts of items; ``None`` if one is anything else.

    Without a step of Python for each of them. It is called by the reader: frames that were kept for longer would cost more, by
    the garbage collector of Python.
    """
    try:
        methods = list(map(_METHOD, frames))
        if not set(methods) <= OF_ITEMS:
            return None
        params: list[dict[str, Any]] = list(map(_PARAMS, frames))
        if max(map(len, params)) > _FIELDS:
            return None
        items = list(map(_ITEM, params))
        # One tuple for all, if they are equal: those of a flood are not kept.
        items = items[:1] * len(items) if items.count(items[0]) == len(items) else items
        return methods, items, list(map(_DELTA, params))
    except (AttributeError, KeyError, TypeError):
        return None


class Encoder:
    """Makes the lines of one journal. For one thread."""

    def __init__(self, journal: Journal, client: str) -> None:
        self.running: set[int | None] = set()
        """The runtimes that have started and not exited."""
        self._journal = journal
        self._client = client
        self._redactor = Redactor(journal.content, journal.redact)
        self._deltas: dict[int | None, Deltas] = {}
        self._version: str | None = None

    def add(self, pieces: list[bytes], beginning: bytes, direction: str, what: Any, pid: int | None) -> int:
        """Append the lines of one entry, each of which begins so; return how many they are."""
        if direction == "!":
            if what["event"] in _ENDS and pid in self._deltas:
                received = beginning.replace(b'"dir":"!"', b'"dir":"<"', 1)
                for rest in self._deltas.pop(pid).rest():
                    pieces += [received, orjson.dumps(self._redactor.frame("<", rest)), b"}\n"]
            pieces += [beginning, self._event(what, pid), b"}\n"]
            return 1
        if direction == ">":
            pieces += [beginning, *self._frames(direction, what, pid), b"}\n"]
            return 1
        lines, texts = what
        plain = None
        if texts is not None and self._redactor.is_plain:
            with suppress(TypeError):  # a piece is no text
                plain = self._deltas_of(pid).plain(lines, *texts)
        if plain is not None:
            pieces += [beginning, (b"}\n" + beginning).join(plain), b"}\n"]
        else:
            for line in lines:
                for frame in self._frames(direction, line, pid):
                    pieces += [beginning, frame, b"}\n"]
        return len(lines)

    def _deltas_of(self, pid: int | None) -> Deltas:
        return self._deltas.get(pid) or self._deltas.setdefault(pid, Deltas(self._redactor))

    def _frames(self, direction: str, line: bytes, pid: int | None) -> list[bytes]:
        try:
            return self._encoded(direction, line, pid)
        except Exception as error:  # noqa: BLE001  nested a thousand times, for instance; it must not end the journal
            return [b'null,"reason":%s' % orjson.dumps(type(error).__name__)]

    def _encoded(self, direction: str, line: bytes, pid: int | None) -> list[bytes]:
        try:
            frame = orjson.loads(line)
            if isinstance(frame, dict):
                return [
                    orjson.dumps(self._redactor.frame(direction, each)) for each in self._whole(direction, frame, pid)
                ]
            reason = "not an object"
        except orjson.JSONDecodeError as error:
            reason = "too long" if isinstance(line, LongLine) else f"not JSON: {error.msg}"
        shown = self._redactor.line(line[:_MOST_OF_A_LINE])
        return [b'null,"reason":%s,"line":%s' % (orjson.dumps(reason), orjson.dumps(shown))]

    def _whole(self, direction: str, frame: dict[str, Any], pid: int | None) -> Iterable[dict[str, Any]]:
        """Return the frames to be written for one."""
        if self._journal.content != "keep":  # of a piece of text, nothing is shown
            return [frame]
        if direction == "<":
            return self._deltas_of(pid).written(frame)
        self._deltas_of(pid).sent(frame)
        return [frame]

    def _event(self, fields: dict[str, Any], pid: int | None) -> bytes:
        event = fields["event"]
        if event == "process_started":
            self.running.add(pid)
            fields = {**fields, "client": self._client}
        elif event == "process_exited":
            self.running.discard(pid)
            fields = {**fields, "signal": signal_name(fields.get("exit_code"))}
        elif event == "runtime_ready":
            self._version = fields.get("version")
        shown = {name: str(value) if isinstance(value, BaseException) else value for name, value in fields.items()}
        try:
            return orjson.dumps(self._redactor.event(shown), default=str)
        except Exception as error:  # noqa: BLE001  a text of the program may be no Unicode, for instance
            return orjson.dumps({"event": event, "reason": type(error).__name__})

    def header(self, part: int) -> bytes:
        """Return the first line of a file."""
        header = {
            "journal": FORMAT,
            "client": self._client,
            "part": part,
            "at": time.time(),
            "t": time.monotonic(),
            "pid": os.getpid(),
            "sdk": __version__,
            "runtime": self._version or RUNTIME_VERSION,
            "schema": SCHEMA_HASH,
            "python": platform.python_version(),
            "platform": sys.platform,
            "runtimes": [pid for pid in self.running if pid is not None],
            "content": self._journal.content,
            "redact": list(self._journal.redact),
        }
        return orjson.dumps(header, option=orjson.OPT_APPEND_NEWLINE)
