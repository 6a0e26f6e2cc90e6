"""Unread events, bounded: a slow consumer costs memory for the text it has not read, not for every event.

Up to a bound all events are kept as they came. Beyond it the backlog is compacted: runs of text deltas are joined into
one delta each, and of a repeated state only the newest is kept. Lifecycle events and items are dropped, oldest first,
only by a subscription that sets a limit of its own.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import attrs

from openai_codex._notification import Notification
from openai_codex._protocol.methods import DELTAS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

BOUND = 1024
"""How many events are kept as they came."""

LONG = 1 << 16
"""A delta of so many characters is joined to no other: a text that grows for ever would be copied again and again."""

LATEST = frozenset(
    {
        "thread/tokenUsage/updated",  # running totals: the newest has all that the older ones said
        "turn/diff/updated",  # the whole diff of the turn, again and again
        "turn/plan/updated",  # the whole plan, again and again
    }
)
"""Notifications that repeat a whole state, so that only the newest of a turn matters."""


@attrs.define
class Losses:
    """What became of events that nobody took."""

    merged: int = 0
    """Deltas that were joined to an earlier one; their text is kept."""
    outdated: int = 0
    """States that a newer one has made worthless."""
    dropped: int = 0
    """Events that were lost to the limit of a subscription."""

    def add(self, other: Losses) -> None:
        """Count what somebody else has counted, too."""
        self.merged += other.merged
        self.outdated += other.outdated
        self.dropped += other.dropped


@attrs.define
class Tally(Losses):
    """What was lost or left out on the way from a runtime to its consumers; only the reader writes it."""

    skipped: int = 0
    """Lines that were no frames."""
    late: int = 0
    """Replies that nobody waited for any more."""


class Backlog:
    """A queue of events. Not locked: it belongs to one `Mailbox` and is guarded by its lock."""

    __slots__ = ("_bound", "_compact_at", "_deltas", "_events", "_limit", "_room", "losses", "tally")

    def __init__(
        self, bound: int = BOUND, deltas: Mapping[str, tuple[str, ...]] = DELTAS, limit: int | None = None
    ) -> None:
        self._events: list[Notification] = []
        self._bound = self._compact_at = bound if limit is None else min(bound, limit)
        self._deltas = deltas
        self._limit = sys.maxsize if limit is None else limit
        # What is left when the limit is hit: a quarter goes at once, so that not every event more costs a pass.
        self._room = self._limit - self._limit // 4
        self.losses = Losses()
        self.tally: Losses | None = None
        """Where losses are counted beside those of all others."""

    def __len__(self) -> int:
        return len(self._events)

    def __iter__(self) -> Iterator[Notification]:
        return iter(self._events)

    def extend(self, events: Iterable[Notification]) -> None:
        """Append events, oldest first."""
        self._events.extend(events)
        if len(self._events) > self._compact_at:
            self._compact()

    def append(self, event: Notification) -> None:
        """Append one event."""
        self.extend((event,))

    def take(self) -> list[Notification]:
        """Remove and return all events, oldest first."""
        events, self._events = self._events, []
        self._compact_at = self._bound
        return events

    def _compact(self) -> None:
        before = len(self._events)
        kept = self._without_outdated()
        joined = list(self._join(kept))
        self._events = joined[-self._room :]
        losses = Losses(len(kept) - len(joined), before - len(kept), len(joined) - len(self._events))
        for count in (self.losses, self.tally):
            if count is not None:
                count.add(losses)
        # Twice what is left: each event is looked at a bounded number of times however long nobody reads.
        self._compact_at = min(self._limit, max(self._bound, 2 * len(self._events)))

    def _without_outdated(self) -> list[Notification]:
        newest = {(event.method, event.turn_id): event for event in self._events if event.method in LATEST}
        return [e for e in self._events if e.method not in LATEST or newest[e.method, e.turn_id] is e]

    def _join(self, events: Iterable[Notification]) -> Iterator[Notification]:
        """Join deltas of one text; any other event is a border that no text crosses."""
        runs: dict[tuple[Any, ...], list[Notification]] = {}
        for event in events:
            key = self._text_of(event)
            if key is None:
                yield from self._flush(runs)
                yield event
            else:
                runs.setdefault(key, []).append(event)
        yield from self._flush(runs)

    def _text_of(self, event: Notification) -> tuple[Any, ...] | None:
        """Return which text a delta continues; ``None`` if it is none, long, or of a shape that nobody knows."""
        shape = self._deltas.get(event.method)
        text = None if shape is None else event.params.get(shape[0])
        if shape is None or type(text) is not str or len(text) >= LONG:
            return None
        key = (event.method, *map(event.params.get, shape[1:]))
        try:
            hash(key)
        except TypeError:  # an id that is a list or an object
            return None
        return key

    def _flush(self, runs: dict[tuple[Any, ...], list[Notification]]) -> Iterator[Notification]:
        for run in runs.values():
            yield run[0] if len(run) == 1 else _joined(run, self._deltas[run[0].method][0])
        runs.clear()


def _joined(run: list[Notification], field: str) -> Notification:
    first = run[0]
    text = "".join(event.params[field] for event in run)
    return Notification(first.method, {**first.params, field: text}, first.emitted_at_ms)
