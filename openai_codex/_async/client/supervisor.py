"""Starts the runtime of a client and, if the configuration says so, the next one after a death.

It owns the runtimes and the subscriptions that outlive them; it knows no verb of the API.
"""

from __future__ import annotations

import copy
import time
import weakref
from typing import TYPE_CHECKING, Any

from openai_codex._async.client import _wait
from openai_codex._async.client.launch import AsyncLauncher, stop
from openai_codex._engine.backlog import Tally
from openai_codex._engine.mailbox import LastingMailbox, Mailbox
from openai_codex._engine.reply import CLIENT_CLOSED, CloseReason
from openai_codex._engine.subscriptions import LastingSubscriptions
from openai_codex._engine.waiting import Deadline, Latch
from openai_codex._log import Log
from openai_codex._runtime.backoff import RestartBackoff
from openai_codex._runtime.imports import load
from openai_codex.errors import LaunchError, RequestTimeoutError, TransportClosedError

if TYPE_CHECKING:
    from openai_codex._async.client.handlers import AsyncHandlers
    from openai_codex._config import AppServerConfig
    from openai_codex._engine.actor import Actor
    from openai_codex._engine.subscriptions import Topic
    from openai_codex._engine.transport import RuntimeStart
    from openai_codex._runtime.health import RuntimeExit, State
    from openai_codex._runtime.report import Metadata
    from openai_codex.errors import ProcessInfo

# How long the process of a dead runtime may take to exit before the next one is started, in seconds.
_EXIT_PATIENCE = 5.0

_log = Log("connection")


class _Start:
    """A start in progress. Other callers that need a runtime wait for it and get its error."""

    def __init__(self) -> None:
        self.caller = _wait.caller()
        self.done = Latch()
        self.error: Exception | None = None


class AsyncSupervisor:
    """Starts a runtime when one is needed: the first time, and after a death if the configuration says so.

    One caller at a time starts a runtime, the others wait for the outcome: it is the one whose entry is in ``_starts``. When
    the client is garbage-collected, its runtime is stopped.
    """

    def __init__(self, config: AppServerConfig, handlers: AsyncHandlers, early: RuntimeStart | None = None) -> None:
        self.actor: Actor | None = None
        """The current runtime, dead or alive; ``None`` before the first."""
        self.metadata: Metadata | None = None
        """The current runtime's reply to `initialize`."""
        self.is_older: bool = False
        """Whether the current runtime is older than the pinned one, so that it may ignore fields of requests."""
        self.generation: int = 0
        """How many runtimes have been started."""
        self.recycled: int = 0
        """How many of them replaced one that was stopped because it exceeded a limit of `Restart`."""
        self.tally: Tally = Tally()
        self._config = config
        self._handlers = handlers
        self._closing = Latch()
        self._loop = _wait.LoopGuard()
        self._starts: dict[str, _Start] = {}
        self._backoff = RestartBackoff(config.restart)
        self._launcher = AsyncLauncher(config, handlers, self.tally, self._closing, self._backoff.allows_restart)
        self._launcher.early = early
        self._earlier_exit: RuntimeExit | None = None
        self._close_reason: CloseReason | None = None
        self._subscriptions = LastingSubscriptions()
        self._finalizer: weakref.finalize[Any, Any] | None = None

    async def current(self, waiting_for: str, deadline: Deadline) -> Actor:
        """Return the current runtime; start one if there is none, or if the last one died and is to be replaced.

        A dead runtime that is not to be replaced is returned as it is: every request on it raises its close reason.
        Raises `LaunchError` when it does not start, `RequestTimeoutError` when the deadline passes while another
        caller starts one, during the back-off or during this caller's own start, and `ConfigError` on another event
        loop.
        """
        self.check_loop()
        while (actor := self.actor) is None or (actor.close_reason is not None and self._is_replaceable(actor)):
            await self._ensure_started(waiting_for, deadline)
        return actor

    def check_loop(self) -> None:
        """Raise `ConfigError` if the client is bound to another event loop than the running one.

        If its own loop is closed, the client and its handlers are bound to the running one.
        """
        if self._loop.moved():
            self._starts.clear()  # its task ended with the closed loop, so it would never be done
            self._handlers.start_task = _wait.task_starter()

    def state(self) -> State:
        """Return the state of the client. Callable from any thread at any instant."""
        # Each is read once: another thread may replace it meanwhile.
        actor, reason = self.actor, None if self.actor is None else self.actor.close_reason
        if self._closing.is_ready() or (reason is not None and reason.final):
            return "closed"
        if self._starts or (actor is not None and reason is None and actor.transport.is_lost):
            return "starting"
        if actor is None:
            return "down"
        if reason is None:
            return "frozen" if actor.silence.is_suspicious else "running"
        if reason.frozen and not actor.exited.is_ready():
            return "frozen"
        return "down" if self._backoff.allows_restart(actor.generation, reason.lifetime) else "given_up"

    def last_exit(self) -> RuntimeExit | None:
        """Return how the last runtime that has ended did so. Callable as `state` is."""
        actor = self.actor
        reason = None if actor is None else actor.close_reason
        earlier = self._earlier_exit  # of a start that failed, or of the runtime before
        if actor is None or reason is None or (earlier is not None and earlier.at > reason.at):
            return earlier
        # Not from the close reason: a frozen runtime is killed after that was recorded.
        process = actor.recent.process or actor.transport.process_info()  # the former when it has ended
        return _exit_of(process, reason.reason, actor.generation, reason.at)

    async def recycle(self, actor: Actor, reason: str) -> None:
        """Stop an idle runtime, so that the next operation starts another one. It does not count as a failure."""
        self._backoff.skip(actor.generation)
        await stop(actor, self._config.shutdown_timeout, reason)

    async def close(self) -> None:
        """Stop the runtime and wait until its process has exited; idempotent, bounded by ``shutdown_timeout``."""
        self._closing.set()
        self._handlers.reported.notices.hurry()
        # A start that ends in between sees `_closing`, so no runtime is missed.
        actor = self._launcher.starting or self.actor
        if actor is not None:
            await stop(actor, self._config.shutdown_timeout)
        self._end(CloseReason(CLIENT_CLOSED, final=True))
        await self._launcher.close()

    def _end(self, reason: CloseReason) -> CloseReason:
        """Record that no other runtime will follow, and end all subscriptions. The first reason counts."""
        self._close_reason = self._close_reason or reason
        self._subscriptions.end(self._close_reason)
        return self._close_reason

    # -- subscriptions -----------------------------------------------------------------------------------------------

    def mailbox(self, subject: str, methods: frozenset[str] | None = None, limit: int | None = None) -> Mailbox:
        """Make a mailbox for `subscribe` that outlives a runtime if runtimes are replaced."""
        kind = Mailbox if self._config.restart is None else LastingMailbox
        mailbox = kind(subject, methods, limit)
        mailbox.count_in(self.tally)
        return mailbox

    def subscribe(self, topic: Topic, mailbox: Mailbox) -> None:
        """Deliver events from now on, of this runtime and of the following ones. Raises `TransportClosedError`."""
        self._subscriptions.add(topic, mailbox)
        if self._close_reason is not None:  # read after `add`: an end in between has failed the mailbox already
            self._subscriptions.remove(mailbox)
            raise self._close_reason.error(mailbox.subject)
        actor = self.actor
        if actor is not None and not self._is_replaceable(actor):
            actor.subscribe(topic, mailbox)

    def unsubscribe(self, topic: Topic, mailbox: Mailbox) -> None:
        """Stop delivering; harmless if it is not subscribed."""
        self._subscriptions.remove(mailbox)
        if self.actor is not None:
            self.actor.unsubscribe(topic, mailbox)

    # -- starting ----------------------------------------------------------------------------------------------------

    def _is_replaceable(self, actor: Actor) -> bool:
        close_reason = actor.close_reason
        return close_reason is not None and not close_reason.final and self._config.restart is not None

    async def _ensure_started(self, waiting_for: str, deadline: Deadline) -> None:
        """Start a runtime, or wait for the start that is in progress."""
        own = _Start()
        try:
            # One step: whoever finds its own entry is the one who starts.
            current = self._starts.setdefault("current", own)
            if current is not own:
                await self._join(current, waiting_for, deadline)
                return
            await self._start(waiting_for, deadline)
        except Exception as error:
            # A timeout of this caller must not fail the others.
            own.error = None if isinstance(error, RequestTimeoutError) else error
            raise
        finally:
            try:
                self._end_start(own)
            finally:
                self._end_start(own)  # again: an exception of a signal handler may have ended the first

    def _end_start(self, start: _Start) -> None:
        """Let others start a runtime. Idempotent."""
        if self._starts.get("current") is start:
            self._starts.pop("current", None)
        start.done.set()

    async def _join(self, other: _Start, waiting_for: str, deadline: Deadline) -> None:
        """Wait for a start of another caller, and share its error."""
        if other.caller == _wait.caller():
            raise TransportClosedError("it is being started by the code that this call interrupts", waiting_for)
        if not await _wait.ready(other.done, deadline.remaining()):
            raise RequestTimeoutError(waiting_for, deadline.timeout)
        if other.error is not None:
            # A copy, because a raised exception collects the traceback of its own caller.
            raise copy.copy(other.error) from other.error

    async def _start(self, waiting_for: str, deadline: Deadline) -> None:
        if self.actor is not None:
            if not self._is_replaceable(self.actor):
                return  # another caller has started one since
            await self._await_restart(self.actor, waiting_for, deadline)
        self._launcher.check_open()
        try:
            actor, self.metadata = await self._launcher.launch(self.generation + 1, deadline)
            self.is_older = bool(load("openai_codex._runtime.report").is_older(self.metadata))
            await self._activate(actor)
        except LaunchError as error:
            self._launcher.note("start_failed", reason=error.reason)
            if error.process.pid is not None:
                self._earlier_exit = _exit_of(error.process, error.reason, self.generation + 1, time.time())
            if deadline.passed():  # it might have started within `start_timeout`
                raise RequestTimeoutError(waiting_for, deadline.timeout) from error
            if self.actor is not None:
                self._backoff.add_failed_start()
            raise
        finally:
            await self._launcher.finish(self.actor)

    async def _await_restart(self, dead: Actor, waiting_for: str, deadline: Deadline) -> None:
        """Count a death, wait for the process to exit, then wait out the back-off; raise if there is no restart."""
        death = dead.close_reason
        assert death is not None, "only a dead runtime is replaced"
        self._backoff.add_death(dead.generation, death.lifetime)
        # Two runtimes must not write to the same databases and rollout files at once.
        await stop(dead, min(_EXIT_PATIENCE, deadline.remaining()))
        self._earlier_exit = self.last_exit()
        if self._backoff.is_exhausted():
            reason = f"{death.reason}; no other is started after {self._backoff.count} failures in succession"
            process = dead.transport.process_info()
            self._launcher.note("given_up", reason=reason)
            end = self._end(CloseReason(reason, process, death.cause, dead.generation, final=True, at=death.at))
            raise end.error(waiting_for)
        delay, left = self._backoff.remaining(), deadline.remaining()
        if await _wait.ready(self._closing, min(delay, left)):
            raise TransportClosedError(CLIENT_CLOSED, waiting_for)
        if left < delay:
            raise RequestTimeoutError(waiting_for, deadline.timeout)

    async def _activate(self, actor: Actor) -> None:
        """Make a new runtime the current one: attach the subscriptions first, then publish it to callers."""
        if self._finalizer is not None:
            self._finalizer.detach()
        self._finalizer = weakref.finalize(self, actor.let_go)
        self._finalizer.atexit = False  # `at_exit` stops it then, and waits for it
        self.generation = actor.generation
        last = None if self.actor is None else self.actor.close_reason
        was_recycled = last is not None and last.recycled
        self.recycled += was_recycled
        if actor.generation > 1:
            self._announce(actor)
        self._handlers.agents.post = actor.server_requests.workers.handlers.post
        for topic, mailbox in self._subscriptions.alive():
            actor.subscribe(topic, mailbox)
        self.actor = actor
        if actor.generation > 1:
            log, event = (_log.info, "recycled") if was_recycled else (_log.warning, "restarted")
            actor.recent.note(f"runtime_{event}", reason=last and last.reason)
            log(f"codex.runtime_{event}", pid=actor.pid, generation=actor.generation, reason=last and last.reason)
        if self._closing.is_ready():  # another thread has called `close` and could not see this runtime
            await self.close()
            raise TransportClosedError(CLIENT_CLOSED)

    def _announce(self, actor: Actor) -> None:
        load("openai_codex._runtime.report")
        from openai_codex._runtime.report import runtime_started

        version = "" if self.metadata is None else self.metadata.server_info.version
        self._subscriptions.publish(runtime_started(actor.generation, actor.transport.process_info(), version))


def _exit_of(process: ProcessInfo, reason: str, generation: int, at: float) -> RuntimeExit:
    # Imported here: few programs ask.
    load("openai_codex._runtime.health")
    from openai_codex._runtime.health import runtime_exit

    return runtime_exit(process, reason, generation, at)
