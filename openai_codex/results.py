"""What a finished turn comes to: a fold over its notifications, with no connection in sight."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from openai_codex import protocol
from openai_codex.errors import TurnFailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from openai_codex.notification import Notification


@attrs.frozen
class RunResult:
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


class TurnFold:
    """Collects a `RunResult` from the notifications of one turn.

    The completed turn itself carries only a summary, so items come from ``item/completed`` and usage from the last
    ``thread/tokenUsage/updated``. Not locked: it belongs to one consumer.
    """

    def __init__(self, thread_id: str, turn_id: str) -> None:
        self._thread_id = thread_id
        self._turn_id = turn_id
        self._items: dict[str, protocol.ThreadItem] = {}
        self._usage: protocol.ThreadTokenUsage | None = None
        self.turn: protocol.Turn | None = None
        """The completed turn; ``None`` while it goes on."""
        self._steps: dict[str, Callable[[Notification], None]] = {
            "item/completed": self._item_completed,
            "thread/tokenUsage/updated": self._usage_updated,
            "turn/completed": self._turn_completed,
        }

    def add(self, events: Iterable[Notification]) -> None:
        """Take the next notifications of the turn."""
        for event in events:
            step = self._steps.get(event.method)
            if step is not None:
                step(event)

    def result(self) -> RunResult:
        """Return what is known so far."""
        turn, items = self.turn, list(self._items.values())
        return RunResult(
            id=self._turn_id,
            thread_id=self._thread_id,
            status=turn.status if turn else protocol.TurnStatus.in_progress,
            error=turn.error if turn else None,
            started_at=turn.started_at if turn else None,
            completed_at=turn.completed_at if turn else None,
            duration_ms=turn.duration_ms if turn else None,
            items=items,
            final_response=final_response(items),
            usage=self._usage,
        )

    def _item_completed(self, event: Notification) -> None:
        payload = event.payload
        if isinstance(payload, protocol.ItemCompletedNotification):
            # An item that is reported twice counts once, as it was told last.
            self._items[getattr(payload.item, "id", str(len(self._items)))] = payload.item

    def _usage_updated(self, event: Notification) -> None:
        payload = event.payload
        if isinstance(payload, protocol.ThreadTokenUsageUpdatedNotification):
            self._usage = payload.token_usage

    def _turn_completed(self, event: Notification) -> None:
        payload = event.payload
        if not isinstance(payload, protocol.TurnCompletedNotification):
            # Nothing can stand in for it, so here a misfit is an error: this raises the `DecodeError` that says why.
            payload = protocol.structure_notification(event.method, event.params)
        assert isinstance(payload, protocol.TurnCompletedNotification)
        self.turn = payload.turn


def final_response(items: Iterable[protocol.ThreadItem]) -> str | None:
    """Pick the answer: the last agent message of phase ``final_answer``, else the last one without a phase."""
    texts = {item.phase: item.text for item in items if isinstance(item, protocol.AgentMessageThreadItem)}
    return texts.get(protocol.MessagePhase.final_answer, texts.get(None))


def checked(result: RunResult) -> RunResult:
    """Return the result, unless the turn failed. Raises `TurnFailedError` with the result on it."""
    if result.status != protocol.TurnStatus.failed:
        return result
    error = result.error
    if error is None:
        raise TurnFailedError("the turn failed", result)
    raise TurnFailedError(error.message, result, error.codex_error_info, error.additional_details)
