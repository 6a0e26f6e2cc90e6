"""Reads journals: the envelopes of a file with those that follow it, or of all files in a directory.

A line that cannot be read is passed over, as the last one of a killed process may be.
"""

from __future__ import annotations

import os
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import orjson

from openai_codex._journal.directory import SUFFIX
from openai_codex._journal.files import is_part, parts_of
from openai_codex.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


_NUMBER = (int, float)

# The fields of a header, as they must be.
_OF_HEADER: dict[str, tuple[type, ...]] = {
    "client": (str,),
    "part": (int,),
    "at": _NUMBER,
    "t": _NUMBER,
    "pid": (int,),
    "sdk": (str,),
    "runtime": (str,),
    "schema": (str,),
    "content": (str,),
    "redact": (list,),
}

# Those of an envelope.
_OF_ENVELOPE: dict[str, tuple[type, ...]] = {
    "t": _NUMBER,
    "at": _NUMBER,
    "dir": (str,),
    "gen": (int,),
    "pid": (int, type(None)),
    "frame": (dict, type(None)),
}

# The latest time, in seconds: what is later has no date.
_LATEST = 1e11

# An editor may have put it before the first line.
_BOM = b"\xef\xbb\xbf"

# What compressed files begin with.
_COMPRESSED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ", b"BZh", b"PK\x03\x04")


@attrs.frozen
class Header:
    """The first line of a file, and of what a client adds to a file that others write, too.

    Attributes:
        format: The version of the format: 1.
        client: Identifies the client; the same in all of its files.
        part: The number of the file.
        at: When it was begun, in seconds since the epoch.
        t: The same by the monotonic clock of the machine.
        pid: The program that wrote it.
        sdk: The version of this package.
        runtime: The version of the runtime, or before the first has answered the one that this package is made for.
        schema: The hash of the protocol's schema.
        content: What became of prompts and outputs: keep, hash or cut.
        redact: The fields whose values are masked beside those that always are.
        path: The file.
        raw: The line, decoded.
    """

    format: int
    client: str
    part: int = 0
    at: float = 0.0
    t: float = 0.0
    pid: int = 0
    sdk: str = ""
    runtime: str = ""
    schema: str = ""
    content: str = "keep"
    redact: tuple[str, ...] = attrs.field(default=(), converter=tuple)
    path: str = ""
    raw: dict[str, Any] = attrs.field(factory=dict, repr=False)


@attrs.frozen
class Envelope:
    """One frame, or one event.

    Attributes:
        t: When, by the monotonic clock of the machine, in seconds. Lines of one batch may have the same.
        at: When, in seconds since the epoch.
        dir: ``>`` sent to the runtime, ``<`` received from it, ``!`` an event of its life.
        gen: Which runtime of the client, counted from 1; 0 for an event of the client.
        pid: The process of the runtime; ``None`` for an event of the client.
        frame: The frame without secrets; of an event its name as ``event``, and its facts. Empty if the line was not a
            frame; then ``raw`` has ``reason`` and perhaps ``line``.
        header: The header of its client; ``None`` if it is not in the file.
        raw: The line, decoded.
    """

    t: float
    at: float
    dir: str
    gen: int
    pid: int | None
    frame: dict[str, Any]
    header: Header | None = attrs.field(default=None, repr=False)
    raw: dict[str, Any] = attrs.field(factory=dict, repr=False)

    @property
    def method(self) -> str | None:
        """The method of a request or notification."""
        method = self.frame.get("method")
        return method if isinstance(method, str) else None

    @property
    def event(self) -> str | None:
        """The name of an event."""
        event = self.frame.get("event") if self.dir == "!" else None
        return event if isinstance(event, str) else None


def read(path: str | os.PathLike[str]) -> Iterator[Envelope]:
    """Return the envelopes of a journal, in the order of its lines, as they are read.

    Args:
        path: A file: it is read with those that were begun after it. Or a directory: all files in it whose names end
            with ``.jsonl``, one client after another.

    Raises:
        ConfigError: It does not exist, is not a journal, or does not have a format that this version reads.
    """
    for item in lines_of(path):
        if isinstance(item, Envelope):
            yield item


def headers(path: str | os.PathLike[str]) -> Iterator[Header]:
    """Return the headers of a journal. Takes and raises what `read` does."""
    for item in lines_of(path):
        if isinstance(item, Header):
            yield item


def lines_of(path: str | os.PathLike[str]) -> Iterator[Header | Envelope]:
    """Return headers and envelopes. Takes and raises what `read` does."""
    for _, item in entries_of(path):
        if item is not None:
            yield item


def entries_of(path: str | os.PathLike[str]) -> Iterator[tuple[bytes, Header | Envelope | None]]:
    """Return each line with what it says: ``None`` if it cannot be read. Takes and raises what `read` does."""
    is_journal, beginning = False, b""
    for _, files in groupby(_files(Path(path)), key=lambda pair: pair[0]):
        reading = _Reading()
        for _, file in files:
            for line, item in reading.lines_of(file):
                is_journal, beginning = is_journal or item is not None, beginning or line[:8]
                yield line, item
    if not is_journal:
        what = "is compressed" if beginning.startswith(_COMPRESSED) else "is no journal, or an empty one"
        raise ConfigError("path", f"{path} {what}")


def _files(path: Path) -> Iterator[tuple[Path, Path]]:
    """Yield the files to be read, each with the first of its journal."""
    try:
        if path.is_dir():
            names = sorted(each for each in path.iterdir() if each.suffix == SUFFIX)
            # A name with a number that has no first file before it: that was deleted.
            firsts = {first: None for each in names for first in [_first_of(each)]}
            yield from ((first, part) for first in firsts for part in parts_of(first).values())
        else:
            parts = parts_of(path)
            if not parts:
                raise FileNotFoundError(2, os.strerror(2), str(path))
            yield from ((path, part) for part in parts.values())
    except OSError as error:
        raise ConfigError("path", f"{path} cannot be read: {error.strerror}") from error


def _first_of(path: Path) -> Path:
    stem, _, number = path.stem.rpartition(".")
    is_one = stem and number.isdecimal() and is_part(path, int(number))
    return path.with_name(f"{stem}{path.suffix}") if is_one else path


class _Reading:
    """The clients of one journal, and their runtimes."""

    def __init__(self) -> None:
        self._last: Header | None = None
        self._clients: dict[str, Header] = {}
        self._runtimes: dict[int, str] = {}

    def lines_of(self, file: Path) -> Iterator[tuple[bytes, Header | Envelope | None]]:
        """Yield what a file has."""
        try:
            with file.open("rb") as lines:
                for number, each in enumerate(lines):
                    line = each if number else each.removeprefix(_BOM)
                    yield line, self._item(line, file)
        except FileNotFoundError:  # a writer has deleted it meanwhile, as the oldest one
            return
        except OSError as error:
            raise ConfigError("path", f"{file} cannot be read: {error.strerror}") from error

    def _item(self, line: bytes, file: Path) -> Header | Envelope | None:
        try:
            raw = orjson.loads(line)
        except orjson.JSONDecodeError:
            return None
        if not isinstance(raw, dict):
            return None
        return self._header(raw, file) if "journal" in raw else self._envelope(raw)

    def _header(self, raw: dict[str, Any], file: Path) -> Header | None:
        if type(raw["journal"]) is int and raw["journal"] != 1:
            raise ConfigError("path", f"{file} is a journal of format {raw['journal']}; this version reads format 1")
        names, runtimes = _OF_HEADER.keys() & raw.keys(), raw.get("runtimes", [])
        if type(raw["journal"]) is not int or "client" not in raw or not _is_as(raw, names, _OF_HEADER):
            return None
        if not _are(runtimes, int) or not _are(raw.get("redact", []), str):
            return None
        header = Header(format=1, path=str(file), raw=raw, **{name: raw[name] for name in names})
        self._last = self._clients[header.client] = header
        self._runtimes |= dict.fromkeys(runtimes, header.client)
        return header

    def _envelope(self, raw: dict[str, Any]) -> Envelope | None:
        if not raw.keys() >= _OF_ENVELOPE.keys() or not _is_as(raw, _OF_ENVELOPE, _OF_ENVELOPE):
            return None
        frame, pid = raw["frame"] or {}, raw["pid"]
        if raw["dir"] == "!" and isinstance(frame.get("client"), str):
            self._runtimes[pid] = frame["client"]
        # A journal of an earlier version names it only where a runtime starts.
        client = raw.get("client") or self._runtimes.get(pid, "")
        header = self._clients.get(client, self._last) if isinstance(client, str) else self._last
        return Envelope(raw["t"], raw["at"], raw["dir"], raw["gen"], pid, frame, header, raw)


def _is_as(raw: dict[str, Any], names: Iterable[str], types: dict[str, tuple[type, ...]]) -> bool:
    """Return whether fields have their types, and times are some. `bool` is no number."""
    return all(
        type(raw[name]) in types[name] and (types[name] is not _NUMBER or abs(raw[name]) <= _LATEST) for name in names
    )


def _are(value: Any, kind: type) -> bool:
    return isinstance(value, list) and all(type(each) is kind for each in value)
