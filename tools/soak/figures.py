"""Memory, descriptors and threads of this process, sampled; and whether they stay flat."""

from __future__ import annotations

import os
import statistics
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Sequence

MEGABYTE = 1_000_000

ENOUGH = 360
"""How many samples it takes to judge, three minutes of them: the first quarter is warm-up."""

TOLERATED = {"rss": (8.0, 0.05), "blocks": (0.0, 0.08), "fds": (6.0, 0.0), "threads": (4.0, 0.0)}
"""By how much a figure may grow, in its own unit and in relation to what it was.

What differs from one moment to the next: the descriptors and threads of one runtime more, and what the allocator keeps.
"""


@attrs.frozen
class Sample:
    """The figures at one moment."""

    rss: float
    """Memory in RAM, in MB."""
    blocks: float
    """Pieces of memory that Python objects take, in thousands: what leaks shows here, whatever the allocator keeps."""
    fds: float
    threads: float


@attrs.frozen
class Trend:
    """One figure over a run."""

    name: str
    first: float
    early: float
    """The median of the second quarter."""
    late: float
    """The median of the last quarter."""
    last: float
    tolerance: float
    """By how much the last quarter may be above the second."""
    judged: bool
    """Whether there were enough samples."""

    @property
    def is_flat(self) -> bool:
        """Whether it does not grow, as far as can be told."""
        return not self.judged or self.late - self.early <= self.tolerance


def sample() -> Sample:
    """Look at this process."""
    own = Path("/proc/self")
    pages = int((own / "statm").read_text().split()[1])
    rss = pages * os.sysconf("SC_PAGE_SIZE") / MEGABYTE
    fds = len(list((own / "fd").iterdir())) - 1  # one of them is what lists them
    return Sample(rss, sys.getallocatedblocks() / 1000, fds, len(list((own / "task").iterdir())))


def trends(samples: Sequence[Sample]) -> list[Trend]:
    """Compare the second quarter with the last."""
    return [_trend(name, [getattr(each, name) for each in samples]) for name in TOLERATED]


def _trend(name: str, values: list[float]) -> Trend:
    quarter = max(1, len(values) // 4)
    early, late = statistics.median(values[quarter : 2 * quarter] or values), statistics.median(values[-quarter:])
    absolute, relative = TOLERATED[name]
    return Trend(name, values[0], early, late, values[-1], absolute + relative * early, len(values) >= ENOUGH)
