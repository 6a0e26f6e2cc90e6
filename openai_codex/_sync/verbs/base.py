# Derived from openai_codex/_async/verbs/base.py by `python -m tools.unasync`; do not edit.
"""The part of the client that every verb stands on: its life, and one typed request."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, TypeVar

from openai_codex import _checks as checks
from openai_codex._sync.client import _wait
from openai_codex._sync.client.connection import Connection
from openai_codex._sync.events import Events
from openai_codex._config import AppServerConfig

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from openai_codex import _protocol as protocol
    from openai_codex._approvals.decisions import Answer
    from openai_codex._approvals.handlers import (
        ApprovalHandler,
        ElicitationHandler,
        Handler,
        TokenHandler,
        UserInputHandler,
    )
    from openai_codex._approvals.requests import RuntimeRequest
    from openai_codex._runtime.health import Health
    from openai_codex._runtime.metadata import Metadata

R = TypeVar("R")


class Client:
    """The life of a client: connect, ask, close. See `Codex`."""

    def __init__(
        self,
        config: AppServerConfig | None = None,
        *,
        on_approval: ApprovalHandler | None = None,
        on_elicitation: ElicitationHandler | None = None,
        on_token_refresh: TokenHandler | None = None,
        on_user_input: UserInputHandler | None = None,
    ) -> None:
        self._connection = Connection(config or AppServerConfig())
        handlers = self._connection.handlers
        for register, handler in (
            (handlers.on_approval, on_approval),
            (handlers.on_elicitation, on_elicitation),
            (handlers.on_token_refresh, on_token_refresh),
            (handlers.on_user_input, on_user_input),
        ):
            if handler is not None:
                self._check(register.__name__, handler)
                register(handler)
        _wait.connect_in_constructor(self._connection.connect)

    def __enter__(self) -> Self:
        self._connection.connect()
        return self

    # A handler may be a coroutine function in the face that is entered by one.
    _may_await = inspect.iscoroutinefunction(__enter__)

    def _check(self, name: str, handler: object) -> None:
        from openai_codex._approvals.handlers import check_handler  # only who has handlers pays for what they answer

        check_handler(name, handler, may_await=self._may_await)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def metadata(self) -> Metadata:
        """What the runtime says of itself. Raises `ConfigError` before the client is connected."""
        return self._connection.metadata

    def close(self) -> None:
        """Stop the runtime: everyone who waits is woken with `TransportClosedError`, the process ended and reaped.

        Idempotent; takes at most ``shutdown_timeout`` seconds.
        """
        self._connection.close()

    def request(self, params: protocol.ClientRequest[R], *, timeout: float | None = None) -> R:
        """Send any request of the protocol and return its typed result.

        The params class decides the method and the type of the result: all of `openai_codex.types` works here.

        Args:
            params: the request.
            timeout: how long to wait for the reply, in seconds; ``None``: the configured ``request_timeout``.

        Raises `RequestTimeoutError` when no reply came in time (a late one is dropped), `JsonRpcError` or one of its
        subclasses when the runtime refuses, `DecodeError` when the result does not fit its type, `TransportClosedError`
        when the connection is gone, and `ConfigError` when the params cannot be written as JSON, or the timeout is no
        number of seconds. Cancelling takes back nothing that the runtime has done.
        """
        checks.seconds("timeout", timeout)
        return self._connection.request(params, timeout=timeout)

    def handle(self, params_type: type[protocol.ServerRequest[R]], handler: Handler[R]) -> None:
        """Register a handler for one kind of request of the runtime; it replaces the one before.

        It gets the params and returns the response, or `LATER`; for what has a handler of its own in the constructor,
        it may return what that would. It runs on a thread of its own pool, or, if it is a coroutine function of the
        async face, as a task of the loop that the client was connected on; it may call the client. When it raises, the
        request is refused, or the model told if it was a tool call, and the traceback is logged. A blocking handler
        does not learn when its request is over; those of ``on_approval`` and its like do, by their request. A coroutine
        is cancelled then, also where it has ended its turn itself: the ``interrupt`` that it awaits raises
        ``CancelledError``. Put into ``finally`` what must follow.

        Args:
            params_type: for instance ``CurrentTimeReadParams``.
            handler: a function of the params.

        Raises `ConfigError` for params of no such request, and for what cannot be called or awaited here.
        """
        from openai_codex._approvals.handlers import check_params_type

        check_params_type(params_type)
        self._check("handler", handler)
        self._connection.handlers.handle(params_type, handler)

    def pending_requests(self) -> list[RuntimeRequest]:
        """Return what the runtime has asked and nobody has answered yet, oldest first; empty before the connection.

        Each is of the class that its handler is given; what no person is asked for, such as a call of a tool or a
        request for a token, is a plain `RuntimeRequest` with its ``params``. Also those are there whose handlers or
        tools are still at work.
        """
        dispatcher = self._connection.handlers.dispatcher()
        found = (dispatcher.request(pending) for pending in self._connection.pending_calls())
        return [request for request in found if request is not None]

    def answer(self, request_id: int | str, answer: Answer) -> bool:
        """Answer a request that a handler has left for `LATER`. Callable from any thread; never blocks.

        Args:
            request_id: the ``id`` of the request.
            answer: what the handler would have returned: for an approval an `ApprovalDecision` or a bool; for a plain
                `RuntimeRequest` the protocol's response, for instance ``CurrentTimeReadResponse``.

        Returns whether it was in time: ``False`` if the request is over, since it was answered or its turn has ended.
        Raises `ConfigError` for what is no answer to this request.
        """
        for pending in self._connection.pending_calls():
            if pending.key == request_id:
                return self._connection.handlers.dispatcher().answer(pending, answer)
        return False

    def events(
        self,
        *types: type[protocol.ServerNotification],
        thread_id: str | None = None,
        limit: int = 10_000,
        timeout: float | None = None,
    ) -> Events:
        """Subscribe to notifications, from now on: of some types, of one thread, or all of them.

        The runtime tells of items and turns only for threads that this client started or resumed. Close the returned
        iterator when it is not needed any more, or use it by ``with``.

        Args:
            types: payload classes, for instance ``ThreadStatusChangedNotification``; none: all.
            thread_id: only what belongs to this thread.
            limit: how many unread notifications are kept; beyond, text is merged and then the oldest are dropped, and
                `Events.dropped` counts them.
            timeout: the longest that one step may wait, in seconds; ``None``: as long as it takes.

        Raises `ConfigError` before the client is connected, for a limit below 1 and for a timeout that is no number of
        seconds, and `TransportClosedError` when the connection is gone.
        """
        checks.count("limit", limit)
        seconds = checks.seconds("timeout", timeout)
        methods = frozenset(each.METHOD for each in types) or None
        self._connection.running()
        return Events(self._connection.supervisor, thread_id, methods, limit, seconds)

    def health(self) -> Health:
        """Return how the client and its runtime are doing: a snapshot, taken without asking the runtime.

        Callable from any thread, before the connection and after its end; raises nothing.
        """
        return self._connection.health()
