"""The command: install, run every program in both environments, print the table. Exit code 1: something differs untold."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from tools.compat import report, tally
from tools.compat.comparison import compared
from tools.compat.environments import OURS, PEER, InstallError, kept, prepare
from tools.compat.packages import LINES, PACKAGES
from tools.compat.reasons import REASONS
from tools.compat.report import Outcome
from tools.compat.runner import ProgramError, Record, end_on_sigterm, run

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Run the command, and return its exit code."""
    parser = argparse.ArgumentParser("python -m tools.compat", description=__doc__)
    parser.add_argument("--only", default="", metavar="TEXT", help="only programs with this text in their name")
    parser.add_argument("--cases", default="", metavar="NAMES", help="only these cases, separated by spaces")
    options = parser.parse_args(arguments)
    try:
        for environment in (PEER, OURS):
            print(f"installing {environment.name}", file=sys.stderr)
            prepare(environment)
    except InstallError as error:
        print(error)
        return 1
    pairs = [(package.name, program) for package in PACKAGES for program in package.programs if options.only in program]
    if options.only in LINES:
        pairs.append(("", LINES))
    records = {program: _records(program, options.cases) for _, program in pairs}
    outcomes = [_outcome(package, program, records[program]) for package, program in pairs]
    whole, replaced = not (options.only or options.cases), False
    if whole:
        found = {package: kept(OURS, package) for package in PACKAGES}
        replaced = any(what != "kept" for package, what in found.items() if not package.is_alone)
        print("\n".join(report.installation(found)))
    if isinstance(lines := records.get(LINES), list):
        print("\n".join(tally.summary(list(tally.tallies(*lines)))))
    print("\n".join(report.lines(outcomes, REASONS)))
    stale = report.stale(outcomes, REASONS) if whole else []
    for reason in stale:
        print(f"covers nothing any more: {reason.where}: {reason.why}")
    return int(replaced or bool(stale) or any(outcome.failed(REASONS) for outcome in outcomes))


def _records(program: str, cases: str) -> list[Record] | str:
    """Return the records of the published SDK and of ours, or why there are none."""
    records = []
    for environment in (PEER, OURS):
        print(f"running {program} on {environment.name}", file=sys.stderr)
        try:
            records.append(run(environment, program, cases))
        except ProgramError as error:
            return f"{environment.name}: {error}"
    return records


def _outcome(package: str, program: str, records: list[Record] | str) -> Outcome:
    if isinstance(records, str):
        return Outcome(package, program, {}, records)
    return Outcome(package, program, compared(*records))


if __name__ == "__main__":
    end_on_sigterm()
    sys.exit(main(sys.argv[1:]))
