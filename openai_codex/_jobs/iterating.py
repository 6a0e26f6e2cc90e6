"""What the iterators over the results of a pool have in common in both faces: which job comes next, and which result."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sized
from functools import partial
from typing import Any

from openai_codex import _checks as checks
from openai_codex._jobs.entry import Entry
from openai_codex._jobs.fleet import Fleet
from openai_codex._jobs.job import Job
from openai_codex._jobs.result import JobResult

# How many results are kept behind one that is waited for.
_MOST_READY = 1_000


class ResultsBase:
    """Results of jobs as they are asked for: further jobs are submitted as there is room for them."""

    def __init__(self, fleet: Fleet, jobs: Iterable[Job], most: int, *, ordered: bool) -> None:
        self._fleet, self._most, self._ordered = fleet, most, ordered
        self._jobs: Iterator[Job] | None = iter(jobs)
        self._pending: deque[Entry] = deque()
        self.left = len(jobs) if isinstance(jobs, Sized) else None
        """How many jobs are not submitted yet; ``None`` if that is not known."""
        fleet.sources.add(self)

    def _step(self) -> Generator[Any, Any, JobResult | None]:
        while True:
            changed = self._fleet.watch()
            self._submit()
            if (entry := self._ready_one()) is not None:
                self._pending.remove(entry)
                # A pool that is closed without draining cancels the futures of jobs that wait.
                return entry.stopped_result() if entry.future.cancelled() else entry.future.result()
            if not self._pending:
                return None
            if self._ordered:  # else the jobs behind the one that is waited for would leave the runtimes idle
                self._submit(_MOST_READY)
            yield partial(self._fleet.ready, changed, None)

    def _submit(self, ready: int = 0) -> None:
        """Submit jobs until as many as may are pending; so many that have ended do not count."""
        ended = min(ready, sum(each.future.done() for each in self._pending)) if ready else 0
        # When the pool is closed, the results that are left come first.
        while self._jobs is not None and len(self._pending) - ended < self._most and self._fleet.has_room():
            if self._pending and self._fleet.closing.is_ready():
                return
            try:
                job = next(self._jobs)
            except StopIteration:
                self._jobs, self.left = None, 0
                return
            self.left = None if self.left is None else max(0, self.left - 1)
            self._pending.append(self._fleet.enter(checked(job)))

    def _ready_one(self) -> Entry | None:
        candidates = list(self._pending)[: 1 if self._ordered else None]
        return next((entry for entry in candidates if entry.future.done()), None)

    def _end(self) -> None:
        """Submit no more jobs. Those that are submitted go on."""
        self._jobs, self.left = None, 0
        self._pending.clear()
        self._fleet.post(lambda: None)  # wakes a step that waits


def checked(job: Job) -> Job:
    """Check what is submitted."""
    return checks.instance("job", job, Job, "a Job")
