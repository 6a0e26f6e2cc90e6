"""Replaces the runtime of a client that has grown too large, between turns, so that nothing is lost."""

from __future__ import annotations

import time
import weakref
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from openai_codex import _protocol as protocol
from openai_codex._async.client import _wait
from openai_codex._async.client.connection import AsyncConnection
from openai_codex._async.client.thread_registry import thread_of
from openai_codex._engine.waiting import Deadline, Latch
from openai_codex._log import Log
from openai_codex._runtime.backoff import Backoff
from openai_codex._turns.activity import ThreadActivity
from openai_codex.errors import CodexError, RequestTimeoutError, TransportClosedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_codex._config import AppServerConfig
    from openai_codex._engine.actor import Actor
    from openai_codex._engine.subscriptions import PendingSubscription
    from openai_codex._engine.transport import RuntimeStart
    from openai_codex._runtime.backoff import Restart
    from openai_codex._turns.stops import TurnStop
    from openai_codex._turns.work import Work

R = TypeVar("R")

# Requests that start work, and those that load a thread. They wait while the runtime is drained.
_STARTING = frozenset({"turn/start", "review/start", "thread/compact/start", "thread/shellCommand"})
_LOADING = frozenset({"thread/start", "thread/resume", "thread/fork"})

# How often to check whether the runtime is idle, in seconds. Polled: a drain is rare, and no other code pays for it then.
_POLL = 0.01

# How long requests under way may take, in seconds, when nothing else is left to wait for: all others wait for them.
_ANSWERED_WITHIN = 2.0

# After how many seconds without a turn a thread that cannot be resumed counts as a session, which may last for hours.
_SESSION_AFTER = 1.0

# How soon to look again after a recycling that could not begin, and the longest delay after one that was given up.
_LOOK_AGAIN, _LONGEST_DELAY = 1.0, 600.0

_log = Log("connection")


@attrs.define(eq=False)
class _Drain:
    """A replacement in progress."""

    caller: object = attrs.Factory(_wait.caller)
    done: Latch = attrs.Factory(Latch)
    is_closing: bool = False
    """Whether the turns have ended, so that all requests wait for the next runtime."""


@attrs.define
class _Unsaved:
    """A thread that only the current runtime has: it is ephemeral, or had no turn yet."""

    is_ephemeral: bool
    used_at: float = attrs.Factory(time.monotonic)
    # By the handle's `id`, because results of requests have no hash.
    handles: dict[int, weakref.ref[Any]] = attrs.Factory(dict)
    is_known: bool = False
    """Whether the program has its id and no handle yet."""

    def hold(self, handle: object | None) -> None:
        """Note a handle; its reference removes itself. ``None`` stands for the id alone."""
        if handle is not None:
            key, table = id(handle), self.handles
            table[key] = weakref.ref(handle, lambda _: table.pop(key, None))
        self.is_known = handle is None

    def is_held(self) -> bool:
        """Return whether the program can still use the thread."""
        return bool(self.handles) or self.is_known


@attrs.define(eq=False)
class _Notes:
    """What is noted about one runtime. Each change is one step of a container."""

    unsaved: dict[str, _Unsaved] = attrs.Factory(dict)
    released: set[str] = attrs.Factory(set)
    """The threads that were unsubscribed: they stay in the memory of the runtime."""
    has_warned: bool = False

    def held(self) -> int:
        """Count the threads that the program can still use, and that no other runtime has."""
        return sum(each.is_held() for each in list(self.unsaved.values()))


class AsyncRecyclingConnection(AsyncConnection):
    """A connection that replaces its runtime when it exceeds a limit of `Restart`.

    The first request for new work that finds a limit exceeded leads the replacement; ``_drains`` has at most one entry,
    and `setdefault` decides who leads. While it drains, requests for new work wait. Every request has a ticket in
    ``_tickets`` before it looks for a drain, and the leader looks for tickets after it has announced the drain, so no
    request meets a runtime that is being stopped.
    """

    def __init__(self, config: AppServerConfig, early: RuntimeStart | None = None) -> None:
        super().__init__(config, early)
        assert config.restart is not None, "only runtimes that may be started again are recycled"
        self._policy: Restart = config.restart
        self._activity = ThreadActivity()
        self.listen(self._activity)
        self._drains: dict[str, _Drain] = {}
        self._tickets: set[object] = set()
        self._notes: dict[int, _Notes] = {}
        self._not_before = 0.0
        self._failures = 0

    def hold(self, thread_id: str, handle: object | None) -> None:
        """Note a handle of a thread: while one exists, a thread that cannot be resumed keeps its runtime."""
        unsaved = self._noted().unsaved.get(thread_id)
        if unsaved is not None:
            unsaved.hold(handle)

    async def request(
        self,
        params: protocol.ClientRequest[R],
        *,
        timeout: float | None = None,
        deadline: Deadline | None = None,
        subscription: PendingSubscription | None = None,
        starts: TurnStop | None = None,
        work: Work | None = None,
    ) -> R:
        """Send a request as the base class does; one for new work may wait for a replacement of the runtime."""
        if deadline is None:
            deadline = Deadline(self.config.request_timeout if timeout is None else timeout)
        ticket, thread_id = object(), thread_of(params) or ""
        try:
            await self._admit(ticket, params, deadline)
            if params.METHOD in _STARTING:
                self._activity.expect(thread_id)
                if (unsaved := self._noted().unsaved.get(thread_id)) is not None:
                    unsaved.used_at = time.monotonic()
            result = await super().request(
                params, deadline=deadline, subscription=subscription, starts=starts, work=work
            )
            self._note(params.METHOD, thread_id, result)
        except CodexError as error:
            if params.METHOD in _STARTING and not isinstance(error, RequestTimeoutError):
                self._activity.withdraw(thread_id)
            raise
        else:
            return result
        finally:
            self._tickets.discard(ticket)

    def _note(self, method: str, thread_id: str, result: Any) -> None:
        """Record which threads the next runtime could not resume, and how many were released."""
        notes = self._noted()
        if method in _LOADING:
            notes.released.discard(result.thread.id)
            if method != "thread/resume":
                unsaved = _Unsaved(result.thread.ephemeral)
                unsaved.hold(result)  # until there is a handle; if the caller has left, there will be none
                notes.unsaved[result.thread.id] = unsaved
        elif method == "turn/start":
            started = notes.unsaved.get(thread_id)
            if started is not None and not started.is_ephemeral:
                notes.unsaved.pop(thread_id, None)
        elif method in {"thread/unsubscribe", "thread/archive", "thread/delete"}:
            if method == "thread/unsubscribe":
                notes.released.add(thread_id)
            notes.unsaved.pop(thread_id, None)

    def _noted(self) -> _Notes:
        """Return the notes about the current runtime; drop those about earlier ones."""
        generation = self.supervisor.generation
        notes = self._notes.get(generation)
        if notes is None:
            notes = self._notes.setdefault(generation, _Notes())
            for earlier in [each for each in list(self._notes) if each < generation]:
                self._notes.pop(earlier, None)
        return notes

    async def _admit(self, ticket: object, params: protocol.ClientRequest[Any], deadline: Deadline) -> None:
        """Add a ticket as soon as the request may be sent. Raises `RequestTimeoutError` if that takes too long."""
        while True:
            self._tickets.add(ticket)
            drain, is_movable = self._drains.get(""), self._is_movable(params)
            if drain is None and not (is_movable and self._excess()):
                return
            if drain is not None and not (is_movable or drain.is_closing):
                return
            self._tickets.discard(ticket)
            if drain is None:
                await self._lead(params.METHOD, deadline)
            elif drain.caller == _wait.caller():
                raise TransportClosedError("it is being replaced by the code that this call interrupts", params.METHOD)
            elif not await _wait.ready(drain.done, deadline.remaining()):
                raise RequestTimeoutError(params.METHOD, deadline.timeout)

    async def _lead(self, method: str, deadline: Deadline) -> None:
        """Replace the runtime, unless another request does so already."""
        own = _Drain()
        try:
            if self._drains.setdefault("", own) is own and (reason := self._excess()):
                await self._replace(own, reason, method, deadline)
        finally:
            try:
                self._end(own)  # also if Ctrl-C comes right after it was announced
            finally:
                self._end(own)  # again: an exception of a signal handler may have ended the first

    def _end(self, drain: _Drain) -> None:
        """Let others go on. Idempotent."""
        if self._drains.get("") is drain:
            self._drains.pop("", None)
        drain.done.set()

    def _is_movable(self, params: protocol.ClientRequest[Any]) -> bool:
        """Return whether a request is one for new work that the next runtime can do as well."""
        # A thread that cannot be resumed has to finish on this runtime.
        is_bound = (thread_of(params) or "") in self._noted().unsaved
        is_new = params.METHOD in _LOADING or (params.METHOD in _STARTING and not is_bound)
        # While a handler or tool runs, the request may be its own, and a running turn waits for that.
        return is_new and not self.pending_calls()

    def _excess(self) -> str | None:
        """Return which limit the runtime exceeds, if a replacement may begin."""
        actor = self.supervisor.actor
        if time.monotonic() < self._not_before or actor is None or actor.close_reason is not None:
            return None
        if not (loaded := self._loaded()):
            return None
        policy, reason = self._policy, None
        if policy.max_threads is not None and loaded >= policy.max_threads:
            reason = f"it has loaded {loaded} threads"
        elif policy.max_rss is not None and (rss := actor.transport.rss() or 0) >= policy.max_rss:
            reason = f"it uses {rss / 1e6:.0f} MB"
        if reason is not None and self._is_pinned():
            # Once per runtime: it may last for as long as the program.
            notes = self._noted()
            self._postpone(_log.debug if notes.has_warned else _log.warning, reason, _LOOK_AGAIN)
            notes.has_warned = True
            return None
        return reason

    def _loaded(self) -> int:
        """Count the threads in the memory of the runtime. Archived and deleted ones are not there any longer."""
        return self.threads.count() + len(self._noted().released) + self.handlers.trees.loaded()

    def _is_pinned(self) -> bool:
        """Return whether something lasts that has no end in sight: a session in an ephemeral thread, or a login."""
        now, at_work = time.monotonic(), self._activity.threads()
        for thread_id, unsaved in self._noted().unsaved.copy().items():
            if thread_id in at_work:
                unsaved.used_at = now
            elif unsaved.used_at < now - _SESSION_AFTER and unsaved.is_held():
                return True
        return any(not each.thread_id and each.is_running() for each in self.watched())

    async def _replace(self, drain: _Drain, reason: str, method: str, deadline: Deadline) -> None:
        """Wait until the runtime is idle, stop it, and start the next one; or give up for now after a time."""
        actor = self.running()
        drained = Deadline(self._policy.drain_timeout)
        answered = Deadline(None)
        while True:
            is_idle = not self._is_busy(actor)
            if is_idle and not drain.is_closing:
                answered = Deadline(_ANSWERED_WITHIN)
            drain.is_closing = is_idle
            # Again, because a request may have started work and given its ticket back in between.
            if drain.is_closing and not self._tickets and not self._is_busy(actor):
                break
            if actor.close_reason is not None:  # another one is started, or none
                return
            if drained.passed() or (is_idle and answered.passed()) or self._is_pinned():
                self._failures += 1
                backoff = Backoff(max(self._policy.drain_timeout, _LOOK_AGAIN), _LONGEST_DELAY)
                self._postpone(_log.warning, reason, backoff.delay(self._failures))
                return
            if deadline.passed():
                raise RequestTimeoutError(method, deadline.timeout)
            await _wait.ready(actor.exited, _POLL)
        self._failures = 0
        await self.supervisor.recycle(actor, f"it was replaced, because {reason}")
        await self.supervisor.current(method, deadline)

    def _is_busy(self, actor: Actor) -> bool:
        """Return whether something on this runtime has not ended that the next one could not continue."""
        works = bool(self._activity.threads() or actor.server_requests.pending())
        return self._noted().held() > 0 or works or any(each.is_running() for each in self.watched())

    def _postpone(self, log: Callable[..., None], reason: str, delay: float) -> None:
        self._not_before = time.monotonic() + delay
        turns, held = len(self._activity.threads()), self._noted().held()
        log("codex.recycling_postponed", reason=reason, turns=turns, unsaved_threads=held, delay=round(delay, 3))
