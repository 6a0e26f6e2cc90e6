"""What waits to be written to a journal: bounded by its bytes and its number, and what is refused is counted.

Any thread adds entries, each in single steps without a lock; one thread takes them.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from itertools import count, islice
from operator import itemgetter
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

# How many entries may wait. Each may have less than a unit of bytes that is not counted, so 64 MiB in all.
_MOST_ENTRIES = 1 << 16

# How much may wait beside that, in units of so many bytes.
_UNIT = 10
_MOST_UNITS = 1 << 16

# What a value that is no text counts, in bytes.
_VALUE = 64

E = TypeVar("E", bound="tuple[Any, ...]")


def size_of(value: Any) -> int:
    """Return about how many bytes a value holds."""
    if isinstance(value, (str, bytes)):
        return len(value)
    if isinstance(value, dict):
        return sum(map(size_of, value.values()), _VALUE)
    if isinstance(value, (list, tuple)):
        return sum(map(size_of, value), _VALUE)
    return size_of(value.args) if isinstance(value, BaseException) else _VALUE


class EntryQueue(Generic[E]):
    """Entries in the order of their first field, the time."""

    def __init__(self) -> None:
        self.is_closed = False
        """Whether nothing more is accepted."""
        self._entries: SimpleQueue[E | None] = SimpleQueue()
        # One for each unit of bytes that waits or is just being written.
        self._units: list[None] = []
        self._taken = 0
        # How many lines were lost, and the value of the counter when that was asked last.
        self._lost = count()
        self._lost_before = -1

    # -- from any thread ---------------------------------------------------------------------------------------------

    def is_full(self) -> bool:
        """Return whether nothing is accepted now."""
        return self._entries.qsize() > _MOST_ENTRIES or len(self._units) > _MOST_UNITS or self.is_closed

    def put(self, entry: E, size: int) -> None:
        """Add an entry of so many bytes."""
        # First, as the units that are found before entries are taken are theirs.
        if units := size >> _UNIT:
            self._units.extend((None,) * units)
        self._entries.put(entry)

    def put_unless_full(self, entry: E, size: int) -> None:
        """Add an entry of one line, or count it as lost."""
        if self.is_full():
            self.lose(1)
        else:
            self.put(entry, size)

    def lose(self, lines: int) -> None:
        """Count lines as lost."""
        deque(islice(self._lost, lines), maxlen=0)  # each in one step, whoever counts meanwhile

    def wake(self) -> None:
        """Let `wait` return."""
        self._entries.put(None)

    # -- from the thread that writes ---------------------------------------------------------------------------------

    def wait(self, timeout: float | None) -> list[E]:
        """Wait for an entry. Returns it, or nothing if the time is up or another thread has called `wake`."""
        with suppress(Empty):
            if (entry := self._entries.get(timeout=timeout)) is not None:
                return [entry]
        return []

    def take(self, first: list[E]) -> list[E]:
        """Return all that waits, with those that were taken before, in their order."""
        self._taken = len(self._units)
        found: list[E | None] = [*first]
        with suppress(Empty):
            # What was taken before it is empty stays in the list.
            found.extend(self._entries.get_nowait() for _ in range(_MOST_ENTRIES))
        entries = [entry for entry in found if entry is not None]
        entries.sort(key=itemgetter(0))  # a line is noted after it was written, and its answer may be first
        return entries

    def forget(self) -> None:
        """Note that what was taken is written."""
        del self._units[: self._taken]
        self._taken = 0

    def lost(self) -> int:
        """Return how many lines were lost since this was asked last."""
        value = next(self._lost)  # which counts one itself
        new, self._lost_before = value - self._lost_before - 1, value
        return new
