"""Locks on files of a Codex home: one of ours for its first start, and who holds the runtime's own on a thread."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from openai_codex._log import Log

if TYPE_CHECKING:
    from openai_codex._config import AppServerConfig

if sys.platform != "win32":
    import fcntl

_log = Log("process")


class HomeLock:
    """A lock that the processes of this machine take for the first start of a runtime in a Codex home.

    The runtime makes its databases there when it starts first, and of several at once all but one fail. The lock is on
    the directory itself, so no file is left, and it ends with the process that holds it. Where the command is the
    user's own there is none, nor on Windows. Not thread-safe: for one caller at a time.
    """

    def __init__(self, config: AppServerConfig) -> None:
        self._home = None if config.launch_args_override is not None else _home(config)
        self._descriptor: int | None = None

    def is_cold(self) -> bool:
        """Say whether no runtime has ever come up there."""
        return self._home is not None and not any(self._home.glob("*.sqlite"))

    def is_free(self) -> bool:
        """Say whether there is something to lock that this object does not hold."""
        return self._home is not None and self._home.is_dir() and self._descriptor is None

    def try_acquire(self) -> bool:
        """Take the lock if nobody has it, without waiting; say whether there is no need to wait any more."""
        try:
            descriptor = os.open(self._home or "", os.O_RDONLY)
        except OSError:  # no such directory: the runtime will say what is wrong
            return True
        if not _lock(descriptor):
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Give the lock back; harmless without."""
        if self._descriptor is not None:
            _unlock(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = None


def _lock(descriptor: int) -> bool:
    if sys.platform != "win32":
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:  # a file system without locks: the start goes on without
            _log.debug("codex.home_not_locked", reason=error.strerror)
    return True


def _unlock(descriptor: int) -> None:
    """Give the lock back by itself: a fork may have the same descriptor, and would keep the lock by it."""
    if sys.platform != "win32":
        with suppress(OSError):  # there was none
            fcntl.flock(descriptor, fcntl.LOCK_UN)


def _home(config: AppServerConfig) -> Path | None:
    variables = {**os.environ, **(config.env or {})}
    if variables.get("CODEX_HOME"):
        return Path(variables["CODEX_HOME"])
    home = Path(variables.get("HOME") or Path.home()) / ".codex"
    with suppress(OSError):
        home.mkdir(exist_ok=True)  # as the runtime does, a moment later
    return home


def writer_of(codex_home: str, thread_id: str) -> int | None:
    """Return the process id of the runtime that has a thread open for writing; ``None`` if none, or nobody knows.

    The runtime locks a file per thread (seen in 0.163.0); Linux tells who holds which lock.
    """
    try:
        file = (Path(codex_home) / "thread-writer-locks" / f"{thread_id}.lock").stat()
        locks = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    except OSError:
        return None
    # 9: FLOCK ADVISORY WRITE <pid> <major:minor:inode> <from> <to>
    place = f"{os.major(file.st_dev):02x}:{os.minor(file.st_dev):02x}:{file.st_ino}"
    holders = (int(lock[4]) for lock in locks if lock[1] == "FLOCK" and lock[5] == place)
    return next((holder for holder in holders if holder > 0), None)  # 0: of another container
