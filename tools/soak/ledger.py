"""What was begun, what came of it, what is overdue, and what was found wrong. For all threads at once."""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from tools.soak.faces import Where

# How many violations are told in full.
_MOST = 20


@attrs.define(eq=False)
class Entry:
    """An operation that has begun."""

    name: str
    who: str
    deadline: float
    """How long it may take, in seconds."""
    where: Where = attrs.field(repr=False)
    begun: float = attrs.field(factory=time.monotonic)

    @property
    def age(self) -> float:
        """How long it has been under way, in seconds."""
        return time.monotonic() - self.begun


class Ledger:
    """``_lock`` guards everything."""

    def __init__(self) -> None:
        self.begun = 0
        self.ended = 0
        self.outcomes: dict[str, Counter[str]] = {}
        """By operation: what came of it, and how often."""
        self.slowest: dict[str, float] = {}
        """By operation, in seconds."""
        self.facts: Counter[str] = Counter()
        """What else is worth counting."""
        self.violations: list[str] = []
        self._open: set[Entry] = set()
        self._lock = threading.Lock()

    def begin(self, entry: Entry) -> None:
        """An operation begins."""
        with self._lock:
            self.begun += 1
            self._open.add(entry)

    def end(self, entry: Entry, outcome: str) -> None:
        """It has come to an end."""
        with self._lock:
            self.ended += 1
            self._open.discard(entry)
            self.outcomes.setdefault(entry.name, Counter())[outcome] += 1
            self.slowest[entry.name] = max(entry.age, self.slowest.get(entry.name, 0.0))

    def count(self, fact: str) -> None:
        """Count something."""
        with self._lock:
            self.facts[fact] += 1

    def violation(self, text: str) -> None:
        """Something is not as it must be."""
        with self._lock:
            self.facts["violations"] += 1
            if len(self.violations) < _MOST:
                self.violations.append(text)

    def under_way(self) -> list[Entry]:
        """Return what has begun and not ended, oldest first."""
        with self._lock:
            return sorted(self._open, key=lambda entry: entry.begun)

    def overdue(self) -> list[Entry]:
        """Return what should have ended by now."""
        return [entry for entry in self.under_way() if entry.age > entry.deadline]
