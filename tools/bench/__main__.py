"""The command: measure, print the table, and write it to a file if everything was measured."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
import time
from typing import TYPE_CHECKING

from tools.bench import rounds, subjects, table
from tools.bench.subjects import ROOT, Subject
from tools.bench.workloads import WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tools.bench.rounds import Results
    from tools.bench.rows import Workload

TARGET = ROOT / "BENCHMARKS.md"
ALL = "ours,published,actor,floor"
ROUNDS = 3

INTRODUCTION = """\
# Benchmarks

Written by `make bench`. This package, the published SDK, the least that a client can do whose pipe is read by one thread
(*actor floor*), and a bare loop that reads lines and decodes JSON (*floor*), alternately, each run in a fresh process;
medians of {rounds} rounds. Absolute numbers mean little on a shared machine: compare the ratios.
[tools/bench](tools/bench/README.md) explains the rows and the results of profiling.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command. Returns its exit code, which does not depend on whether goals are met."""
    options = _parser().parse_args(arguments)
    chosen = [each for each in WORKLOADS if any(part in each.program for part in options.only.split(","))]
    load, start = subjects.machine_load(), time.monotonic()
    compared = subjects.choose(options.subjects.split(","))
    results = rounds.measure(chosen, compared, 1 if options.smoke else options.rounds, smoke=options.smoke)
    if options.smoke:
        print(_summary(chosen, compared, results))
        return 0
    measured = f"load {load} before and {subjects.machine_load()} after; {time.monotonic() - start:.0f} s in all"
    text = "\n".join([_facts(compared, measured), "", _body(chosen, results)])
    print(text)
    if not (options.only or options.subjects != ALL):
        TARGET.write_text(f"{INTRODUCTION.format(rounds=options.rounds)}\n{text}\n", encoding="utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tools.bench", description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="tiny sizes, one round: only check that everything runs")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how often each program runs (default: %(default)s)")
    parser.add_argument(
        "--only", default="", metavar="TEXTS", help="only programs with one of these in their name; writes no file"
    )
    parser.add_argument(
        "--subjects", default=ALL, help="the subjects to measure (default: %(default)s); a part of them writes no file"
    )
    return parser


def _facts(compared: Sequence[Subject], measured: str) -> str:
    packages = ("openai-codex", "openai-codex-cli-bin", "attrs", "cattrs", "orjson", "structlog", "pydantic")
    today = dt.datetime.now(tz=dt.timezone.utc).date()
    versions = [f"- {each.name}: {each.versions(*packages)}" for each in compared if each.name not in subjects.FLOORS]
    return "\n".join([f"- {subjects.machine()}", f"- {today}, {measured}", *versions])


def _summary(chosen: Sequence[Workload], compared: Sequence[Subject], results: Results) -> str:
    """Report that everything runs, without numbers: those of tiny sizes mean nothing."""
    rows = sum(len(workload.rows) for workload in chosen)
    absent = [each.problem for each in compared if each.problem]
    return "\n".join([f"{len(chosen)} workloads with {rows} rows run.", *absent, *table.failures(chosen, results)])


def _body(chosen: Sequence[Workload], results: Results) -> str:
    failed = [f"- {text}" for text in table.failures(chosen, results)]
    return "\n".join([table.markdown(list(table.lines(chosen, results))), *([""] if failed else []), *failed])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
