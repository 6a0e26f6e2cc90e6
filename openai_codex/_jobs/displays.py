"""What shows the progress of a pool: a function of the program, or lines of text. `drawn` has what draws with rich."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import attrs

from openai_codex._jobs.progress import PoolProgress, untimed

# How long no line is written after one, in seconds.
_BREAK = 10.0

_DAY = 24 * 60 * 60


class Display:
    """Shows progress. `open` is called on the thread of the program; the others by one thread or task."""

    is_of_program = False
    """Whether it is code of the program, which is called again after it has raised."""

    def open(self) -> None:
        """Begin."""

    def show(self, progress: PoolProgress) -> None:
        """Show a progress."""
        raise NotImplementedError  # abstract

    def close(self) -> None:
        """End; called once, whatever has happened."""


class Callback(Display):
    """Hands the progress to a function of the program."""

    is_of_program = True

    def __init__(self, callback: Callable[[PoolProgress], object]) -> None:
        self._callback = callback

    def show(self, progress: PoolProgress) -> None:
        """Call it."""
        self._callback(progress)


class Lines(Display):
    """Writes lines to stderr: one at the beginning and at the end, when a pause begins, and else one in ten seconds."""

    def __init__(self) -> None:
        self._last = PoolProgress()
        self._at = -_BREAK

    def show(self, progress: PoolProgress) -> None:
        """Write a line, if it is time."""
        stream: Any = sys.stderr
        now = attrs.evolve(progress, is_over=False)
        if stream is None or untimed(now) == untimed(self._last):
            return
        is_urgent = progress.is_over or progress.paused_until != self._last.paused_until
        if is_urgent or progress.elapsed - self._at >= _BREAK:
            self._last, self._at = now, progress.elapsed
            stream.write(f"jobs: {'; '.join(texts(progress))}\n")
            stream.flush()


def texts(progress: PoolProgress) -> list[str]:
    """Return what there is to say, in the order of its weight."""
    of = "" if progress.total is None else f" of {progress.total}"
    waits = "usage limit, paused until " + clock(progress.paused_until) if progress.paused_until else ""
    left = "" if progress.eta is None or progress.is_over else f", about {duration(progress.eta)} left"
    parts = [f"{progress.ended}{of} ended", counted(progress), f"{progress.tokens:,} tokens"]
    return [*parts, f"{duration(progress.elapsed)}{left}", *filter(None, [waits])]


def counted(progress: PoolProgress) -> str:
    """Return how many jobs there are of each kind that there is."""
    counts = {
        "running": progress.running,
        "waiting": progress.waiting + (progress.expected or 0),
        "completed": progress.completed,
        "stopped": progress.stopped,
        "failed": progress.failed,
    }
    return ", ".join(f"{count:,} {name}" for name, count in counts.items() if count) or "no jobs"


def duration(seconds: float) -> str:
    """Return a time as hours, minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"


def clock(at: float) -> str:
    """Return a moment in the local time, with its date if it is not near."""
    form = "%H:%M:%S" if abs(at - time.time()) < _DAY / 2 else "%Y-%m-%d %H:%M"
    return time.strftime(form, time.localtime(at))
