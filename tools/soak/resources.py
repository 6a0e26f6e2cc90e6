"""The resources of this process: memory, descriptors, threads and child processes, and whether they grow."""

from __future__ import annotations

import os
import signal
import statistics
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from openai_codex._engine.transport.child import MARK_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MEGABYTE = 1_000_000

ENOUGH = 360
"""The number of samples that a verdict needs, three minutes of them: the first quarter is warm-up."""

TOLERATED = {"rss": (8.0, 0.05), "blocks": (0.0, 0.08), "fds": (6.0, 0.0), "threads": (4.0, 0.0)}
"""By how much a resource may grow, absolutely and relatively.

It covers what differs from one moment to the next: the descriptors and threads of one more runtime, and memory that the
allocator keeps.
"""

_PROCESSES = Path("/proc")


@attrs.frozen
class Sample:
    """The resources at one moment.

    Attributes:
        rss: Resident memory in MB.
        blocks: Allocated memory blocks of Python objects, in thousands: it shows a leak independently of the allocator.
        fds: Open file descriptors.
        threads: Threads of the process.
    """

    rss: float
    blocks: float
    fds: float
    threads: float


@attrs.frozen
class Trend:
    """One resource over a run.

    Attributes:
        name: The name of the resource.
        first: The first sample.
        early: The median of the second quarter.
        late: The median of the last quarter.
        last: The last sample.
        tolerance: By how much `late` may be above `early`.
        judged: Whether there were enough samples for a verdict.
    """

    name: str
    first: float
    early: float
    late: float
    last: float
    tolerance: float
    judged: bool

    @property
    def is_flat(self) -> bool:
        """Whether it does not grow, or there is no verdict."""
        return not self.judged or self.late - self.early <= self.tolerance


def sample() -> Sample:
    """Measure this process."""
    own = Path("/proc/self")
    pages = int((own / "statm").read_text().split()[1])
    rss = pages * os.sysconf("SC_PAGE_SIZE") / MEGABYTE
    fds = len(list((own / "fd").iterdir())) - 1  # without the descriptor of this listing
    return Sample(rss, sys.getallocatedblocks() / 1000, fds, len(list((own / "task").iterdir())))


def trends(samples: Sequence[Sample]) -> list[Trend]:
    """Compare the second quarter with the last."""
    return [_trend(name, [getattr(each, name) for each in samples]) for name in TOLERATED]


def _trend(name: str, values: list[float]) -> Trend:
    quarter = max(1, len(values) // 4)
    early, late = statistics.median(values[quarter : 2 * quarter] or values), statistics.median(values[-quarter:])
    absolute, relative = TOLERATED[name]
    return Trend(name, values[0], early, late, values[-1], absolute + relative * early, len(values) >= ENOUGH)


# --- processes


def zombies() -> set[int]:
    """Return child processes that have exited and were not reaped."""
    return {pid for pid, state in _children() if state == "Z"}


def children() -> list[int]:
    """Return all child processes."""
    return [pid for pid, _ in _children()]


def runtime_processes(home: Path) -> list[int]:
    """Return the runtimes of this home and the processes that they have started, by the mark in their environment."""
    wanted = {f"CODEX_HOME={home}".encode()}
    found = []
    for pid in _pids():
        with suppress(OSError):  # it has ended, or belongs to another user
            variables = (_PROCESSES / str(pid) / "environ").read_bytes().split(b"\0")
            if wanted <= set(variables) and any(each.startswith(f"{MARK_VARIABLE}=".encode()) for each in variables):
                found.append(pid)
    return found


def kill_runtime_processes(home: Path) -> None:
    """Kill what `runtime_processes` returns, after a run that hangs."""
    for pid in runtime_processes(home):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _children() -> Iterator[tuple[int, str]]:
    for pid in _pids():
        with suppress(OSError):
            # The name in brackets may contain anything; the state and the parent follow it.
            state, parent = (_PROCESSES / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()[:2]
            if int(parent) == os.getpid():
                yield pid, state


def _pids() -> list[int]:
    return [int(entry.name) for entry in _PROCESSES.iterdir() if entry.name.isdigit()]
