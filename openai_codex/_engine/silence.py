"""Tells a runtime that is alive but frozen from one that has nothing to say. It counts; it neither reads nor writes."""

from __future__ import annotations

import math

from openai_codex._engine import wire

PING_ID = "ping"
"""The id of the request that asks a silent runtime for a sign of life. Ids of other requests are integers."""

PING = wire.encode_request(PING_ID, "thread/loaded/list", {})
"""That request: cheap for the runtime (0.5 ms), and without effect."""

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
        self.step = min(_LONGEST_STEP, timeout, _LONGEST_STEP if interval is None else interval)
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
