"""Medians, ratios and goals, as a table in Markdown. Pure: it takes results and returns text."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

import attrs

from tools.bench.runner import ABSENT, Failure
from tools.bench.subjects import FLOORS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tools.bench.rounds import Results
    from tools.bench.rows import Goal, Row, Workload

TITLES = {"ours": "ours", "published": "published", "actor": "actor floor", "floor": "floor"}
"""The subjects, in the order of their columns, and how each is called there."""

OTHERS = tuple(name for name in TITLES if name != "ours")
HEAD = ("what", "unit", *TITLES.values(), *(f"ours ÷ {TITLES[name]}" for name in OTHERS), "goal", "met")
NOTHING = "-"
SMALL = 0.1


@attrs.frozen
class Line:
    """One row with its values: a number, the kind of a failure, or none."""

    row: Row
    values: dict[str, float | str]

    def ratio(self, against: str | None) -> float | None:
        """Our value, divided by that of another subject if one is named; ``None`` if one of them is not a number."""
        ours = self.values.get("ours")
        if against is None:
            return ours if isinstance(ours, float) else None
        other = self.values.get(against)
        return ours / other if isinstance(ours, float) and isinstance(other, float) and other else None

    def met(self, goal: Goal) -> bool | None:
        """Return whether a goal is met; ``None`` without a value to compare."""
        value = self.ratio(goal.against)
        return None if value is None else goal.is_met(value)

    def cells(self) -> tuple[str, ...]:
        """The cells of the row, as text."""
        shown = (_number(self.values.get(name)) for name in TITLES)
        ratios = (_number(self.ratio(name)) for name in OTHERS)
        goals = "; ".join(map(_goal, self.row.goals))
        met = "; ".join({True: "yes", False: "**no**", None: "n/a"}[self.met(goal)] for goal in self.row.goals)
        return self.row.title, self.row.unit, *shown, *ratios, goals, met


def lines(workloads: Sequence[Workload], results: Results) -> Iterator[Line]:
    """Yield the lines of the table."""
    for index, workload in enumerate(workloads):
        for row in workload.rows:
            names = (name for at, name in results if at == index)
            yield Line(row, {name: value for name in names if (value := _value(row, results, index, name)) is not None})


def markdown(found: Sequence[Line]) -> str:
    """Format the table, columns aligned, and below it the number of goals met."""
    table = [HEAD, *(line.cells() for line in found)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    texts = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"
        for cells in table
    ]
    texts.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    verdicts = [line.met(goal) for line in found for goal in line.row.goals]
    counts = ", ".join(f"{verdicts.count(v)} {name}" for v, name in ((True, "met"), (False, "missed"), (None, "n/a")))
    return "\n".join([*texts, "", f"Goals: {counts}."])


def failures(workloads: Sequence[Workload], results: Results) -> list[str]:
    """List the failures, once per workload; a subject that could not be installed is reported elsewhere."""
    return [
        f"{name}, {workloads[index].program} {workloads[index].sizes}: {outcome.what}: {outcome.detail.splitlines()[-1]}"
        for (index, name), outcomes in results.items()
        for outcome in outcomes
        if isinstance(outcome, Failure) and outcome.what != ABSENT
    ]


def _value(row: Row, results: Results, index: int, name: str) -> float | str | None:
    """Return the median of a row, or the spread of several; the kind of a failure; ``None`` without a run."""
    outcomes = results[index, name]
    for outcome in outcomes:
        if isinstance(outcome, Failure):
            return outcome.what
    measured = [outcome for outcome in outcomes if not isinstance(outcome, Failure)]
    if not measured or (name in FLOORS and not measured[0].keys() >= set(row.measures)):
        return None  # a floor measures less than a client
    medians = [statistics.median(each[measure] for each in measured) for measure in row.measures]
    return medians[0] if len(medians) == 1 else max(medians) / min(medians)


def _number(value: float | str | None) -> str:
    """Format with three digits, more only before the point; small numbers with two."""
    if value is None:
        return NOTHING
    if isinstance(value, str):
        return value
    if 0 < abs(value) < SMALL:
        return f"{value:.2g}"
    return f"{value:,.{max(0, 3 - len(f'{abs(value):.0f}'))}f}"


def _goal(goal: Goal) -> str:
    return f"{'≥' if goal.at_least else '≤'} {goal.bound:g}" + (f" of {goal.against}" if goal.against else "")
