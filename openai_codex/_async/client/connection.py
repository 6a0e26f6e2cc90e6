"""One client's connection: sends typed requests to its current runtime, and reports on both."""

from __future__ import annotations

import time
import weakref
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

import attrs

from openai_codex import _codec as codec
from openai_codex import _protocol as protocol
from openai_codex._async.client import _wait
from openai_codex._async.client.handlers import AsyncHandlers
from openai_codex._async.client.rpc import call, call_again
from openai_codex._async.client.supervisor import AsyncSupervisor
from openai_codex._async.client.thread_registry import NOTED, PLACED, AsyncThreadRegistry
from openai_codex._engine.backlog import Load
from openai_codex._engine.mailbox import Listener
from openai_codex._engine.subscriptions import EVERYTHING
from openai_codex._engine.waiting import Deadline
from openai_codex._runtime.environment import environment_of
from openai_codex._runtime.imports import load
from openai_codex._turns.work import GOAL, STARTING, within
from openai_codex.errors import CodexRpcError, ConfigError, ServerBusyError, TransportClosedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_codex._config import AppServerConfig
    from openai_codex._engine.actor import Actor
    from openai_codex._engine.server_requests import PendingRequest
    from openai_codex._engine.subscriptions import PendingSubscription
    from openai_codex._engine.transport import RuntimeStart
    from openai_codex._runtime.health import Health, RunningTurn
    from openai_codex._runtime.report import Metadata
    from openai_codex._tools.registry import Table
    from openai_codex._turns.reported import Reported
    from openai_codex._turns.stops import TurnStop
    from openai_codex._turns.work import Work
    from openai_codex._turns.work_table import WorkTable

R = TypeVar("R")

# The last word of methods that change nothing, so they can be sent again when the runtime was busy.
_READ_ONLY = frozenset(
    {"get", "getMetadata", "installed", "list", "read", "readDirectory", "readFile", "search", "status"}
)
_INTERRUPT = "turn/interrupt"

_NOT_CONNECTED = "the client is not connected yet: enter it, or make a first call"


class Watched(Protocol):
    """A handle of a turn, or of something that runs turns."""

    thread_id: str

    def is_running(self) -> bool:
        """Return whether there is more to come."""
        raise NotImplementedError  # abstract

    def running(self) -> RunningTurn | None:
        """Return the turn that is running, ``None`` if there is none."""

    async def stop(self, timeout: float, reason: str) -> bool:
        """Stop it and wait for its end, at most ``timeout`` seconds; return whether it has ended. The reason is logged."""
        raise NotImplementedError  # abstract


class AsyncConnection:
    """Sends typed requests to the current runtime, which it starts on first use."""

    def __init__(self, config: AppServerConfig, early: RuntimeStart | None = None) -> None:
        self.config = config
        self.handlers: AsyncHandlers = AsyncHandlers(config.handler_timeout, otel=bool(config.otel))
        self.supervisor: AsyncSupervisor = AsyncSupervisor(config, self.handlers, early)
        self.work: WorkTable = self.handlers.work
        """The work of all threads that this client knows of."""
        self.reported: Reported = self.handlers.reported
        self.threads: AsyncThreadRegistry = AsyncThreadRegistry(self.supervisor, self.handlers, self.reported, config)
        self._listeners: set[Listener] = set()
        self._watched: set[weakref.ref[Watched]] = set()
        self.handlers.turns.feed(self.work, self.handlers.agents)
        self.listen(self.handlers.turns)

    def listen(self, listener: Listener) -> None:
        """Subscribe a listener to all events, from now on. Harmless when repeated, and after the end."""
        if listener not in self._listeners:
            with suppress(TransportClosedError):
                self.supervisor.subscribe(EVERYTHING, listener)
            # Added last: another thread that finds it here relies on the subscription.
            self._listeners.add(listener)

    async def connect(self, deadline: Deadline | None = None) -> None:
        """Start the runtime if there is none. Raises `LaunchError`; `RequestTimeoutError` when the deadline passes."""
        await self.supervisor.current("initialize", Deadline(None) if deadline is None else deadline)

    def check_loop(self) -> None:
        """Raise `ConfigError` if the client is bound to another event loop than the running one."""
        self.supervisor.check_loop()

    async def close(self) -> None:
        """Stop the runtime and wait until its process has exited; idempotent."""
        await self.supervisor.close()

    @property
    def metadata(self) -> Metadata:
        """The runtime's reply to `initialize`. Raises `ConfigError` before the client is connected."""
        if self.supervisor.metadata is None:
            raise ConfigError("metadata", _NOT_CONNECTED)
        return self.supervisor.metadata

    @property
    def request_timeout(self) -> float:
        """How long a request may wait for its reply unless the call says otherwise, in seconds."""
        return self.config.request_timeout

    def give_tools(self, thread_id: str, table: Table | None, parent_id: str | None) -> None:
        """Let the model call tools in a thread: those of ``table``, or if it is ``None`` those of the parent thread."""
        if table is not None:  # programs without tools do not pay for it
            self.listen(self.handlers.tools)
        self.handlers.tools.give(thread_id, table, parent_id)

    def pause_goal_when_resumed(self, thread_id: str) -> None:
        """Pause a thread's goal when its next runtime resumes it; for a goal whose runtime has died."""
        self.threads.pause_when_resumed(thread_id)

    def running(self) -> Actor:
        """Return the current runtime. Raises `ConfigError` before there is one."""
        if self.supervisor.actor is None:
            raise ConfigError("client", _NOT_CONNECTED)
        return self.supervisor.actor

    def pending_calls(self) -> list[PendingRequest]:
        """Return the server requests that have no answer yet."""
        return [] if self.supervisor.actor is None else self.supervisor.actor.server_requests.pending()

    def rate_limits(self) -> protocol.RateLimitSnapshot | None:
        """Return the rate limits that the runtime reported last, if any."""
        payload = self.reported.limits and self.reported.limits.payload
        return payload.rate_limits if isinstance(payload, protocol.AccountRateLimitsUpdatedNotification) else None

    def reset_time(self, message: str) -> int | None:
        """Return when an exceeded usage limit resets, by the newest rate limits or by the message of the failure."""
        zone, failures = environment_of(self.config).get("TZ"), load("openai_codex._runtime.failures")
        return cast("int | None", failures.reset_time(self.rate_limits(), message, zone))

    def hint_for(self, error: protocol.TurnError | None) -> str | None:
        """Return what the program may have overlooked whose turn has failed."""
        return cast("str | None", load("openai_codex._runtime.failures").hint_for(error, environment_of(self.config)))

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
        """Send a typed request and wait for its typed result; ``timeout=None`` means ``request_timeout`` seconds.

        ``deadline`` is one that has begun before. ``subscription`` receives the events of what the request starts, from
        the first; ``starts`` has its own. ``work`` is the request's entry in the table of work, if there is one.
        """
        if deadline is None:
            deadline = Deadline(self.config.request_timeout if timeout is None else timeout)
        if params.METHOD in PLACED:
            self.threads.check_directory(params)
        if params.METHOD not in STARTING:
            if params.METHOD == _INTERRUPT:
                self._note_interrupt(cast("protocol.TurnInterruptParams", params))
            return await self._request(params, deadline, subscription, starts)
        if params.METHOD == GOAL:  # programs without goals do not pay for it
            self.listen(self.work.goals)
        if work is None:
            # Before there is an entry: what interrupts this call has to see that it cannot wait for it.
            with within(cast("Any", params).thread_id):
                work = self.work.begin(params, deadline.timeout)
                return await AsyncConnection.request(
                    self, params, deadline=deadline, subscription=subscription, starts=starts, work=work
                )
        if starts is not None:
            starts.enter(self.work, work, self.handlers.trees)
        closes = self.threads.closes
        try:
            result = await self._request(params, deadline, subscription, starts, work.leave)
            if self.threads.closes != closes and (starts is None or not starts.ended.is_ready()):
                # Its thread may have been closed meanwhile: nothing would be told of its turn.
                await self.threads.resume(self.running(), params, deadline)
        except BaseException as error:
            self.work.give_up(work, error, None if starts is None else starts.turn_id)
            raise
        self.work.accept(work, result)
        return result

    def _note_interrupt(self, params: protocol.TurnInterruptParams) -> None:
        for turn in self.handlers.turns.of(params.thread_id):
            if params.turn_id in {"", turn.turn_id}:  # an empty id is that of the thread's active turn
                turn.ask_interrupt(_wait.caller_name(), _INTERRUPT)

    async def _request(
        self,
        params: protocol.ClientRequest[R],
        deadline: Deadline,
        subscription: PendingSubscription | None,
        starts: TurnStop | None,
        on_given_up: Callable[[], None] | None = None,
    ) -> R:
        actor = await self.supervisor.current(params.METHOD, deadline)
        if actor.generation > 1 or self.threads.has_released or self.supervisor.is_older:  # else it has and knows all
            await self.threads.resume(actor, params, deadline)
        try:
            try:
                raw = await call(
                    actor, params, deadline, subscription=subscription, starts=starts, on_given_up=on_given_up
                )
            except ServerBusyError as error:
                if params.METHOD.rpartition("/")[2] not in _READ_ONLY:
                    raise
                raw = await call_again(actor, params, deadline, error)
            result: R = codec.structure_result(params.METHOD, raw)
        except CodexRpcError as error:
            # The code of an error is the same for many reasons, so the reason is found out here.
            await self.threads.explain(actor, params, error, deadline)
            raise
        if params.METHOD in NOTED:
            self.threads.note(actor, params, result)
        return result

    def hold(self, thread_id: str, handle: object | None) -> None:
        """Note a handle of a thread, or ``None`` for its id alone, for connections that replace their runtime."""

    def watch(self, turn: Watched) -> None:
        """Include a turn in `running_turns` while its handle is held. Costs nothing per event."""
        # A reference removes itself; adding and removing are single steps of the set.
        self._watched.add(weakref.ref(turn, self._watched.discard))

    def watched(self) -> list[Watched]:
        """Return all that `watch` was called with and that is still held. Callable from any thread at any instant."""
        # A copy of a set is one step; an iteration would fail if a finalizer removed a reference meanwhile.
        return [each for reference in self._watched.copy() if (each := reference()) is not None]

    def has_loaded(self, thread_id: str) -> bool:
        """Return whether the current runtime may have a thread loaded: it runs, and no earlier one has loaded it."""
        actor = self.supervisor.actor
        return actor is not None and actor.close_reason is None and self.threads.is_current(thread_id)

    def running_turns(self) -> tuple[RunningTurn, ...]:
        """Return the turns that have not ended, oldest first. Callable from any thread at any instant."""
        running = (each.running() for each in self.watched())
        found = sorted((turn for turn in running if turn is not None), key=lambda turn: -turn.age)
        # Several handles may belong to one turn; the oldest has seen most of it.
        oldest = {(turn.thread_id, turn.turn_id): turn for turn in reversed(found)}
        asked: dict[str | None, PendingRequest] = {}
        for pending in self.pending_calls() if oldest else ():
            origin = self.handlers.agents.origin(pending.thread_id, pending.turn_id)
            for asker in (pending.thread_id, origin.root_turn_id):
                asked.setdefault(asker, pending)
        asking = load("openai_codex._runtime.health").asking
        turns = reversed(oldest.values())
        return tuple(asking(turn, asked.get(turn.thread_id) or asked.get(turn.turn_id)) for turn in turns)

    def health(self) -> Health:
        """Return a snapshot of the client and its runtime; sends nothing."""
        load("openai_codex._runtime.health")
        from openai_codex._runtime.health import Health

        supervisor, actor = self.supervisor, self.supervisor.actor  # once: another thread may replace the runtime
        state, metadata = supervisor.state(), supervisor.metadata
        held = actor.load() if actor is not None else Load()
        alive = actor is not None and actor.close_reason is None
        return Health(
            state=state,
            alive=alive,
            pid=actor.pid if actor is not None else None,
            version=metadata.server_info.version if metadata is not None else None,
            path=actor.path if actor is not None else None,
            generation=supervisor.generation,
            restarts=max(0, supervisor.generation - 1 - supervisor.recycled),
            recycled=supervisor.recycled,
            last_exit=supervisor.last_exit(),
            turns=self.running_turns(),
            uptime=time.monotonic() - actor.started_at if actor is not None and alive else 0.0,
            rss=actor.transport.rss() if actor is not None and alive else None,
            threads=self.threads.count() if alive else 0,
            agents=self.handlers.trees.loaded(),
            requests_in_flight=max(0, held.in_flight - held.queued),  # read one after another
            requests_queued=held.queued,
            requests_of_runtime=len(self.pending_calls()),
            mailboxes=held.mailboxes,
            unread=held.unread,
            deepest=held.deepest,
            warnings=self.reported.notices.counts.copy(),
            **attrs.asdict(supervisor.tally),
        )
