"""What is printed at the end: operations by kind and outcome, figures, facts, verdict. Pure: values in, text out."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tools.soak.figures import Trend
    from tools.soak.ledger import Ledger

# How many outcomes of one operation are told.
_MOST = 8


def report(ledger: Ledger, trends: Sequence[Trend], facts: Iterable[tuple[str, object]]) -> str:
    """Write all of it."""
    operations = [
        (name, str(sum(found.values())), f"{ledger.slowest[name]:.1f}", _told(found.most_common(_MOST)))
        for name, found in sorted(ledger.outcomes.items())
    ]
    figures = [
        (each.name, *(f"{value:.1f}" for value in (each.first, each.early, each.late, each.last)), _judged(each))
        for each in trends
    ]
    return "\n\n".join(
        [
            _table(("operation", "times", "slowest, s", "outcomes"), operations),
            _table(("figure", "first", "2nd quarter", "last quarter", "last", "may grow by"), figures),
            _table(("fact", "count"), [(name, str(value)) for name, value in facts]),
            *(f"VIOLATION: {text}" for text in ledger.violations),
            _verdict(ledger),
        ]
    )


def _verdict(ledger: Ledger) -> str:
    done = f"{ledger.begun} operations were begun, {ledger.ended} came to an end"
    violations = ledger.facts["violations"]
    return f"{done}; {violations} violations: FAILED" if violations else f"{done}: PASSED"


def _judged(trend: Trend) -> str:
    return f"{trend.tolerance:.1f}" if trend.judged else "(too short to judge)"


def _told(outcomes: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{outcome} {count}" for outcome, count in outcomes)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = [head, tuple("-" * width for width in widths), *rows]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip() for line in lines)
