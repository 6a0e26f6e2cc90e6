"""The reader thread: it alone reads the runtime's output, and turns it into frames.

It knows bytes, lines and when the end has come; what frames mean is the business of whoever it was made by.
"""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING

from openai_codex._engine import wire
from openai_codex._engine.transport.output import READ_SIZE

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_codex._engine.transport import RuntimeProcess

# How often to look around while nothing comes, in seconds.
_LOOK_AROUND = 1.0

# What has come already is read on before anything is delivered, up to so many frames and bytes: a wake-up of a mailbox
# costs as much as some events, and with many mailboxes one piece of output has hardly an event for each.
_FRAMES_PER_MAILBOX = 16
_MOST_BYTES = 1 << 21


class Reader:
    """Reads one process from its start to its end, on one thread; all callbacks run on it and must not block.

    ``on_frames`` gets each batch and returns how many mailboxes it was for, ``on_odd_frames`` is told when that has
    failed, ``on_end`` is called once, last, with what made the reading end, if it was an error.
    """

    def __init__(
        self,
        process: RuntimeProcess,
        on_frames: Callable[[list[wire.Frame]], int],
        on_odd_frames: Callable[[], None],
        on_end: Callable[[Exception | None], None],
    ) -> None:
        self._process = process
        self._on_frames = on_frames
        self._on_odd_frames = on_odd_frames
        self._on_end = on_end
        self._lines = wire.LineSplitter()
        self._enough = 0
        self._kill_at = math.inf
        self._thread = threading.Thread(target=self._run, name=f"codex-reader-{process.pid}", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def is_running(self) -> bool:
        """Say whether the thread has not ended yet, unless it is the calling one."""
        return self._thread.is_alive() and self._thread is not threading.current_thread()

    def kill_after(self, seconds: float) -> None:
        """Kill the process if it has not ended by then; takes no lock, so that a finalizer may call it."""
        self._kill_at = time.monotonic() + seconds

    def _run(self) -> None:
        cause: Exception | None = None
        try:
            while (chunk := self._process.read(_LOOK_AROUND)) != b"":
                if chunk is not None:
                    self._take(chunk)
                elif self._is_deserted():
                    break
        except Exception as error:  # noqa: BLE001  whatever it is: those who wait must learn of it
            cause = error
        self._take_rest()
        self._on_end(cause)

    def _is_deserted(self) -> bool:
        """Say whether nothing will come any more, though the output is open: a descendant of the runtime may hold it."""
        if time.monotonic() > self._kill_at:
            self._process.kill()
        return self._process.has_exited()

    def _take(self, chunk: bytes) -> None:
        frames = self._decode(chunk)
        size = len(chunk)
        try:
            while len(chunk) == READ_SIZE and size < _MOST_BYTES and len(frames) < self._enough:
                chunk = self._process.read(0) or b""
                frames += self._decode(chunk)
                size += len(chunk)
        finally:
            self._deliver(frames)

    def _decode(self, chunk: bytes) -> list[wire.Frame]:
        return [wire.decode(line) for line in self._lines.feed(chunk) if line and not line.isspace()]

    def _take_rest(self) -> None:
        rest = self._lines.end()
        if rest.strip():
            self._deliver([wire.Skipped("the output ended within a line", len(rest))])

    def _deliver(self, frames: list[wire.Frame]) -> None:
        try:
            self._enough = _FRAMES_PER_MAILBOX * self._on_frames(frames)
        except Exception:  # noqa: BLE001  one odd frame must not end the connection
            self._on_odd_frames()
