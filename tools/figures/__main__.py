"""The command: print each figure beside its earlier value and its limit."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from tools.figures.paths import ROOT
from tools.figures.source import Package
from tools.figures.table import FIGURES, Figure, Reading

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Run the command. Returns its exit code: 1 if `--check` is given and a figure is outside its limit."""
    parser = argparse.ArgumentParser("python -m tools.figures", description=__doc__)
    parser.add_argument("--check", action="store_true", help="exit with 1 and name each figure outside its limit")
    parser.add_argument("--names", action="store_true", help="also print the names behind each figure")
    options = parser.parse_args(arguments)
    package = Package.read(ROOT)
    readings = [(figure, figure.measure(package)) for figure in FIGURES]
    print("\n".join([_row("", "before", "now", "limit", "aim"), *(_figure_row(*pair) for pair in readings)]))
    if options.names:
        print("\n".join(_names(*pair) for pair in readings if pair[1].names))
    outside = [pair for pair in readings if not pair[0].allows(pair[1].value)]
    if options.check:
        sys.stderr.writelines(complaint(*pair) for pair in outside)
    return 1 if options.check and outside else 0


def complaint(figure: Figure, reading: Reading) -> str:
    """Describe a figure outside its limit, with the names of what it counts."""
    names = "".join(f"\n    {name}" for name in reading.names)
    return f"outside its limit: {figure.title} is {_number(reading.value)}, expected {figure.limit}{names}\n"


def _figure_row(figure: Figure, reading: Reading) -> str:
    aim = "" if figure.aim is None else _number(figure.aim)
    row = _row(figure.title, _number(figure.before), _number(reading.value), figure.limit, aim)
    return row if figure.allows(reading.value) else f"{row}  outside"


def _row(title: str, before: str, now: str, limit: str, aim: str) -> str:
    return f"{title:34}{before:>8}{now:>8}  {limit:9}{aim:8}".rstrip()


def _names(figure: Figure, reading: Reading) -> str:
    return "\n    ".join([f"\n{figure.title}:", *reading.names])


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
