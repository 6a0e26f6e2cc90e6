"""Where it was measured: cores, processor, memory, system, load."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def description() -> str:
    """Describe the machine on one line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = len(os.sched_getaffinity(0))
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{cores} cores of {_processor()}, {memory:.0f} GB, {platform.system()} {platform.release()}, {python}"


def load() -> str:
    """Return how many processes wanted to run, on average over the last minute."""
    return f"{os.getloadavg()[0]:.1f}"


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())
