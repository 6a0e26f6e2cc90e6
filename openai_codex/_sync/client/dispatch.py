# Derived from openai_codex/_async/client/dispatch.py by `python -m tools.unasync`; do not edit.
"""Dispatches server requests to handlers and tools, and turns their outcomes into responses.

The engine sends the responses. The table of kinds defines what a request means and which answers it accepts.
"""

from __future__ import annotations

import inspect
import time
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any

import attrs

from openai_codex import _codec as codec
from openai_codex._approvals.decisions import LATER
from openai_codex._approvals.kinds import KINDS, read_request, refusal_line, respond
from openai_codex._approvals.requests import ElicitationRequest, RuntimeRequest, UserInputRequest
from openai_codex._sync.client import _wait
from openai_codex._sync.client.handlers import note_declined
from openai_codex._codec.deferred import frozen
from openai_codex._engine import wire
from openai_codex._log import Log
from openai_codex._runtime.display import conceal_later
from openai_codex._runtime.settings_secrets import tokens_of
from openai_codex._tools.arguments import ToolArgumentError, ToolContext
from openai_codex._tools.result import failure_response, failure_text, to_response
from openai_codex._turns.agents import ORIGIN
from openai_codex._turns.work import within
from openai_codex.errors import DecodeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_codex._sync.client.handlers import Handlers
    from openai_codex._engine.server_requests import PendingRequest
    from openai_codex._protocol import JsonObject
    from openai_codex._turns.open_turns import OpenTurns
    from openai_codex._turns.results import DeclinedKind

_TOOL_CALL = "item/tool/call"

_log = Log("handlers")


@frozen
class _Work:
    """The call that answers a request."""

    call: Callable[[], Any]
    is_coroutine: bool
    result: Callable[[Any], JsonObject | None]
    """Turns the outcome of the call into a result; ``None`` if the request stays open."""
    timeout: float | None


@frozen
class Dispatcher:
    """Answers server requests with the handlers of one client. All state is kept by the handlers and the request."""

    _handlers: Handlers

    def take(self, pending: PendingRequest) -> None:
        """Start to answer a request: by its handler, by a refusal, or at its deadline. Does not block."""
        if self._handlers.trees.is_given_up(pending.thread_id):
            pending.withdraw()  # its turn is being interrupted, which ends the request
        elif not pending.is_ready():  # else it was withdrawn while it waited for this thread
            # All code of the program sees the context variables of the caller that started the turn, or else created the
            # client. In a copy, because several threads may not be in one context.
            context = self._handlers.work.context_for(pending) or self._handlers.context
            context.copy().run(self._take, pending)

    def _take(self, pending: PendingRequest) -> None:
        try:
            work = self._work(pending)
        except BaseException as error:  # noqa: BLE001  whatever is wrong with its params, the runtime needs an answer
            _fail(self._handlers.turns, pending, error, "unreadable" if isinstance(error, DecodeError) else "raised")
            return
        if work is None:
            self._refuse(pending)
            return
        if work.timeout is not None:
            pending.act_after(work.timeout, partial(_late, self._handlers.turns, pending, work.timeout))
        # Another copy: the worker may begin before this thread has left its own.
        task = partial(copy_context().run, partial(self._run, work, pending))
        if work.is_coroutine:
            task()  # creates the coroutine here; it runs on the event loop
        else:
            try:
                # A request with a deadline must not wait for handlers that block, such as those that ask a person.
                pending.run(task, urgent=KINDS[pending.request.method].deadline is not None)
            except RuntimeError as error:  # the system gives no thread for it
                _fail(self._handlers.turns, pending, error)

    def answer(self, pending: PendingRequest, answer: object) -> bool:
        """Answer a request that was left open; return whether it was in time. Raises `ConfigError` for a wrong answer."""
        result = respond(pending.request.method, self._parsed(pending), answer)
        in_time = pending.answer(wire.encode_result(pending.request.id, result), "answer")
        _log_answer(pending, "answer", result, in_time=in_time)
        return in_time

    def request(self, pending: PendingRequest) -> RuntimeRequest | None:
        """Return a request as its handler gets it; ``None`` if its method is unknown or its params do not fit."""
        try:
            # Set here and not on the kept one, which would make a reference cycle with the pending request.
            return attrs.evolve(self._parsed(pending), is_cancelled=pending.is_ready)
        except (DecodeError, KeyError):
            return None

    # -- from a request to a call ------------------------------------------------------------------------------------

    def _parsed(self, pending: PendingRequest) -> RuntimeRequest:
        if pending.typed is None:
            sent = pending.request
            if sent.problem is not None:
                raise DecodeError(sent.method, (sent.problem,))
            origin = self._handlers.agents.origin(pending.thread_id, pending.turn_id)._asdict()
            find = self._handlers.file_changes.find
            pending.typed = read_request(pending.key, sent.method, sent.params, find, origin)
        request: RuntimeRequest = pending.typed
        return request

    def _work(self, pending: PendingRequest) -> _Work | None:
        method, handlers = pending.request.method, self._handlers
        if method not in KINDS:  # only a newer runtime has it
            return None
        parsed = self._parsed(pending)
        handler, argument = handlers.by_method.get(method), parsed.params
        if handler is None:
            if method == _TOOL_CALL:
                return self._tool_call(pending, parsed)
            handler, argument = self._handler_of(parsed), attrs.evolve(parsed, is_cancelled=pending.is_ready)
        if handler is None:
            return None
        timeout = KINDS[method].deadline or handlers.timeout
        result = partial(_handled, method, parsed)
        return _Work(partial(handler, argument), inspect.iscoroutinefunction(handler), result, timeout)

    def _handler_of(self, request: RuntimeRequest) -> Callable[[Any], Any] | None:
        handlers = self._handlers.by_parameter
        if type(request) is RuntimeRequest:
            return None  # it needs no human decision
        if isinstance(request, ElicitationRequest):
            return handlers.get("on_elicitation")
        return handlers.get("on_user_input" if isinstance(request, UserInputRequest) else "on_approval")

    def _tool_call(self, pending: PendingRequest, parsed: RuntimeRequest) -> _Work | None:
        params = parsed.params
        tool = self._handlers.tools.find(params.thread_id, params.namespace, params.tool)
        if tool is None:
            return None
        origin = {name: getattr(parsed, name) for name in ORIGIN}
        context = ToolContext(params.thread_id, params.turn_id, params.call_id, **origin, is_cancelled=pending.is_ready)
        conceal_later(partial(tokens_of, params.arguments))  # the log of the tool may repeat them
        bound = tool.bind(params.arguments, context)
        timeout = self._handlers.timeout if tool.timeout is None else tool.timeout
        return _Work(bound, tool.is_async, _returned, timeout)

    # -- from an outcome to a response -------------------------------------------------------------------------------

    def _run(self, work: _Work, pending: PendingRequest) -> None:
        try:
            # A coroutine inherits it, as its task is created in here.
            with within(pending.thread_id, lambda: not pending.is_ready()):
                outcome = work.call()
                if inspect.isawaitable(outcome):
                    assert self._handlers.start_task is not None, "set before the first runtime starts"
                    self._handlers.start_task(outcome, partial(_finish, self._handlers.turns, work, pending), pending)
                    return
        except BaseException as error:  # noqa: BLE001  whatever a handler raises, the runtime needs an answer
            _fail(self._handlers.turns, pending, error)
            return
        _finish(self._handlers.turns, work, pending, outcome)

    def _refuse(self, pending: PendingRequest) -> None:
        method = pending.request.method
        kind, is_first = KINDS.get(method), method not in self._handlers.refused
        self._handlers.refused.add(method)
        _decline(self._handlers.turns, pending, "missing", kind.hint if kind else "a newer runtime's kind of request")
        log = _log.warning if is_first else _log.debug
        log("codex.server_request_declined", **_log_fields(pending), hint=kind and kind.hint)


# Plain functions: a deadline must not keep the handlers alive, which may hold the client.
def _late(turns: OpenTurns, pending: PendingRequest, seconds: float) -> None:
    error = TimeoutError(f"no outcome within {seconds:g} s")
    if _decline(turns, pending, "timed_out", str(error), error):
        _log.warning("codex.handler_timed_out", seconds=seconds, **_log_fields(pending))


def _handled(method: str, request: RuntimeRequest, outcome: object) -> JsonObject | None:
    return None if outcome is LATER else respond(method, request, outcome)


def _returned(outcome: object) -> JsonObject:
    response: JsonObject = codec.unstructure(to_response(outcome))
    return response


def _finish(turns: OpenTurns, work: _Work, pending: PendingRequest, outcome: Any) -> None:
    if isinstance(outcome, BaseException):
        _fail(turns, pending, outcome)
        return
    try:
        result = work.result(outcome)
        line = None if result is None else wire.encode_result(pending.request.id, result)
    except BaseException as error:  # noqa: BLE001  the answer is wrong, or an object of the program failed
        _fail(turns, pending, error, "wrong_answer")
    else:
        if line is not None:
            _log_answer(pending, "handler", result, in_time=pending.answer(line))


def _log_answer(pending: PendingRequest, by: str, result: JsonObject | None, *, in_time: bool) -> None:
    if not in_time:
        _log.debug("codex.late_answer_dropped", **_log_fields(pending))
        return
    decision = None if result is None else result.get("decision", result.get("action"))
    caller = _wait.caller_name() if by == "answer" else None
    how = {"decision": decision, "by": by, "caller": caller, "seconds": round(time.monotonic() - pending.arrived_at, 3)}
    pending.note("server_request_answered", **how)
    if _log.is_informing:
        _log.info("codex.server_request_answered", **how, **_log_fields(pending))


def _fail(turns: OpenTurns, pending: PendingRequest, error: BaseException, kind: DeclinedKind = "raised") -> None:
    by_model = isinstance(error, ToolArgumentError)  # the model's mistake, no failure of the program
    if by_model:
        sent = pending.answer(_failure_line(pending, error))
    else:
        sent = _decline(turns, pending, kind, failure_text(error), error)
    if not sent:
        _log.debug("codex.late_answer_dropped", **_log_fields(pending))
    if not by_model:
        _log.warning("codex.handler_failed", exc_info=error, **_log_fields(pending))


def _decline(
    turns: OpenTurns, pending: PendingRequest, kind: DeclinedKind, reason: str, error: BaseException | None = None
) -> bool:
    """Refuse a request, or describe a failure; return whether that was in time."""
    # Noted first: the turn may end as soon as the runtime has the answer.
    undo = note_declined(turns, pending, kind, reason)
    in_time = pending.answer(_failure_line(pending, error), kind)
    if in_time:
        seconds = round(time.monotonic() - pending.arrived_at, 3)
        pending.note("server_request_declined", kind=kind, reason=reason, seconds=seconds)
    else:
        undo()
    return in_time


def _failure_line(pending: PendingRequest, error: BaseException | None) -> bytes:
    """Describe the failure of a tool to the model; refuse any other request."""
    if pending.request.method != _TOOL_CALL or error is None:
        return refusal_line(pending.request)
    return wire.encode_result(pending.request.id, codec.unstructure(failure_response(error)))


def _log_fields(pending: PendingRequest) -> dict[str, Any]:
    return {
        "method": pending.request.method,
        "request_id": pending.key,
        "thread_id": pending.thread_id,
        "turn_id": pending.turn_id,
        "tool": pending.request.params.get("tool"),
        **{name: getattr(pending.typed, name, None) for name in ORIGIN},
    }
