"""The interface between the engine and what carries its bytes: a child process, or a WebSocket."""

# The bodies of a Protocol are documentation:
# pyright: reportReturnType=false

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from openai_codex.errors import ProcessInfo

NO_THREAD = "the system gives this program no more threads"

READ_SIZE = 1 << 16
"""How many bytes one read of a pipe returns at most: as many as are cheap to cut into lines at once."""


class Transport(Protocol):
    """One runtime and the two byte streams to and from it, open from the start.

    An implementation owns its descriptors and any thread of its own; it knows nothing of lines or frames.

    The reader thread calls `read`, `has_exited`, `end` and `release`, the writer thread `try_write`, `wait_writable` and
    `close_input`. `write_short` comes from any thread, but never while another write is in progress. The other methods
    may be called from any thread at any time, more than once, and also after the end. No method takes a lock: a signal
    handler or a finalizer may call it on top of itself.
    """

    @property
    def name(self) -> str:
        """Identifies it in the names of threads."""

    @property
    def is_lost(self) -> bool:
        """Whether there is no connection at this moment, and there will be another one."""

    def short(self) -> int:
        """The most bytes that `write_short` takes at this moment; 0 if it cannot be used."""

    def read(self, timeout: float) -> bytes | None:
        """Return what arrived, at least one byte; empty at the end; ``None`` after ``timeout`` seconds of silence.

        Less than `READ_SIZE` bytes mean that nothing more has arrived yet. A WebSocket returns whole messages, which may be longer.
        """

    def try_write(self, data: bytes | memoryview) -> int:
        """Write as much as possible without blocking; return the number of bytes. Raises `OSError` if it is broken.

        ``data`` is one line, or several lines of at most `short` bytes together.
        """

    def write_short(self, data: bytes, /) -> int | None:
        """Write all of at most `short` bytes without blocking, or none of them: then it returns ``None``.

        A function of C code, so that no signal handler runs between the write and the return. Raises `OSError`.
        """

    def wait_writable(self, timeout: float) -> bool:
        """Block until a write would succeed or fail, at most ``timeout`` seconds; return whether it would."""

    def close_input(self) -> None:
        """End the stream to the runtime, which then exits in an orderly way."""

    def has_exited(self) -> bool:
        """Return whether the runtime is gone, though its output may seem open."""

    def terminate(self) -> None:
        """Ask the runtime to exit at once."""

    def kill(self) -> None:
        """End the runtime by force."""

    def end(self, timeout: float) -> int | None:
        """Wait for the exit, at most ``timeout`` seconds, then force it; return the exit code, ``None`` if unknown.

        Closes the streams. `process_info` is complete afterwards.
        """

    def release(self) -> None:
        """Clean up what the runtime left behind. Called after `end`, when all waiters know that it is gone."""

    def after_fork(self) -> None:
        """Close this process's ends of the streams, and never touch the runtime: it belongs to the parent process."""

    def process_info(self) -> ProcessInfo:
        """Return what an error should say about the runtime: its command, exit code and last lines on stderr."""

    def rss(self) -> int | None:
        """Return the bytes of memory that the runtime has in RAM; ``None`` if unknown."""
