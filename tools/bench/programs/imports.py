"""The cost of imports in fresh interpreters, minus one that does nothing. This program imports neither package."""

from __future__ import annotations

import statistics
import subprocess
import sys

from . import gauge

STATEMENTS = {"nothing": "pass", "package": "import openai_codex", "client": "from openai_codex import Codex"}

# Printed by the interpreter that imports: its memory, and the classes of the package that now exist.
INSIDE = """
import gc
status = dict(line.split(':', 1) for line in open('/proc/self/status'))
classes = [o for o in gc.get_objects() if issubclass(type(o), type) and o.__module__.startswith('openai_codex')]
print(int(status['VmRSS'].split()[0]) / 1024, len(classes))
"""


def cost(repeats: int) -> None:
    """Measure milliseconds more than doing nothing, resident memory, and the number of classes."""
    times: dict[str, list[float]] = {name: [] for name in STATEMENTS}
    for _ in range(repeats):
        for name, statement in STATEMENTS.items():
            span = gauge.Span()
            _python(statement)
            times[name].append(span.seconds() * 1e3)
    medians = {name: statistics.median(values) for name, values in times.items()}
    measures = {f"{name}_ms": median - medians["nothing"] for name, median in medians.items()}
    for name, statement in STATEMENTS.items():
        megabytes, classes = _python(f"{statement}\n{INSIDE}").split()
        measures |= {f"{name}_mb": float(megabytes), f"{name}_classes": float(classes)}
    gauge.report(**measures)


def _python(statement: str) -> str:
    # Isolated: neither the current directory nor environment variables add to the import path.
    command = [sys.executable, "-I", "-c", statement]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout


if __name__ == "__main__":
    gauge.main(cost)
