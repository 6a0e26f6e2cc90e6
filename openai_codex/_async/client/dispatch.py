"""How a request of the runtime becomes a call of the program's handler or tool, and what came of it an answer.

It owns that way; how an answer travels is the engine's business, and what a request means that of `approvals`.
"""

from __future__ import annotations

import inspect
from functools import partial
from typing import TYPE_CHECKING, Any

import attrs

from openai_codex import _codec as codec
from openai_codex._approvals.deferred import LATER
from openai_codex._approvals.reading import read_request
from openai_codex._approvals.refusals import Refuser, refusal_line
from openai_codex._approvals.requests import ElicitationRequest, RuntimeRequest, UserInputRequest
from openai_codex._approvals.responses import respond
from openai_codex._async.client import _wait
from openai_codex._engine import wire
from openai_codex._log import Log
from openai_codex._protocol.methods import SERVER_REQUESTS
from openai_codex._tools.declaration import ToolArgumentError, ToolContext
from openai_codex._tools.result import failure_response, to_response
from openai_codex.errors import DecodeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_codex._async.client.handlers import AsyncHandlers
    from openai_codex._engine.server_requests import PendingRequest

# The runtime fails the turn when these are not answered within 10 s: so they are, and wait for no other handler.
_DEADLINES = {"account/chatgptAuthTokens/refresh": 9.0, "currentTime/read": 9.0}

_TOOL_CALL = "item/tool/call"

_log = Log("handlers")


@attrs.frozen
class _Work:
    """What is to be done for a request."""

    call: Callable[[], Any]
    is_coroutine: bool
    timeout: float | None


class AsyncDispatcher:
    """Answers requests with the handlers of one client. It keeps no state of a request but on the request itself."""

    def __init__(self, handlers: AsyncHandlers) -> None:
        self._handlers = handlers
        self._refuse = Refuser()

    def take(self, pending: PendingRequest) -> None:
        """See to it that a request is answered: by its handler, at its deadline, or by a refusal. Does not block."""
        if pending.is_ready():
            return
        run = self._handlers.run
        try:
            work = self._work(pending)
        except BaseException as error:  # noqa: BLE001  it has a shape that nobody knows, or arguments that do not fit
            self._finish(pending, error)
            return
        if work is None or run is None:
            pending.answer(self._refuse(pending.request))
            return
        if work.timeout is not None:
            pending.answer_after(work.timeout, partial(_late, pending, work.timeout))
        task = partial(self._run, run, work, pending)
        if work.is_coroutine:
            task()  # it only makes the coroutine here
        else:
            pending.run(task, urgent=pending.request.method in _DEADLINES)

    def answer(self, pending: PendingRequest, answer: object) -> bool:
        """Answer a request that was left for later. Raises `ConfigError` for what is no answer to it."""
        return pending.answer(self._line(pending, answer))

    def request(self, pending: PendingRequest) -> RuntimeRequest | None:
        """Return what is asked by a request; ``None`` if it has a shape that nobody knows."""
        try:
            return self._read(pending)
        except (DecodeError, KeyError):
            return None

    # -- from a request to a call ------------------------------------------------------------------------------------

    def _work(self, pending: PendingRequest) -> _Work | None:
        method = pending.request.method
        handlers = self._handlers
        if method not in SERVER_REQUESTS:
            return None
        if method in handlers.by_method:
            return self._handled(handlers.by_method[method], _params(pending), method)
        if method == _TOOL_CALL:
            return self._tool_call(pending)
        request = self._read(pending) if handlers.approval or handlers.elicitation or handlers.user_input else None
        handler = self._asked(request)
        return None if handler is None else self._handled(handler, request, method)

    def _handled(self, handler: Callable[[Any], Any], argument: Any, method: str) -> _Work:
        timeout = _DEADLINES.get(method, self._handlers.timeout)
        return _Work(partial(handler, argument), inspect.iscoroutinefunction(handler), timeout)

    def _asked(self, request: RuntimeRequest | None) -> Callable[[Any], Any] | None:
        """Return who is asked; nobody where a request is no matter for a person."""
        if request is None or type(request) is RuntimeRequest:
            return None
        if isinstance(request, ElicitationRequest):
            return self._handlers.elicitation
        return self._handlers.user_input if isinstance(request, UserInputRequest) else self._handlers.approval

    def _tool_call(self, pending: PendingRequest) -> _Work | None:
        params = _params(pending)
        tool = self._handlers.tools.find(params.thread_id, params.namespace, params.tool)
        if tool is None:
            return None
        context = ToolContext(params.thread_id, params.turn_id, params.call_id, is_cancelled=pending.is_ready)
        bound = tool.bind(params.arguments, context)
        timeout = self._handlers.timeout if tool.timeout is None else tool.timeout
        return _Work(lambda: _wait.mapped(bound(), to_response), tool.is_async, timeout)

    def _read(self, pending: PendingRequest) -> RuntimeRequest | None:
        given = pending.request.params
        change = self._handlers.changes.find(pending.thread_id, pending.turn_id, given.get("itemId"))
        request = read_request(pending.key, _params(pending), change)
        return request and attrs.evolve(request, is_cancelled=pending.is_ready)

    # -- from what came of it to an answer ---------------------------------------------------------------------------

    def _run(self, run: _wait.Runner, work: _Work, pending: PendingRequest) -> None:
        try:
            run(work.call, partial(self._finish, pending), pending)
        except BaseException as error:  # noqa: BLE001  of the handler
            self._finish(pending, error)

    def _finish(self, pending: PendingRequest, outcome: Any) -> None:
        if outcome is LATER:
            return
        try:
            line = self._line(pending, _checked(outcome))
        except ToolArgumentError as error:  # the model's mistake: the program needs no traceback of it
            line = _failure(pending, error)
        except BaseException as error:  # noqa: BLE001  whatever it did: the runtime gets an answer, the program its traceback
            _log.warning("codex.handler_failed", exc_info=True, **_facts(pending))
            line = _failure(pending, error)
        if not pending.answer(line):
            _log.debug("codex.late_answer_dropped", **_facts(pending))

    def _line(self, pending: PendingRequest, answer: object) -> bytes:
        response = respond(_params(pending), answer)
        return wire.encode_result(pending.request.id, codec.unstructure(response))


# Plain functions: what waits for a deadline must not hold the handlers, which may hold the client.
def _late(pending: PendingRequest, seconds: float) -> bytes:
    _log.warning("codex.handler_timed_out", seconds=seconds, **_facts(pending))
    return _failure(pending, TimeoutError(f"no outcome within {seconds:g} s"))


def _failure(pending: PendingRequest, error: BaseException) -> bytes:
    """Tell the model what went wrong with its tool; anything else is refused."""
    if pending.request.method != _TOOL_CALL:
        return refusal_line(pending.request)
    return wire.encode_result(pending.request.id, codec.unstructure(failure_response(error)))


def _params(pending: PendingRequest) -> Any:
    """Return the typed params of a request. Raises `DecodeError`, and `KeyError` for an unknown method."""
    if pending.typed is None:
        pending.typed = codec.structure_server_request(pending.request.method, pending.request.params)
    return pending.typed


def _facts(pending: PendingRequest) -> dict[str, Any]:
    return {
        "method": pending.request.method,
        "request_id": pending.key,
        "thread_id": pending.thread_id,
        "turn_id": pending.turn_id,
        "tool": pending.request.params.get("tool"),
    }


def _checked(outcome: Any) -> Any:
    """Raise what a handler has raised."""
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome
