"""Turns that have to be stopped: how the runtime is asked to, and when nothing is left to be stopped.

It knows the protocol's rules for that. When and how often it is asked is up to the engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openai_codex import _codec as codec
from openai_codex import _protocol as protocol
from openai_codex._engine import wire
from openai_codex._engine.mailbox import Mailbox
from openai_codex._engine.subscriptions import PendingSubscription
from openai_codex._engine.undo import Undo
from openai_codex._engine.waiting import Latch
from openai_codex.errors import CodexError

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_codex._engine.actor import Actor
    from openai_codex._engine.reply import Reply
    from openai_codex._notification import Notification
    from openai_codex._turns.fold import GoalFold


# How often a goal is paused without a sign that there is one: for about 20 seconds.
_MOST_PAUSES = 24

_BOUNDS = frozenset({"turn/started", "turn/completed"})


class GoalStop:
    """A goal that is to be paused, and the turn that works on it (`thread/goal/set`, `turn/interrupt`).

    The runtime may start another turn before it has paused the goal. From now on the mailbox belongs to this object, which
    takes the events on the writer thread. ``on_end`` gets the starts and the ends of turns among them.
    """

    def __init__(
        self, thread_id: str, fold: GoalFold, mailbox: Mailbox, on_end: Callable[[list[Notification]], None]
    ) -> None:
        self.ended = Latch()
        """Set when the goal is paused and no turn runs."""
        self._thread_id = thread_id
        self._fold = fold
        self._mailbox = mailbox
        self._on_end = on_end
        self._bounds: list[Notification] = []
        self._sent = 0

    def is_over(self) -> bool:
        """Return whether the goal is paused and no turn runs, or the connection is closed."""
        try:
            events = self._mailbox.take()
            self._bounds += [event for event in events if event.method in _BOUNDS]
            self._fold.add(events)
        except CodexError:
            over = True
        else:
            # Without a goal there is nothing to pause, and no event says so; hence the limit.
            paused = not self._fold.is_active() or self._sent >= _MOST_PAUSES
            over = paused and self._fold.running_turn() is None
        if over:
            self._on_end(self._bounds)
            self.ended.set()
        return over

    def line(self) -> bytes:
        """Return the requests that pause the goal and interrupt its turn."""
        self._sent += 1
        return _pause(self._thread_id, self._fold)


class GoalPause:
    """A goal that is to be paused for another caller than the one that follows it, who takes the events (see `GoalStop`)."""

    def __init__(self, thread_id: str, fold: GoalFold, ended: Latch) -> None:
        self._thread_id = thread_id
        self._fold = fold
        self._ended = ended

    def is_over(self) -> bool:
        """Return whether the goal is followed no longer, or the connection is closed."""
        return self._ended.is_ready()

    def line(self) -> bytes:
        """Return the requests that pause the goal and interrupt its turn."""
        return _pause(self._thread_id, self._fold)


class TurnStop:
    """One turn, from the request that starts it, and the requests that interrupt it (`turn/interrupt`).

    It exists before the request is written, so that a caller can have the turn stopped at whatever instant it leaves.
    """

    def __init__(self, thread_id: str) -> None:
        self.mailbox = Mailbox(f"the events of a turn of thread {thread_id}")
        """Collects the events of the turn."""
        self.subscription = PendingSubscription(self.mailbox, ("turn", "id"), thread_id)
        self.thread_id = thread_id
        self.actor: Actor | None = None
        """The runtime that was asked to start the turn."""
        self._reply: Reply | None = None
        self._undo: Undo | None = None

    @property
    def ended(self) -> Latch:
        """Set when the turn is over."""
        return self.mailbox.ended

    def follow(self, actor: Actor, reply: Reply) -> None:
        """Note the request that starts the turn. Called before it is sent."""
        self.actor, self._reply = actor, reply

    def request(self) -> bool:
        """Have the turn interrupted until it is over; return whether there is one. Idempotent; waits for nothing."""
        actor = self.actor
        if actor is None or actor.close_reason is not None or self.is_over():
            return False
        if self._undo is None or self._undo.done.is_ready():
            undo = Undo(self)
            actor.undo(undo)
            self._undo = undo  # last: if an exception of a signal handler comes before, the next call does it again
        return True

    # -- for the writer thread ---------------------------------------------------------------------------------------

    def is_over(self) -> bool:
        """Return whether the turn is over, or was never started."""
        reply, actor = self._reply, self.actor
        if self.mailbox.ended.is_ready() or reply is None or actor is None:
            return True
        if not reply.is_ready():
            return not actor.router.expects(reply.request_id)  # it was not sent, or the reply is overdue
        return reply.is_refused()

    def line(self) -> bytes | None:
        """Return the request that interrupts the turn."""
        turn_id = self._usable_id()
        if turn_id is None:
            return None
        params = protocol.TurnInterruptParams(thread_id=self.thread_id, turn_id=turn_id)
        return _encode(params)

    def _usable_id(self) -> str | None:
        """Return by which id the turn can be interrupted at present.

        The runtime refuses the id of a turn that has not begun; the empty id means the thread's active turn. A review's
        start has another id, so for a review the empty id is used until its end. But it must not hit another turn.
        """
        assert self.actor is not None, "called only after `follow`"
        known = self.turn_id
        if known is not None and self.mailbox.begun:
            return known
        return known if self.actor.router.has_other_turns(self.thread_id, self.mailbox) else ""

    @property
    def turn_id(self) -> str | None:
        """The id of the turn, once the reply has named it."""
        if self._reply is None or not self._reply.is_ready():
            return None
        try:
            topic = self.subscription.topic_in(self._reply.result())
        except CodexError:  # the reply could not be read
            return None
        return None if topic is None else topic.turn_id


def _pause(thread_id: str, fold: GoalFold) -> bytes:
    paused = protocol.ThreadGoalSetParams(thread_id=thread_id, status=protocol.ThreadGoalStatus.paused)
    turn_id = fold.running_turn()
    stop = protocol.TurnInterruptParams(thread_id=thread_id, turn_id=turn_id) if turn_id else None
    return b"".join(_encode(params) for params in (paused, stop) if params is not None)


def _encode(params: protocol.ClientRequest[Any]) -> bytes:
    return wire.encode_request(wire.UNDO_ID, params.METHOD, codec.unstructure(params))
