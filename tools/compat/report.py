"""The table: one line per case, and below it what differs, with the reason or without."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import attrs

from tools.compat.comparison import Compared, Difference, Stated, explained

if TYPE_CHECKING:
    from tools.compat.packages import Package


FAILURES = ("DIFFERENT", "BOTH FAIL")
"""The cells that make the command fail."""


@attrs.frozen
class Outcome:
    """The comparison of one program.

    Attributes:
        package: The name of the package.
        program: The name of the module that drives it.
        cases: The comparison of each case.
        problem: Why there is no comparison.
    """

    package: str
    program: str
    cases: Mapping[str, Compared]
    problem: str = ""

    def verdict(self, case: str, reasons: Sequence[Stated]) -> str:
        """Return the cell of a case: ``equal``, ``reason stated``, or one of `FAILURES`."""
        compared = self.cases[case]
        if compared.failed:
            return "BOTH FAIL"
        if not compared.differences:
            return "equal"
        stated = all(explained(self.program, each, reasons) for each in compared.differences)
        return "reason stated" if stated else "DIFFERENT"

    def failed(self, reasons: Sequence[Stated]) -> bool:
        """Return whether something differs without a reason, or could not be compared."""
        return bool(self.problem) or any(self.verdict(case, reasons) in FAILURES for case in self.cases)


def lines(outcomes: Sequence[Outcome], reasons: Sequence[Stated]) -> Iterator[str]:
    """Yield the lines of the table, and what follows it."""
    yield f"{'package':24} {'program':18} {'case':18} result"
    for outcome in outcomes:
        for case in outcome.cases:
            yield f"{outcome.package:24} {outcome.program:18} {case:18} {outcome.verdict(case, reasons)}"
        if outcome.problem:
            yield f"{outcome.package:24} {outcome.program:18} {'':18} NO RESULT"
    yield ""
    for outcome in outcomes:
        yield from _details(outcome, reasons)
    yield _total(outcomes, reasons)


def _details(outcome: Outcome, reasons: Sequence[Stated]) -> Iterator[str]:
    if outcome.problem:
        yield f"{outcome.program}: no result: {outcome.problem}"
    for case, compared in outcome.cases.items():
        if compared.failed:
            yield f"{outcome.program}.{case} fails on both: {compared.failed}"
    stated: dict[str, list[str]] = {}
    for difference in _differences(outcome):
        why = [reason.why for reason in explained(outcome.program, difference, reasons)]
        if not why:
            yield f"{outcome.program}.{difference}"
        for each in why:
            stated.setdefault(each, []).append(difference.path)
    for text, paths in stated.items():
        yield f"{outcome.program}: {text} ({len(paths)}: {paths[0]}{', …' if len(paths) > 1 else ''})"


def _differences(outcome: Outcome) -> Iterator[Difference]:
    for compared in outcome.cases.values():
        yield from compared.differences


def _total(outcomes: Sequence[Outcome], reasons: Sequence[Stated]) -> str:
    cells = [outcome.verdict(case, reasons) for outcome in outcomes for case in outcome.cases]
    counts = ", ".join(f"{cells.count(cell)} {cell}" for cell in ("equal", "reason stated", *FAILURES))
    return f"{len(cells)} cases: {counts}; {sum(bool(each.problem) for each in outcomes)} programs without a result"


def stale(outcomes: Sequence[Outcome], reasons: Sequence[Stated]) -> list[Stated]:
    """Return the reasons that cover nothing."""
    used = {
        reason
        for outcome in outcomes
        for difference in _differences(outcome)
        for reason in explained(outcome.program, difference, reasons)
    }
    return [reason for reason in reasons if reason not in used]


def installation(packages: Mapping[Package, str]) -> Iterator[str]:
    """Yield what pip does to our package when it installs another one."""
    yield f"{'package':24} {'its requirement of the SDK':34} our package"
    for package, what in packages.items():
        yield f"{package.name:24} {package.wants:34} {what}"
    yield ""
