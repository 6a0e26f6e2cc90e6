"""What is subscribed for longer than one runtime lives."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from openai_codex._engine.waiting import Lock, wake_all

if TYPE_CHECKING:
    from openai_codex._engine.close_reason import CloseReason
    from openai_codex._engine.mailbox import Mailbox
    from openai_codex._engine.topics import Topic
    from openai_codex._notification import Notification


class LastingSubscriptions:
    """Topics and the mailboxes that want them, held weakly. ``_lock`` guards the list; nobody is called under it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._pairs: list[tuple[Topic, weakref.ref[Mailbox]]] = []

    def add(self, topic: Topic, mailbox: Mailbox) -> None:
        """Remember one more."""
        with self._lock:
            self._pairs = [pair for pair in self._pairs if pair[1]() is not None]
            self._pairs.append((topic, weakref.ref(mailbox)))

    def remove(self, mailbox: Mailbox) -> None:
        """Forget a mailbox; harmless if it is not there."""
        with self._lock:
            self._pairs = [pair for pair in self._pairs if pair[1]() is not mailbox]

    def alive(self) -> list[tuple[Topic, Mailbox]]:
        """Return those that somebody still holds."""
        with self._lock:
            return [(topic, mailbox) for topic, reference in self._pairs if (mailbox := reference()) is not None]

    def tell(self, notice: Notification) -> None:
        """Give all who want it a notification of this side."""
        for _, mailbox in self.alive():
            if mailbox.wants(notice.method):
                wake_all(mailbox.put([notice]))

    def end(self, close_reason: CloseReason) -> None:
        """No runtime will follow."""
        for _, mailbox in self.alive():
            wake_all(mailbox.fail(close_reason))
