"""What keeps a thread busy: a turn, a request that starts one, a call that waits for its place, a call of a handler."""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable
from contextvars import Context, ContextVar, copy_context
from typing import Any

import attrs

from openai_codex._codec.deferred import define
from openai_codex._engine.waiting import Latch
from openai_codex._turns.settings import settings_that_differ
from openai_codex.errors import ConfigError

TURN, REVIEW, SHELL, GOAL = "turn/start", "review/start", "thread/shellCommand", "thread/goal/set"

# The work of a call that closes a thread: other calls wait for it.
CLOSE = "thread/unsubscribe"

# Requests whose reply names the turn, and all that may start one.
NAMED = frozenset({TURN, REVIEW})
STARTING = NAMED | {SHELL, GOAL, "thread/compact/start"}

# How many turns that no request of this client has started are kept in one list of entries. The end of such a turn may never
# be seen: another client has started it, or its thread was unloaded.
_MOST_UNREQUESTED = 64

MOST_ENDED = 64
"""How many ended turns of its thread an entry remembers, the newest."""

# A compaction and a review refuse further input, and a shell command leaves it without an answer.
_JOINABLE = frozenset({TURN, GOAL})


@define(eq=False)
class Call:
    """A call that a thread waits for: of a handler or tool in a turn, or of the client for a turn of the thread."""

    thread_id: str | None
    is_open: Callable[[], object]
    """Returns something true until the runtime has its answer, or no longer needs one; or until the client's call returns."""
    outer: Call | None = None
    """The call in which this one was made."""
    around: Context | None = None
    """The context of the program that made it; ``None`` if the client made it."""


_CALL: ContextVar[Call | None] = ContextVar("codex_call", default=None)


def current_call(context: Context | None = None) -> Call | None:
    """Return the innermost call that the current code runs in, or the code of a context, if any."""
    call = _CALL.get() if context is None else context.get(_CALL)
    while call is not None and not call.is_open():
        call = call.outer
    return call


def context_of_caller() -> Context:
    """Return the context variables of the program's code that makes a call of the client, or of the current code."""
    # Not with that call among them: they are kept for as long as its turn runs.
    call = current_call()  # a signal handler's exception may have kept one that is over from being reset
    return copy_context() if call is None or call.around is None else call.around


class within:  # noqa: N801  it is used like a function, and a generator would cost several times as much
    """Let a block run within a call. So do tasks that are created in it, and signal handlers that interrupt it."""

    __slots__ = ("__weakref__", "_call", "_token")

    def __init__(self, thread_id: str | None, is_open: Callable[[], object] | None = None) -> None:
        # A call of the client is over when this object is gone, even if an exception of a signal handler keeps `__exit__`
        # from its work.
        around = None if is_open else copy_context()
        self._call = Call(thread_id, is_open or weakref.ref(self), current_call(), around)

    def __enter__(self) -> None:
        self._token = _CALL.set(self._call)

    def __exit__(self, *_: object) -> None:
        try:
            _CALL.reset(self._token)
        except ValueError:  # a coroutine may be closed in another context, whose calls are others
            return


@define(eq=False)
class Work:
    """One request that starts work on a thread, or a turn that runs. Several may stand for one turn."""

    thread_id: str
    method: str = TURN
    params: Any = None
    """The request; ``None`` if the turn was not started by a request of this client: a turn for a goal."""
    joins: frozenset[str] = frozenset()
    """The ids of the turns that there were when the request was sent."""
    expires: float = math.inf
    """When it no longer counts unless its turn was announced."""
    context: Context | None = attrs.Factory(context_of_caller)
    """The context variables of its caller: the handlers and tools of the turn see them."""
    owner: int = 0
    """The id of the `Place` that it was admitted by; 0 if it needed none."""
    ids: frozenset[str] = frozenset()
    """The ids of its turn, as far as they are known; a review has two."""
    running: bool = False
    """Whether the turn was announced."""
    announced: str | None = None
    """The id under which that was done, and by which it can be interrupted; a review ends with another one."""
    is_unwanted: bool = False
    """Whether its turn is to be stopped, so that it need not be spared when another one is."""
    given_up: bool = False
    """Whether nobody waits for the reply, although the runtime may have carried the request out."""
    stop: Callable[[], Any] = lambda: None
    """Returns its `TurnStop`, as long as that is held by a call or a handle; else ``None``."""
    ended: tuple[str, ...] = ()
    """The turns that ended while the reply was on its way: its own may be among them. Changed by the reader alone."""

    def note_end(self, turn_id: str) -> None:
        """Note that a turn of the thread has ended. Only a request needs that, until it is known which turn is its own."""
        if self.params is not None:
            self.ended = (*self.ended[1 - MOST_ENDED :], turn_id)

    def leave(self) -> None:
        """Note that nobody waits for the reply any longer."""
        self.given_up = True

    @property
    def caller(self) -> Call | None:
        """The call in which it was made."""
        return None if self.params is None or self.context is None else current_call(self.context)

    @property
    def joined(self) -> bool:
        """Whether the input was added to a turn that ran before."""
        return not self.ids.isdisjoint(self.joins)

    @property
    def joinable(self) -> bool:
        """Whether the input of a further request is added to its turn."""
        return self.method in _JOINABLE and bool(self.ids)


class Place:
    """A call that waits until it may start a turn. The table holds it weakly, so a call that is gone blocks nobody."""

    __slots__ = ("__weakref__", "changed", "is_nested", "joins", "thread_id")

    def __init__(self, thread_id: str, *, joins: bool, is_nested: bool) -> None:
        self.thread_id: str = thread_id
        self.joins: bool = joins
        """Whether it adds its input to a running turn. Otherwise it waits for the turn, and for earlier calls."""
        self.is_nested: bool = is_nested
        """Whether another call for the thread is suspended until this one returns."""
        self.changed: Latch | None = None
        """Set when it may go on. The owner makes a new one before it looks and waits; without one it does not wait."""

    def wake(self) -> None:
        """Let its owner look again."""
        if self.changed is not None:
            self.changed.set()


def nested_error(what: str, thread_id: str) -> ConfigError:
    reason = f"it would wait for a turn of thread {thread_id} that cannot end before this function returns"
    return ConfigError(what, f"{reason}; add input with turn() or steer(), or call {what} elsewhere")


def waiting_for(call: Call, works: list[Work]) -> set[str]:
    """Return the threads whose turns cannot end before a call does, by the entries of all threads."""
    found: set[str] = set()
    calls = [call]
    while calls:
        each = calls.pop()
        calls += filter(None, [each.outer])
        if each.thread_id is None or each.thread_id in found or not each.is_open():
            continue
        found.add(each.thread_id)
        ids = frozenset[str]().union(*[work.ids for work in works if work.thread_id == each.thread_id])
        for work in works:
            if work.thread_id == each.thread_id:
                calls += filter(None, [work.caller])  # which waits for this turn
            elif not ids.isdisjoint(work.ids):
                calls.append(Call(work.thread_id, each.is_open))  # the turn that a sub-agent works for
    return found


def admits(work: Work, place: Place) -> bool:
    """Return whether a call need not wait for this work: its input is added to it."""
    # A nested call would wait in vain for the reply to a request of the call that it suspends.
    return place.joins and (work.joinable or (place.is_nested and work.method == TURN))


def turn_of(work: Work, works: list[Work]) -> Work:
    """Return the entry of the turn that a request has started, among all entries of its thread.

    That is the turn announced since, if it is of no other request; else the entry of the request itself.
    """
    others = [each for each in works if each is not work]
    requested = [each for each in others if each.params is not None]
    if work.ids or not all(each.ids or each.given_up for each in requested):
        return work
    taken = work.joins.union(*[each.ids for each in requested])
    return next((each for each in others if each.params is None and taken.isdisjoint(each.ids)), work)


def is_alone(work: Work, turn_id: str | None, works: list[Work]) -> bool:
    """Return whether all entries of a thread are of one turn, except those that are to be stopped as well."""
    own = work.ids | {turn_id}
    others = [each for each in works if each is not work and not (each.given_up or each.is_unwanted)]
    return all(not own.isdisjoint(each.ids) for each in others)


def starter_of(works: list[Work], turn_id: str | None) -> Context | None:
    """Return the context of the caller that started a turn, by the entries of its thread; for ``None`` of the turn that runs.

    Of several callers whose inputs went into the turn it is the first.
    """
    own = [work for work in works if turn_id in work.ids]
    # The reply to its request may not be read yet.
    requested = [work for work in works if not work.ids or turn_id is None]
    return next((work.context for work in (*own, *requested) if work.context is not None), None)


def announce(thread_id: str, turn_id: str, ids: frozenset[str], works: list[Work]) -> bool:
    """Note that the turn of these ids runs with all who have one of them; return whether there is one."""
    is_known = False
    for work in tuple(works):
        if work.ids and work.thread_id == thread_id and not ids.isdisjoint(work.ids):
            work.ids, work.running, work.expires, work.announced = work.ids | ids, True, math.inf, turn_id
            is_known = True
    return is_known


def check_settings(work: Work, others: list[Work]) -> None:
    """Raise `ConfigError` if the input would be added to a turn with other settings."""
    differing = settings_that_differ(work.params, [each.params for each in others]) if others else []
    if differing:
        reason = "it cannot hold for the running turn of the thread, to which the input would be added"
        raise ConfigError(", ".join(differing), f"{reason}; leave it out, or wait for the end of that turn")


def add_unrequested(work: Work, works: list[Work]) -> list[str]:
    """Add the entry of a turn that no request of this client has started; end the oldest ones that are too many.

    Returns the threads of those, whose calls need to be woken.

    Those that nobody here has caused go first: the others are turns for goals, and of sub-agents.
    """
    works.append(work)
    ended: list[str] = []
    unrequested = [each for each in works if each.params is None]
    while len(unrequested) > _MOST_UNREQUESTED:
        oldest = next((each for each in unrequested if each.context is None), unrequested[0])
        unrequested.remove(oldest)
        end(oldest, works)
        ended.append(oldest.thread_id)
    return ended


def end(work: Work, works: list[Work]) -> None:
    """Remove an entry, unless it is gone, and release the context of its caller: handles of the turn keep the entry."""
    remove(works, work)
    work.context = None


def remove(entries: list[Any], entry: object) -> None:
    """Remove an entry, unless it is gone."""
    try:
        entries.remove(entry)
    except ValueError:  # cheaper than `suppress`
        return
