"""Turns what is noted into lines of the journal: envelopes of redacted frames.

A flood of text is checked by batches: a step of Python for each delta would cost more than reading it.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, Union, cast

import orjson

from openai_codex._engine.wire import LongLine
from openai_codex._journal.deltas import Deltas
from openai_codex._journal.flood import flood_of, is_of_one, is_piece
from openai_codex._journal.named import NUMBERS, degree_of
from openai_codex._journal.redact import Redactor
from openai_codex._protocol.methods import RUNTIME_VERSION, SCHEMA_HASH
from openai_codex._runtime.process_info import signal_name
from openai_codex._version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from openai_codex._journal.flood import Flood
    from openai_codex._journal.settings import Journal

FORMAT = 1
"""The version of the format."""

# After these, a runtime sends nothing more.
_ENDS = frozenset({"connection_closed", "process_exited"})

_NUMBERS = frozenset({int, float, type(None)})

# How much of a line that is not a frame is written.
_MOST_OF_A_LINE = 1 << 16

Reads = Sequence[tuple[bytes, list[bytes]]]
"""The lines of some reads, each with what its lines begin with in the journal."""

# Of each line, what is written: itself, or the frames that are written for it.
_Shown = list[Union[bytes, list[bytes]]]


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

    def add(self, beginning: bytes, direction: str, what: Any, pid: int | None) -> list[bytes]:
        """Return the lines of what was sent, or has happened, each of which begins so."""
        if direction == ">":
            return self._sent(beginning, what, pid)
        lines: list[bytes] = []
        if what["event"] in _ENDS and pid in self._deltas:
            received = beginning.replace(b'"dir":"!"', b'"dir":"<"', 1)
            for rest in self._deltas.pop(pid).rest():
                lines += [received, orjson.dumps(self._redactor.frame("<", rest)), b"}\n"]
        return [*lines, beginning, self._event(what, pid), b"}\n"]

    def received(self, reads: Reads, pid: int | None, *, are_frames: bool) -> Iterator[bytes]:
        """Yield the lines of some reads, those of a read together. ``are_frames`` says that each line is a frame."""
        if not (are_frames and self._redactor.is_plain):
            for beginning, lines in reads:
                yield _joined(beginning, [self._frames("<", line, pid) for line in lines])
            return
        waiting: list[tuple[bytes, list[bytes]]] = []
        for beginning, lines in reads:
            # Those of one text by themselves, as long as they are in the cache of the processor; those of many texts together.
            if is_of_one(lines):
                yield from self._together(waiting, pid)
                waiting = []
                yield _joined(beginning, self._looked_at(lines, pid, of_one=True))
            else:
                waiting.append((beginning, lines))
        yield from self._together(waiting, pid)

    def _together(self, reads: Reads, pid: int | None) -> Iterator[bytes]:
        shown = self._looked_at([line for _, lines in reads for line in lines], pid) if reads else []
        at = 0
        for beginning, lines in reads:
            yield _joined(beginning, shown[at : at + len(lines)])
            at += len(lines)

    def _looked_at(self, lines: list[bytes], pid: int | None, *, of_one: bool = False) -> _Shown:
        """Return what is written of lines that are frames: most of them as they came."""
        shown: _Shown = []
        flood = flood_of(lines, of_one=of_one) if is_piece(lines[0]) else None
        if flood is not None:
            return self._flood(lines, flood, pid)
        for are_pieces, each in groupby(lines, key=is_piece):
            run = [*each]
            flood = flood_of(run) if are_pieces else None
            shown += self._others(run, pid) if flood is None else self._flood(run, flood, pid)
        return shown

    def _flood(self, lines: list[bytes], flood: Flood, pid: int | None) -> _Shown:
        """Return what is written of pieces of texts. All at once, except for texts that may hold a secret."""
        deltas, shown, heads = self._deltas_of(pid), _Shown(lines), set(flood.keys)
        while others := deltas.to_look_at(flood, heads):
            heads -= others
            count = self._redactor.count
            for place in sorted(place for head in others for place in flood.places_of(head)):
                shown[place] = self._frames("<", lines[place], pid)
            if count == self._redactor.count:  # what was found there would have to be masked in the other texts, too
                break
        for place, line in deltas.pass_on(flood, heads).items():
            shown[place] = line
        return shown

    def _others(self, lines: list[bytes], pid: int | None) -> _Shown:
        deltas, shown, count = self._deltas_of(pid), _Shown(), -1
        are_harmless = False
        for line in lines:
            if count != self._redactor.count:
                count, are_harmless = self._redactor.count, self._redactor.is_harmless(b"\n".join(lines).decode())
            may_stay = are_harmless or (len(lines) > 1 and self._redactor.is_harmless(line.decode()))
            is_as_it_came = may_stay and not deltas.concerns(line)
            shown.append(line if is_as_it_came else self._frames("<", line, pid))
        return shown

    def _sent(self, beginning: bytes, line: bytes, pid: int | None) -> list[bytes]:
        line = line.rstrip(b"\n")
        frames = [line] if self._redactor.is_harmless(line.decode()) else self._frames(">", line, pid)
        return [beginning, *frames, b"}\n"]

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
        # More is masked than is shown: a secret that is cut would not be recognized.
        shown = self._redactor.line(line[: 2 * _MOST_OF_A_LINE])[:_MOST_OF_A_LINE]
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
            line = orjson.dumps(shown, default=str)
            # Numbers stay also where a name sounds secret, as those of tokens do.
            telling = {
                name: each for name, each in shown.items() if type(each) not in _NUMBERS or degree_of(name) >= NUMBERS
            }
            if self._redactor.is_harmless(orjson.dumps(telling, default=str).decode()):
                return line
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


def _joined(beginning: bytes, shown: Sequence[bytes | list[bytes]]) -> bytes:
    if set(map(type, shown)) == {bytes}:
        frames = cast("list[bytes]", [*shown])
    else:
        frames = [frame for each in shown for frame in ([each] if isinstance(each, bytes) else each)]
    # With one copy of all.
    frames[0] = beginning + frames[0]
    frames[-1] += b"}\n"
    return (b"}\n" + beginning).join(frames)
