"""What it costs to observe a client: a log, a journal, OpenTelemetry, each beside the same client without.

    python -m tools.bench.observed [--rounds 3] [--only stream]

It runs the programs of streams and of `run()`, ours only, with each of them in turn, and prints a table.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import sys
import tempfile
from typing import TYPE_CHECKING

from tools.bench import subjects
from tools.bench.programs.observing import LOG, OTEL
from tools.bench.runner import Failure, run
from tools.bench.workloads import WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tools.bench.rows import Workload
    from tools.bench.runner import Measures

PLAIN = "plain"

VARIANTS: Mapping[str, Mapping[str, str]] = {
    PLAIN: {},
    "log": {LOG: "info"},
    "journal": {"OPENAI_CODEX_JOURNAL": "{directory}/"},
    "otel": {OTEL: "1"},
}
"""The variables of the environment of each variant."""

MEASURES = {"per_s": "rate, 1/s", "cpu_us": "CPU of the client, µs"}
"""What is compared, and how it is called."""

Results = dict[tuple[int, str], list["Measures"]]
"""The measures of the rounds, by index of the workload and name of the variant."""


def main(arguments: Sequence[str]) -> int:
    """Run the command. Returns its exit code."""
    parser = argparse.ArgumentParser("python -m tools.bench.observed", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often each program runs (default: %(default)s)")
    parser.add_argument("--only", default="", metavar="TEXT", help="only programs with this in their name")
    parser.add_argument("--variants", default=",".join(VARIANTS), help="what is compared (default: %(default)s)")
    parser.add_argument("--smoke", action="store_true", help="tiny sizes: only check that everything runs")
    options = parser.parse_args(arguments)
    chosen = [each for each in WORKLOADS if each.program.endswith("_face") and options.only in each.program]
    chosen = [each for each in chosen if each.program.startswith(("stream.", "run."))]
    names = options.variants.split(",")
    before = subjects.machine_load()
    results = measure(chosen, names, 1 if options.smoke else options.rounds, smoke=options.smoke)
    print(f"{subjects.machine()}; load {before} before and {subjects.machine_load()} after\n")
    print("\n".join(table(chosen, names, results)))
    return 0


def measure(workloads: Sequence[Workload], names: Sequence[str], rounds: int, *, smoke: bool) -> Results:
    """Run all variants of each workload, one directly after another; raise `RuntimeError` if one fails."""
    results: Results = {}
    for number, (index, workload), name in itertools.product(range(rounds), enumerate(workloads), names):
        with tempfile.TemporaryDirectory(prefix="bench-") as directory:
            environment = {key: value.format(directory=directory) for key, value in VARIANTS[name].items()}
            sizes = workload.sizes_for("ours", smoke=smoke)
            outcome = run(sys.executable, workload.program, sizes, environment, workload.deadline)
            written = sum(each.stat().st_size for each in os.scandir(directory))
        if isinstance(outcome, Failure):
            raise RuntimeError(f"{workload.program}, {name} {outcome.what}: {outcome.detail}")  # noqa: TRY004  no wrong type
        results.setdefault((index, name), []).append({**outcome, "written": float(written)})
        print(f"round {number + 1}: {workload.program}, {name}", file=sys.stderr)
    return results


def table(workloads: Sequence[Workload], names: Sequence[str], results: Results) -> Iterator[str]:
    """Yield the lines of a table in Markdown: medians, and how much they differ from those of the first variant."""
    yield "| what | " + " | ".join(names) + " |"
    yield "|---" * (len(names) + 1) + "|"
    for index, workload in enumerate(workloads):
        for key, title in MEASURES.items():
            medians = [statistics.median(each[key] for each in results[index, name]) for name in names]
            shown = [_number(medians[0]), *(f"{_number(each)} ({each / medians[0] - 1:+.0%})" for each in medians[1:])]
            yield f"| {workload.rows[0].title}: {title} | " + " | ".join(shown) + " |"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"  # noqa: PLR2004  three digits


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
