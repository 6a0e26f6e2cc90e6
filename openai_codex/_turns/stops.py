"""Turns that have to be stopped: how the runtime is asked to, and when nothing is left to be stopped.

It knows the protocol's rules for that. When and how often it is asked is up to the engine.
"""

from __future__ import annotations

import time
import weakref
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from openai_codex import _codec as codec
from openai_codex import _protocol as protocol
from openai_codex._engine import wire
from openai_codex._engine.mailbox import Mailbox
from openai_codex._engine.subscriptions import PendingSubscription
from openai_codex._engine.undo import Undo
from openai_codex._engine.waiting import Latch
from openai_codex._turns.tree_stops import stop_agents
from openai_codex.errors import CodexError, DecodeError, TransportClosedError

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable

    from openai_codex._engine.actor import Actor
    from openai_codex._engine.reply import Reply
    from openai_codex._engine.waiting import Deadline, Waitable
    from openai_codex._notification import Notification
    from openai_codex._turns.fold import GoalFold
    from openai_codex._turns.open_turns import OpenTurn
    from openai_codex._turns.trees import Trees
    from openai_codex._turns.work import Work
    from openai_codex._turns.work_table import WorkTable


# How long the thread's active turn is interrupted, whichever it is, while there is no reply that names one, in seconds.
_UNNAMED = 5.0

# How often a goal is paused without a sign that there is one: for about 20 seconds.
_MOST_PAUSES = 24

_BOUNDS = frozenset({"turn/started", "turn/completed"})


class GoalStop:
    """A goal that is to be paused, and the turn that works on it (`thread/goal/set`, `turn/interrupt`).

    The runtime may start another turn before it has paused the goal. From now on the mailbox belongs to this object, which
    takes the events on the writer thread; ``fresh`` are those that were taken and not seen. ``on_end`` gets the starts and the ends of turns among them,
    and ``on_turn`` the id of a turn that is interrupted.
    """

    def __init__(
        self,
        thread_id: str,
        fold: GoalFold,
        mailbox: Mailbox,
        fresh: deque[Notification],
        on_end: Callable[[list[Notification]], None],
        *,
        on_turn: Callable[[str], object],
    ) -> None:
        self.ended = Latch()
        """Set when the goal is paused and no turn runs, or when it is given up."""
        self.thread_id = thread_id
        self._fold = fold
        self._mailbox = mailbox
        self._fresh = fresh
        self._on_end, self._on_turn = on_end, on_turn
        self._bounds: list[Notification] = []
        self._sent = 0

    def is_over(self) -> bool:
        """Return whether the goal is paused and no turn runs, or the connection is closed."""
        try:
            self._mailbox.take_into(self._fresh)
        except TransportClosedError:
            return True
        events = list(self._fresh)
        self._fresh.clear()
        self._bounds += [event for event in events if event.method in _BOUNDS]
        for event in events:
            with suppress(DecodeError):  # it is of no use here, and must not cost the events after it
                self._fold.add([event])
        # Without a goal there is nothing to pause, and no event says so; hence the limit.
        paused = not self._fold.is_active() or self._sent >= _MOST_PAUSES
        return paused and self._fold.running_turn() is None

    def line(self) -> bytes:
        """Return the requests that pause the goal and interrupt its turn."""
        self._sent += 1
        return _pause(self.thread_id, self._fold, self._on_turn)

    def end(self) -> None:
        """Hand over the starts and ends of turns, and wake who waits."""
        try:
            self._on_end(self._bounds)
        finally:
            self.ended.set()


class GoalPause:
    """A goal that is to be paused for another caller than the one that follows it, who takes the events (see `GoalStop`)."""

    def __init__(self, thread_id: str, fold: GoalFold, ended: Latch, on_turn: Callable[[str], object]) -> None:
        self.thread_id = thread_id
        self._fold, self._ended, self._on_turn = fold, ended, on_turn

    def is_over(self) -> bool:
        """Return whether the goal is followed no longer, or the connection is closed."""
        return self._ended.is_ready()

    def line(self) -> bytes:
        """Return the requests that pause the goal and interrupt its turn."""
        return _pause(self.thread_id, self._fold, self._on_turn)

    def end(self) -> None:
        """Do nothing: who follows the goal logs its end."""


class TurnStop:
    """One turn, from the request that starts it, and the requests that interrupt it (`turn/interrupt`).

    It exists before the request is written, so that a caller can have the turn stopped at whatever instant it leaves.
    What it knows of the turn, beside the reply, is in the table of work: under which id the turn was announced, when it
    ended, and what else the thread has to do, which must not be interrupted in its place.
    """

    def __init__(self, thread_id: str, *, agents: bool = True) -> None:
        self.agents = agents
        """Whether its sub-agents are stopped with it, unless a call says otherwise."""
        self.mailbox: Mailbox = Mailbox(f"the events of a turn of thread {thread_id}")
        """Collects the events of the turn."""
        self.subscription: PendingSubscription | None = PendingSubscription(self.mailbox, ("turn", "id"), thread_id)
        """Finds the turn in the reply; ``None`` once that is done."""
        self.thread_id = thread_id
        self.patience: Deadline | None = None
        """How long the caller that has given it up waits for the end of it and its sub-agents, from then on."""
        self.actor: Actor | None = None
        """The runtime that was asked to start the turn."""
        self._reply: Reply | None = None
        self._undo: Undo | None = None
        self._until = 0.0
        self._stops_agents = False
        self.opened: OpenTurn | None = None
        """The turn, once it has started."""

    @property
    def ended(self) -> Latch:
        """Set when the turn is over."""
        return self.mailbox.ended

    def start(self, opened: OpenTurn) -> None:
        """Note that the turn has started. What led to it is released: the handle keeps this object for long."""
        self.opened = opened  # first: the writer thread looks for it after the reply
        self._reply = self.subscription = None
        self._table.halts.on_start(self._work)

    def enter(self, table: WorkTable, work: Work, trees: Trees) -> None:
        """Note the entry of the request in the table of work. Called before `follow`."""
        self._table, self._work, self._trees = table, work, trees
        work.stop = weakref.ref(self)  # handles hold this object, and the table must not hold it for them

    def follow(self, actor: Actor, reply: Reply) -> None:
        """Note the request that starts the turn. Called before it is sent."""
        self.actor, self._reply = actor, reply

    def request(self, *, agents: bool | None = None) -> bool:
        """Have the turn interrupted until it is over; return whether there is one. Idempotent; waits for nothing.

        ``agents`` tells whether its sub-agents are stopped as well.
        """
        actor = self.actor
        if actor is None or actor.close_reason is not None or self.is_over():
            return False
        # Before it looks at others: of two turns that are stopped, neither spares the other.
        self._work.is_unwanted = True
        if self._undo is None or self._undo.done.is_ready():
            undo = Undo(self)
            self._until = time.monotonic() + _UNNAMED
            actor.undo(undo)
            self._undo = undo  # last: if an exception of a signal handler comes before, the next call does it again
        if self.agents if agents is None else agents:
            self.stop_agents()  # after the turn itself, which may start more
        return True

    def stop_agents(self) -> None:
        """Have the turns of its sub-agents interrupted, whether it is over or not. Idempotent; waits for nothing."""
        self._stops_agents = True
        self._give_up_agents()

    def _give_up_agents(self) -> None:
        actor, turn_id = self.actor, self.turn_id
        if self._stops_agents and actor is not None and actor.close_reason is None:
            for root in self._work.ids if turn_id is None else self._work.ids | {turn_id}:
                stop_agents(self._trees, actor, root)

    def end_of_tree(self) -> Waitable | None:
        """Return what becomes ready when neither the turn nor one of its sub-agents runs; ``None`` if that is so already."""
        actor, turn_id = self.actor, self.turn_id
        if turn_id is None or actor is None or actor.close_reason is not None or self._trees.is_quiet(turn_id):
            return None
        return self._trees.quiet(turn_id)

    # -- for the writer thread ---------------------------------------------------------------------------------------

    def is_over(self) -> bool:
        """Return whether the turn is over, or was never started."""
        reply, actor = self._reply, self.actor
        has_started = self.opened is not None
        if actor is None or (reply is None and not has_started):
            return True
        self._note_late_reply()
        if self.mailbox.ended.is_ready():
            return True
        if reply is None or has_started:
            return False
        if not actor.router.may_have_begun(reply):
            return True  # it was not sent, or the reply is overdue
        return reply.is_refused() or (self.turn_id is None and self._is_unnamed_over(reply))

    def _note_late_reply(self) -> None:
        """Tell the table of work which turn it is: who waited for the reply has left."""
        turn_id = self.turn_id
        if turn_id is not None and turn_id not in self._work.ids:
            self._table.name(self._work, turn_id)

    def _is_unnamed_over(self, reply: Reply) -> bool:
        """Return whether a turn has ended that no reply has named, or was not announced in time after one that cannot be read."""
        self._work = self._table.turn_of(self._work)
        if self._work.ids:
            return not self._table.has(self._work)
        return reply.is_ready() and self._work.expires <= time.monotonic()

    def line(self) -> bytes | None:
        """Return the request that interrupts the turn."""
        self._give_up_agents()  # again: its id may have become known
        turn_id = self._usable_id()
        if turn_id is None:
            return None
        params = protocol.TurnInterruptParams(thread_id=self.thread_id, turn_id=turn_id)
        return _encode(params)

    def end(self) -> None:
        """Stop the sub-agents of a turn whose id became known late. The end of the turn is an event, and logged then."""
        self._give_up_agents()

    def _usable_id(self) -> str | None:
        """Return by which id the turn can be interrupted at present; ``None`` if by none.

        The runtime refuses the id of a turn that has not begun, so until then it is the empty id, which means the thread's
        active turn. That must not hit any other work: so only while the thread has none, and not for long without a reply.
        """
        if self._work.announced is not None:
            return self._work.announced
        reply, known = self._reply, self.turn_id
        if known is None and (reply is None or reply.is_ready() or time.monotonic() >= self._until):
            return None
        return "" if self._table.is_alone(self._work, known) else known

    @property
    def turn_id(self) -> str | None:
        """The id of the turn, once the reply has named it."""
        reply, subscription = self._reply, self.subscription  # before it looks for the turn, see `start`
        if self.opened is not None:
            return self.opened.turn_id
        if reply is None or subscription is None or not reply.is_ready():
            return None
        try:
            topic = subscription.topic_in(reply.result())
        except CodexError:  # the reply could not be read
            return None
        return None if topic is None else topic.turn_id


def _pause(thread_id: str, fold: GoalFold, on_turn: Callable[[str], object]) -> bytes:
    paused = protocol.ThreadGoalSetParams(thread_id=thread_id, status=protocol.ThreadGoalStatus.paused)
    turn_id = fold.running_turn()
    stop = protocol.TurnInterruptParams(thread_id=thread_id, turn_id=turn_id) if turn_id else None
    if turn_id:
        on_turn(turn_id)
    return b"".join(_encode(params) for params in (paused, stop) if params is not None)


def _encode(params: protocol.ClientRequest[Any]) -> bytes:
    return wire.encode_request(wire.UNDO_ID, params.METHOD, codec.unstructure(params))
