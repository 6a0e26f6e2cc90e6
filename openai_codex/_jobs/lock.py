"""The right to a file of state: one pool at a time carries on what is in it."""

from __future__ import annotations

import os
from contextlib import suppress

from openai_codex._engine.once import Once
from openai_codex.errors import ConfigError

try:
    import fcntl
except ImportError:  # another system than Unix
    fcntl = None  # type: ignore[assignment]  # only asked for

# Of this process: the lock of the system is one of processes.
_rights: dict[tuple[int, str], Once] = {}


class StateLock:
    """Held from when it is made until it is released, or the process ends, however it does.

    The lock is one on a file beside the state. A forked child does not inherit it, so workers that outlive their pool do
    not keep it.
    """

    def __init__(self, path: str) -> None:
        self._right = _rights.setdefault((os.getpid(), os.path.realpath(path)), Once())
        if not self._right.take():
            raise ConfigError("state", f"{path!r} is in use by another pool of this process")
        try:
            self._file = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            self._right.give_back()
            raise ConfigError("state", f"{path!r} cannot be used: {error.strerror}") from error
        try:
            if fcntl is not None:
                fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self.release()
            raise ConfigError("state", f"{path!r} is in use by a pool of another process") from error

    def release(self) -> None:
        """Let another pool have it."""
        with suppress(OSError):
            os.close(self._file)
        self._right.give_back()
