"""The clock of a turn that makes no progress. It knows events and time, and nothing of the engine."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from openai_codex._notification import Notification

# Notifications that are not progress: a runtime without a network reports failed attempts for ever.
NO_PROGRESS = frozenset({"error"})

_STARTED, _COMPLETED = "item/started", "item/completed"

# Shared by all clocks: most turns never wait for a sub-agent.
_NONE: frozenset[str] = frozenset()


class StallClock:
    """Measures how long a turn may stay silent until it counts as stalled.

    It is paused while the runtime waits for an answer of this client, and while the turn waits for a sub-agent: the
    sub-agent's turn has its own events. Not thread-safe: for the one consumer of the turn's events.
    """

    def __init__(
        self, timeout: float, last_pending_at: Callable[[], float], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Start the clock.

        Args:
            timeout: The longest silence, in seconds.
            last_pending_at: Returns when a server request of the thread was last pending, by ``clock``: now if one is,
                ``-inf`` if there was none.
            clock: Returns the time in seconds.
        """
        self._timeout = timeout
        self.last_event: str | None = None
        """The method of the last notification that was progress."""
        self._last_pending_at = last_pending_at
        self._clock = clock
        self._since = clock()
        self._agents = _NONE

    def on_event(self, events: Iterable[Notification]) -> None:
        """Restart the clock if one of these events is progress."""
        for event in events:
            if event.method not in NO_PROGRESS:
                self.last_event = event.method
                self._since = self._clock()
            if event.method in {_STARTED, _COMPLETED}:
                self._watch_agents(event)

    def silence(self) -> float:
        """Return the seconds since the last progress, or since the start."""
        return self._clock() - self._since

    def remaining(self) -> float:
        """Return the seconds left: the whole timeout while the clock is paused, never below 0."""
        if self._agents:
            return self._timeout
        # While a server request is pending, the turn waits for this client: that time does not count as silence.
        since = max(self._since, self._last_pending_at())
        return max(0.0, since + self._timeout - self._clock())

    def _watch_agents(self, event: Notification) -> None:
        """Note whether a call of a sub-agent is open. Several may be, as a turn can wait for more than one."""
        item = event.params.get("item")
        if isinstance(item, dict) and item.get("type") == "collabAgentToolCall":
            agent = {str(item.get("id"))}
            self._agents = self._agents | agent if event.method == _STARTED else self._agents - agent
