"""The rollout files of a home (as runtime 0.163.0 writes them): their names, which file continues which, their contents.

A file continues another one if its first line has a ``history_base``: the id of the other file, and the byte up to which
that one belongs to the history.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import attrs
import orjson

from openai_codex.errors import ThreadTransferError

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_ID = re.compile(UUID)
_STARTED = re.compile(r"(\d{4})-(\d\d)-(\d\d)T\d\d-\d\d-\d\d")
_NAME = re.compile(rf"rollout-({_STARTED.pattern})-({UUID})(?:_({UUID}))?\.jsonl")

# What a resume adds to the file of a thread; it does not count as a change.
_SETTINGS = b'"type":"thread_settings_applied"'


def is_id(value: object) -> bool:
    """Return whether a value is an id as the runtime makes them, and so no path."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


@attrs.frozen
class Base:
    """The beginning of another file, which a file continues."""

    file_id: str
    size: int


@attrs.frozen
class Rollout:
    """One rollout file, or its beginning. Raises `ValueError` for parts that cannot be those of one.

    The name of the file is made of checked parts, so that it is never a path to elsewhere.
    """

    thread_id: str
    file_id: str
    """Equal to the thread's, but in a file that was begun when the thread was reverted."""
    started: str
    data: bytes = attrs.field(repr=False)

    def __attrs_post_init__(self) -> None:
        if not (is_id(self.thread_id) and is_id(self.file_id) and _STARTED.fullmatch(self.started)):
            raise ValueError("no name of a rollout file")
        if self._meta().get("id") != self.thread_id:
            raise ValueError("its first line names another thread")
        if not self.data.endswith(b"\n"):
            raise ValueError("its last line is not whole")

    @property
    def place(self) -> Path:
        """Where the runtime keeps it, relative to its home."""
        second = "" if self.file_id == self.thread_id else f"_{self.file_id}"
        day = self.started[:10].split("-")
        return Path("sessions", *day, f"rollout-{self.started}-{self.thread_id}{second}.jsonl")

    @property
    def base(self) -> Base | None:
        """What it continues. Raises `ValueError` if its first line says that in another form."""
        return base_in(self._meta())

    def _meta(self) -> dict[str, Any]:
        return meta_in(self.data.partition(b"\n")[0])


def meta_in(line: bytes) -> dict[str, Any]:
    """Return what the first line of a file says. Raises `ValueError` if it is not that of a rollout file."""
    first = orjson.loads(line)
    payload = first.get("payload") if isinstance(first, dict) else None
    if not isinstance(payload, dict) or first.get("type") != "session_meta":
        raise ValueError("its first line is not that of a rollout file")
    return payload


def base_in(meta: dict[str, Any]) -> Base | None:
    """Return what a file continues, by its first line. Raises `ValueError` if that says it in another form."""
    match meta.get("history_base"):
        case None:
            return None
        case {"thread_id": str(file_id), "end_byte_offset": int(size)} if is_id(file_id):
            return Base(file_id, size)
        case _:
            raise ValueError("its first line names what it continues in an unknown form")


def collect(home: Path, thread_id: str, path: Path) -> list[Rollout]:
    """Read the newest file of a thread and all that it continues, newest first. Raises `ThreadTransferError`."""
    found: list[Rollout] = []
    size: int | None = None
    while True:
        try:
            found.append(_read(path, size))
            base = found[-1].base
        except (OSError, ValueError) as error:
            raise ThreadTransferError(thread_id, f"its file {path} cannot be read: {error}") from error
        if base is None:
            return found
        continued, size = find(home, base.file_id), base.size
        if continued is None or any(each.file_id == base.file_id for each in found):
            raise ThreadTransferError(thread_id, f"the file {base.file_id}, which it continues, is not in {home}")
        path = continued


def _read(path: Path, size: int | None) -> Rollout:
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise ValueError("it is not named as a rollout file")
    data = path.read_bytes()
    if size is None:
        size = data.rfind(b"\n") + 1  # the runtime may be about to write the rest
    if size > len(data):
        raise ValueError(f"it has {len(data)} bytes of {size}")
    return Rollout(match[5], match[6] or match[5], match[1], data[:size])


def find(home: Path, file_id: str) -> Path | None:
    """Return the file with an id, wherever the home keeps it."""
    return next(_named(home, f"rollout-*[-_]{file_id}.jsonl"), None)


def of_thread(home: Path, thread_id: str) -> set[str]:
    """Return the ids of all files of a thread."""
    files = [*_named(home, f"rollout-*-{thread_id}.jsonl"), *_named(home, f"rollout-*-{thread_id}_*.jsonl")]
    return {match[6] or match[5] for file in files if (match := _NAME.fullmatch(file.name)) and match[5] == thread_id}


def is_continued(home: Path, file_id: str, size: int) -> bool:
    """Return whether a file of the home continues more than the first so many bytes of another."""
    bases = [_base_of(file) for file in _named(home, "rollout-*.jsonl")]
    return any(base is not None and base.file_id == file_id and base.size > size for base in bases)


def _base_of(file: Path) -> Base | None:
    """Return what a file of the home continues; ``None`` for one that is not the file of a thread, or was removed meanwhile."""
    try:
        with file.open("rb") as lines:
            return base_in(meta_in(next(lines, b"")))
    except (OSError, ValueError):
        return None


def without_settings(data: bytes) -> bytes:
    """Return the contents of a file without the settings at its end, which each resume adds."""
    while (start := data.rfind(b"\n", 0, -1) + 1) > 0 and _SETTINGS in data[start : start + 200]:
        data = data[:start]
    return data


def _named(home: Path, pattern: str) -> Any:
    yield from (home / "sessions").glob(f"*/*/*/{pattern}")
    yield from (home / "archived_sessions").rglob(pattern)
