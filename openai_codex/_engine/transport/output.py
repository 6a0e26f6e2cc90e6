"""One output pipe of a child process, read until no byte will follow.

It knows bytes and their end; not what they mean, nor why the child ended.
"""

from __future__ import annotations

import os
import select
import sys
from contextlib import suppress
from io import FileIO
from typing import IO

from openai_codex._engine.transport.base import READ_SIZE

if sys.platform == "linux":
    import fcntl

    _F_SETPIPE_SZ = 1031  # `fcntl.F_SETPIPE_SZ` exists from Python 3.10 on, and only if the C library has it

# Room for several reads. All pipes of a user share 64 MB by default; a user beyond that gets small pipes.
_PIPE_SIZE = 1 << 18


class OutputPipe:
    """stdout or stderr of a child, for the one thread that reads it.

    A descendant may keep the other end open for ever. So where the system reports it (Linux), the exit of the child is
    the end too, once everything that it wrote was read.
    """

    def __init__(self, pipe: IO[bytes], pid: int) -> None:
        self._pipe = pipe
        self._fd = pipe.fileno()
        self._exit = _exit_descriptor(pid)
        self._poll = _poll(self._fd, *(exit.fileno() for exit in self._exit))
        # One buffer for all reads: a fresh one per read, shrunk to what was read, fragments the heap (40 MB in 5 min).
        self._buffer = memoryview(bytearray(READ_SIZE))
        self._buffers = [self._buffer]

    def widen(self) -> None:
        """Enlarge the pipe (Linux): a busy child blocks less often, and one read finds more."""
        if sys.platform == "linux":
            with suppress(OSError):  # the user's pipes take up all that is allowed
                fcntl.fcntl(self._fd, _F_SETPIPE_SZ, _PIPE_SIZE)

    def read(self, timeout: float | None) -> bytes | None:
        """Return what is there, at least one byte; empty at the end; ``None`` after ``timeout`` seconds of silence."""
        if self._poll is None:
            return None if timeout == 0 else os.read(self._fd, READ_SIZE)
        ready = self._poll.poll(None if timeout is None else timeout * 1000)
        if ready and ready[0][0] != self._fd:  # the pipe was registered first
            # The child exited. Its last bytes may have come after the pipe was polled and before the exit was.
            ready = self._poll.poll(0)
        if not ready or ready[0][0] != self._fd:
            return b"" if ready else None
        return bytes(self._buffer[: os.readv(self._fd, self._buffers)])

    def close(self) -> None:
        """Close the descriptors."""
        self._pipe.close()
        for exit in self._exit:
            exit.close()


def _poll(*descriptors: int) -> select.poll | None:
    """Return an object that waits for any of these; ``None`` on Windows, where a read blocks."""
    if not hasattr(select, "poll"):
        return None
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    return poll


def _exit_descriptor(pid: int) -> list[FileIO]:
    """Return a descriptor that becomes readable when the child exits; none where the system has no such thing."""
    opened: list[FileIO] = []
    if hasattr(os, "pidfd_open"):
        with suppress(OSError):  # no descriptor is left, or the program itself reaped the child
            # In one step: between two an exception of a signal handler would leave a descriptor that nothing closes.
            opened.extend(map(FileIO, map(os.pidfd_open, (pid,))))
    return opened
