"""The command: run the steps on each runtime, print a line for each step and the failures, return 1 if there are any."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from typing import TYPE_CHECKING

from tools.runtimes import clients, threads, turns
from tools.runtimes.install import installed
from tools.runtimes.steps import STEPS
from tools.runtimes.table import GAPS, VERSIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

VARIABLE = "OPENAI_CODEX_BIN"

# How much of a failure is shown, as its lines may have a whole backtrace of the runtime.
_SHOWN = 300

MODULES = (clients, turns, threads)
"""The modules that have added the steps."""


def main(arguments: Sequence[str]) -> int:
    """Run the command. Returns its exit code."""
    parser = argparse.ArgumentParser("python -m tools.runtimes", description=__doc__)
    parser.add_argument("versions", nargs="*", help="versions of the runtime (default: those of tools.runtimes.table)")
    parser.add_argument("--only", default="", help="run the steps whose name has this text")
    options = parser.parse_args(arguments)
    # Warnings of steps that provoke faults are no news.
    logging.getLogger("openai_codex").addHandler(logging.NullHandler())
    versions = options.versions or VERSIONS
    failures = {version: _failures(version, options.only) for version in versions}
    _print_table(failures, options.only)
    return 1 if any(found for of in failures.values() for found in of.values()) else 0


def _failures(version: str, only: str) -> dict[str, str]:
    """Run all steps on one version; return what went wrong by step, empty where nothing did."""
    os.environ[VARIABLE] = str(installed(version))
    gaps, found, since = GAPS.get(version, {}), {}, time.monotonic()
    for name, step in STEPS.items():
        if only in name:
            found[name] = step.run(gaps.get(name))
    print(f"{version}: {len(found)} steps in {time.monotonic() - since:.0f} s", flush=True)
    return found


def _print_table(failures: dict[str, dict[str, str]], only: str) -> None:
    print(f"\n{'step':36}" + "".join(f"{version:>12}" for version in failures))
    for name in STEPS:
        if only in name:
            print(
                f"{name:36}"
                + "".join(f"{_mark(version, name, found[name]):>12}" for version, found in failures.items())
            )
    totals = (f"{sum(not each for each in found.values())}/{len(found)}" for found in failures.values())
    print(f"{'as expected':36}" + "".join(f"{total:>12}" for total in totals))
    for version, found in failures.items():
        for name, failure in found.items():
            if failure:
                print(f"\n{version}, {name}: {failure[:_SHOWN]}")


def _mark(version: str, name: str, failure: str) -> str:
    return "FAILED" if failure else "absent" if name in GAPS.get(version, {}) else "ok"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
