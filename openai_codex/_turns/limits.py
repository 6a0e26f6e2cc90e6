"""The rate limits that the runtime reported last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openai_codex._engine.mailbox import Listener

if TYPE_CHECKING:
    from openai_codex._notification import Notification


class RateLimits(Listener):
    """Keeps the rate limits that the runtime reported last."""

    def __init__(self) -> None:
        super().__init__("rate limits", frozenset({"account/rateLimits/updated"}))
        self.newest: Notification | None = None

    def on_event(self, event: Notification) -> None:
        """Replace the limits reported before."""
        self.newest = event
