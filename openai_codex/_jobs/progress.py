"""How far a pool has come, as values: its counts, and when it may be done. It shows and calls nothing."""

from __future__ import annotations

import time
import weakref
from typing import Protocol

import attrs

# How many jobs have to have ended before an estimate is made; as many as run at a time, if these are more.
_ENOUGH = 3


@attrs.frozen
class Counts:
    """How many jobs a pool has.

    Attributes:
        waiting: Jobs that are not started, or wait to be carried on.
        running: Jobs that are started.
        completed: Jobs that have completed.
        stopped: Jobs that were stopped, by their budget or by the program.
        failed: Jobs that have failed.
        tokens: The tokens of all that have ended.
        callback_errors: How often a callback of the pool has raised.
    """

    waiting: int = 0
    running: int = 0
    completed: int = 0
    stopped: int = 0
    failed: int = 0
    tokens: int = 0
    callback_errors: int = 0

    @property
    def ended(self) -> int:
        """How many jobs have ended, however they did."""
        return self.completed + self.stopped + self.failed


@attrs.frozen
class PoolProgress(Counts):
    """How far a pool has come, at one moment. Jobs whose results the state has had already are not among them.

    Its ``tokens`` are those of all jobs that have ended, and of those that run in this process. The other counts are as
    in `Counts`.

    Attributes:
        expected: Jobs that `map` and `as_completed` have not submitted yet; ``None`` if one of their iterables has no length.
        elapsed: How long the pool has been at work, in seconds.
        eta: In how many seconds all may have ended, if the rest goes as the jobs so far, and a pause lasts until its end.
            ``None`` until at least three have ended, and as many as run at a time, while ``expected`` is not known, and when
            the last ones take longer than that.
        paused_until: When the usage limit resets that the pool waits for, in seconds since the epoch; ``None`` if it waits
            for none.
        is_over: Whether the pool was closed: this is its last progress.
    """

    expected: int | None = attrs.field(default=0, kw_only=True)
    elapsed: float = attrs.field(default=0.0, kw_only=True)
    eta: float | None = attrs.field(default=None, kw_only=True)
    paused_until: float | None = attrs.field(default=None, kw_only=True)
    is_over: bool = attrs.field(default=False, kw_only=True)

    @property
    def total(self) -> int | None:
        """How many jobs there are; ``None`` if that is not known yet."""
        return None if self.expected is None else self.ended + self.running + self.waiting + self.expected


def untimed(progress: PoolProgress) -> PoolProgress:
    """Return a progress without what changes by itself, to compare it."""
    return attrs.evolve(progress, elapsed=0.0, eta=None)


class Source(Protocol):
    """What submits jobs as there is room for them."""

    left: int | None
    """How many it has not submitted yet; ``None`` if that is not known."""


class Sources:
    """The iterators over results of a pool, as long as the program holds them. Callable from any thread."""

    def __init__(self) -> None:
        self._sources: list[weakref.ref[Source]] = []

    def add(self, source: Source) -> None:
        """Count the jobs of an iterator."""
        self._sources.append(weakref.ref(source, self._sources.remove))

    def left(self) -> int | None:
        """Return how many jobs are not submitted yet; ``None`` if that is not known."""
        counts = [source.left for each in self._sources[:] if (source := each()) is not None]
        known = [count for count in counts if count is not None]
        return sum(known) if len(known) == len(counts) else None


class Estimate:
    """Estimates when a pool may be done, from the time in which jobs ran: a pause, and a pool without a job, do not count."""

    def __init__(self) -> None:
        self._busy = self._busy_at_end = 0.0
        self._last = time.monotonic()
        self._was_busy = False
        self._most = self._ended = 0

    def eta(self, progress: PoolProgress) -> float | None:
        """Return in how many seconds all may have ended. To be called whenever something has changed."""
        self._note(progress)
        total, ended = progress.total, progress.ended
        if total is None or ended < max(_ENOUGH, self._most):
            return None
        if ended == total:
            return 0.0
        # As long as jobs are on time, it counts down from the end of the last one. Later, as if all that run ended now.
        on_time = (total - ended) * self._busy_at_end / ended - (self._busy - self._busy_at_end)
        late = (total - ended - progress.running) * self._busy / (ended + progress.running)
        work = max(on_time, late)
        pause = 0.0 if progress.paused_until is None else max(0.0, progress.paused_until - time.time())
        return pause + work if work > 0 else None

    def _note(self, progress: PoolProgress) -> None:
        now = time.monotonic()
        self._busy += now - self._last if self._was_busy else 0.0
        self._last, self._was_busy = now, progress.running > 0
        self._most = max(self._most, progress.running)
        if progress.ended > self._ended:
            self._ended, self._busy_at_end = progress.ended, self._busy
