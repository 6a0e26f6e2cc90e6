"""The journal of a run: operations, outcomes and violations, also those that are only logged; and the final report."""

from __future__ import annotations

import logging
import sys
import threading
import time
import traceback
import warnings
from collections import Counter
from typing import TYPE_CHECKING, Any

import attrs

from tools.soak.handlers import PlannedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tools.soak.faces import Where
    from tools.soak.resources import Trend

# How many violations are kept in full, and how many outcomes of one operation are reported.
_VIOLATIONS, _OUTCOMES = 20, 8

# Events of the package's log that report a defect of the package.
_DEFECTS = frozenset({"codex.frames_lost"})


@attrs.define(eq=False)
class Entry:
    """An operation that was started.

    Attributes:
        name: The name of the operation.
        worker: The name of its worker.
        deadline: The longest duration allowed, in seconds.
        where: Returns the stack of the operation, from any thread.
        begun: The start time.
    """

    name: str
    worker: str
    deadline: float
    where: Where = attrs.field(repr=False)
    begun: float = attrs.field(factory=time.monotonic)

    @property
    def age(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.begun


class Journal:
    """Counts everything of one run, from all threads; ``_lock`` guards it.

    Attributes:
        begun: The number of operations started.
        ended: The number of operations ended.
        outcomes: By operation: the outcomes and their counts.
        slowest: By operation: the longest duration in seconds.
        counts: Other counts, by name.
        violations: The first violations, in full.
    """

    def __init__(self) -> None:
        self.begun = 0
        self.ended = 0
        self.outcomes: dict[str, Counter[str]] = {}
        self.slowest: dict[str, float] = {}
        self.counts: Counter[str] = Counter()
        self.violations: list[str] = []
        self._open: set[Entry] = set()
        self._lock = threading.Lock()

    def begin(self, entry: Entry) -> None:
        """Record the start of an operation."""
        with self._lock:
            self.begun += 1
            self._open.add(entry)

    def end(self, entry: Entry, outcome: str) -> None:
        """Record the end of an operation."""
        with self._lock:
            self.ended += 1
            self._open.discard(entry)
            self.outcomes.setdefault(entry.name, Counter())[outcome] += 1
            self.slowest[entry.name] = max(entry.age, self.slowest.get(entry.name, 0.0))

    def count(self, name: str) -> None:
        """Increment a count."""
        with self._lock:
            self.counts[name] += 1

    def violation(self, text: str) -> None:
        """Record a violation."""
        with self._lock:
            self.counts["violations"] += 1
            if len(self.violations) < _VIOLATIONS:
                self.violations.append(text)

    def overdue(self) -> list[Entry]:
        """Return the operations that should have ended by now, oldest first."""
        with self._lock:
            running = sorted(self._open, key=lambda entry: entry.begun)
        return [entry for entry in running if entry.age > entry.deadline]


# --- violations that no caller sees


class _LogListener(logging.Handler):
    """Counts log events, and records those that report a defect."""

    def __init__(self, journal: Journal) -> None:
        super().__init__(logging.INFO)
        self._journal = journal

    def emit(self, record: logging.LogRecord) -> None:
        event = getattr(record, "codex", {}).get("event")
        if event is not None:
            self._journal.count(event)
        if event is None or event in _DEFECTS or (event == "codex.handler_failed" and not _is_planned(record)):
            self._journal.violation(f"logged: {self.format(record)}")


def _is_planned(record: logging.LogRecord) -> bool:
    return record.exc_info is not None and isinstance(record.exc_info[1], PlannedError)


def listen(journal: Journal) -> None:
    """Record from now on as violations: log events, errors of asyncio, and errors in threads and finalizers."""
    listener = _LogListener(journal)
    for name, level in (("openai_codex", logging.INFO), ("asyncio", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.addHandler(listener)
        logger.setLevel(level)
        logger.propagate = False

    def on_exception(arguments: Any) -> None:
        error: BaseException = arguments.exc_value
        journal.violation("".join(traceback.format_exception(type(error), error, error.__traceback__)))

    threading.excepthook = sys.unraisablehook = on_exception
    # Unclosed resources and coroutines that were never awaited are then raised in a finalizer, so the hook gets them.
    warnings.simplefilter("error", ResourceWarning)
    warnings.simplefilter("error", RuntimeWarning)


# --- report


def report(journal: Journal, trends: Sequence[Trend], counts: Iterable[tuple[str, object]]) -> str:
    """Format operations by outcome, resources, counts, violations and the verdict."""
    operations = [
        (name, str(sum(found.values())), f"{journal.slowest[name]:.1f}", _outcomes(found.most_common(_OUTCOMES)))
        for name, found in sorted(journal.outcomes.items())
    ]
    resources = [
        (each.name, *(f"{value:.1f}" for value in (each.first, each.early, each.late, each.last)), _tolerance(each))
        for each in trends
    ]
    return "\n\n".join(
        [
            _table(("operation", "count", "slowest, s", "outcomes"), operations),
            _table(("resource", "first", "2nd quarter", "last quarter", "last", "may grow by"), resources),
            _table(("event", "count"), [(name, str(value)) for name, value in counts]),
            *(f"VIOLATION: {text}" for text in journal.violations),
            _verdict(journal),
        ]
    )


def _verdict(journal: Journal) -> str:
    done = f"{journal.begun} operations started, {journal.ended} ended"
    violations = journal.counts["violations"]
    return f"{done}; {violations} violations: FAILED" if violations else f"{done}: PASSED"


def _tolerance(trend: Trend) -> str:
    return f"{trend.tolerance:.1f}" if trend.judged else "(run too short)"


def _outcomes(outcomes: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{outcome} {count}" for outcome, count in outcomes)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = [head, tuple("-" * width for width in widths), *rows]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip() for line in lines)
