# Derived from openai_codex/_async/client/connection.py by `python -m tools.unasync`; do not edit.
"""One client's connection: typed requests to its runtime, whichever that is just now, and what is known of both."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from openai_codex import _codec as codec
from openai_codex import _protocol as protocol
from openai_codex._sync.client import _wait
from openai_codex._sync.client.handlers import Handlers
from openai_codex._sync.client.rpc import ask, take_back
from openai_codex._sync.client.supervisor import Supervisor
from openai_codex._sync.client.thread_registry import ThreadRegistry, thread_of
from openai_codex._engine.mailbox import Listener
from openai_codex._engine.router import Load
from openai_codex._engine.topics import EVERYTHING
from openai_codex._engine.waiting import Deadline
from openai_codex._log import Log
from openai_codex.errors import (
    ConfigError,
    DecodeError,
    InvalidRequestError,
    ServerBusyError,
    TransportClosedError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_codex._config import AppServerConfig
    from openai_codex._engine.actor import Actor
    from openai_codex._engine.server_requests import PendingRequest
    from openai_codex._engine.topics import PendingSubscription
    from openai_codex._notification import Notification
    from openai_codex._runtime.health import Health

R = TypeVar("R")

# After these the model calls no tool in a thread any more.
_FORGETTING = frozenset({"thread/archive", "thread/delete"})

# The last word of methods that only look, so that sending them twice does no harm.
_LOOKING = frozenset(
    {"get", "getMetadata", "installed", "list", "read", "readDirectory", "readFile", "search", "status"}
)

# How often a request that only looks is refused by a busy runtime before its caller is told, and the waits between.
_ATTEMPTS = 8
_FIRST_DELAY, _LONGEST_DELAY = 0.05, 2.0

_log = Log("connection")


class Connection:
    """Carries typed requests to the runtime of the day, which it starts on first use."""

    def __init__(self, config: AppServerConfig) -> None:
        self.config = config
        self.handlers = Handlers(config.handler_timeout)
        self.supervisor = Supervisor(config, self.handlers)
        self.threads = ThreadRegistry(self.supervisor)
        self._limits = _RateLimits()
        for listener in (self._limits, self.handlers.changes, self.handlers.tools):
            self.supervisor.subscribe(EVERYTHING, listener)

    def connect(self) -> None:
        """Start the runtime, if there is none. Raises `LaunchError`."""
        self.supervisor.current("initialize", Deadline(None))

    def running(self) -> Actor:
        """Return the runtime of the day. Raises `ConfigError` before there is one."""
        if self.supervisor.actor is None:
            raise ConfigError("client", "it is not connected yet: enter it, or make a first call")
        return self.supervisor.actor

    def pending_calls(self) -> list[PendingRequest]:
        """Return the runtime's requests that wait for an answer."""
        return [] if self.supervisor.actor is None else self.supervisor.actor.server_requests.pending()

    def rate_limits(self) -> protocol.RateLimitSnapshot | None:
        """Return the newest limits that the runtime has told of, if any."""
        payload = self._limits.newest and self._limits.newest.payload
        return payload.rate_limits if isinstance(payload, protocol.AccountRateLimitsUpdatedNotification) else None

    def request(
        self,
        params: protocol.ClientRequest[R],
        *,
        timeout: float | None = None,
        coming: PendingSubscription | None = None,
        undo: protocol.ClientRequest[Any] | None = None,
    ) -> R:
        """Send a typed request and wait for its typed result, ``request_timeout`` seconds unless told otherwise.

        ``undo`` is sent when the caller gives up while the runtime may have carried the request out, and when the
        result cannot be read.
        """
        deadline = Deadline(self.config.request_timeout if timeout is None else timeout)
        actor = self.supervisor.current(params.METHOD, deadline)
        if actor.generation > 1:
            self.threads.resume(actor, params, deadline)
        try:
            raw = ask(actor, params, deadline, coming=coming, undo=undo)
        except ServerBusyError as error:
            if params.METHOD.rpartition("/")[2] not in _LOOKING:
                raise
            raw = self._ask_again(actor, params, deadline, error)
        except InvalidRequestError as error:
            self.threads.check_writer(params, error)
            raise
        try:
            result: R = codec.structure_result(params.METHOD, raw)
        except DecodeError:
            if undo is not None:
                take_back(actor, undo)
            raise
        self.threads.note(actor, params, result)
        if params.METHOD in _FORGETTING:
            self.handlers.tools.forget(thread_of(params) or "")
        return result

    def send(self, params: protocol.ClientRequest[Any]) -> Callable[[], object]:
        """Send a request whose reply does not matter; return what to call when it should be forgotten.

        Does nothing when the connection is gone.
        """
        actor = self.supervisor.actor
        if actor is None or actor.close_reason is not None:
            return _nothing
        try:
            return partial(actor.abandon, actor.request(params.METHOD, codec.unstructure(params)))
        except TransportClosedError:
            return _nothing

    def health(self) -> Health:
        """Look at the client and its runtime; sends nothing."""
        from openai_codex._runtime.health import Health

        supervisor, actor = self.supervisor, self.supervisor.actor
        load = actor.load() if actor is not None else Load()
        alive = actor is not None and actor.close_reason is None
        return Health(
            alive=alive,
            pid=actor.process.pid if actor is not None else None,
            generation=supervisor.generation,
            restarts=max(0, supervisor.generation - 1),
            uptime=time.monotonic() - actor.started_at if actor is not None and alive else 0.0,
            rss=actor.process.rss() if actor is not None and alive else None,
            threads=self.threads.count() if alive else 0,
            requests_in_flight=load.in_flight - load.queued,
            requests_queued=load.queued,
            requests_of_runtime=len(self.pending_calls()),
            mailboxes=load.mailboxes,
            unread=load.unread,
            deepest=load.deepest,
            merged=supervisor.tally.merged,
            outdated=supervisor.tally.outdated,
            dropped=supervisor.tally.dropped,
            skipped=supervisor.tally.skipped,
            late=supervisor.tally.late,
        )

    def _ask_again(
        self, actor: Actor, params: protocol.ClientRequest[Any], deadline: Deadline, error: ServerBusyError
    ) -> Any:
        """Repeat a request that the runtime was too busy for, with back-off."""
        from openai_codex._runtime.backoff import Patience

        until = time.monotonic() + (deadline.remaining() or 0.0)
        patience = Patience(_ATTEMPTS, _FIRST_DELAY, _LONGEST_DELAY, 0.2, until)
        while True:
            _wait.ready(actor.exited, patience.delay_after(error))
            try:
                return ask(actor, params, deadline)
            except ServerBusyError as again:
                error = again


class _RateLimits(Listener):
    """Keeps the newest limits that the runtime has told of."""

    def __init__(self) -> None:
        super().__init__("rate limits", frozenset({"account/rateLimits/updated"}))
        self.newest: Notification | None = None

    def on_event(self, event: Notification) -> None:
        """Keep it in place of the one before."""
        self.newest = event


def _nothing() -> None:
    """Forget a request that was never sent."""
