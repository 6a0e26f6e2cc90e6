"""Writes the files of an exported thread into a home: all of them, or none."""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from openai_codex._portable.rollouts import find, is_continued, of_thread, without_settings
from openai_codex.errors import ThreadConflictError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from openai_codex._portable.rollouts import Rollout


@attrs.frozen
class Placed:
    """What was written into a home: each file, and what was there before."""

    changes: list[tuple[Path, bytes | None, list[Path]]] = attrs.Factory(list)
    """Each file, what it had, and the directories that were made for it."""

    def undo(self) -> None:
        """Bring back what was there, as far as the system permits. Raises the first `OSError` at the end."""
        errors: list[OSError] = []
        while self.changes:
            path, before, made = self.changes.pop()
            try:
                if before is None:
                    path.unlink(missing_ok=True)
                    _remove(made)
                else:
                    write_whole(path, before)
            except OSError as error:
                errors.append(error)
        if errors:
            raise errors[0]


def place(home: Path, rollouts: Sequence[Rollout], is_open: Callable[[str], bool]) -> Placed:
    """Write what the home lacks of a thread, whose files are given newest first; nothing if it has all.

    ``is_open`` says whether a runtime has a thread open: what is in its memory would be written to a file that is not
    there any longer. Raises `ThreadConflictError` before anything is written; after any other error, what was written is
    removed.
    """
    newest = rollouts[0]
    plan = [(rollout, *_compared(home, rollout, is_newest=rollout is newest)) for rollout in rollouts]
    plan = [(rollout, path, before) for rollout, path, before in plan if before != rollout.data]
    known = of_thread(home, newest.thread_id)
    if known - {rollout.file_id for rollout in rollouts}:
        raise ThreadConflictError(newest.thread_id, "it was reverted here, and not in what is imported")
    if known and newest.file_id not in known:
        # The databases of the runtime name the file that was the newest, and it would load that one.
        raise ThreadConflictError(newest.thread_id, "it was reverted in what is imported; delete it here before")
    for thread_id in {rollout.thread_id for rollout, _, before in plan if before is not None}:
        if is_open(thread_id):
            raise ThreadConflictError(thread_id, "it is older here, and a runtime has it open")
    placed = Placed()
    try:
        # What is continued comes first: a thread that is there is whole, even if this process is killed.
        for rollout, path, before in reversed(plan):
            placed.changes.append((path, before, write_whole(path, rollout.data)))
    except BaseException:
        placed.undo()
        raise
    return placed


def _compared(home: Path, rollout: Rollout, *, is_newest: bool) -> tuple[Path, bytes | None]:
    """Return where a file belongs and what is there; the same data if nothing has to be written."""
    path = find(home, rollout.file_id)
    if path is None:
        return home / rollout.place, None
    before = path.read_bytes()
    here, given = without_settings(before), without_settings(rollout.data)
    if is_newest and len(here) > len(given) and here.startswith(given):
        raise ThreadConflictError(rollout.thread_id, "it has newer turns here")
    # A file that is continued has to have these very bytes; in the newest one, the last settings do not count.
    if before.startswith(rollout.data) or (is_newest and here == given):
        return path, rollout.data
    if not given.startswith(here) or (len(here) < len(before) and is_continued(home, rollout.file_id, len(here))):
        raise ThreadConflictError(rollout.thread_id, "it has other turns here")
    return path, before


def open_private(path: str | os.PathLike[str], flags: int) -> int:
    """Open a file that the program names, which is for the user alone; also if it is there, and others may read it.

    Only a file of the user becomes so: the program may name a pipe or a device, too.
    """
    descriptor = os.open(path, flags | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
    found = os.fstat(descriptor)
    if hasattr(os, "fchmod") and stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid():
        with suppress(OSError):  # a file system without modes
            os.fchmod(descriptor, 0o600)
    return descriptor


def write_whole(path: Path, data: bytes) -> list[Path]:
    """Write a file so that it has either all of these bytes, or what it had before, whatever happens meanwhile.

    Returns the directories that were made for it, the deepest first; after an error there are none of these.
    """
    made = [each for each in path.parents if not each.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        _remove(made)
        raise
    _sync_directory(path.parent)
    return made


def _sync_directory(directory: Path) -> None:
    """Make the names in a directory last; not every system can do that."""
    with suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _remove(directories: Iterable[Path]) -> None:
    """Remove directories, the deepest first; one that something else is in stays, and so does what holds it."""
    with suppress(OSError):
        for each in directories:
            each.rmdir()
