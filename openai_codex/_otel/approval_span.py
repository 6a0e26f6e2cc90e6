"""The span of a question that the runtime asks, from its arrival until it needs no answer any longer."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson

from openai_codex._otel import names
from openai_codex._otel.content import present
from openai_codex._otel.turn_span import Instruments, TurnSpan, add_span

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_codex._engine.server_requests import PendingRequest

# Method → the kind of approval that it asks for. The others ask nothing that anybody would have to decide.
_KINDS = {
    "item/commandExecution/requestApproval": "command",
    "execCommandApproval": "command",
    "item/fileChange/requestApproval": "file_change",
    "applyPatchApproval": "file_change",
    "item/permissions/requestApproval": "permissions",
    "mcpServer/elicitation/request": "elicitation",
    "item/tool/requestUserInput": "user_input",
}

# Who has answered, if that is a failure of a handler.
_FAILURES = frozenset({"raised", "timed_out", "wrong_answer", "unreadable"})

_NANOSECONDS = 1_000_000_000


class ApprovalSpan:
    """Makes the span of one server request when it is over. It is a `Waiter` of it, so it may run on the reader."""

    def __init__(
        self,
        pending: PendingRequest,
        turn: TurnSpan | None,
        instruments: Instruments,
        post: Callable[[Callable[[], None]], object],
    ) -> None:
        self._pending, self._turn = pending, turn
        self._instruments, self._post = instruments, post
        self._begun_at = time.time_ns() - int((time.monotonic() - pending.arrived_at) * _NANOSECONDS)

    def wake(self) -> None:
        """Note the span, to be made by a worker."""
        times = self._begun_at, time.time_ns()
        make: Callable[[], None] = partial(_add, self._pending, self._turn, self._instruments, times)
        if self._turn is not None:
            self._turn.note(make)  # after the start of the span of the turn
            make = self._turn.flush
        self._post(make)


def watch(
    pending: PendingRequest,
    turn: TurnSpan | None,
    instruments: Instruments,
    post: Callable[[Callable[[], None]], object],
) -> None:
    """Have a span made of a server request, if it is one that asks for a decision."""
    if pending.request.method in _KINDS:
        span = ApprovalSpan(pending, turn, instruments, post)
        if not pending.add_waiter(span):
            span.wake()


def _add(pending: PendingRequest, turn: TurnSpan | None, instruments: Instruments, times: tuple[int, int]) -> None:
    kind, params = _KINDS[pending.request.method], pending.request.params
    by, decision = outcome_of(pending)
    attributes = {
        names.APPROVAL_KIND: kind,
        names.DECISION: decision,
        names.DECIDED_BY: by,
        names.CONVERSATION: pending.thread_id,
        names.TURN: pending.turn_id,
        names.TOOL_CALL: params.get("itemId") or params.get("callId"),
        names.ERROR_TYPE: by if by in _FAILURES else None,
    }
    context = None if turn is None else turn.context
    add_span(instruments, f"{names.APPROVAL} {kind}", context, times, present(attributes))


def outcome_of(pending: PendingRequest) -> tuple[str, str]:
    """Return who has ended a server request, and with which decision.

    Who: ``handler``, ``answer`` of the client, ``runtime`` if that withdrew it, or why it was declined: ``missing`` (there
    is no handler), ``raised``, ``timed_out``, ``wrong_answer``, ``unreadable``.
    """
    if pending.outcome is None:
        return "runtime", "withdrawn"
    by, line = pending.outcome
    answer: dict[str, Any] = orjson.loads(line)
    if "result" not in answer:
        return by, "refused"
    result: Any = answer["result"]
    decision = result.get("decision", result.get("action")) if isinstance(result, dict) else None
    if isinstance(decision, dict):  # a decision with details is an object with one key
        decision = next(iter(decision), None)
    return by, decision if isinstance(decision, str) else "answered"
