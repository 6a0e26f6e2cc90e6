"""The files of one journal: how they are named, when the next one is begun, and which is deleted.

A file is only appended to, by whole lines in one write, so that a killed process leaves all but the last line, and several
processes can share a file.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from openai_codex._journal import directory

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_codex._journal.settings import Journal


# Prompts and answers are for the user alone.
_MODE, _DIRECTORY_MODE = 0o600, 0o700

# How much is written until it is looked again how much a directory has, in bytes.
_PRUNE_AFTER = 1 << 23


def part_path(path: Path, number: int) -> Path:
    """Return the path of a file: ``run.jsonl`` is the first, ``run.1.jsonl`` the next."""
    return path if number == 0 else path.with_name(f"{path.stem}.{number}{path.suffix}")


def parts_of(path: Path) -> dict[int, Path]:
    """Return the files that exist of a journal, by their numbers, in order. Raises `OSError`."""
    pattern = re.compile(rf"{re.escape(path.stem)}(?:\.(\d{{1,9}}))?{re.escape(path.suffix)}")
    names = [(match, name) for name in os.listdir(path.parent) if (match := pattern.fullmatch(name))]  # noqa: PTH208  a Path costs more
    return dict(sorted((int(match[1] or 0), path.with_name(name)) for match, name in names))


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
        """Append whole lines. Raises `OSError`; then nothing counts as written."""
        if self._descriptor is None:
            self._begin()
        elif not (found := os.fstat(self._descriptor)).st_nlink:  # others have gone on, and deleted it
            self._number = max(parts_of(self.path), default=self._number)
            self._begin()
        elif found.st_size + len(data) > self._journal.max_bytes:
            self._number += 1
            self._begin()
        self._append(data)
        self._prune(len(data))

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

    def _begin(self) -> None:
        self.close()
        self._until_pruned = 0
        # Readable, too: a network file system locks no other file for several.
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
        path = part_path(self.path, self._number)
        while not directory.hold(descriptor := os.open(path, flags, _MODE)):  # another client is deleting it
            directory.release(descriptor)
            self._number = max([self._number + 1, *parts_of(self.path)])
            path = part_path(self.path, self._number)
        self._descriptor = descriptor
        # Another process may have been killed within a line, or the disk may have been full.
        size = os.fstat(self._descriptor).st_size
        self._is_torn = size > 0 and not _ends_line(path, size)
        self._append(self._header(self._number))
        for number, old in parts_of(self.path).items():
            if number <= self._number - self._journal.files:
                with suppress(OSError):  # it may be of another user
                    old.unlink()

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


def _ends_line(path: Path, size: int) -> bool:
    with path.open("rb") as file:
        file.seek(size - 1)
        return file.read(1) == b"\n"
