"""The reader thread: it alone reads the runtime's output, and cuts it into frames.

It knows bytes, lines and the end of the output; it does not interpret frames.
"""

from __future__ import annotations

import math
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from openai_codex._engine import wire
from openai_codex._engine.once import Once
from openai_codex._engine.recent import Recent
from openai_codex._engine.transport import READ_SIZE
from openai_codex._engine.waiting import may_block, never_block

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_codex._engine.transport import Transport

# Output that has already arrived is read before anything is delivered, up to these limits: waking a consumer costs as
# much as several events, and with many mailboxes one read holds hardly an event for each of them.
_FRAMES_PER_MAILBOX = 16
_MAX_BATCH_BYTES = 1 << 21


# How often to try to wake all who wait for the runtime.
_ATTEMPTS_TO_END = 3

# The longest step in seconds: the reader also looks after a runtime that is gone though its output is open.
_LONGEST_STEP = 1.0


class Silence:
    """How long a runtime has sent nothing, in steps of the reader's waiting. Used by the reader thread only.

    It counts steps that the reader has waited in full, and reads no clock: while a laptop sleeps, or this program is
    stopped, hours pass in which the runtime could not answer either.

    Args:
        interval: After how many seconds of silence to ask for a sign of life; ``None``: never.
        timeout: How many seconds later the runtime counts as frozen.
    """

    def __init__(self, interval: float | None = None, timeout: float = math.inf) -> None:
        self.step: float = min(_LONGEST_STEP, timeout, _LONGEST_STEP if interval is None else interval)
        """How many seconds one read waits."""
        self.armed = False
        """Whether silence counts: not before the handshake, which has a time limit of its own."""
        self._steps = 0
        self._ping_at = math.inf if interval is None else math.ceil(interval / self.step)
        self._frozen_at = self._ping_at + (math.inf if timeout == math.inf else math.ceil(timeout / self.step))

    @property
    def is_suspicious(self) -> bool:
        """Whether a request for a sign of life was not answered within a whole step."""
        return self._steps > self._ping_at

    @property
    def seconds(self) -> float:
        """How long the runtime has been silent, in whole steps."""
        return self._steps * self.step

    def end(self) -> None:
        """Note that something has arrived."""
        self._steps = 0

    def add_step(self) -> tuple[bool, bool]:
        """Note that nothing has arrived within a step; return whether to ask now, and whether the runtime is frozen."""
        if not self.armed:
            return False, False
        self._steps += 1
        return self._steps == self._ping_at, self._steps >= self._frozen_at


class Reader:
    """Reads one transport from start to end. All callbacks run on its thread and must not block.

    ``on_frames`` gets each batch and returns how many mailboxes it was for. ``on_lost_frames`` gets the size of a batch, in
    the handler of an exception from ``on_frames``. ``on_silence`` is called after each step of silence. ``on_end`` is called
    last, with the exception that ended the reading, if there was one; again if it raises.
    """

    def __init__(
        self,
        transport: Transport,
        on_frames: Callable[[list[wire.Frame]], int],
        on_lost_frames: Callable[[int], None],
        on_end: Callable[[BaseException | None], None],
        max_line_bytes: int = sys.maxsize,
        *,
        silence: Silence | None = None,
        on_silence: Callable[[], object] = bool,
        recent: Recent | None = None,
    ) -> None:
        self._transport = transport
        self._on_frames = on_frames
        self._on_lost_frames = on_lost_frames
        self._on_end = on_end
        self._silence = Silence() if silence is None else silence
        self._on_silence = on_silence
        self._lines = wire.LineSplitter(max_line_bytes)
        self._recent = Recent(1, None) if recent is None else recent
        self._batch_size = 0
        self._kill_at = math.inf
        self.right = Once()
        """Taken by who reads, or ends the runtime without reading."""

    def kill_after(self, seconds: float) -> None:
        """Kill the runtime if it still runs after so many seconds. Takes no lock: a finalizer calls it."""
        self._kill_at = time.monotonic() + seconds

    def run(self) -> None:
        """Read until the end. The target of the reader thread."""
        if not self.right.take():
            return
        never_block()
        failures: list[BaseException] = []
        cause = self._read()
        try:
            self._deliver_rest()
        except BaseException as error:  # noqa: BLE001  any failure has to reach the callers that wait for the runtime
            cause = cause or error
        with suppress(MemoryError):
            self._lines.drop()  # if memory is short, this may be most of it
        # Again if that fails, as memory may be short for a moment only: each call does what none has done before.
        while len(failures) < _ATTEMPTS_TO_END:
            try:
                self._on_end(cause)
                break
            except BaseException as error:  # noqa: BLE001  as above
                failures.append(error)
        may_block()
        if failures:
            raise failures[0]  # to be logged where nothing depends on this thread any longer

    def _read(self) -> BaseException | None:
        """Read until the end; return what ended it, if that was an exception."""
        try:
            while (chunk := self._transport.read(self._silence.step)) != b"":
                if time.monotonic() > self._kill_at:
                    self._transport.kill()
                if chunk is not None:
                    self._silence.end()
                    self._take(chunk)
                elif self._transport.has_exited():
                    break  # though its output is open: one of its descendants may hold it
                else:
                    self._on_silence()
        except BaseException as error:  # noqa: BLE001  as above
            return error
        return None

    def _deliver_rest(self) -> None:
        """Deliver a frame without a line end at the end of the output; count anything else."""
        rest = self._lines.end()
        if rest.strip():
            frame = wire.decode(rest)
            if isinstance(frame, wire.Skipped):
                # The runtime is gone: that is what its turns end with, and no request of it needs an answer.
                frame.reason, frame.head = "the output ended within a line", None
            if self._recent.record is not None:
                self._recent.record.received(len(rest), [rest], [frame])
            self._deliver([frame])

    def _take(self, chunk: bytes) -> None:
        frames = self._decode(chunk)
        size = len(chunk)
        try:
            # A read that is not full has emptied the pipe: waiting for more would delay what is here.
            while len(chunk) == READ_SIZE and size < _MAX_BATCH_BYTES and len(frames) < self._batch_size:
                chunk = self._transport.read(0) or b""
                frames += self._decode(chunk)
                size += len(chunk)
        finally:
            self._deliver(frames)

    def _decode(self, chunk: bytes) -> list[wire.Frame]:
        self._recent.keep(chunk)
        lines = self._lines.feed(chunk)
        frames = wire.decode_all(lines)
        if self._recent.record is not None and frames:
            if len(frames) < len(lines):
                lines = [line for line in lines if line and not line.isspace()]
            # Before anything is delivered, so that what a frame leads to is noted after it.
            self._recent.record.received(len(chunk), lines, frames)
        return frames

    def _deliver(self, frames: list[wire.Frame]) -> None:
        try:
            self._batch_size = _FRAMES_PER_MAILBOX * self._on_frames(frames)
        except MemoryError:
            raise  # more than these frames may be lost, and nothing would say what
        except Exception:  # noqa: BLE001  one unexpected frame must not end the connection
            self._on_lost_frames(len(frames))
