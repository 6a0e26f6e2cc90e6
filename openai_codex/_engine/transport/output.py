"""What a child writes: one of its output pipes, read until nothing will come any more.

It knows bytes and when they end; not what they say, nor how the child came to its end.
"""

from __future__ import annotations

import os
import select
import sys
from contextlib import suppress
from typing import IO

if sys.platform == "linux":
    import fcntl

    _F_SETPIPE_SZ = 1031  # in the module `fcntl` as of Python 3.10, where it was built with it

READ_SIZE = 1 << 16
"""As much as is cheap to cut into lines at once; a read that gives less has emptied the pipe."""

# Room for some reads. All pipes of a user share 64 MB unless root says otherwise, and who has used that up gets small ones.
_PIPE_SIZE = 1 << 18


class OutputPipe:
    """stdout or stderr of a child, for the one thread that reads it.

    A descendant may hold the other end open for ever. So where the system can tell of it (Linux), the exit of the child
    is the end too, once all that it has written was read.
    """

    def __init__(self, pipe: IO[bytes], pid: int) -> None:
        self._pipe = pipe
        self._fd = pipe.fileno()
        self._exit = _exit_descriptor(pid)
        self._poll = _poll(self._fd, *self._exit)
        # One for all reads: room that is taken for each and given back but for some bytes is never whole again, and
        # over days the memory of a process that reads much would grow by tens of megabytes.
        self._room = memoryview(bytearray(READ_SIZE))

    def widen(self) -> None:
        """Let the pipe hold more (Linux): a child that tells much is held up less, and more of it is there at once."""
        if sys.platform == "linux":
            with suppress(OSError):  # the user has too much in pipes already
                fcntl.fcntl(self._fd, _F_SETPIPE_SZ, _PIPE_SIZE)

    def read(self, patience: float | None) -> bytes | None:
        """Return what is there, at least a byte, empty at the end; ``None`` after ``patience`` seconds without."""
        if self._poll is None:
            return None if patience == 0 else os.read(self._fd, READ_SIZE)
        ready = self._ready(patience)
        if ready and self._fd not in ready:
            ready = self._ready(0)  # the last words may have come between a look at the pipe and one at the exit
        if self._fd not in ready:
            return b"" if ready else None
        return bytes(self._room[: os.readv(self._fd, [self._room])])

    def close(self) -> None:
        """Give the descriptors back."""
        self._pipe.close()
        while self._exit:
            os.close(self._exit.pop())

    def _ready(self, patience: float | None) -> set[int]:
        assert self._poll is not None, "asked only where there is one"
        return {fd for fd, _ in self._poll.poll(None if patience is None else patience * 1000)}


def _poll(*descriptors: int) -> select.poll | None:
    """Return what waits for any of these; ``None`` on Windows, where a read just blocks."""
    if not hasattr(select, "poll"):
        return None
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    return poll


def _exit_descriptor(pid: int) -> list[int]:
    """Return a descriptor that is readable when a child of ours has exited; none where there is no such thing."""
    if hasattr(os, "pidfd_open"):
        with suppress(OSError):  # no descriptor is left, or somebody else has reaped it
            return [os.pidfd_open(pid)]
    return []
