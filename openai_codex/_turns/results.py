"""The result of a turn, as a value. It knows no connection, no notification and no error, so errors can carry it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Generic

import attrs

from openai_codex import _protocol as protocol

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    # The default: a run without an output type has a result without an output.
    OutputT = TypeVar("OutputT", default=None)
else:
    from typing import TypeVar

    OutputT = TypeVar("OutputT")


@attrs.frozen
class RunResult(Generic[OutputT]):
    """A finished turn: all that the protocol says of it, its items in full, the answer and the cost."""

    id: str
    """The turn's id."""
    thread_id: str
    """The thread it belongs to."""
    status: protocol.TurnStatus
    """``completed``, ``interrupted`` or ``failed``; ``in_progress`` in a partial result that an error carries."""
    error: protocol.TurnError | None = None
    """Why it failed, if it did."""
    started_at: int | None = None
    """When it began, in seconds since the epoch."""
    completed_at: int | None = None
    """When it ended, in seconds since the epoch."""
    duration_ms: int | None = None
    """How long it took, in milliseconds."""
    items: list[protocol.ThreadItem] = attrs.Factory(list)
    """Every finished item, in the order in which they finished."""
    final_response: str | None = None
    """The last agent message of phase ``final_answer``, else the last one without a phase; an empty text counts."""
    usage: protocol.ThreadTokenUsage | None = None
    """The thread's token usage as told last during this turn."""
    output: OutputT = None  # type: ignore[assignment]  # what the default of OutputT says
    """The answer as the type that was asked for by ``output_type``; ``None`` if none was."""
    items_view: protocol.TurnItemsView | None = None
    """How much of the items is here: always ``full`` for a finished turn."""
    root_turn_id: str | None = None
    """The first turn in the chain of work that led to this one."""


TurnResult = RunResult
"""The upstream name of `RunResult`."""


def final_response(items: Iterable[protocol.ThreadItem]) -> str | None:
    """Pick the answer: the last agent message of phase ``final_answer``, else the last one without a phase."""
    texts = {item.phase: item.text for item in items if isinstance(item, protocol.AgentMessageThreadItem)}
    return texts.get(protocol.MessagePhase.final_answer, texts.get(None))
