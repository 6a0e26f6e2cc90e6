"""The clock of a turn that makes no progress. It knows events and time, and nothing of the engine."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from openai_codex._notification import Notification

# Notifications that are not progress: a runtime without a network reports failed attempts for ever.
NO_PROGRESS = frozenset({"error"})


class StallClock:
    """Measures how long a turn may stay silent until it counts as stalled.

    It is paused while the runtime waits for an answer of this client. Not thread-safe: for the one consumer of the turn's
    events.
    """

    def __init__(
        self, timeout: float, last_sign: Callable[[], float], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Start the clock.

        Args:
            timeout: The longest silence, in seconds.
            last_sign: Returns when a server request of the turn was last pending, by ``clock``: now if one is, ``-inf``
                if there was none. Other signs than the events may count, too.
            clock: Returns the time in seconds.
        """
        self.timeout = timeout
        self.last_event: str | None = None
        """The method of the last notification that was progress."""
        self._last_sign = last_sign
        self._clock = clock
        self._since = clock()

    def on_event(self, events: Iterable[Notification]) -> None:
        """Restart the clock if one of these events is progress."""
        for event in events:
            if event.method not in NO_PROGRESS:
                self.last_event = event.method
                self._since = self._clock()

    def silence(self) -> float:
        """Return the seconds since the last progress, or since the start."""
        return self._clock() - max(self._since, self._last_sign())

    def remaining(self) -> float:
        """Return the seconds left: the whole timeout while the clock is paused, never below 0."""
        # While a server request is pending, the turn waits for this client: that time does not count as silence.
        since = max(self._since, self._last_sign())
        return max(0.0, since + self.timeout - self._clock())
