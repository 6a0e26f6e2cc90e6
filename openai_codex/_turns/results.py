"""The result of a turn, as a value. It knows no connection, no notification and no error, so errors can carry it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Literal, TypeAlias

import attrs

from openai_codex import _protocol as protocol

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    # The default: a run without an output type has a result without an output.
    OutputT = TypeVar("OutputT", default=None)
else:
    from typing import TypeVar

    OutputT = TypeVar("OutputT")


DeclinedKind: TypeAlias = Literal["missing", "raised", "timed_out", "wrong_answer", "unreadable"]


@attrs.frozen
class DeclinedRequest:
    """A server request that was declined, or answered with a failure, because no handler of the program answered it.

    Attributes:
        method: The protocol method, for instance ``item/commandExecution/requestApproval``.
        request_id: Its id, as in the request that the handler got.
        kind: ``missing``: no handler or tool is registered for it; ``raised``; ``timed_out``; ``wrong_answer``: the
            request does not accept what the handler returned; ``unreadable``: its params have an unknown shape.
        reason: What to do about it, or the type and text of the error.
        thread_id: Its thread, if it names one.
        turn_id: Its turn, if it names one.
        item_id: The item that it is about, for instance the command, if it names one.
        tool: The name of the tool that was called, if one was.
    """

    method: str
    request_id: protocol.RequestId
    kind: DeclinedKind
    reason: str = ""
    thread_id: str | None = None
    turn_id: str | None = None
    item_id: str | None = None
    tool: str | None = None


@attrs.frozen
class RunResult(Generic[OutputT]):
    """The result of a turn: everything the protocol reports of it, its items, the answer and the cost.

    Attributes:
        id: Id of the turn.
        thread_id: Id of its thread.
        status: ``completed``, ``interrupted`` or ``failed``; ``in_progress`` in the partial result of an error.
        error: Why it failed, if it did.
        started_at: When it started, in seconds since the epoch.
        completed_at: When it ended, in seconds since the epoch.
        duration_ms: How long it took, in milliseconds.
        items: The finished items, in the order in which they finished.
        final_response: The last agent message of phase ``final_answer``, else the last one without a phase. An empty
            text counts.
        usage: Token usage of the thread as reported last during this turn.
        output: The answer as an instance of ``output_type``; ``None`` if none was given.
        items_view: How much of the items is here; always ``full`` for a finished turn.
        root_turn_id: Id of the first turn in the chain of work that led to this one.
        attempts: How many turns ``run(retries=…)`` took. The items are those of all of them, everything else is of the
            last one.
        declined: The server requests of the turn that the client declined, or answered with a failure, because a handler
            was missing, raised, timed out or returned a wrong value; oldest first. What a handler has declined itself is
            not among them.
    """

    id: str
    thread_id: str
    status: protocol.TurnStatus
    error: protocol.TurnError | None = None
    started_at: int | None = None
    completed_at: int | None = None
    duration_ms: int | None = None
    items: list[protocol.ThreadItem] = attrs.Factory(list)
    final_response: str | None = None
    usage: protocol.ThreadTokenUsage | None = None
    output: OutputT = None  # type: ignore[assignment]  # what the default of OutputT says
    items_view: protocol.TurnItemsView | None = None
    root_turn_id: str | None = None
    attempts: int = 1
    declined: list[DeclinedRequest] = attrs.Factory(list)


TurnResult = RunResult
"""The upstream name of `RunResult`."""


def continued(earlier: RunResult | None, result: RunResult[OutputT]) -> RunResult[OutputT]:
    """Return the result of a turn that continues a failed one: with what both have, counted as one more attempt."""
    if earlier is None:
        return result
    items, declined = [*earlier.items, *result.items], [*earlier.declined, *result.declined]
    return attrs.evolve(result, items=items, declined=declined, attempts=earlier.attempts + 1)
