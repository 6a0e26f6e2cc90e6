"""A bounded queue of unread events: a slow consumer costs memory for the unread text, not for every event.

Up to a bound all events are kept unchanged. Beyond it the backlog is compacted: consecutive text deltas are merged into
one, and of a repeated state only the newest is kept. Lifecycle events and items are dropped, oldest first, only by a
subscription with a limit of its own.
"""

from __future__ import annotations

import sys
from collections import deque
from contextlib import suppress
from itertools import repeat
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from openai_codex._codec.deferred import define
from openai_codex._notification import Notification
from openai_codex._protocol.methods import DELTAS, SNAPSHOTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

K = TypeVar("K")
V = TypeVar("V")

BOUND = 1024
"""How many events are kept before the first compaction."""

LONG = 1 << 16
"""A delta with this many characters is not merged further: a text that keeps growing would be copied each time."""


@define
class Losses:
    """How many unread events were not kept as they came."""

    merged: int = 0
    """Deltas that were merged into an earlier one; their text is kept."""
    outdated: int = 0
    """States that a newer one replaced."""
    dropped: int = 0
    """Events that were lost because of a subscription's limit."""

    def add(self, other: Losses) -> None:
        """Add the counts of another object."""
        self.merged += other.merged
        self.outdated += other.outdated
        self.dropped += other.dropped


@define
class Tally(Losses):
    """All losses between the runtimes of one client and its consumers. Written by the reader only."""

    skipped: int = 0
    """Lines that are not JSON-RPC frames."""
    late: int = 0
    """Replies whose caller had given up."""


class Backlog:
    """A queue of events. One thread extends it, and any other may take them.

    Neither waits for the other: each event is moved by one step of the deque, so it is in one place or in the other.
    While the queue is compacted it seems to be empty.
    """

    __slots__ = ("_bound", "_compact_at", "_limit", "_room", "events", "losses", "tally")

    def __init__(self, bound: int = BOUND, limit: int | None = None) -> None:
        self.events: deque[Notification] = deque()
        """The events, oldest first. Other code asks only whether there are any."""
        self._bound = self._compact_at = bound if limit is None else min(bound, limit)
        self._limit = sys.maxsize if limit is None else limit
        # How many events stay when the limit is hit: a quarter is dropped at once, so that not every further event costs
        # a pass over all of them.
        self._room = self._limit - self._limit // 4
        self.losses: Losses = Losses()
        self.tally: Losses | None = None
        """The client's total, where the losses are counted as well."""

    def __len__(self) -> int:
        return len(self.events)

    def peek(self) -> list[Notification]:
        """Return all events, oldest first, and leave them. One step, so any thread may call it."""
        return list(self.events)

    def extend(self, events: Iterable[Notification]) -> None:
        """Append events, oldest first."""
        self.events.extend(events)
        if len(self.events) > self._compact_at:
            self._compact()

    def take_into(self, kept: deque[Notification]) -> None:
        """Move all events, oldest first, to the end of ``kept``."""
        move(self.events, kept)
        self._compact_at = self._bound

    def take(self) -> list[Notification]:
        """Remove and return all events, oldest first. For a thread that no signal handler interrupts."""
        kept: deque[Notification] = deque()
        self.take_into(kept)
        return list(kept)

    def _compact(self) -> None:
        events: deque[Notification] = deque()
        move(self.events, events)
        current = _without_outdated(events)
        merged = list(self._merge(current))
        kept = merged[-self._room :]
        # No event comes in meanwhile, as the caller is the one who extends.
        self.events.extend(kept)
        losses = Losses(len(current) - len(merged), len(events) - len(current), len(merged) - len(kept))
        for count in (self.losses, self.tally):
            if count is not None:
                count.add(losses)
        # Twice the remaining size: each event is visited a bounded number of times, however slow the consumer is.
        self._compact_at = min(self._limit, max(self._bound, 2 * len(kept)))

    def _merge(self, events: Iterable[Notification]) -> Iterator[Notification]:
        """Merge deltas of the same text, but never across another event: their order would be lost."""
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
        """Return the key of the text that a delta continues; ``None`` for other events, long texts and unknown shapes."""
        shape = DELTAS.get(event.method)
        text = None if shape is None else event.params.get(shape[0])
        if shape is None or type(text) is not str or len(text) >= LONG:
            return None
        key = (event.method, *map(event.params.get, shape[1:]))
        try:
            hash(key)
        except TypeError:  # an id from outside may be a list or an object
            return None
        return key

    def _flush(self, runs: dict[tuple[Any, ...], list[Notification]]) -> Iterator[Notification]:
        for run in runs.values():
            yield run[0] if len(run) == 1 else _merged(run, DELTAS[run[0].method][0])
        runs.clear()


def move(source: deque[V], target: deque[V]) -> None:
    """Move everything from one queue to the end of another.

    The loop runs in C, so no other code of this thread comes between the removal of an entry and its addition: whatever a
    signal handler raises, each entry is in one of the two. What another thread appends meanwhile stays in the first.
    """
    if count := len(source):
        try:
            target.extend(map(deque.popleft, repeat(source, count)))
        except IndexError:  # another thread has taken some; cheaper than `suppress`, as this runs for each wake-up
            return


def keep_newest(table: dict[K, V], key: K, value: V, limit: int) -> None:
    """Set an entry of a table that several threads change; drop the oldest one beyond the limit."""
    table.pop(key, None)
    table[key] = value
    if len(table) > limit:
        # Another thread may change the table at this moment, and then drops one itself.
        with suppress(RuntimeError, StopIteration):
            table.pop(next(iter(table)), None)


def _without_outdated(events: Iterable[Notification]) -> list[Notification]:
    newest = {(event.method, event.turn_id): event for event in events if event.method in SNAPSHOTS}
    return [e for e in events if e.method not in SNAPSHOTS or newest[e.method, e.turn_id] is e]


def _merged(run: list[Notification], field: str) -> Notification:
    first = run[0]
    text = "".join(event.params[field] for event in run)
    return Notification(first.method, {**first.params, field: text}, first.emitted_at_ms)


class Load(NamedTuple):
    """How much a router holds at the moment."""

    in_flight: int = 0
    """Requests that wait for a reply, written or not."""
    queued: int = 0
    """Requests that have not been written yet."""
    mailboxes: int = 0
    unread: int = 0
    """Events in all mailboxes together."""
    deepest: int = 0
    """Events in the fullest mailbox."""
    waiters: int = 0
    """Threads and tasks that wait for a reply or for events."""
