"""A directory of journals: the names of files in it, which of them are being written, and how much all may have together.

A writer holds a shared lock of its file, which the system releases however the process ends. The number of the process would
not do: another process may have it by now, or it is one of another container.
"""

from __future__ import annotations

import os
import re
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

if sys.platform != "win32":
    import fcntl

SUFFIX = ".jsonl"

# Only these are deleted: a directory may have other files of its user.
_NAME = re.compile(r"\d{8}T\d{6}-\d+-\w+(?:\.\d{1,9})?\.jsonl")

MOST_FILES = 10_000
"""How many files are kept: to look at more takes longer than a start of the runtime."""

# A file takes at least this on the disk.
_BLOCK = 1 << 12


def name_of(client: str) -> str:
    """Return the name of the first file of a client that starts now."""
    return f"{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}-{client}{SUFFIX}"


def hold(descriptor: int) -> bool:
    """Note that a file is being written, until it is closed. Returns whether it may be: ``False`` if it is just deleted."""
    return _lock(descriptor, exclusive=False) is not False and os.fstat(descriptor).st_nlink > 0


def release(descriptor: int) -> None:
    """Close a file that was held, also where a forked child has the same descriptor."""
    if sys.platform != "win32":
        with suppress(OSError):  # the file system has no locks
            fcntl.flock(descriptor, fcntl.LOCK_UN)
    with suppress(OSError):
        os.close(descriptor)


def prune(directory: Path, most_bytes: int) -> None:
    """Delete the files that were written last the longest time ago, until the others have no more than so many bytes.

    What cannot be deleted stays: files that are being written, and those of another user.
    """
    with suppress(OSError):
        found = sorted(_files(directory))
        size, count = sum(each[2] for each in found), len(found)
        if size <= most_bytes and count <= MOST_FILES:
            return
        # Where two do it at once, each would delete for both: the one that is late leaves it to the other.
        descriptor = _opened(directory, os.O_RDONLY)
        try:
            if descriptor is None or _lock(descriptor, exclusive=True) is not False:
                for _, path, bytes_of in sorted(_files(directory)):
                    if size <= most_bytes and count <= MOST_FILES:
                        return
                    if _delete(path):
                        size, count = size - bytes_of, count - 1
        finally:
            if descriptor is not None:
                release(descriptor)


def _files(directory: Path) -> list[tuple[int, str, int]]:
    """Return when each file was written last, its path, and how much of the disk it takes."""
    found: list[tuple[int, str, int]] = []
    with os.scandir(directory) as entries:
        for entry in entries:
            if _NAME.fullmatch(entry.name):
                with suppress(FileNotFoundError):  # another process has just deleted it
                    facts = entry.stat(follow_symlinks=False)
                    found.append((facts.st_mtime_ns, entry.path, -(-facts.st_size // _BLOCK) * _BLOCK))
    return found


def _delete(path: str) -> bool:
    """Delete a file unless it is being written. Returns whether it is gone."""
    try:
        descriptor = os.open(path, os.O_RDWR | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0))
    except FileNotFoundError:
        return True
    except OSError:
        return False
    if sys.platform == "win32":  # which deletes no file that is open
        os.close(descriptor)
        return _unlink(path)
    try:
        # Without locks it cannot be known.
        return _lock(descriptor, exclusive=True) is True and _unlink(path)
    finally:
        release(descriptor)


def _unlink(path: str) -> bool:
    try:
        os.unlink(path)  # noqa: PTH108  it is a str
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _opened(path: Path, flags: int) -> int | None:
    try:
        return os.open(path, flags | getattr(os, "O_CLOEXEC", 0))
    except OSError:  # Windows opens no directory
        return None


def _lock(descriptor: int, *, exclusive: bool) -> bool | None:
    """Lock a file without waiting. Returns ``False`` if it is locked already, ``None`` if the system has no locks."""
    if sys.platform == "win32":
        return None
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True
