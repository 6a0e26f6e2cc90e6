"""The clock of a turn that makes no progress."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openai_codex._engine.calls import Calls, TurnKey
    from openai_codex.notification import Notification

# Attempts that failed and will be repeated: a runtime without a network may tell of them for ever.
NO_PROGRESS = frozenset({"error"})


class StallClock:
    """Says how long a turn may stay silent still. It stands while the runtime waits for an answer of ours.

    For the one consumer of the turn's events.
    """

    def __init__(self, timeout: float | None, turn: TurnKey, calls: Calls) -> None:
        self.timeout = timeout
        self.last_event: str | None = None
        """The method of the last notification that was progress."""
        self._turn = turn
        self._calls = calls
        self._since = time.monotonic()

    def saw(self, events: Iterable[Notification]) -> None:
        """Start anew if any of these is progress."""
        for event in events:
            if event.method not in NO_PROGRESS:
                self.last_event = event.method
                self._since = time.monotonic()

    def remaining(self) -> float:
        """Return the seconds left; infinite without a timeout."""
        if self.timeout is None:
            return math.inf
        since = max(self._since, self._calls.last_held_up(self._turn))
        return max(0.0, since + self.timeout - time.monotonic())
