"""What a measurement is: a program, its sizes, the rows of the table that it fills, and their goals. It names none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping

Sizes = dict[str, Any]


@attrs.frozen
class Goal:
    """A bound for our median, absolute or divided by that of another subject.

    Attributes:
        bound: The bound.
        at_least: Whether it is a lower bound.
        against: ``published``, ``actor`` or ``floor``; ``None`` compares the median itself.
    """

    bound: float
    at_least: bool = False
    against: str | None = None

    def is_met(self, value: float) -> bool:
        """Return whether the value, already divided, is within the bound."""
        return value >= self.bound if self.at_least else value <= self.bound


def at_least(bound: float, against: str | None = None) -> Goal:
    """Return a goal with a lower bound."""
    return Goal(bound, at_least=True, against=against)


def at_most(bound: float, against: str | None = None) -> Goal:
    """Return a goal with an upper bound."""
    return Goal(bound, against=against)


@attrs.frozen
class Row:
    """A line of the table: a measure of the programs, and its goals. A row without a goal explains others.

    Attributes:
        title: The first cell.
        unit: The unit of the values.
        measures: The names of the measures; of several, the largest median divided by the smallest is shown.
        goals: The goals.
    """

    title: str
    unit: str
    measures: tuple[str, ...]
    goals: tuple[Goal, ...]


def row(title: str, unit: str, measure: str | tuple[str, ...], *goals: Goal) -> Row:
    """Return a row."""
    return Row(title, unit, (measure,) if isinstance(measure, str) else measure, goals)


@attrs.frozen
class Workload:
    """One program, its floors, and its rows.

    Attributes:
        program: ``module.function``, run with our package and with the published one.
        sizes: The arguments of the function.
        smoke: Other sizes for the check that everything runs.
        rows: The rows of the table.
        floor: ``module.function`` of the floor.
        published: Other sizes for the published package, where it would take minutes; only rates are compared then.
        deadline: Seconds after which a run counts as hanging.
        naive: ``module.function`` of the published package, where ours has a name for it and that one has none.
        actor: ``module.function`` of the actor floor.
        once: Whether one round is enough, because the result is counted and not timed.
    """

    program: str
    sizes: Sizes
    smoke: Sizes
    rows: tuple[Row, ...]
    floor: str | None = None
    published: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    deadline: float = 60.0
    once: bool = False
    naive: str | None = None
    actor: str | None = None

    def program_for(self, subject: str) -> str | None:
        """Return the program of a subject; ``None`` if it has none."""
        own = {"floor": self.floor, "actor": self.actor, "published": self.naive or self.program}
        return own.get(subject, self.program)

    def sizes_for(self, subject: str, *, smoke: bool) -> Sizes:
        """Return the sizes of one run."""
        if smoke:
            return {**self.sizes, **self.smoke}
        return {**self.sizes, **(self.published if subject == "published" else {})}
