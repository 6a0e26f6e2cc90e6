"""What an attempt records of itself, and what it learns from the records of earlier ones before it sends anything."""

from __future__ import annotations

from collections.abc import Generator
from functools import partial
from typing import TYPE_CHECKING, Any

import attrs

from openai_codex._jobs.failure import JobError
from openai_codex._jobs.outcomes import is_final
from openai_codex._jobs.processes import ProcessName
from openai_codex._jobs.state import AttemptRow, Record, opened

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
        result: Their result, if one of them has ended, and nobody has heard of it.
        thread_id: The thread that they have started.
    """

    result: JobResult | None = None
    thread_id: str | None = None


class Recorder:
    """Records one attempt; does nothing for one that is not recorded."""

    def __init__(self, record: Record | None) -> None:
        self._record = record

    def enter(self, ready: Ready, over: Latch) -> Generator[Any, Any, Earlier]:
        """Record that this process carries the attempt out, and look what became of earlier ones.

        One whose process still runs is waited for: it may be in a worker that has outlived its pool.
        """
        if self._record is None:
            return Earlier()
        state = opened(self._record.path)
        own = state.enter(self._record.attempt)
        if own is None:
            # Else two processes would carry it out: a worker may get to it after its pool was killed and continued.
            raise JobError("worker", "another attempt at the job has begun meanwhile")
        thread_id = None
        # All of them: a pool that was killed early may have begun one that no process has got to.
        for each in (own, *state.attempts_until(self._record.attempt)[1:]):
            row = each
            while _may_run(row) and not over.is_ready():
                yield partial(ready, over, _POLL)
                row = state.attempt(row.id) or row
            thread_id = thread_id or row.thread_id
            if row.result is not None and is_final(row.result):
                return Earlier(row.result, row.thread_id)
        return Earlier(None, thread_id)

    def note_thread(self, thread_id: str | None) -> None:
        """Record the thread, before anything is sent to it."""
        if self._record is not None:
            opened(self._record.path).note_thread(self._record.attempt, thread_id)

    def end(self, result: JobResult) -> None:
        """Record the end of the attempt."""
        if self._record is not None:
            status = result.status if is_final(result) else "again"
            opened(self._record.path).end(self._record.attempt, status, result)


def _may_run(row: AttemptRow) -> bool:
    if row.ended_at is not None or row.process is None or row.process == ProcessName.current():
        return False
    return row.process.is_alive()
