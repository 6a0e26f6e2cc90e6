"""Which work each thread has. It knows what starts work and what ends it; how a call waits is known to the faces."""

from __future__ import annotations

import math
import time
import weakref
from typing import TYPE_CHECKING, Any

from openai_codex import _protocol as protocol
from openai_codex._engine.mailbox import Listener
from openai_codex._turns.contexts import ACTIVE, GoalContexts, origin_of
from openai_codex._turns.halts import Halts
from openai_codex._turns.work import (
    CLOSE,
    GOAL,
    NAMED,
    REVIEW,
    SHELL,
    STARTING,
    Place,
    Work,
    add_unrequested,
    admits,
    announce,
    check_settings,
    context_of_caller,
    current_call,
    end,
    is_alone,
    nested_error,
    remove,
    starter_of,
    turn_of,
    waiting_for,
)
from openai_codex.errors import DecodeError

if TYPE_CHECKING:
    from contextvars import Context

    from openai_codex._engine.reply import CloseReason
    from openai_codex._engine.server_requests import PendingRequest
    from openai_codex._engine.waiting import Waiter
    from openai_codex._notification import Notification

# How long the runtime may take to announce a turn that it has accepted, in seconds: after that the request has started none.
_ANNOUNCED_WITHIN = 5.0

# Into how many lists the entries are spread by their thread, so that a look-up visits few of them.
_LISTS = 64

_NONE: frozenset[str] = frozenset()


class WorkTable(Listener):
    """The work of all threads of one client. An entry goes when its turn ends, or when it starts none.

    Without a lock, as a signal handler or a finalizer may start a turn in the middle of any call: each change is one step of a
    list or an attribute, and who decides by what it has read makes its own entry visible first.
    """

    def __init__(self) -> None:
        super().__init__("the work of threads", frozenset({"turn/started", "turn/completed"}))
        self._works: tuple[list[Work], ...] = tuple([] for _ in range(_LISTS))
        self._places: tuple[list[weakref.ref[Place]], ...] = tuple([] for _ in range(_LISTS))
        self.goals: GoalContexts = GoalContexts()
        self.halts: Halts = Halts(self._of)

    # -- calls that start a turn -------------------------------------------------------------------------------------

    def place(self, thread_id: str, *, joins: bool, outside: str | None = None) -> Place:
        """Queue a call. Its owner holds the place until `leave`.

        ``outside`` is what is called if that must not be within a turn of the thread; see `check_outside`.
        """
        places, is_nested = self._places[hash(thread_id) % _LISTS], self._is_nested(thread_id)
        if is_nested and outside is not None:
            raise nested_error(outside, thread_id)
        for reference in [each for each in tuple(places) if each() is None]:
            remove(places, reference)
        place = Place(thread_id, joins=joins, is_nested=is_nested)
        places.append(weakref.ref(place))
        return place

    def leave(self, place: Place) -> None:
        """Remove a call from the queue; harmless when repeated."""
        at = hash(place.thread_id) % _LISTS
        remove(self._places[at], weakref.ref(place))
        # What was admitted and never sent: an exception of a signal handler may come in between.
        for work in tuple(self._works[at]):
            if work.owner == id(place) and not work.ids and not work.given_up:
                self.discard(work)
        self._wake(place.thread_id)

    def blocked_until(self, place: Place, own: Work | None = None) -> float | None:
        """Return ``None`` if a call may go on, else when this may have changed without a wake-up.

        ``own`` is the entry of the call's own request. Raises `ConfigError` if it would wait for a call that it suspends.
        """
        works, now = self._of(place.thread_id), time.monotonic()
        for work in [each for each in works if each.expires <= now]:
            self.discard(work)
        blocking = [each for each in works if each.expires > now and each is not own and not admits(each, place)]
        queue = [] if place.joins else [each for each in self._queue(place.thread_id) if not each.joins]
        if not blocking and queue[:1] in ([], [place]):
            return None
        if place.is_nested:
            raise nested_error("turn", place.thread_id)
        return min((work.expires for work in blocking), default=math.inf)

    def admit(self, place: Place, params: protocol.TurnStartParams, timeout: float) -> Work | None:
        """Add and return the entry of a request that is about to be sent; ``None`` if it has to wait.

        Raises `ConfigError` as `blocked_until` does, and if the input would be added to a turn with other settings.
        """
        work, is_admitted = self.begin(params, timeout, id(place)), False
        # Looked at only now, when others see the entry: one of them may be about to go on, too.
        at = hash(place.thread_id) % _LISTS
        if len(self._works[at]) == len(self._places[at]) == 1:  # its own: nobody to wait for, as nearly always
            return work
        try:
            if self.blocked_until(place, work) is None:
                check_settings(work, [each for each in self._of(work.thread_id) if each is not work])
                is_admitted = True
        finally:
            if not is_admitted:
                self.discard(work)
        return work if is_admitted else None

    def begin(self, params: Any, timeout: float, owner: int = 0) -> Work:
        """Add the entry of a request that is about to be sent, whatever else runs."""
        thread_id, works = params.thread_id, self._works[hash(params.thread_id) % _LISTS]
        joins = _NONE.union(*[work.ids for work in self._of(thread_id)]) or _NONE
        until = time.monotonic() + timeout + _ANNOUNCED_WITHIN
        work = Work(thread_id, params.METHOD, params, joins, until, context_of_caller(), owner)
        works.append(work)
        return work

    def has_other(self, work: Work) -> bool:
        """Return whether the thread of an entry has other work."""
        return any(each is not work and each.expires > time.monotonic() for each in self._of(work.thread_id))

    def accept(self, work: Work, result: Any) -> None:
        """Note the successful reply to a request."""
        if work.method in NAMED:
            self.name(work, result.turn.id)
            return
        work.expires = time.monotonic() + _ANNOUNCED_WITHIN
        if work.method == GOAL and (not self.goals.note(work, result.goal.status) or work.joins):
            self.discard(work)  # it starts a turn after the one that runs, or none
        self._wake(work.thread_id)

    def name(self, work: Work, turn_id: str) -> None:
        """Note which turn a request has started."""
        if turn_id not in work.ids:  # else it is known, with all that was announced
            work.announced, work.running = None, False
            work.ids, work.expires = frozenset((turn_id,)), time.monotonic() + _ANNOUNCED_WITHIN
        works = self._works[hash(work.thread_id) % _LISTS]
        for each in tuple(works):
            if each.running and turn_id in each.ids and each is not work:
                work.ids |= each.ids
                work.announced, work.running, work.expires = each.announced, True, math.inf
                if each.params is None and work in works:  # it stood for the turn until its request was known
                    remove(works, each)
        if not work.ids.isdisjoint(work.ended):
            self.discard(work)
        self._wake(work.thread_id)

    def give_up(self, work: Work, error: BaseException, turn_id: str | None = None) -> None:
        """Note that a request failed, or that its caller left; ``turn_id`` is the turn that it started, if that is known."""
        if turn_id is not None:
            self.name(work, turn_id)
        elif work.given_up or isinstance(error, DecodeError):
            # It may start a turn all the same.
            work.given_up, work.expires = True, time.monotonic() + _ANNOUNCED_WITHIN
            self._wake(work.thread_id)
            if (announced := self.turn_of(work).announced) is not None:  # before the caller left
                self.name(work, announced)
        else:
            self.discard(work)

    def discard(self, work: Work) -> None:
        """Remove an entry; harmless when repeated."""
        end(work, self._works[hash(work.thread_id) % _LISTS])
        self._wake(work.thread_id)

    def forget(self, thread_id: str) -> None:
        """Remove the entries of a thread that is unloaded: the ends of its turns will not be seen."""
        self.goals.forget(thread_id)
        for work in [each for each in self._of(thread_id) if each.method != CLOSE]:
            self.discard(work)

    def check_outside(self, thread_id: str, what: str) -> None:
        """Raise `ConfigError` if the turn of the thread cannot end before the caller returns, such as a tool of it."""
        if self._is_nested(thread_id):
            raise nested_error(what, thread_id)

    # -- what a turn is that has to be stopped -----------------------------------------------------------------------

    def has(self, work: Work) -> bool:
        """Return whether an entry is in the table: its turn may be to come, or has not ended."""
        return work in self._works[hash(work.thread_id) % _LISTS]

    def turn_of(self, work: Work) -> Work:
        """Return the entry of the turn that a request has started, whose reply has not named it."""
        return turn_of(work, self._of(work.thread_id))

    def is_alone(self, work: Work, turn_id: str | None) -> bool:
        """Return whether its thread has no other work than that of an entry, except what is to be stopped as well."""
        return is_alone(work, turn_id, [each for each in self._of(work.thread_id) if each.expires > time.monotonic()])

    def context_of(self, thread_id: str | None, turn_id: str | None) -> Context | None:
        """Return the context variables of the caller of a turn, if known; without an id, the thread's turn."""
        return None if thread_id is None else starter_of(self._of(thread_id), turn_id)

    def context_for(self, pending: PendingRequest) -> Context | None:
        """Return the context variables that the handler of a server request is to see, if they are known."""
        return self.context_of(pending.thread_id, pending.turn_id)

    def is_reviewed(self, thread_id: str) -> bool:
        """Return whether a review that this client has requested is in the table for a thread."""
        return any(work.method == REVIEW for work in self._of(thread_id))

    # -- what happens on a thread, as its events tell ----------------------------------------------------------------

    def on_event(self, event: Notification) -> None:
        """Note that a turn has begun or ended."""
        # Read here and not by the routes of the protocol, as this happens for each turn. Other shapes raise, or fit nothing.
        thread_id, turn = event.params["threadId"], event.params["turn"]
        works = self._works[hash(thread_id) % _LISTS]
        if event.method == "turn/started":
            # A review is announced with another id; the id that it ends with is the root. Of a sub-agent's turn the
            # root is the turn that it works for.
            root = turn.get("rootTurnId")
            ids = frozenset((turn["id"], root) if isinstance(root, str) else (turn["id"],))
            self._turn_started(thread_id, turn["id"], ids, works)
            return
        turn_id = turn["id"]
        for work in tuple(works):
            if work.thread_id == thread_id:
                work.note_end(turn_id)  # first: the reply may come in between
                # A shell command that was started during a turn is a part of it.
                if turn_id in work.ids or (turn_id in work.joins and (work.given_up or work.method == SHELL)):
                    end(work, works)
        self._wake(thread_id)

    def fail(self, close_reason: CloseReason) -> list[Waiter]:
        """Forget all work, because the runtime is gone, and wake everyone who waits."""
        for work in [work for works in self._works for work in tuple(works)]:
            self.discard(work)
        for reference in [each for places in self._places for each in tuple(places)]:
            if (place := reference()) is not None:
                place.wake()
        return super().fail(close_reason)

    def _turn_started(self, thread_id: str, turn_id: str, ids: frozenset[str], works: list[Work]) -> None:
        if not announce(thread_id, turn_id, ids, works):
            waiting = [work for work in self._of(thread_id) if not work.ids and work.method in STARTING]
            if waiting and (waiting[0].given_up or waiting[0].method not in NAMED):
                waiting[0].ids = ids
                if waiting[0].method == GOAL:  # the next turn may come before the caller reads the reply
                    self.goals.note(waiting[0], ACTIVE)
                for work in waiting:
                    if work.method == waiting[0].method == SHELL:  # commands share a turn
                        work.ids = ids
                announce(thread_id, turn_id, ids, works)
            else:  # a turn for a goal, or one whose reply is yet to be read
                context = None if waiting else self.goals.of(thread_id) or origin_of(ids, self._works)
                turn = Work(thread_id, ids=ids, running=True, announced=turn_id, context=context)
                for forgotten in add_unrequested(turn, works):
                    self._wake(forgotten)
                if waiting:  # again: the reply may have been read in between, or the caller has left
                    announce(thread_id, turn_id, ids, works)
                    if waiting[0].given_up and not waiting[0].ids:
                        self.name(waiting[0], turn_id)
        self._wake(thread_id)

    def _of(self, thread_id: str) -> list[Work]:
        # A copy, as other threads change the list.
        return [work for work in tuple(self._works[hash(thread_id) % _LISTS]) if work.thread_id == thread_id]

    def _queue(self, thread_id: str) -> list[Place]:
        found = [reference() for reference in tuple(self._places[hash(thread_id) % _LISTS])]
        return [place for place in found if place is not None and place.thread_id == thread_id]

    def _wake(self, thread_id: str) -> None:
        """Wake the calls for which something may have changed: all that join, and the first that does not."""
        is_first = True
        for place in self._queue(thread_id):
            if place.joins or is_first:
                place.wake()
            is_first = is_first and place.joins

    def _is_nested(self, thread_id: str) -> bool:
        """Return whether the turn of a thread cannot end before the current code returns."""
        call = current_call()
        return call is not None and thread_id in waiting_for(
            call, [work for works in self._works for work in tuple(works)]
        )
