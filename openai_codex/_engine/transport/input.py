"""The input pipe of a child process, written without blocking.

It knows bytes; not what they mean, nor who may write at a moment.
"""

from __future__ import annotations

import os
import select
import signal
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_POSIX = os.name == "posix"

# The raw function takes 0.06 µs, its wrapper, which makes enum members, 2.6 µs: as much as a tenth of a small request.
# Before Python 3.13 the wrapper has no `__wrapped__`.
_handler_of = getattr(signal, "_signal", signal).getsignal
_SIGPIPE = signal.SIGPIPE if _POSIX else None
_IGNORED = int(signal.SIG_IGN)


class InputPipe:
    """stdin of a child. `write_short` may come from any thread, all else is for the writer thread."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._fd = pipe.fileno()
        if _POSIX:
            os.set_blocking(self._fd, False)
        self.write_short: Callable[[bytes], int | None] = pipe.write
        """Writes at most `short` bytes, all or none of them; then it returns ``None``. A function of C code."""

    def short(self) -> int:
        """Return how many bytes the pipe takes as a whole; 0 where SIGPIPE ends the program and has to be blocked meanwhile."""
        return select.PIPE_BUF if _SIGPIPE is not None and _handler_of(_SIGPIPE) == _IGNORED else 0

    def try_write(self, data: bytes | memoryview) -> int:
        """Write what fits now; return how many bytes that was. Raises `OSError` when the pipe is broken.

        Also where the program has changed what SIGPIPE does. Python ignores it. Where a program has set its default, so
        that ``| head`` ends it, the runtime's death would end the program without a word.
        """
        try:
            return os.write(self._fd, data) if _ignores_sigpipe() else _write_without_signal(self._fd, data)
        except BlockingIOError:
            return 0

    def wait_writable(self, timeout: float) -> bool:
        """Wait until there is room or the pipe is broken, at most ``timeout`` seconds; return whether it is."""
        if not _POSIX:
            return True
        poll = select.poll()
        poll.register(self._fd, select.POLLOUT)
        return bool(poll.poll(timeout * 1000))

    def close(self) -> None:
        """Close the descriptor."""
        self._pipe.close()


def _ignores_sigpipe() -> bool:
    return _SIGPIPE is None or _handler_of(_SIGPIPE) == _IGNORED


def _write_without_signal(descriptor: int, data: bytes | memoryview) -> int:
    assert _SIGPIPE is not None, "a system without it ignores it"
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {_SIGPIPE})
    try:
        return os.write(descriptor, data)
    except BrokenPipeError:
        if _SIGPIPE in signal.sigpending():
            signal.sigwait({_SIGPIPE})  # takes it: it was sent to this thread, which would get it when it unblocks it
        raise
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
