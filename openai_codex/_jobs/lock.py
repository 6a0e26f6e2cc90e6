"""Rights that one holder has at a time, in all processes of a machine: to a file of state, to a repository, to a tree."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from typing import Literal, TypeAlias

from openai_codex.errors import ConfigError

try:
    import fcntl
except ImportError:  # another system than Unix
    fcntl = None  # type: ignore[assignment]  # only asked for

# What a lock of another process is reported as.
_HELD = frozenset({errno.EACCES, errno.EAGAIN})

Holder: TypeAlias = Literal["this process", "another process"]

# Of this process: the lock of the system is one of processes. Who holds a file removes its entry.
_holders: dict[tuple[int, str], FileLock] = {}


class FileLock:
    """A lock on a file, held until it is released, or the process ends, however it does.

    A forked child does not inherit it, so workers that outlive their pool do not keep it. It never waits.
    """

    def __init__(self, path: str) -> None:
        self._key = os.getpid(), os.path.realpath(path)
        self._path, self._file = path, -1

    def take(self) -> Holder | None:
        """Take the lock; or return its holder if another job has it. Raises `OSError` if the file cannot be opened or locked."""
        # First: to close the file a second time would release the lock of the holder in this process.
        if _holders.setdefault(self._key, self) is not self:
            return "this process"
        try:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            _holders.pop(self._key, None)
            raise
        try:
            if fcntl is not None:
                fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self.release()
            if error.errno in _HELD:
                return "another process"
            raise  # a file system without locks
        return None

    def release(self) -> None:
        """Let another one have it. Harmless if it is not held."""
        if _holders.get(self._key) is not self:
            return
        file, self._file = self._file, -1
        with suppress(OSError):
            os.close(file)
        _holders.pop(self._key, None)


class StateLock:
    """The right to a file of state, by a file beside it: one pool at a time carries on what is in it."""

    def __init__(self, path: str) -> None:
        real = os.path.realpath(path)
        if os.path.lexists(real) and not os.path.isfile(real):  # noqa: PTH113  no Path is needed
            raise ConfigError("state", f"{path!r} cannot be used: it is not a file")
        self._lock = FileLock(f"{real}.lock")
        try:
            holder = self._lock.take()
        except OSError as error:
            raise ConfigError("state", f"{path!r} cannot be used: {error.strerror}") from error
        if holder is not None:
            whose = "another pool of this process" if holder == "this process" else "a pool of another process"
            raise ConfigError("state", f"{path!r} is in use by {whose}")

    def release(self) -> None:
        """Let another pool have it."""
        self._lock.release()
