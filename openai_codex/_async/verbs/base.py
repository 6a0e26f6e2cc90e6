"""The base of all verbs: the client's life cycle, handlers and events."""

from __future__ import annotations

import os
import sys
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

import attrs

from openai_codex import _checks as checks
from openai_codex import _protocol as protocol
from openai_codex._async import lazy, operations
from openai_codex._async.client import _wait
from openai_codex._async.client.handler_check import check_handler
from openai_codex._async.verbs.requests import AsyncRequests
from openai_codex._config import AppServerConfig
from openai_codex._log import SWITCH
from openai_codex._runtime.imports import load

if sys.version_info >= (3, 11):
    from typing import Self
else:
    from typing_extensions import Self

if TYPE_CHECKING:
    from openai_codex._engine.transport import RuntimeStart

R = TypeVar("R")


class AsyncClient(AsyncRequests):
    """A client without the verbs of a subject. See `AsyncCodex`."""

    def __init__(
        self,
        config: AppServerConfig | None = None,
        *,
        on_approval: lazy.AsyncApprovalHandler | None = None,
        on_elicitation: lazy.AsyncElicitationHandler | None = None,
        on_token_refresh: lazy.AsyncTokenHandler | None = None,
        on_user_input: lazy.AsyncUserInputHandler | None = None,
    ) -> None:
        if form := os.environ.get(SWITCH):
            load("openai_codex._runtime.log_lines").obey(form)
        accepted = "an AppServerConfig or None"
        config = AppServerConfig() if config is None else checks.instance("config", config, AppServerConfig, accepted)
        config = attrs.evolve(config)  # a copy: the program may change its own
        given = {
            "on_approval": on_approval,
            "on_elicitation": on_elicitation,
            "on_token_refresh": on_token_refresh,
            "on_user_input": on_user_input,
        }
        handlers = {parameter: handler for parameter, handler in given.items() if handler is not None}
        for parameter, handler in handlers.items():
            check_handler(parameter, handler)
        early = _wait.early_start(config)
        try:
            self._connection = _connection(config, early)
            for parameter, handler in handlers.items():
                self._connection.handlers.register(parameter, handler)
                # With the first handler, so that programs without handlers do not pay for every event.
                self._connection.listen(self._connection.handlers.file_changes)
            _wait.connect_in_constructor(self._connection.connect)
        finally:
            if early is not None:
                early.end()

    async def __aenter__(self) -> Self:
        await self._connection.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def metadata(self) -> lazy.Metadata:
        """The runtime's reply to ``initialize``: its version, platform and home.

        Raises:
            ConfigError: The client is not connected yet.
        """
        return self._connection.metadata

    async def close(self) -> None:
        """Stop the runtime and wait until its process has exited. Idempotent.

        Calls that are waiting raise `TransportClosedError`. It takes at most ``shutdown_timeout`` seconds; cancelling
        kills the process at once.
        """
        await self._connection.close()

    async def aclose(self) -> None:
        """Do what `close` does, under the name that ``contextlib.aclosing`` calls."""
        await self.close()

    def handle(self, params_type: type[protocol.ServerRequest[R]], handler: lazy.AsyncHandler[R]) -> None:
        """Register a handler for one kind of server request; it replaces the previous one.

        The handler takes the params and returns the response, or `LATER`. For request kinds that have a constructor
        handler, the same return types are accepted. It runs on a worker thread. In the async face it may be a coroutine
        function, which runs as a task of the event loop that the client was connected on. It may call the client.

        It runs in a copy of the context (``contextvars``) of the call that started the turn, or set the goal, that the
        request belongs to; of a request without a turn, in one of the context in which the client was created.

        If it raises, the traceback is logged and the request is refused; for a tool call the model reads the error. If
        the request ends before the handler does, a coroutine is cancelled, even if the handler itself ended the turn:
        the ``interrupt`` that it awaits raises ``CancelledError``. Put cleanup in ``finally``. A blocking handler is not
        interrupted; handlers of the constructor can poll ``request.cancelled``.

        A client sees the changes of a patch if it had a handler when the patch was started; otherwise
        `FileChangeApproval.changes` is ``None``.

        Args:
            params_type: The params class, such as ``CurrentTimeReadParams``.
            handler: A function that takes the params.

        Raises:
            ConfigError: The params class is not that of a server request, or the handler cannot be called, or is a
                coroutine function in the sync face.
        """
        self._connection.handlers.handle(params_type, handler)
        self._connection.listen(self._connection.handlers.file_changes)

    def pending_requests(self) -> list[lazy.RuntimeRequest]:
        """Return the server requests that are not answered yet, oldest first; none before the client is connected.

        This includes requests whose handlers or tools are still running. Each is of the class that its handler takes.
        Requests that need no human decision (tool calls, access tokens) are plain `RuntimeRequest`s. Nothing is sent.

        Returns:
            The requests. Answer one that was left open by ``codex.answer(request.id, …)``.
        """
        # Imported here, so that programs without handlers do not load it.
        load(f"{__name__.rpartition('.verbs')[0]}.client.dispatch")
        from openai_codex._async.client.dispatch import AsyncDispatcher

        dispatcher = AsyncDispatcher(self._connection.handlers)
        found = (dispatcher.request(pending) for pending in self._connection.pending_calls())
        return [request for request in found if request is not None]

    def answer(self, request_id: int | str, answer: lazy.Answer) -> bool:
        """Answer a request for which a handler returned `LATER`. Callable from any thread; never blocks.

        Args:
            request_id: The ``id`` of the request.
            answer: What the handler would have returned: an `ApprovalDecision` or a bool for an approval, and the
                protocol's response, such as ``CurrentTimeReadResponse``, for a plain `RuntimeRequest`.

        Returns:
            Whether the answer was sent. ``False``: the request is over, because it was answered or its turn has ended.

        Raises:
            ConfigError: The request does not accept this answer. It stays open.
        """
        load(f"{__name__.rpartition('.verbs')[0]}.client.dispatch")
        from openai_codex._async.client.dispatch import AsyncDispatcher

        for pending in self._connection.pending_calls():
            if pending.key == request_id:
                return AsyncDispatcher(self._connection.handlers).answer(pending, answer)
        return False

    def events(
        self,
        *types: type[protocol.ServerNotification],
        thread_id: str | None = None,
        limit: int = 10_000,
        timeout: float | None = None,
    ) -> operations.AsyncEvents:
        """Subscribe to notifications from now on: of some types, of one thread, or all of them.

        The runtime sends events of items and turns only for threads that this client started or resumed. Close the
        iterator when it is no longer needed, or use it by ``async with``.

        Args:
            types: Payload classes, for instance ``ThreadStatusChangedNotification``; none means all.
            thread_id: Only notifications of this thread.
            limit: How many unread notifications are kept. Beyond it, text is merged, and then the oldest are dropped
                and counted in `AsyncEvents.dropped`.
            timeout: How long one step may wait, in seconds; ``None`` means no limit.

        Returns:
            An iterator over the notifications.

        Raises:
            ConfigError: An argument is not accepted, or the client is not connected yet.
            TransportClosedError: The connection has ended.
        """
        checks.count("limit", limit)
        if thread_id is not None:
            checks.text("thread_id", thread_id)
        seconds = checks.seconds("timeout", timeout)
        methods = frozenset(_method(f"types[{index}]", each) for index, each in enumerate(types)) or None
        # This method cannot wait, so it cannot start the runtime either.
        self._connection.running()
        return operations.AsyncEvents(self._connection.supervisor, thread_id, methods, limit, seconds)

    def turns(self) -> tuple[lazy.RunningTurn, ...]:
        """Return the turns that are running, oldest first: how old each is, and what it waits for; sends nothing.

        A turn is known while the program holds its handle. Callable from any thread at any instant. Raises nothing.
        """
        return self._connection.running_turns()

    def health(self) -> lazy.Health:
        """Return a snapshot of the client and its runtime; sends nothing.

        Callable from any thread, before the client is connected and after it was closed. Raises nothing.
        """
        return self._connection.health()


def _connection(config: AppServerConfig, early: RuntimeStart | None) -> lazy.AsyncConnection:
    """Return a new connection, whose modules are imported by the first client: they are half of this package."""
    client = f"{__name__.rpartition('.verbs')[0]}.client"
    if config.restart is None or not config.restart.recycles:
        load(f"{client}.connection")
        from openai_codex._async.client.connection import AsyncConnection

        return AsyncConnection(config, early)
    load(f"{client}.recycling")
    from openai_codex._async.client.recycling import AsyncRecyclingConnection

    return AsyncRecyclingConnection(config, early)


def _method(name: str, kind: type[protocol.ServerNotification]) -> str:
    """Return the method of a payload class. Raises `ConfigError` for anything else, such as the method itself."""
    method: str | None = getattr(kind, "METHOD", None)
    if not isinstance(kind, type) or not issubclass(kind, protocol.ServerNotification) or method is None:
        raise checks.refusal(name, kind, "a payload class, such as ItemCompletedNotification")
    return method
