"""Counts the lines of public programs that run here, and the programs that still have one that does not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs

from tools.compat.programs.rows import ROWS

PROGRAMS = 44
"""The number of public programs that were looked at."""

RAN = 14
"""How many of them ran when they were looked at, before this was measured."""


@attrs.frozen
class Tally:
    """The lines of one row.

    Attributes:
        name: The name of the row.
        programs: The number of programs with such a line.
        lines: The number of its lines that run on the published SDK.
        broken: Those of them that do not run here.
    """

    name: str
    programs: int
    lines: int
    broken: tuple[str, ...]


def tallies(published: dict[str, Any], ours: dict[str, Any]) -> Iterator[Tally]:
    """Yield the tally of each row of two records of the lines."""
    for row in ROWS:
        there, here = (record.get(row.name, {}).get("value", {}) for record in (published, ours))
        run = [line for line in row.lines if "value" in there.get(line, {})]
        broken = tuple(line for line in run if "value" not in here.get(line, {}))
        yield Tally(row.name, row.programs, len(run), broken)


def summary(found: list[Tally]) -> Iterator[str]:
    """Yield the lines of the summary.

    The programs themselves are not kept, only what they rely on. So the count is a lower bound: each program of a row with
    a broken line is taken to need that line, and to be in no other row. It says nothing of lines that were not seen.
    """
    yield f"{'lines of public programs':24} {'programs':>8} {'run':>4} {'of':>4}"
    for each in found:
        yield f"{each.name:24} {each.programs:8} {each.lines - len(each.broken):4} {each.lines:4}"
    lines, broken = sum(each.lines for each in found), sum(len(each.broken) for each in found)
    still = sum(each.programs for each in found if each.broken)
    yield f"{lines - broken} of {lines} lines run; at least {max(PROGRAMS - still, RAN)} of {PROGRAMS} programs have none of these lines that fails"
    yield ""
