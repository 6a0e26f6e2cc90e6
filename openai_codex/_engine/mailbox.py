"""The ordered events of one subscriber: filled by the reader in batches, emptied by the consumer in batches."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from openai_codex._engine.backlog import Backlog
from openai_codex._engine.waiting import Latch, Waitable, Waiter, wake_all

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openai_codex._engine.backlog import Losses
    from openai_codex._engine.close_reason import CloseReason
    from openai_codex._notification import Notification

_BEGINNING = "turn/started"


class Mailbox(Waitable):
    """Events wait here until their consumer takes them; a wait that times out loses none.

    Ready means: there are events, or there will never be one again. ``_lock`` guards everything but `ended`, which is
    tripped after the lock is released. The reader never waits for a consumer: `Backlog` bounds what is left unread.
    """

    __slots__ = ("__weakref__", "_backlog", "_close_reason", "_methods", "_over", "begun", "ended", "subject")

    def __init__(self, subject: str, methods: frozenset[str] | None = None, limit: int | None = None) -> None:
        super().__init__()
        self.subject = subject
        self._methods = methods
        self.ended = Latch()
        """Set when the last event is in: the turn is over, or the connection is."""
        self.begun = False
        """Whether a turn has begun, as far as was told here; taken since or not."""
        self._backlog = Backlog(limit=limit)
        self._over = False
        self._close_reason: CloseReason | None = None

    def count_in(self, tally: Losses) -> None:
        """Count what is merged or dropped there, too; said before the first event.

        For the mailboxes of the program's consumers: what the client keeps for itself is nobody's loss.
        """
        self._backlog.tally = tally

    @property
    def is_counted(self) -> bool:
        """Whether it has a consumer whose losses count."""
        return self._backlog.tally is not None

    def is_ready(self) -> bool:
        """Say whether `take` has something to say."""
        return self._over or len(self._backlog) > 0

    def wants(self, method: str) -> bool:
        """Say whether events of this method are for it; the router asks before it delivers."""
        return self._methods is None or method in self._methods

    def put(self, events: Sequence[Notification], *, last: bool = False) -> list[Waiter]:
        """Append a batch, ``last`` if nothing will follow; return the waiters to wake."""
        with self._lock:
            self._backlog.extend(events)
            self.begun = self.begun or any(event.method == _BEGINNING for event in events)
            self._over = self._over or last
            waiters = self._take_waiters() if self.is_ready() else []
        return waiters + self.ended.trip() if last else waiters

    def fail(self, close_reason: CloseReason) -> list[Waiter]:
        """Record that the connection is gone: what is here can still be taken. Returns the waiters to wake."""
        with self._lock:
            if not self._over:
                self._over, self._close_reason = True, close_reason
            waiters = self._take_waiters()
        return waiters + self.ended.trip()

    def take(self) -> list[Notification]:
        """Take the events that are here, oldest first; an empty list if there are none.

        Raises `TransportClosedError` when there are none and the connection is gone.
        """
        with self._lock:
            events = self._backlog.take()
            close_reason = self._close_reason
        if not events and close_reason is not None:
            raise close_reason.error(self.subject)
        return events

    def is_over(self) -> bool:
        """Say whether the last event has been taken. Never true after a death: `take` tells of that."""
        with self._lock:
            return self._over and self._close_reason is None and not len(self._backlog)

    def close(self) -> None:
        """The consumer is gone: drop what is unread, take no more, and wake whoever waits."""
        with self._lock:
            self._backlog.take()
        wake_all(self.put((), last=True))

    @property
    def unread(self) -> int:
        """How many events wait here."""
        return len(self._backlog)

    @property
    def losses(self) -> Losses:
        """What was merged or dropped because nobody took it."""
        return self._backlog.losses


class Listener(Mailbox):
    """A part of this package that looks at events as they come, on the reader, and keeps none of them in line."""

    def put(self, events: Sequence[Notification], *, last: bool = False) -> list[Waiter]:  # noqa: ARG002  nobody waits here
        """Look at a batch."""
        with self._lock:
            for event in events:
                with suppress(Exception):  # of an odd shape; the replies of its batch must not be lost by it
                    self.on_event(event)
        return []

    def fail(self, close_reason: CloseReason) -> list[Waiter]:  # noqa: ARG002  there is nothing to end
        """Let the end of a runtime pass."""
        return []

    def on_event(self, event: Notification) -> None:
        """Look at one event, under the lock; quick, and without a call to the outside."""
        raise NotImplementedError  # abstract


class LastingMailbox(Mailbox):
    """A mailbox whose subscription outlives a runtime: it goes on with the next one, unless there will be none."""

    def fail(self, close_reason: CloseReason) -> list[Waiter]:
        """Tell of the end of a runtime and go on, unless it is the end of the client."""
        if close_reason.final:
            return super().fail(close_reason)
        notice = close_reason.notice()
        return self.put([notice]) if self.wants(notice.method) else []
