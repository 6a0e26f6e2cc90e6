"""When a pool looks again for jobs that have to wait: after a delay, and at the reset of a usage limit."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator
from functools import partial
from typing import Any, TypeAlias

from openai_codex._engine.waiting import Latch
from openai_codex._jobs.clients import Ready, Steps

Spawn: TypeAlias = Callable[[Generator[Any, Any, Any], Callable[[Any], None]], None]
"""Carries out steps beside the caller: on a Python thread, or as a task. Calls the function with the outcome."""

# It is set anew after so many seconds at most: the clock of the system may be changed.
_LONGEST = 30.0


class Timer:
    """Posts an event at the earliest of the times that it was set to. It ends early when the pool is closed."""

    def __init__(self, ready: Ready, closing: Latch) -> None:
        self._ready, self._closing = ready, closing
        self._at = math.inf

    def set(self, seconds: float, spawn: Spawn, post: Callable[[Callable[[], None]], None]) -> None:
        """Have an event posted after so many seconds, unless one comes before. To be called by an event."""
        seconds = min(seconds, _LONGEST)
        at = time.monotonic() + seconds
        if at < self._at:
            spawn(self._wait(seconds), lambda _outcome: post(partial(self._ring, at)))
            self._at = at  # the event that it is over comes after this one

    def _wait(self, seconds: float) -> Steps:
        yield partial(self._ready, self._closing, seconds)

    def _ring(self, at: float) -> None:
        if at == self._at:
            self._at = math.inf
