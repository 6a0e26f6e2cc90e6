"""What each turn costs: the tokens of its model calls, from the totals of its thread. Knows no connection."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from openai_codex import _protocol as protocol
from openai_codex._codec.base import record_fields, wire_name
from openai_codex._engine.backlog import keep_newest

if TYPE_CHECKING:
    from openai_codex._notification import Notification

USAGE_UPDATED, ITEM_STARTED, COMPACTION = "thread/tokenUsage/updated", "item/started", "contextCompaction"

# Of how many threads, and of how many turns of each, counts are kept. Handles hold those of their turns, which only have
# to be found here while they run.
_THREADS_KEPT, _TURNS_KEPT = 4_096, 4


@cache  # the class is built at first use
def _names() -> dict[str, str]:
    """Return the name in reports of each attribute of `TokenUsageBreakdown`."""
    kind = protocol.TokenUsageBreakdown
    return {field.name: wire_name(kind, field.name) for field in record_fields(kind)}


class TurnTokens:
    """The tokens of one turn: the totals of its thread in its first and its newest report. Written by the reader alone."""

    __slots__ = ("_first", "_is_restated", "_total")

    def __init__(self) -> None:
        # As they came: most are never read, and the reader has little time.
        self._first: protocol.JsonObject | None = None
        self._is_restated = False
        self._total: Any = None

    def note(self, usage: protocol.JsonObject, known: Any, *, restated: bool) -> Any:
        """Note a report of the runtime, and return the total in it.

        Not every report is one of a model call: a compaction begins with the last report once more (``restated``), and
        ends with an estimate of the new context. Neither changes the total.

        Args:
            usage: The report.
            known: The total of the thread that was reported last, if any.
            restated: Whether it is the report with which a compaction begins.
        """
        total = usage["total"]
        if self._first is None:
            self._is_restated = restated or known == total
            self._first = usage
        self._total = total
        return total

    def spent(self) -> protocol.TokenUsageBreakdown | None:
        """Return the tokens of the turn's model calls so far; ``None`` if none was reported."""
        first, now = self._first, _counts(self._total)
        if first is None or not now:
            return None
        # By the first report and not by what is known of the thread before: another process may have used it meanwhile.
        before, call = _counts(first["total"]), {} if self._is_restated else _counts(first.get("last"))
        counts = {name: now[name] - before.get(name, 0) + call.get(name, 0) for name in now}
        return protocol.TokenUsageBreakdown(**counts)

    def count(self) -> int | None:
        """Return how many tokens these are."""
        spent = self.spent()
        return None if spent is None else spent.total_tokens


class _ThreadUsage:
    """The last total of a thread, and the tokens of its newest turns."""

    __slots__ = ("compacting", "total", "turns")

    def __init__(self) -> None:
        self.total: Any = None
        self.turns: dict[str | None, TurnTokens] = {}
        self.compacting = False


class TurnUsages:
    """The tokens of the newest turns of one client. The reader notes reports; any thread may look a turn up."""

    def __init__(self) -> None:
        self._threads: dict[str | None, _ThreadUsage] = {}

    def of(self, thread_id: str | None, turn_id: str | None) -> TurnTokens:
        """Return the tokens of a turn, which are counted from its first report on, whoever asks first."""
        turns = self._thread(thread_id).turns
        tokens = turns.setdefault(turn_id, TurnTokens())  # one step: two threads may ask at the same time
        if len(turns) > _TURNS_KEPT:
            keep_newest(turns, turn_id, tokens, _TURNS_KEPT)
        return tokens

    def forget(self, thread_id: str) -> None:
        """Release what is kept about a thread. Handles keep the tokens of their turns."""
        self._threads.pop(thread_id, None)

    def starts(self, event: Notification) -> None:
        """Note that an item has started, on the reader: after a compaction the next report is the last one once more."""
        if event.params["item"]["type"] == COMPACTION:
            self._thread(event.thread_id).compacting = True

    def note(self, event: Notification) -> None:
        """Take a report of the runtime, on the reader."""
        thread_id = event.thread_id
        thread, tokens = self._thread(thread_id), self.of(thread_id, event.turn_id)
        restated, thread.compacting = thread.compacting, False
        thread.total = tokens.note(event.params["tokenUsage"], thread.total, restated=restated)

    def _thread(self, thread_id: str | None) -> _ThreadUsage:
        threads = self._threads
        thread = threads.get(thread_id)
        if thread is None:
            thread = threads.setdefault(thread_id, _ThreadUsage())
            if len(threads) > _THREADS_KEPT:
                keep_newest(threads, thread_id, thread, _THREADS_KEPT)
        return thread


def _counts(breakdown: Any) -> dict[str, int]:
    """Return the counts of a report by the names of their attributes; empty for another shape."""
    if not isinstance(breakdown, dict):
        return {}
    counts = {name: breakdown.get(wire) for name, wire in _names().items()}
    return {name: count if type(count) is int else 0 for name, count in counts.items()}
