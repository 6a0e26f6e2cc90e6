"""What each turn costs: the tokens of its model calls, from the totals of its thread. Knows no connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openai_codex import _protocol as protocol
from openai_codex._codec.base import record_fields, wire_name
from openai_codex._engine.backlog import keep_newest

if TYPE_CHECKING:
    from openai_codex._notification import Notification

USAGE_UPDATED, ITEM_STARTED, COMPACTION = "thread/tokenUsage/updated", "item/started", "contextCompaction"

# Of how many threads and turns the newest counts are kept. Handles hold those of their turns.
_KEPT = 2_048

Counts = dict[str, int]
"""Attribute of `TokenUsageBreakdown` → tokens."""

_NAMES = {
    field.name: wire_name(protocol.TokenUsageBreakdown, field.name)
    for field in record_fields(protocol.TokenUsageBreakdown)
}


class TurnTokens:
    """The tokens of one turn: the total of its thread, now and before the turn. Written by the reader alone."""

    __slots__ = ("_before", "_now")

    def __init__(self) -> None:
        self._before: Counts | None = None
        self._now: Counts | None = None

    def note(self, usage: Any, known: Counts | None, *, restated: bool) -> Counts:
        """Note a report of the runtime, and return the total in it.

        Not every report is one of a model call: a compaction begins with the last report once more (``restated``), and
        ends with an estimate of the new context. Neither changes the total.

        Args:
            usage: The report.
            known: The total of the thread that was reported last, if any.
            restated: Whether it is the report with which a compaction begins.
        """
        total, last = _counts(usage["total"]), _counts(usage["last"])
        if self._before is None:
            before = {name: total[name] - last[name] for name in total}
            # Another process may have used the thread meanwhile, or it was reverted; then what is known is out of date.
            self._before = total if restated or known == total else before
        self._now = total
        return total

    def spent(self) -> protocol.TokenUsageBreakdown | None:
        """Return the tokens of the turn's model calls so far; ``None`` if none was reported."""
        before, now = self._before, self._now
        if before is None or now is None:
            return None
        return protocol.TokenUsageBreakdown(**{name: now[name] - before[name] for name in now})


class TurnUsages:
    """The tokens of the newest turns of one client. The reader notes reports; any thread may look a turn up."""

    def __init__(self) -> None:
        self._totals: dict[str | None, Counts] = {}
        self._turns: dict[tuple[str | None, str | None], TurnTokens] = {}
        self._compacting: dict[str | None, bool] = {}

    def of(self, thread_id: str | None, turn_id: str | None) -> TurnTokens:
        """Return the tokens of a turn, which are counted from its first report on, whoever asks first."""
        place = (thread_id, turn_id)
        tokens = self._turns.setdefault(place, TurnTokens())  # one step: two threads may ask at the same time
        keep_newest(self._turns, place, tokens, _KEPT)
        return tokens

    def compacts(self, event: Notification) -> None:
        """Note that a compaction has started, on the reader: the next report is the last one once more."""
        keep_newest(self._compacting, event.thread_id, True, _KEPT)

    def note(self, event: Notification) -> None:
        """Take a report of the runtime, on the reader."""
        thread_id = event.thread_id
        restated = self._compacting.pop(thread_id, False)
        tokens = self.of(thread_id, event.turn_id)
        total = tokens.note(event.params["tokenUsage"], self._totals.get(thread_id), restated=restated)
        keep_newest(self._totals, thread_id, total, _KEPT)


def _counts(breakdown: Any) -> Counts:
    counts = {name: breakdown.get(wire) for name, wire in _NAMES.items()}
    return {name: count if type(count) is int else 0 for name, count in counts.items()}
