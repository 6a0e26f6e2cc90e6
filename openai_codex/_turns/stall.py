"""The clock of a turn that makes no progress."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openai_codex._engine.server_requests import PendingRequests
    from openai_codex._notification import Notification

# Attempts that failed and will be repeated: a runtime without a network may tell of them for ever.
NO_PROGRESS = frozenset({"error"})

_NONE: frozenset[str] = frozenset()

_ITEM = ("item/started", "item/completed")


class StallClock:
    """Says how long a turn may stay silent still.

    It stands while the runtime waits for an answer of ours, and while the turn waits for a sub-agent. For the one
    consumer of the turn's events.
    """

    def __init__(self, timeout: float | None, thread_id: str, calls: PendingRequests) -> None:
        self.timeout = timeout
        self.last_event: str | None = None
        """The method of the last notification that was progress."""
        self._thread_id = thread_id
        self._calls = calls
        self._since = time.monotonic()
        self._agents = _NONE

    def on_event(self, events: Iterable[Notification]) -> None:
        """Start anew if any of these is progress."""
        for event in events:
            if event.method not in NO_PROGRESS:
                self.last_event = event.method
                self._since = time.monotonic()
            if event.method in _ITEM:
                self._watch_agents(event)

    def _watch_agents(self, event: Notification) -> None:
        """Note whether the turn waits for sub-agents: their turns have their own events, and their own questions."""
        item = event.params.get("item")
        if isinstance(item, dict) and item.get("type") == "collabAgentToolCall":
            agent = {str(item.get("id"))}
            self._agents = self._agents | agent if event.method == _ITEM[0] else self._agents - agent

    def remaining(self) -> float:
        """Return the seconds left; infinite without a timeout."""
        if self.timeout is None:
            return math.inf
        if self._agents:
            return self.timeout
        since = max(self._since, self._calls.last_held_up(self._thread_id))
        return max(0.0, since + self.timeout - time.monotonic())
