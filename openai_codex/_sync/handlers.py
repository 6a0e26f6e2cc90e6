# Derived from openai_codex/_async/handlers.py by `python -m tools.unasync`; do not edit.
"""What answers the runtime: the program's handlers and tools, and a refusal for all that has none.

It owns who answers what; how an answer travels is the engine's, and what a request means that of `approvals`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import attrs

from openai_codex import protocol
from openai_codex._sync import _wait
from openai_codex._engine import wire
from openai_codex._engine.mailbox import LastingMailbox
from openai_codex._engine.waiting import Lock
from openai_codex.approvals import ElicitationRequest, RuntimeRequest, read_request
from openai_codex.decisions import respond
from openai_codex.errors import DecodeError, TransportClosedError
from openai_codex.later import LATER
from openai_codex.log import Log
from openai_codex.refusals import Refuser
from openai_codex.tool_result import failure_response, to_response
from openai_codex.tools import ToolArgumentError, ToolContext, tool_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from openai_codex._engine.calls import PendingCall
    from openai_codex._engine.wire import ServerCall
    from openai_codex.tools import AnyTool

# How many started items are remembered for the approval that may follow.
_ITEMS_KEPT = 256

# The runtime fails the turn when these are not answered within 10 s.
_DEADLINES = {"account/chatgptAuthTokens/refresh": 9.0, "currentTime/read": 9.0}

_APPROVALS = (
    "item/commandExecution/requestApproval",
    "item/fileChange/requestApproval",
    "item/permissions/requestApproval",
    "execCommandApproval",
    "applyPatchApproval",
)

_TOOL_CALL = "item/tool/call"

_REFUSED = object()  # what a handler returns for a request that it is not for

_log = Log("handlers")


class Handlers:
    """Answers server requests; called on the handler pool, many at once.

    Handlers and tools are registered before the requests that they are for. ``_lock`` guards the file changes.
    """

    def __init__(self, timeout: float | None = None) -> None:
        self.started_items = LastingMailbox("started items", frozenset({"item/started"}), limit=_ITEMS_KEPT)
        """Where the file changes come from that a request about them does not carry."""
        self.run: _wait.Runner | None = None
        """What runs handlers; set when there is a loop to run them on."""
        self._timeout = timeout
        self._handlers: dict[str, Callable[[PendingCall, Any], Any]] = {_TOOL_CALL: self._call_tool}
        self._on_approval: Callable[[Any], Any] | None = None
        self._on_elicitation: Callable[[Any], Any] | None = None
        self._tools: dict[str, dict[tuple[str | None, str], AnyTool]] = {}
        self._lock = Lock()
        self._changes: dict[str, protocol.FileChangeThreadItem] = {}
        self._refuse = Refuser()

    # -- registration ------------------------------------------------------------------------------------------------

    def handle(self, params_type: type[protocol.ServerRequest[Any]], handler: Callable[[Any], Any]) -> None:
        """Give the params of such requests to a handler."""
        self._handlers[params_type.METHOD] = lambda _, params: handler(params)

    def on_approval(self, handler: Callable[[Any], Any]) -> None:
        """Give approvals of every kind to a handler."""
        self._on_approval = handler
        self._handlers |= dict.fromkeys((*_APPROVALS, "mcpServer/elicitation/request"), self._ask)

    def on_elicitation(self, handler: Callable[[Any], Any]) -> None:
        """Give the questions of MCP servers to a handler."""
        self._on_elicitation = handler
        self._handlers["mcpServer/elicitation/request"] = self._ask

    def on_user_input(self, handler: Callable[[Any], Any]) -> None:
        """Give the model's questions to the user to a handler."""
        self._handlers["item/tool/requestUserInput"] = lambda pending, params: handler(self._read(pending, params))

    def on_token_refresh(self, handler: Callable[[Any], Any]) -> None:
        """Give requests for a new access token to a handler."""
        self.handle(protocol.ChatgptAuthTokensRefreshParams, handler)

    def use_tools(self, thread_id: str, tools: Iterable[AnyTool] | None, parent_id: str | None = None) -> None:
        """Let the model's calls in this thread go to these tools; ``None``: to those of its parent, if it has one."""
        self._tools[thread_id] = self._tools.get(parent_id or "", {}) if tools is None else tool_table(tools)

    def forget_tools(self, thread_id: str) -> None:
        """The thread is gone for good."""
        self._tools.pop(thread_id, None)

    def _tool_for(self, thread_id: str, key: tuple[str | None, str]) -> AnyTool | None:
        """Return what a thread calls by this key.

        A thread that was not started here is a sub-agent of one that was: it is offered the same tools, so it gets the
        one of this key if all threads that have one have the same.
        """
        if thread_id in self._tools:
            return self._tools[thread_id].get(key)
        offered = {id(table[key]): table[key] for table in tuple(self._tools.values()) if key in table}
        return offered.popitem()[1] if len(offered) == 1 else None

    # -- answering, on the handler pool ------------------------------------------------------------------------------

    def __call__(self, pending: PendingCall) -> None:
        """See to it that a request is answered: by its handler, at its deadline, or by a refusal."""
        call = pending.call
        handler = self._handlers.get(call.method)
        if handler is None or self.run is None:
            pending.answer(self._refuse(call))
            return
        timeout = _DEADLINES.get(call.method, self._timeout)
        if timeout is not None:
            pending.answer_after(timeout, partial(self._refuse, call))
        try:
            params = protocol.structure_server_request(call.method, call.params)
            self.run(partial(handler, pending, params), partial(self._finish, pending, params), pending)
        except BaseException as error:  # noqa: BLE001  of the handler, or a request of a shape that nobody knows
            self._finish(pending, None, error)

    def answer(self, pending: PendingCall, answer: object) -> bool:
        """Answer a request that was left for later. Raises `ConfigError` for what is no answer to it."""
        params = protocol.structure_server_request(pending.call.method, pending.call.params)
        return pending.answer(self._line(pending, params, answer))

    def request(self, pending: PendingCall) -> RuntimeRequest | None:
        """Return what a person is asked by a request; ``None`` if it is nothing for a person."""
        try:
            params = protocol.structure_server_request(pending.call.method, pending.call.params)
            request: RuntimeRequest | None = self._read(pending, params)
        except (DecodeError, KeyError, TransportClosedError):
            return None
        return request

    def _finish(self, pending: PendingCall, params: Any, outcome: Any) -> None:
        if outcome is LATER:
            return
        call = pending.call
        try:
            line = self._refuse(call) if outcome is _REFUSED else self._line(pending, params, _checked(outcome))
        except BaseException as error:  # noqa: BLE001  whatever it did: the runtime gets an answer, the program its traceback
            _log.warning(
                "codex.handler_failed",
                method=call.method,
                request_id=call.id,
                thread_id=pending.thread_id,
                turn_id=pending.turn_id,
                tool=call.params.get("tool"),
                exc_info=True,
            )
            line = self._failure(call, error)
        if not pending.answer(line):
            _log.debug("codex.late_answer_dropped", method=call.method, request_id=call.id)

    def _failure(self, call: ServerCall, error: BaseException) -> bytes:
        """Tell the model what went wrong with its tool; anything else is refused."""
        if call.method != _TOOL_CALL:
            return self._refuse(call)
        return wire.encode_result(call.id, protocol.unstructure(failure_response(error)))

    def _line(self, pending: PendingCall, params: Any, answer: object) -> bytes:
        return wire.encode_result(pending.call.id, protocol.unstructure(respond(params, answer)))

    def _ask(self, pending: PendingCall, params: Any) -> Any:
        request = self._read(pending, params)
        handler = self._on_elicitation if isinstance(request, ElicitationRequest) else self._on_approval
        return _REFUSED if handler is None or request is None else handler(request)

    def _read(self, pending: PendingCall, params: Any) -> Any:
        request = read_request(pending.key, params, self._change(pending.call.params.get("itemId")))
        return request and attrs.evolve(request, is_cancelled=pending.is_ready)

    def _change(self, item_id: str | None) -> protocol.FileChangeThreadItem | None:
        """Return the file change that was started before the request about it."""
        with self._lock:
            for event in self.started_items.take():
                payload = event.payload
                item = payload.item if isinstance(payload, protocol.ItemStartedNotification) else None
                if isinstance(item, protocol.FileChangeThreadItem):
                    self._changes[item.id] = item
            while len(self._changes) > _ITEMS_KEPT:
                del self._changes[next(iter(self._changes))]
            return self._changes.get(item_id or "")

    def _call_tool(self, pending: PendingCall, params: protocol.DynamicToolCallParams) -> Any:
        tool = self._tool_for(params.thread_id, (params.namespace, params.tool))
        if tool is None:
            return _REFUSED
        if tool.timeout is not None:
            late = failure_response(TimeoutError(f"no outcome within {tool.timeout:g} s"))
            pending.answer_after(tool.timeout, partial(self._line, pending, params, late))
        context = ToolContext(params.thread_id, params.turn_id, params.call_id, is_cancelled=pending.is_ready)
        try:
            bound = tool.bind(params.arguments, context)
        except ToolArgumentError as error:  # the model's mistake: the program needs no traceback of it
            return failure_response(error)
        return _wait.mapped(bound(), to_response)


def _checked(outcome: Any) -> Any:
    """Raise what a handler has raised."""
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome
