"""The ordered events of one subscription: filled by the reader in batches, emptied by the consumer in batches."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, ClassVar

from openai_codex._engine.backlog import Backlog
from openai_codex._engine.waiting import Latch, Waitable, Waiter, wake_all
from openai_codex._runtime.imports import load

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from openai_codex._engine.backlog import Losses
    from openai_codex._engine.reply import CloseReason
    from openai_codex._notification import Notification


class Mailbox(Waitable):
    """Events stay here until their consumer takes them; a wait that times out loses none.

    Ready means: there are events, or there will be no more. The reader puts, one consumer takes; neither waits for the
    other, as `Backlog` bounds what is unread. Any thread may end it; the first end counts.
    """

    __slots__ = (
        "__weakref__",
        "_ends",
        "_methods",
        "_unread",
        "backlog",
        "ended",
        "has_others",
        "subject",
        "takes_others",
    )

    outlives_runtimes: ClassVar[bool] = False
    """Whether it continues with the next runtime, and the end of one is only an event."""

    def __init__(self, subject: str, methods: frozenset[str] | None = None, limit: int | None = None) -> None:
        super().__init__()
        self.subject: str = subject
        """What the events are of, for error texts: ``the events of a turn``."""
        self.ended: Latch = Latch()
        """Set when the last event was put: the turn is over, or the connection is."""
        self.backlog: Backlog = Backlog(limit=limit)
        """The unread events. Other code only reads: its length, its losses, and copies of the events."""
        self.takes_others: bool = False
        """Whether it is also for the events of turns that work for its turn, until its own turn ends."""
        self.has_others: bool = False
        """Whether there are such turns. Set before their first event is put."""
        self._methods = methods
        self._unread = self.backlog.events
        # Why it is over, the first entry counts: the close reason, or ``None`` after the last event.
        self._ends: list[CloseReason | None] = []

    def count_in(self, tally: Losses) -> None:
        """Count what is merged or dropped in ``tally`` too. Called before the first event.

        Only for the mailboxes of the program's consumers: the client's internal listeners are not counted.
        """
        self.backlog.tally = tally

    def is_ready(self) -> bool:
        """Return whether `take` would return events or report the end."""
        return bool(self._ends or self._unread)

    def accepts(self, method: str) -> bool:
        """Return whether it accepts events of this method; the router checks before it delivers."""
        return self._methods is None or method in self._methods

    def methods(self) -> frozenset[str]:
        """Return the methods that it accepts, if these are listed."""
        return self._methods or frozenset()

    def put(self, events: Sequence[Notification], *, last: bool = False) -> list[Waiter]:
        """Append a batch, ``last`` if no event will follow; return the waiters to wake."""
        self.backlog.extend(events)
        if last:
            self._ends.append(None)
            return self.waiters() + self.ended.trip()
        return self.waiters() if events else []

    def keep(self, belongs: Callable[[Notification], bool]) -> None:
        """Drop the unread events that do not belong here. For a mailbox that has not been read yet."""
        events = [event for event in self.backlog.take() if belongs(event)]
        self.backlog.extend(events)

    def fail(self, close_reason: CloseReason) -> list[Waiter]:
        """Record that the connection ended; unread events can still be taken. Returns the waiters to wake."""
        # A turn that is complete stays readable as such, however the connection ends afterwards.
        self._ends.append(close_reason)
        return self.waiters() + self.ended.trip()

    def take_into(self, kept: deque[Notification]) -> None:
        """Move the unread events, oldest first, to the end of ``kept``.

        A consumer that a signal handler may interrupt keeps that queue, so at no instant is an event without an owner.

        Raises:
            TransportClosedError: ``kept`` is empty, and the connection ended before the turn did.
        """
        # Read first: the reader may put the last events and end it in between.
        close_reason = self._ends[0] if self._ends else None
        self.backlog.take_into(kept)
        if not kept and close_reason is not None:
            raise close_reason.error(self.subject)

    def take(self) -> list[Notification]:
        """Remove and return the unread events as `take_into` does. For a thread that no signal handler interrupts."""
        kept: deque[Notification] = deque()
        self.take_into(kept)
        return list(kept)

    def is_over(self) -> bool:
        """Return whether the last event was taken. False after a failed connection: `take` raises then."""
        return bool(self._ends) and self._ends[0] is None and not self._unread

    @property
    def close_reason(self) -> CloseReason | None:
        """Why it ended without its last event; ``None`` if it has that, or has not ended."""
        return self._ends[0] if self._ends else None

    def poke(self) -> None:
        """Wake the consumer without an event, so that it looks again at what else it waits for."""
        wake_all(self.waiters())

    def close(self) -> None:
        """End it from the consumer's side: drop what is unread and wake the consumer."""
        self._ends.append(None)
        self.backlog.take()
        wake_all(self.waiters() + self.ended.trip())


class Unless(Waitable):
    """The events of a turn, for a consumer that may be told not to wait for them."""

    __slots__ = ("_is_closed", "_mailbox")

    def __init__(self, is_closed: Callable[[], bool], mailbox: Mailbox) -> None:
        self._waiters = mailbox._waiters  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  it has none of its own
        self._is_closed = is_closed
        self._mailbox = mailbox

    def is_ready(self) -> bool:
        return self._is_closed() or self._mailbox.is_ready()

    def add_waiter(self, waiter: Waiter) -> bool:
        # Asked last: who closes the consumer after that finds the waiter and wakes it.
        if self._mailbox.add_waiter(waiter) and not self._is_closed():
            return True
        self._mailbox.discard_waiter(waiter)
        return False

    def discard_waiter(self, waiter: Waiter) -> None:
        self._mailbox.discard_waiter(waiter)


class Listener(Mailbox):
    """A part of this package that handles events on the reader as they come, and keeps no queue of them."""

    outlives_runtimes = True

    def put(self, events: Sequence[Notification], *, last: bool = False) -> list[Waiter]:  # noqa: ARG002  it has no waiters
        """Handle a batch."""
        remaining = iter(events)
        while True:
            try:
                for event in remaining:
                    self.on_event(event)
            except Exception:  # noqa: BLE001, S112  payloads may have any shape; it would cost the replies of the same batch
                continue
            return []

    def fail(self, close_reason: CloseReason) -> list[Waiter]:  # noqa: ARG002  it has no waiters
        """Ignore the end of a runtime: the listener continues with the next one."""
        return []

    def on_event(self, event: Notification) -> None:
        """Handle one event, on the reader: quickly, and without calling other objects."""
        raise NotImplementedError  # abstract


class LastingMailbox(Mailbox):
    """A mailbox whose subscription outlives a runtime: it continues with the next one, if there will be one."""

    outlives_runtimes = True

    def fail(self, close_reason: CloseReason) -> list[Waiter]:
        """Report the end of a runtime as an event, or end if it was the client's last one."""
        if close_reason.final:
            return super().fail(close_reason)
        # Imported here: only supervised clients need it, and it builds two classes.
        load("openai_codex._runtime.report")
        from openai_codex._runtime.report import runtime_exited

        event = runtime_exited(close_reason.reason, close_reason.process, close_reason.generation)
        return self.put([event]) if self.accepts(event.method) else []
