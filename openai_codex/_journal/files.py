"""The files of one journal: how they are named, when the next one is begun, and which is deleted.

A file is only appended to, by whole lines in one write, so that a killed process leaves all but the last line, and several
processes can share a file. Of the files whose names look like those of a journal, only those belong to it that begin with
the header of a file of this number: others, such as archives by date, are neither written nor deleted.
"""

from __future__ import annotations

import os
import re
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from openai_codex._journal import directory

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_codex._journal.settings import Journal


# Prompts and answers are for the user alone.
_MODE, _DIRECTORY_MODE = 0o600, 0o700
_OTHERS = 0o077

# How much of a file is read for its header, and what is looked for in it.
_HEAD = 1 << 10
_PART = re.compile(rb'\{"journal":1,"client":"[^"]*","part":(\d+)[,}]')

# How much is written until it is looked again how much a directory has, in bytes.
_PRUNE_AFTER = 1 << 23


def part_path(path: Path, number: int) -> Path:
    """Return the path of a file: ``run.jsonl`` is the first, ``run.1.jsonl`` the next."""
    return path if number == 0 else path.with_name(f"{path.stem}.{number}{path.suffix}")


def parts_of(path: Path) -> dict[int, Path]:
    """Return the files that exist of a journal, by their numbers, in order; its first one whatever is in it. Raises `OSError`."""
    pattern = re.compile(rf"{re.escape(path.stem)}(?:\.([1-9]\d{{0,8}}))?{re.escape(path.suffix)}")
    names = [(match, name) for name in os.listdir(path.parent) if (match := pattern.fullmatch(name))]  # noqa: PTH208  a Path costs more
    parts = sorted((int(match[1] or 0), path.with_name(name)) for match, name in names)
    return {number: part for number, part in parts if number == 0 or is_part(part, number)}


def is_part(path: Path, number: int) -> bool:
    """Return whether a file begins with the header of the file of this number of a journal."""
    try:
        with path.open("rb") as file:
            match = _PART.match(file.read(_HEAD))
    except OSError:  # it was just deleted, or is of another user
        return False
    return match is not None and int(match[1]) == number


def is_directory(path: str) -> bool:
    """Return whether a path means a directory of journals."""
    return path.endswith((os.sep, "/")) or os.path.isdir(path)  # noqa: PTH112  a Path loses the separator


class Files:
    """The file that is being written, and those before it. ``header`` returns the first line of each.

    Where clients share a file, each goes on to the next one when it finds the size exceeded; that file exists already if
    another one was faster. Used by one thread.
    """

    def __init__(self, journal: Journal, client: str, header: Callable[[int], bytes]) -> None:
        self._journal = journal
        self._header = header
        self._descriptor: int | None = None
        self._number = 0
        self._is_torn = False
        self._directory = Path(journal.path) if is_directory(journal.path) else None
        self._until_pruned = 0
        self.path = Path(journal.path) if self._directory is None else self._directory / directory.name_of(client)
        """The first file."""

    def open(self) -> None:
        """Open the file to append to. Raises `OSError`."""
        if self._directory is not None:
            self._directory.mkdir(_DIRECTORY_MODE, parents=True, exist_ok=True)
        self._number = max(parts_of(self.path), default=0)
        self._begin()

    def write(self, data: bytes) -> None:
        """Append whole lines, as many to each file as it may have. Raises `OSError`; then nothing counts as written."""
        at = 0
        while at < len(data):
            room = self._room(data.find(b"\n", at) + 1 - at)
            # A line that is longer than a file may be has one for itself.
            end = max(data.rfind(b"\n", at, at + room), data.find(b"\n", at)) + 1
            self._append(data[at:end])
            at = end
        self._prune(len(data))

    def _room(self, needed: int) -> int:
        """Return how much the file may still have; another one is begun if that is less than so much."""
        if (
            self._descriptor is not None and not os.fstat(self._descriptor).st_nlink
        ):  # others have gone on, and deleted it
            self._number = max(parts_of(self.path), default=self._number)
            self.close()
        if self._descriptor is None or self._left() < needed:
            self._begin(needed)
        return self._left()

    def _left(self) -> int:
        assert self._descriptor is not None, "it is open"
        return self._journal.max_bytes - os.fstat(self._descriptor).st_size - self._is_torn

    def close(self) -> None:
        """Close the file. Idempotent."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            directory.release(descriptor)

    def after_fork(self) -> None:
        """Close the file in a forked child: the parent goes on, and holds its lock by the same descriptor."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with suppress(OSError):
                os.close(descriptor)

    def _begin(self, needed: int = 0) -> None:
        """Open the file, or the next one that has room for a header and so many bytes."""
        self.close()
        self._until_pruned = 0
        # Readable, too: a network file system locks no other file for several.
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
        header = self._header(self._number)
        path = part_path(self.path, self._number)
        while not self._may_write(descriptor := _opened(path, flags), path, len(header) + needed):
            directory.release(descriptor)
            self._number = max([self._number + 1, *parts_of(self.path)])
            header, path = self._header(self._number), part_path(self.path, self._number)
        self._descriptor = descriptor
        # Another process may have been killed within a line, or the disk may have been full.
        size = os.fstat(self._descriptor).st_size
        self._is_torn = size > 0 and not _ends_line(path, size)
        self._append(header)
        for number, old in parts_of(self.path).items():
            if number <= self._number - self._journal.files and is_part(old, number):
                with suppress(OSError):  # it may be of another user
                    old.unlink()

    def _may_write(self, descriptor: int, path: Path, needed: int) -> bool:
        """Return whether a file may be written: none that another client is deleting, that is not ours, or that is full."""
        if not directory.hold(descriptor):
            return False
        size = os.fstat(descriptor).st_size
        is_ours = self._number == 0 or is_part(path, self._number)
        return size == 0 or (is_ours and size + needed < self._journal.max_bytes)

    def _prune(self, written: int) -> None:
        """Keep the bound of the directory; not before the first write, as `open` is called by the program's own thread."""
        self._until_pruned -= written
        if self._directory is not None and self._until_pruned <= 0:
            self._until_pruned = _PRUNE_AFTER
            directory.prune(self._directory, self._journal.directory_bytes)

    def _append(self, data: bytes) -> None:
        assert self._descriptor is not None, "it is open"
        whole = b"\n" + data if self._is_torn else data
        try:
            written = os.write(self._descriptor, whole)
            while written < len(whole):  # the disk is almost full, or the write was interrupted
                self._is_torn = True
                written += os.write(self._descriptor, whole[written:])
            self._is_torn = False
        except OSError:
            self.close()  # the next write begins with a header
            raise


def _opened(path: Path, flags: int) -> int:
    """Open a file, which becomes one for the user alone if it is there, is his, and others may read it."""
    descriptor = os.open(path, flags, _MODE)
    found = os.fstat(descriptor)
    if (
        hasattr(os, "fchmod")
        and stat.S_ISREG(found.st_mode)
        and found.st_uid == os.geteuid()
        and found.st_mode & _OTHERS
    ):
        with suppress(OSError):  # a file system without modes
            os.fchmod(descriptor, _MODE)
    return descriptor


def _ends_line(path: Path, size: int) -> bool:
    with path.open("rb") as file:
        file.seek(size - 1)
        return file.read(1) == b"\n"
