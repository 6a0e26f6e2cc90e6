"""Used by every program: entry point, fake runtime, clocks, counters, and the line of output.

It imports neither package, and little else, because the time to a first answer includes its import.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
    from typing import Any

FAKE_RUNTIME = (sys.executable, os.path.join(os.path.dirname(__file__), "child.py"))  # noqa: PTH118, PTH120  pathlib is slow to import
"""The command line of `child`."""

DELTA = "item/agentMessage/delta"


def main(*functions: Callable[..., Coroutine[Any, Any, None] | None]) -> None:
    """Call the function named on the command line, with the sizes given as JSON."""
    name, sizes = sys.argv[1:]
    outcome = {function.__name__: function for function in functions}[name](**json.loads(sizes))
    if outcome is not None:
        import asyncio

        asyncio.run(outcome)


def report(**measures: float) -> None:
    """Print the measures at once: later steps, such as closing the client, are not measured."""
    print(json.dumps(measures), flush=True)


class Span:
    """Wall and CPU time of this process since the creation of this object."""

    def __init__(self) -> None:
        self._wall = time.perf_counter()
        self._cpu = time.process_time()

    def seconds(self) -> float:
        """Wall time."""
        return time.perf_counter() - self._wall

    def rates(self, count: int) -> dict[str, float]:
        """Return the rate per second of `count` operations, and the CPU time of each in microseconds."""
        return {"per_s": count / self.seconds(), "cpu_us": (time.process_time() - self._cpu) / count * 1e6}


def best(shares: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the best of the rates of equal shares of work: other load on the machine only adds time."""
    return {"per_s": max(each["per_s"] for each in shares), "cpu_us": min(each["cpu_us"] for each in shares)}


class Laps:
    """Wall time between steps."""

    def __init__(self) -> None:
        self._last = time.perf_counter()

    def lap(self) -> float:
        """Return the milliseconds since the last call, or the creation of this object."""
        last, self._last = self._last, time.perf_counter()
        return (self._last - last) * 1e3


def percentiles(nanoseconds: Iterable[int]) -> dict[str, float]:
    """Return median and 99th percentile, in microseconds."""
    ordered = sorted(nanoseconds)
    return {"p50_us": ordered[len(ordered) // 2] / 1e3, "p99_us": ordered[len(ordered) * 99 // 100] / 1e3}


def resident_mb() -> float:
    """Return the resident memory of this process, shared libraries included (VmRSS)."""
    return _status_kb("VmRSS") / 1024


def peak_mb() -> float:
    """Return the largest resident memory (VmHWM) of this process, and of all below it, in sum."""
    parents = {int(name): _of("PPid", name) for name in os.listdir("/proc") if name.isdigit()}  # noqa: PTH208  as above
    own = {os.getpid()}
    while more := {process for process, parent in parents.items() if parent in own} - own:
        own |= more
    return sum(_of("VmHWM", str(process)) for process in own) / 1024


def heap_kb() -> float:
    """Return the anonymous resident memory of this process (RssAnon), after a garbage collection."""
    import gc

    gc.collect()
    return _status_kb("RssAnon")


def os_threads() -> int:
    """Return the number of threads of this process, also of those not started by Python."""
    return len(os.listdir("/proc/self/task"))  # noqa: PTH208  pathlib is slow to import


def _status_kb(name: str) -> float:
    return _of(name, "self")


def _of(name: str, process: str) -> float:
    """Return a number of a process; 0 if it has ended."""
    try:
        with open(f"/proc/{process}/status") as status:  # noqa: PTH123  pathlib is slow to import
            return next((float(line.split()[1]) for line in status if line.startswith(name + ":")), 0.0)
    except OSError:
        return 0.0
