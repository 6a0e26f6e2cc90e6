"""The turns of one client whose end is not logged yet. Each turn has one start and one end in the log.

The consumer of a turn logs its end, because it knows most about it. The end of a turn that nobody reads is logged by a
worker, so that a handle that is kept or dropped makes no difference.
"""

from __future__ import annotations

import itertools
import os
import time
from typing import TYPE_CHECKING, Any

from openai_codex._engine.backlog import keep_newest
from openai_codex._engine.mailbox import Listener
from openai_codex._engine.reply import CloseReason
from openai_codex._log import Log
from openai_codex._notification import Notification
from openai_codex._turns.agents import NOBODY
from openai_codex._turns.turn_ends import end_of, level_after, losses_of, lost_with
from openai_codex._turns.usage import ITEM_STARTED, USAGE_UPDATED, TurnTokens, TurnUsages

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_codex._engine.actor import Actor
    from openai_codex._engine.backlog import Losses
    from openai_codex._engine.mailbox import Mailbox
    from openai_codex._engine.waiting import Waiter
    from openai_codex._engine.workers import WorkerPool
    from openai_codex._journal.recorder import Record
    from openai_codex._turns.agents import AgentTree, Origin
    from openai_codex._turns.results import Agent, DeclinedRequest

_COMPLETED = "turn/completed"

# Of how many turns to keep an end that came before the reply to their start; in fact there are a few at a time.
_EARLY_KEPT = 1_024

_log = Log("turn")


class OpenTurn:
    """One turn, from the request that starts it to the event of its end.

    A consumer leaves its key while it waits, and logs an end that it finds when it takes the key back. The reader stores
    the end, then looks for consumers; a consumer leaves, then looks for the end. So one of them sees the other.
    """

    __slots__ = (
        "_consumers", "_end", "_is_logged", "_losses", "_record", "_turns",
        "_workers", "generation", "interrupt", "noted", "started_at", "thread_id",
        "tokens", "tree", "turn_id",
    )  # fmt: skip

    def __init__(self, turns: OpenTurns, key: object, thread_id: str) -> None:
        self.thread_id: str = thread_id
        self.turn_id: str | None = None
        """Its id; ``None`` until the runtime has accepted it."""
        self.generation: int = 0
        self.started_at: float = time.monotonic()
        """When its start was requested."""
        self.tokens: TurnTokens = TurnTokens()
        """What it costs."""
        self.interrupt: tuple[str, str, float] | None = None
        """Who has it interrupted, why, and since when, in seconds of the monotonic clock."""
        self.tree: AgentTree | None = None
        """Its agents, if it has any."""
        self._turns = turns
        # What starts it is its first consumer. Not kept longer: it may hold the mailbox, which ends with its handle.
        self._consumers = {key}
        self.noted: list[tuple[int, DeclinedRequest]] = []
        self._end: Notification | CloseReason | None = None
        self._is_logged = False
        self._losses: Losses | None = None
        self._workers: WorkerPool | None = None
        self._record: Record | None = None

    def bind(self, turn_id: str, actor: Actor, losses: Losses) -> None:
        """Note what is known once the runtime has accepted it."""
        self.turn_id, self.generation, self._losses = turn_id, actor.generation, losses
        self.tokens = self._turns.usages.of(self.thread_id, turn_id)
        self._record, self._workers = actor.recent.record, actor.server_requests.workers.handlers

    def note(self, event: str, **fields: Any) -> None:
        """Note in the journal what becomes of it, if there is a journal."""
        if self._record is not None:
            self._record.note(event, thread_id=self.thread_id, turn_id=self.turn_id, **fields)

    def ask_interrupt(self, by: str, reason: str) -> None:
        """Log that it is to be interrupted; the first one who asks for that is kept."""
        self.interrupt = self.interrupt or (by, reason, time.monotonic())
        self.note("turn_interrupt_asked", by=by, reason=reason)
        _log.info("codex.turn_interrupt_asked", thread_id=self.thread_id, turn_id=self.turn_id, by=by, reason=reason)

    @property
    def declined(self) -> list[DeclinedRequest]:
        """Its server requests that no handler has answered, and those of its sub-agents."""
        below = [] if (tree := self.find_tree()) is None else tree.declined
        # Before its id was known it was given those of other turns of the thread, too.
        own = [each for each in self.noted if each[1].turn_id in {None, self.turn_id}]
        return [request for _, request in sorted([*own, *below])]

    def may_ask(self, request: DeclinedRequest) -> bool:
        """Return whether a request is one of this turn, as far as that is known."""
        return self.thread_id == request.thread_id and (self.turn_id is None or request.turn_id in {None, self.turn_id})

    def agents(self) -> tuple[Agent, ...]:
        """Return the sub-agents that work for it."""
        return () if (tree := self.find_tree()) is None else tree.agents()

    def agent(self, thread_id: str | None) -> Agent | None:
        """Return the sub-agent of a thread."""
        return None if thread_id is None or (tree := self.find_tree()) is None else tree.agent(thread_id)

    def find_tree(self) -> AgentTree | None:
        """Return its agents, and keep them from then on."""
        if self.tree is None and self.turn_id is not None:
            self.tree = self._turns.find_agents(self.turn_id)
        return self.tree

    def attend(self, key: object) -> None:
        """Count a consumer in, which logs the end."""
        self._consumers.add(key)

    def leave(self, key: object) -> None:
        """Count a consumer out, unless that was done; the last one logs the end if there was one."""
        self._consumers.discard(key)
        if self._end is not None and not self._is_logged and not self._consumers:
            self._report()

    def end(self, end: Notification | CloseReason) -> None:
        """Note how it ended. Called where nothing must be logged, as on the reader thread."""
        if self._end is None:  # of two threads at this instant one wins; both know of an end
            self._end = end
        if not self._consumers and self._workers is not None:
            self._workers.post(self._report)

    def log_end(self, log: Callable[..., None], how: str, **fields: Any) -> None:
        """Log its end, after everything that it announces, unless that was done. Code of the program runs last."""
        if self._turns.claim(self):
            self._is_logged = True
            if how != "completed" or self.tells_completion:
                fields["seconds"] = round(time.monotonic() - self.started_at, 3)
                fields["tokens"] = self.tokens.count()
                self.note(f"turn_{how}", **fields)
                level_after(self.interrupt, log)(
                    f"codex.turn_{how}", thread_id=self.thread_id, turn_id=self.turn_id, **fields
                )
            self._turns.on_logged(self)

    @property
    def tells_completion(self) -> bool:
        """Whether it is noted somewhere that it was completed. By default that is not, and each turn comes there."""
        return self.interrupt is not None or self._record is not None or _log.is_informing

    def _report(self) -> None:
        assert self._end is not None, "called only when it has ended"
        log, how, fields = end_of(self._end) if isinstance(self._end, Notification) else lost_with(self._end)
        self.log_end(log, how, **fields, **losses_of(self._losses))


class OpenTurns(Listener):
    """The turns of one client that have not ended, and those that are about to start. Each change is one step.

    A runtime that ends holds it until then, because a client that is dropped leaves turns to report.
    """

    def __init__(self) -> None:
        super().__init__("the ends of turns", frozenset({_COMPLETED, ITEM_STARTED, USAGE_UPDATED}))
        self.usages: TurnUsages = TurnUsages()
        self.find_agents: Callable[[str], AgentTree | None] = lambda _: None
        """Returns the agents of a turn, if it has any."""
        # What takes the events of a method, beside this object itself.
        self._takers: dict[str, tuple[Callable[[Notification], object], ...]] = {
            ITEM_STARTED: (self.usages.starts,),
            USAGE_UPDATED: (self.usages.note,),
        }
        self._parts: tuple[Listener, ...] = ()
        self._owner = os.getpid()
        self.origin_of: Callable[[str | None, str | None], Origin] = lambda _thread, _turn: NOBODY
        """Returns for which turn of the program a turn works, if it is one of a sub-agent."""
        self._order = itertools.count()
        self._expected: dict[object, OpenTurn] = {}
        self._open: dict[tuple[str | None, str | None], OpenTurn] = {}
        # The ends that came while a turn of their thread was about to start: the reply may follow.
        self._early: dict[tuple[str | None, str | None], Notification] = {}
        self._followed = 0

    def feed(self, *parts: Listener) -> None:
        """Give other listeners the events of their methods: with more subscribers, each event is looked up several times.

        Called before it is subscribed. They get an event before its end is noted here.
        """
        self._parts = parts
        for part in reversed(parts):
            for method in part.methods():
                self._takers[method] = (part.on_event, *self._takers.get(method, ()))
        self._methods = frozenset((_COMPLETED, *self._takers))

    def expect(self, key: object, thread_id: str) -> OpenTurn:
        """Register a turn before the request that starts it is sent, so that nothing of it is missed."""
        turn = self._expected[key] = OpenTurn(self, key, thread_id)
        return turn

    def leave(self, key: object) -> None:
        """Count a consumer out of whatever it has started or is about to start; for one that was interrupted."""
        self._expected.pop(key, None)
        for turn in self._open.copy().values():
            turn.leave(key)

    def start(self, key: object, turn_id: str, actor: Actor, mailbox: Mailbox) -> OpenTurn:
        """Log the start of an expected turn, and return it; if the input has joined an open turn, return that one."""
        turn = self._expected[key]
        if self._followed < actor.generation:
            self._followed = actor.generation
            actor.exited.add_waiter(self)
        turn.bind(turn_id, actor, mailbox.backlog.losses)
        place = (turn.thread_id, turn_id)
        opened = self._open.setdefault(place, turn)
        if opened is turn:
            _log.info("codex.turn_started", thread_id=turn.thread_id, turn_id=turn_id)
            # Looked for after it was opened: from then on the reader finds it itself.
            if self._early and (early := self._early.pop(place, None)) is not None:
                turn.end(early)
            elif mailbox.ended.is_ready() or actor.close_reason is not None:
                turn.end(actor.close_reason or CloseReason("its events ended"))
        else:
            opened.attend(key)
            _log.info("codex.turn_joined", thread_id=turn.thread_id, turn_id=turn_id)
        self._expected.pop(key, None)
        opened.find_tree()  # of agents that came before the reply; those of an ended turn are not kept for long
        return opened

    def of(self, thread_id: str) -> list[OpenTurn]:
        """Return the open turns of a thread."""
        return [turn for turn in self._open.copy().values() if turn.thread_id == thread_id]

    def claim(self, turn: OpenTurn) -> bool:
        """Remove a turn whose end is about to be logged; return whether it was open."""
        return self._open.pop((turn.thread_id, turn.turn_id), None) is not None

    def on_logged(self, turn: OpenTurn) -> None:
        """Do nothing: for a table that traces."""

    def decline(self, request: DeclinedRequest) -> Callable[[], None]:
        """Note a request with its turn, before it is answered; return a function that undoes that."""
        entry = next(self._order), request
        tree = None if request.root_turn_id is None else self.find_agents(request.root_turn_id)
        turns = (*self._open.copy().values(), *self._expected.copy().values()) if tree is None else ()
        noted = [turn.noted for turn in turns if turn.may_ask(request)] if tree is None else [tree.declined]
        for each in noted:
            each.append(entry)

        def undo() -> None:
            for each in noted:
                each.remove(entry)

        return undo

    def give_agents(self, thread_id: str | None, turn_id: str, tree: AgentTree) -> None:
        """Give the agents of a turn to whoever holds it, from the first agent on."""
        if (turn := self._open.get((thread_id, turn_id))) is not None:
            turn.tree = tree

    # -- on the reader thread ----------------------------------------------------------------------------------------

    def on_event(self, event: Notification) -> None:
        """Note the end of a turn, or what it costs; give other listeners the events of their methods."""
        for take in self._takers.get(event.method, ()):
            take(event)
        if event.method != _COMPLETED:
            return
        # Read here and not by the routes of the protocol, as this happens for each turn. Other shapes raise, or fit nothing.
        place = (event.params["threadId"], event.params["turn"]["id"])
        turn = self._open.get(place)
        if turn is None and any(each.thread_id == place[0] for each in self._expected.copy().values()):
            keep_newest(self._early, place, event, _EARLY_KEPT)
            turn = self._open.get(place)  # again: it may have been opened in between
        if turn is not None:
            turn.end(event)

    def fail(self, close_reason: CloseReason) -> list[Waiter]:
        """Note that the turns of a runtime are lost."""
        for part in self._parts:
            part.fail(close_reason)
        if os.getpid() == self._owner:  # after a fork they still run in the parent
            for turn in self._open.copy().values():
                if close_reason.final or turn.generation <= close_reason.generation:
                    turn.end(close_reason)
        return []

    def wake(self) -> None:
        """Do nothing: that a runtime has exited was reported by `fail`. As a waiter it is only held."""
