"""What an attempt records of itself, and what it learns from the records of earlier ones before it sends anything."""

from __future__ import annotations

from collections.abc import Generator
from functools import partial
from typing import TYPE_CHECKING, Any

import attrs

from openai_codex._jobs.failure import JobError
from openai_codex._jobs.outcomes import is_final
from openai_codex._jobs.processes import ProcessName
from openai_codex._jobs.rows import Record
from openai_codex._jobs.state import opened

if TYPE_CHECKING:
    from openai_codex._engine.waiting import Latch
    from openai_codex._jobs.clients import Ready
    from openai_codex._jobs.result import JobResult

# How often to look whether the process of an earlier attempt has ended, in seconds.
_POLL = 0.1


@attrs.frozen
class Earlier:
    """What earlier attempts have left.

    Attributes:
        attempts: How many attempts there are, with this one; ``None`` if that is not recorded.
        result: Their result, if one of them has ended, and its pool was not told.
        thread_id: The thread that they have started.
    """

    attempts: int | None = None
    result: JobResult | None = None
    thread_id: str | None = None


class Recorder:
    """Records one attempt; does nothing for one that is not recorded."""

    def __init__(self, record: Record | None) -> None:
        self._record = record
        self._is_refused = False

    def enter(self, ready: Ready, over: Latch) -> Generator[Any, Any, Earlier]:
        """Record that this process carries the attempt out, and look what became of earlier ones.

        One whose process still runs is waited for: it may be in a worker that has outlived its pool.
        """
        if self._record is None:
            return Earlier()
        state = opened(self._record.path)
        own = state.enter(self._record.attempt)
        if own is None:
            self._is_refused = True
            # Else two processes would carry it out: a worker may get to it after its pool was killed and continued.
            raise JobError("worker", "another attempt at the job has begun meanwhile, or it was cancelled")
        _here[self] = self._record
        entered = state.attempt(self._record.attempt)
        number, thread_id = None if entered is None else entered.number, None
        # All of them: a pool that was killed early may have begun one that no process has got to.
        for each in (own, *state.attempts_until(self._record.attempt)[1:]):
            row = each
            # The process of before: this one has written its own name into its row, which an earlier one had, too, if
            # a cluster takes the worker there for dead.
            while row.ended_at is None and self._may_run(row.id, each.process) and not over.is_ready():
                yield partial(ready, over, _POLL)
                row = state.attempt(row.id) or row
            thread_id = thread_id or row.thread_id
            if row.result is not None and is_final(row.result):
                return Earlier(number, row.result, row.thread_id)
        return Earlier(number, None, thread_id)

    def leave(self) -> None:
        """Note that the attempt is over in this process, however it has ended."""
        _here.pop(self, None)

    def note_thread(self, thread_id: str | None) -> None:
        """Record the thread, before anything is sent to it."""
        if self._record is not None:
            opened(self._record.path).note_thread(self._record.attempt, thread_id)

    def end(self, result: JobResult) -> None:
        """Record the end of the attempt, unless it was not to be carried out."""
        if self._record is not None and not self._is_refused:
            status = result.status if is_final(result) else "again"
            opened(self._record.path).end(self._record.attempt, status, result)

    def _may_run(self, attempt: int, process: ProcessName | None) -> bool:
        if process is None or self._record is None:
            return False
        if process == ProcessName.current():
            record = attrs.evolve(self._record, attempt=attempt)
            return any(other is not self and its == record for other, its in _here.copy().items())
        return process.is_alive()


# The attempts that run in this process: on a worker that outlives pools, one of an earlier pool may be among them.
_here: dict[Recorder, Record] = {}
