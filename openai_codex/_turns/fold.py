"""Collects the result of a turn, or of all turns of a goal, from notifications. Knows no connection."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

from openai_codex import _codec as codec
from openai_codex import _protocol as protocol
from openai_codex._notification import check_readable
from openai_codex._runtime.imports import load
from openai_codex._turns.open_items import METHOD, OpenItems
from openai_codex._turns.results import RunResult, with_agents
from openai_codex.errors import DecodeError, TurnFailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from openai_codex._notification import Notification
    from openai_codex._runtime.health import RunningTurn
    from openai_codex._turns.results import Agent, DeclinedRequest

# Method of a notification → method of the fold that takes it; all others do not change the result. The table has names,
# so that all folds share it: a table of bound methods per fold would be most of the cost of a small turn.
_TURN_STEPS = {
    "turn/started": "_turn_started",
    "item/completed": "_item_completed",
    "thread/tokenUsage/updated": "_usage_updated",
    "turn/completed": "_turn_completed",
}
_GOAL_STEPS = {
    **_TURN_STEPS,
    "thread/goal/updated": "_goal_updated",
    "thread/goal/cleared": "_goal_cleared",
}


class TurnFold:
    """Collects a `RunResult` from the notifications of one turn.

    The completed turn itself carries only a summary, so items come from ``item/completed`` and usage from the last
    ``thread/tokenUsage/updated``. Not locked: it belongs to one consumer.
    """

    __slots__ = ("_begun_at", "_ended_at", "_items", "_open", "_since", "_thread_id", "_turn_id", "_usage", "turn")

    _steps: ClassVar[dict[str, str]] = _TURN_STEPS

    def __init__(self, thread_id: str, turn_id: str) -> None:
        self._thread_id = thread_id
        self._turn_id = turn_id
        self._items: dict[str, protocol.ThreadItem] = {}
        self._usage: protocol.ThreadTokenUsage | None = None
        self._since = time.monotonic()
        # By the clock of the system, in seconds.
        self._begun_at: float | None = None
        self._ended_at: float | None = None
        self._open = OpenItems()
        self.turn: protocol.Turn | None = None
        """The completed turn; ``None`` while it is running."""

    def add(self, events: Sequence[Notification], *, again: bool = False) -> None:
        """Take the next notifications of the turn, ``again`` if some of them may have been taken before."""
        methods = set(map(METHOD, events))
        self._open.add(events, methods, again=again)  # first, as a step may raise
        if methods.isdisjoint(self._steps):  # most batches are of text only
            return
        for event in events:
            step = self._steps.get(event.method)
            if step is not None:
                getattr(self, step)(event)

    def result(
        self,
        declined: Iterable[DeclinedRequest] = (),
        turn_usage: protocol.TokenUsageBreakdown | None = None,
        agents: tuple[Agent, ...] = (),
    ) -> RunResult:
        """Return the result of the notifications added so far.

        Args:
            declined: The server requests that were declined.
            turn_usage: The tokens of the turn's model calls.
            agents: The sub-agents that worked for the turn.
        """
        turn, items = self.turn, list(self._items.values())
        begun_at, now = self._begun_at, self._ended_at or time.time()
        so_far = None if begun_at is None else round(max(0.0, now - begun_at) * 1000)
        result: RunResult = RunResult(
            id=self._turn_id,
            thread_id=self._thread_id,
            status=turn.status if turn else protocol.TurnStatus.in_progress,
            error=turn.error if turn else None,
            started_at=turn.started_at if turn else None if begun_at is None else int(begun_at),
            completed_at=turn.completed_at if turn else None,
            duration_ms=turn.duration_ms if turn else so_far,
            items=items,
            final_response=final_response(items),
            usage=self._usage,
            items_view=protocol.TurnItemsView.full if turn else None,
            root_turn_id=turn.root_turn_id if turn else None,
            declined=list(declined),
            unfinished=self._open.values(now),
            turn_usage=turn_usage,
            total_usage=turn_usage,
        )
        return with_agents(result, agents, result.declined)

    def lengths(self, *, whole: bool) -> dict[str, int]:
        """Return how many characters of each message have come as deltas; ``whole``: only if its start was seen."""
        return self._open.lengths(whole=whole)

    def running(
        self,
        last: tuple[str, float] | None,
        unread: Sequence[Notification],
        tokens: int | None,
        interrupt: tuple[str, str, float] | None,
    ) -> RunningTurn:
        """Describe the turn while it runs; nothing is changed. Callable from any thread.

        Args:
            last: The method of the last event that was added, and when, in seconds of the monotonic clock.
            unread: Events that no consumer has taken yet.
            tokens: How many tokens it has cost, if that is known.
            interrupt: Who has it interrupted, why, and since when, in seconds of the monotonic clock.
        """
        load("openai_codex._runtime.health")
        from openai_codex._runtime.health import RunningTurn

        now, awaited = time.monotonic(), self._open.awaited(unread)
        last_event, at = last or (None, self._since)
        by, reason, asked_at = interrupt or (None, None, now)
        silence = now - at
        if unread:
            last_event, sent_at = unread[-1].method, unread[-1].emitted_at_ms
            # When it arrived is not recorded, because that would cost the reader something for each event.
            silence = min(silence, max(0.0, time.time() - sent_at / 1000)) if sent_at is not None else silence
        return RunningTurn(
            thread_id=self._thread_id,
            turn_id=self._turn_id,
            age=now - self._since,
            silence=silence,
            last_event=last_event,
            waiting_on=awaited[0] if awaited else "model",
            tokens=tokens,
            interrupt_by=by,
            interrupt_reason=reason,
            interrupt_age=None if interrupt is None else now - asked_at,
        )

    def _turn_started(self, event: Notification) -> None:
        self._begun_at = _time_of(event)

    def _item_completed(self, event: Notification) -> None:
        payload = event.payload
        if isinstance(payload, protocol.ItemCompletedNotification):
            # An item that is reported twice counts once, in its last form.
            self._items[getattr(payload.item, "id", str(len(self._items)))] = payload.item

    def _usage_updated(self, event: Notification) -> None:
        payload = event.payload
        if isinstance(payload, protocol.ThreadTokenUsageUpdatedNotification):
            self._usage = payload.token_usage

    def _turn_completed(self, event: Notification) -> None:
        check_readable(event)
        payload = event.payload
        if not isinstance(payload, protocol.TurnCompletedNotification):
            # Without the turn there is no result, so a payload that cannot be decoded raises its `DecodeError` here.
            payload = codec.structure_notification(event.method, event.params)
        assert isinstance(payload, protocol.TurnCompletedNotification)
        if not payload.turn.status:  # missing: it may have failed
            raise DecodeError("Turn", ("status: is missing",), event.params)
        self.turn = payload.turn
        self._ended_at = _time_of(event)


class GoalFold(TurnFold):
    """Collects all turns of a goal as if they were one. Id and status are those of the last turn."""

    _steps: ClassVar[dict[str, str]] = _GOAL_STEPS

    def __init__(self, thread_id: str) -> None:
        super().__init__(thread_id, "")
        self._running = False
        self._active = True

    def is_active(self) -> bool:
        """Return whether the goal may start further turns."""
        return self._active

    def running_turn(self) -> str | None:
        """Return the id of the running turn, ``None`` if there is none."""
        return self._turn_id if self._running else None

    def is_over(self) -> bool:
        """Return whether no turn is running and none will follow: the goal is not active, or its last turn failed."""
        failed = self.turn is not None and self.turn.status != protocol.TurnStatus.completed
        return not self._running and (failed or not self._active)

    def _turn_started(self, event: Notification) -> None:
        super()._turn_started(event)
        self._ended_at = None
        self._turn_id = event.turn_id or ""
        self._since = time.monotonic()
        self._running = True
        self.turn = None  # the status of the previous turn is not that of this one

    def _turn_completed(self, event: Notification) -> None:
        self._running = False  # first, as the payload may be one that cannot be decoded
        super()._turn_completed(event)

    def _goal_updated(self, event: Notification) -> None:
        payload = event.payload
        if isinstance(payload, protocol.ThreadGoalUpdatedNotification):
            self._active = payload.goal.status == protocol.ThreadGoalStatus.active

    def _goal_cleared(self, _: Notification) -> None:
        self._active = False


def _time_of(event: Notification) -> float:
    """Return when the runtime sent an event, by the clock of the system, in seconds."""
    return time.time() if event.emitted_at_ms is None else event.emitted_at_ms / 1000


def raise_if_failed(result: RunResult, reset_time: Callable[[str], int | None]) -> RunResult:
    """Return the result, or raise `TurnFailedError` if the turn failed.

    ``reset_time`` returns when a usage limit resets, by the message of the failure; called only if one was exceeded.
    """
    if result.status != protocol.TurnStatus.failed:
        return result
    error = result.error
    if error is None:
        raise TurnFailedError("the turn failed", result)
    is_limit = error.codex_error_info == protocol.CodexErrorKind.usage_limit_exceeded
    resets_at = reset_time(error.message) if is_limit else None
    raise TurnFailedError(error.message, result, error.codex_error_info, error.additional_details, resets_at)


def final_response(items: Iterable[protocol.ThreadItem]) -> str | None:
    """Pick the answer: the last agent message of phase ``final_answer``, else the last one without a phase."""
    texts = {item.phase: item.text for item in items if isinstance(item, protocol.AgentMessageThreadItem)}
    return texts.get(protocol.MessagePhase.final_answer, texts.get(None))
