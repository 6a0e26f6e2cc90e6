"""One client's connection: started once, asked many times, closed within a bound.

It owns the actor and its life; it knows the handshake and no other verb.
"""

from __future__ import annotations

import weakref
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from openai_codex import protocol
from openai_codex._async import _wait
from openai_codex._async.handlers import AsyncHandlers
from openai_codex._engine.actor import Actor
from openai_codex._engine.mailbox import Mailbox
from openai_codex._engine.process import RuntimeProcess, command_line
from openai_codex._engine.router import EVERYTHING
from openai_codex.errors import CodexError, ConfigError, LaunchError, RequestTimeoutError, TransportClosedError
from openai_codex.log import Log

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_codex._engine.calls import PendingCall
    from openai_codex._engine.reply import Reply
    from openai_codex._engine.router import Coming
    from openai_codex.config import AppServerConfig
    from openai_codex.metadata import Metadata

R = TypeVar("R")

RATE_LIMITS = "account/rateLimits/updated"

_log = Log("connection")


class AsyncConnection:
    """Starts the runtime on first use and carries typed requests to it.

    ``_starting`` lets one caller start the runtime while the others wait for it. After `close` every call raises
    `TransportClosedError`.
    """

    def __init__(self, config: AppServerConfig) -> None:
        self.config = config
        self.handlers = AsyncHandlers(config.handler_timeout)
        self._starting = _wait.Lock()
        self._starting_actor: Actor | None = None
        self._actor: Actor | None = None
        self._metadata: Metadata | None = None
        self._closed = False
        self._limits = Mailbox("rate limits", frozenset({RATE_LIMITS}), limit=8)
        self._newest_limits: protocol.RateLimitSnapshot | None = None

    @property
    def metadata(self) -> Metadata | None:
        """What the runtime said of itself; ``None`` before the handshake."""
        return self._metadata

    async def open(self) -> Actor:
        """Start the runtime and shake hands, once; return the actor. Raises `LaunchError`."""
        if self._actor is None:
            async with self._starting:
                return self._actor or await self._start()
        return self._actor

    def running(self) -> Actor:
        """Return the running connection. Raises `ConfigError` before there is one."""
        if self._actor is None:
            raise ConfigError("client", "it is not connected yet: enter it, or make a first call")
        return self._actor

    def pending_calls(self) -> list[PendingCall]:
        """Return the runtime's requests that wait for an answer."""
        return [] if self._actor is None else self._actor.calls.pending()

    def rate_limits(self) -> protocol.RateLimitSnapshot | None:
        """Return the newest limits that the runtime has told of, if any."""
        with suppress(TransportClosedError):  # then there is nothing newer
            for event in self._limits.take():
                if isinstance(event.payload, protocol.AccountRateLimitsUpdatedNotification):
                    self._newest_limits = event.payload.rate_limits
        return self._newest_limits

    async def request(
        self,
        params: protocol.ClientRequest[R],
        *,
        timeout: float | None = None,
        coming: Coming | None = None,
        undo: protocol.ClientRequest[Any] | None = None,
    ) -> R:
        """Send a typed request and wait for its typed result, ``request_timeout`` seconds unless told otherwise.

        ``undo`` is sent when the caller gives up while the runtime may have carried the request out.
        """
        actor = await self.open()
        patience = self.config.request_timeout if timeout is None else timeout
        raw = await self._ask(actor, params, patience, coming, undo)
        result: R = protocol.structure_result(params.METHOD, raw)
        return result

    def send(self, params: protocol.ClientRequest[Any]) -> Callable[[], object]:
        """Send a request whose reply does not matter; return what to call when it should be forgotten.

        Does nothing when the connection is gone.
        """
        actor = self._actor
        if actor is None or actor.death is not None:
            return _nothing
        try:
            return partial(actor.abandon, actor.request(params.METHOD, protocol.unstructure(params)))
        except TransportClosedError:
            return _nothing

    async def close(self) -> None:
        """Stop the runtime and wait until it is gone; idempotent, bounded by ``shutdown_timeout``."""
        self._closed = True
        actor = self._actor or self._starting_actor
        if actor is not None:
            await self._stop(actor)

    async def _stop(self, actor: Actor) -> None:
        try:
            for patience in actor.stop(self.config.shutdown_timeout):
                if await _wait.ready(actor.exited, patience):
                    break
        finally:
            # Also when the caller is cancelled: nothing is left to end it later.
            if not actor.exited.is_ready():
                actor.process.kill()
            actor.release()

    async def _start(self) -> Actor:
        if self._closed:
            raise TransportClosedError("the client was closed")
        self.handlers.run = _wait.handler_runner()
        process = RuntimeProcess(command_line(self.config), self.config.cwd, self.config.env)
        self._starting_actor = actor = Actor(process, self.handlers, self.config.max_in_flight)
        weakref.finalize(self, actor.let_go).atexit = False
        try:
            raw = await self._ask(actor, self._introduction(), self.config.start_timeout)
            self._metadata = _metadata(raw)
        except BaseException as error:
            await self._stop(actor)
            if isinstance(error, CodexError):
                raise LaunchError(_why(error), process.facts()) from error
            raise
        actor.subscribe(EVERYTHING, self._limits)
        actor.subscribe(EVERYTHING, self.handlers.started_items)
        actor.notify("initialized")
        self._actor = actor
        return actor

    def _introduction(self) -> protocol.InitializeParams:
        config = self.config
        return protocol.InitializeParams(
            client_info=protocol.ClientInfo(
                name=config.client_name, title=config.client_title, version=config.client_version
            ),
            capabilities=protocol.InitializeCapabilities(experimental_api=config.experimental_api),
        )

    async def _ask(
        self,
        actor: Actor,
        params: protocol.ClientRequest[R],
        timeout: float,
        coming: Coming | None = None,
        undo: protocol.ClientRequest[Any] | None = None,
    ) -> Any:
        reply = actor.request(params.METHOD, protocol.unstructure(params), coming)
        settled = False
        try:
            settled = await _wait.ready(reply, timeout)
        finally:
            if not settled and actor.abandon(reply) and undo is not None:
                self.send(undo)
        if not settled:
            raise RequestTimeoutError(params.METHOD, timeout)
        _log.debug("codex.request_answered", **_facts(reply, actor))
        return reply.result()


def _nothing() -> None:
    """Forget a request that was never sent."""


def _metadata(raw: Any) -> Metadata:
    from openai_codex.metadata import Metadata  # builds a class, so only when there is something to put into it

    return protocol.structure(Metadata, raw)


def _facts(reply: Reply, actor: Actor) -> dict[str, Any]:
    return {"method": reply.method, "request_id": reply.request_id, "seconds": reply.seconds, "pid": actor.process.pid}


def _why(error: CodexError) -> str:
    if isinstance(error, RequestTimeoutError):
        return f"no reply to initialize within {error.timeout:g} s"
    return error.reason if isinstance(error, TransportClosedError) else str(error)
