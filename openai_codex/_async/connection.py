"""One client's connection: typed requests to its runtime, whichever that is just now, and what is known of both."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from openai_codex import protocol
from openai_codex._async import _wait
from openai_codex._async.exchange import ask, take_back
from openai_codex._async.handlers import AsyncHandlers
from openai_codex._async.runtimes import AsyncRuntimes
from openai_codex._engine.mailbox import Listener
from openai_codex._engine.process.locks import writer_of
from openai_codex._engine.router import Load
from openai_codex._engine.topics import EVERYTHING
from openai_codex._engine.waiting import Deadline
from openai_codex.errors import (
    ConfigError,
    DecodeError,
    InternalRpcError,
    InvalidRequestError,
    JsonRpcError,
    ServerBusyError,
    ThreadBusyError,
    ThreadLostError,
    TransportClosedError,
)
from openai_codex.log import Log

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_codex._engine.actor import Actor
    from openai_codex._engine.calls import PendingCall
    from openai_codex._engine.topics import Coming
    from openai_codex.config import AppServerConfig
    from openai_codex.health import Health
    from openai_codex.notification import Notification

R = TypeVar("R")

# After these the runtime has a thread loaded, or has it no more.
_LOADING = frozenset({"thread/start", "thread/resume", "thread/fork"})
_UNLOADING = frozenset({"thread/archive", "thread/delete", "thread/unsubscribe"})

# The last word of methods that only look, so that sending them twice does no harm.
_LOOKING = frozenset(
    {"get", "getMetadata", "installed", "list", "read", "readDirectory", "readFile", "search", "status"}
)

# How often a request that only looks is refused by a busy runtime before its caller is told, and the waits between.
_ATTEMPTS = 8
_FIRST_DELAY, _LONGEST_DELAY = 0.05, 2.0

_log = Log("connection")


class AsyncConnection:
    """Carries typed requests to the runtime of the day, which it starts on first use.

    `_threads` says of each thread that was loaded here by which runtime; single operations on it need no lock.
    """

    def __init__(self, config: AppServerConfig) -> None:
        self.config = config
        self.handlers = AsyncHandlers(config.handler_timeout)
        self.runtimes = AsyncRuntimes(config, self.handlers)
        self._threads: dict[str, int] = {}
        self._limits = _RateLimits()
        for listener in (self._limits, self.handlers.changes, self.handlers.tools):
            self.runtimes.subscribe(EVERYTHING, listener)

    def running(self) -> Actor:
        """Return the runtime of the day. Raises `ConfigError` before there is one."""
        if self.runtimes.actor is None:
            raise ConfigError("client", "it is not connected yet: enter it, or make a first call")
        return self.runtimes.actor

    def pending_calls(self) -> list[PendingCall]:
        """Return the runtime's requests that wait for an answer."""
        return [] if self.runtimes.actor is None else self.runtimes.actor.calls.pending()

    def rate_limits(self) -> protocol.RateLimitSnapshot | None:
        """Return the newest limits that the runtime has told of, if any."""
        payload = self._limits.newest and self._limits.newest.payload
        return payload.rate_limits if isinstance(payload, protocol.AccountRateLimitsUpdatedNotification) else None

    async def request(
        self,
        params: protocol.ClientRequest[R],
        *,
        timeout: float | None = None,
        coming: Coming | None = None,
        undo: protocol.ClientRequest[Any] | None = None,
    ) -> R:
        """Send a typed request and wait for its typed result, ``request_timeout`` seconds unless told otherwise.

        ``undo`` is sent when the caller gives up while the runtime may have carried the request out, and when the
        result cannot be read.
        """
        actor = await self.runtimes.current()
        if actor.generation > 1:
            await self._resume(actor, params)
        patience = self.config.request_timeout if timeout is None else timeout
        deadline = Deadline(patience)
        try:
            raw = await ask(actor, params, patience, coming, undo)
        except ServerBusyError as error:
            if params.METHOD.rpartition("/")[2] not in _LOOKING:
                raise
            raw = await self._ask_again(actor, params, deadline, error)
        except InvalidRequestError as error:
            self._check_writer(params, error)
            raise
        try:
            result: R = protocol.structure_result(params.METHOD, raw)
        except DecodeError:
            if undo is not None:
                await take_back(actor, undo)
            raise
        self._note(actor, params, result)
        return result

    def send(self, params: protocol.ClientRequest[Any]) -> Callable[[], object]:
        """Send a request whose reply does not matter; return what to call when it should be forgotten.

        Does nothing when the connection is gone.
        """
        actor = self.runtimes.actor
        if actor is None or actor.death is not None:
            return _nothing
        try:
            return partial(actor.abandon, actor.request(params.METHOD, protocol.unstructure(params)))
        except TransportClosedError:
            return _nothing

    def health(self) -> Health:
        """Look at the client and its runtime; sends nothing."""
        from openai_codex.health import Health

        runtimes, actor = self.runtimes, self.runtimes.actor
        load = actor.load() if actor is not None else Load()
        alive = actor is not None and actor.death is None
        return Health(
            alive=alive,
            pid=actor.process.pid if actor is not None else None,
            generation=runtimes.generation,
            restarts=max(0, runtimes.generation - 1),
            uptime=time.monotonic() - actor.started_at if actor is not None and alive else 0.0,
            rss=actor.process.rss() if actor is not None and alive else None,
            threads=sum(generation == runtimes.generation for generation in tuple(self._threads.values()))
            if alive
            else 0,
            requests_in_flight=load.in_flight - load.queued,
            requests_queued=load.queued,
            requests_of_runtime=len(self.pending_calls()),
            mailboxes=load.mailboxes,
            unread=load.unread,
            deepest=load.deepest,
            merged=runtimes.tally.merged,
            outdated=runtimes.tally.outdated,
            dropped=runtimes.tally.dropped,
            skipped=runtimes.tally.skipped,
            late=runtimes.tally.late,
        )

    async def _ask_again(
        self, actor: Actor, params: protocol.ClientRequest[Any], deadline: Deadline, error: ServerBusyError
    ) -> Any:
        """Repeat a request that the runtime was too busy for, with back-off."""
        from openai_codex.backoff import Patience

        until = time.monotonic() + (deadline.remaining() or 0.0)
        patience = Patience(_ATTEMPTS, _FIRST_DELAY, _LONGEST_DELAY, 0.2, until)
        while True:
            await _wait.ready(actor.exited, patience.delay_after(error))
            try:
                return await ask(actor, params, deadline.remaining() or 0.0)
            except ServerBusyError as again:
                error = again

    # -- threads and the runtimes that they are loaded in ------------------------------------------------------------

    def _note(self, actor: Actor, params: protocol.ClientRequest[Any], result: Any) -> None:
        if params.METHOD in _LOADING:
            self._threads[result.thread.id] = actor.generation
        elif params.METHOD in _UNLOADING:
            self._threads.pop(_thread_of(params) or "", None)
            if params.METHOD == "thread/delete":
                self.handlers.tools.forget(_thread_of(params) or "")

    async def _resume(self, actor: Actor, params: protocol.ClientRequest[Any]) -> None:
        """Load the thread that a request is about, if it was loaded in a runtime that has died since."""
        thread_id = _thread_of(params)
        if thread_id is None or params.METHOD == "thread/resume":
            return
        if self._threads.get(thread_id, actor.generation) == actor.generation:
            return
        resume = protocol.ThreadResumeParams(thread_id=thread_id, exclude_turns=True)
        try:
            await ask(actor, resume, self.config.request_timeout)
        except (InternalRpcError, InvalidRequestError) as error:  # the former of a file that was never written to
            self._check_writer(resume, error)
            raise ThreadLostError(thread_id, actor.generation) from error
        self._threads[thread_id] = actor.generation
        _log.info("codex.thread_resumed", thread_id=thread_id, generation=actor.generation)

    def _check_writer(self, params: protocol.ClientRequest[Any], error: JsonRpcError) -> None:
        """Raise `ThreadBusyError` if a thread cannot be resumed because another process has it."""
        thread_id = _thread_of(params)
        metadata = self.runtimes.metadata
        if params.METHOD == "thread/resume" and thread_id is not None and metadata is not None:
            holder = writer_of(metadata.codex_home, thread_id)
            if holder is not None and holder != self.running().process.pid:
                raise ThreadBusyError(
                    error.code, error.message, error.data, error.method, thread_id=thread_id, holder=holder
                ) from error


class _RateLimits(Listener):
    """Keeps the newest limits that the runtime has told of."""

    def __init__(self) -> None:
        super().__init__("rate limits", frozenset({"account/rateLimits/updated"}))
        self.newest: Notification | None = None

    def saw(self, event: Notification) -> None:
        """Keep it in place of the one before."""
        self.newest = event


def _thread_of(params: object) -> str | None:
    thread_id = getattr(params, "thread_id", None)
    return thread_id if isinstance(thread_id, str) else None


def _nothing() -> None:
    """Forget a request that was never sent."""
