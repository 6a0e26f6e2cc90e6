"""What a pool keeps of its jobs beyond its own life, and what it finds there of an earlier one."""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from openai_codex._jobs.entry import Entry
from openai_codex._jobs.failure import JobError
from openai_codex._jobs.job import Job
from openai_codex._jobs.lock import StateLock
from openai_codex._jobs.outcomes import is_final
from openai_codex._jobs.policy import leaves_open, lost
from openai_codex._jobs.result import JobResult
from openai_codex._jobs.rows import JobRow
from openai_codex._jobs.state import State, opened
from openai_codex._jobs.steps import Ticket
from openai_codex._log import Log
from openai_codex.errors import CodexError, ConfigError

_log = Log("jobs")


class Ledger:
    """The state of one pool, in the file that the program names, or in a temporary one.

    Jobs of other processes need a file: it tells what became of them if the process dies. Without other processes and
    without a path there is none, and everything here does nothing.
    """

    def __init__(self, path: str | None, *, temporary: bool) -> None:
        self._directory: tempfile.TemporaryDirectory[str] | None = None
        self._is_kept = path is not None
        if path is None and temporary:
            self._directory = tempfile.TemporaryDirectory(prefix="codex-jobs-", ignore_cleanup_errors=True)
            path = str(Path(self._directory.name) / "state.sqlite")
        # Absolute, because a worker may be in another directory.
        self._path = None if path is None else str(Path(path).absolute())
        self._lock = None if self._path is None else StateLock(self._path)
        self._state: State | None = None
        try:
            self._state = None if self._path is None else opened(self._path)
        except BaseException:
            self._release()
            raise
        self._alive: dict[str, Entry] = {}
        self._same: dict[str, count[int]] = {}

    def close(self) -> None:
        """Close the file, and remove it if it is a temporary one."""
        if self._state is not None:
            self._state.close()
            self._state = None
        self._release()

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.release()
            self._lock = None
        if self._directory is not None:
            self._directory.cleanup()

    # -- jobs --------------------------------------------------------------------------------------------------------

    def unfinished(self, homes: Sequence[str]) -> list[Entry]:
        """Return the jobs that an earlier pool has not finished.

        Raises `ConfigError` if they cannot be read, or if their home is not among these.
        """
        try:
            return [] if self._state is None else [self._entry(row, homes) for row in self._state.unfinished()]
        except JobError as error:
            raise ConfigError("state", error.reason) from error

    def enter(self, job: Job) -> tuple[Entry, bool]:
        """Return the entry of a job, and whether it is to be carried out.

        It is not if it is that of the same job in this pool, or has its result already. Callable from several threads.
        """
        entry = Entry(job)
        if self._state is None:
            return entry, True
        entry.key = self._key(job)
        # First: as long as it is here no other thread enters the job; it is removed after its result is recorded.
        known = self._alive.setdefault(entry.key, entry)
        if known is not entry:
            _check_same(job, known.job)
            return known, False
        try:
            row = self._state.add(entry.key, job, entry.queued_at)
            _check_same(job, row.job)
        except BaseException as error:
            self._alive.pop(entry.key, None)
            entry.future.set_exception(error)  # for a thread that has found it
            raise
        entry.row = row.id
        if row.result is not None:
            self._alive.pop(entry.key, None)
            entry.future.set_result(row.result)
        return entry, row.result is None

    def _key(self, job: Job) -> str:
        if job.key is not None and self._is_kept:
            return job.key
        fingerprint = job.fingerprint()
        return f"{fingerprint}#{next(self._same.setdefault(fingerprint, count(1)))}"

    def _entry(self, row: JobRow, homes: Sequence[str]) -> Entry:
        assert self._state is not None
        entry = Entry(row.job, queued_at=row.queued_at)
        entry.row, entry.key = row.id, row.key
        if (last := self._state.last_attempt(row.id)) is not None:
            entry.carry_on(last)
            if last.home not in homes:
                raise ConfigError(
                    "state", f"it has jobs in the home {last.home!r}, which none of the configurations has"
                )
            entry.home = homes.index(last.home)
        self._alive[row.key] = entry
        return entry

    # -- attempts and ends -------------------------------------------------------------------------------------------

    def ticket(self, entry: Entry, home: str) -> Ticket:
        """Record that an attempt begins, and return what it has to know."""
        return entry.ticket(self._state, home)

    def withdraw(self, entry: Entry) -> bool:
        """Have no process begin the attempt that was started; return whether none has."""
        if self._state is not None and entry.recorded is not None:
            with self._recording(entry):
                return self._state.withdraw(entry.recorded)
        return False

    def result_of(self, entry: Entry, error: BaseException) -> JobResult:
        """Return the result of an attempt that has not returned one: its worker may have recorded it."""
        if self._state is not None and entry.recorded is not None:
            with self._recording(entry):
                row = self._state.attempt(entry.recorded)
                if row is not None and row.result is not None and is_final(row.result):
                    return row.result
                if row is not None:
                    entry.thread_id, entry.attempts = row.thread_id, row.number
                if not leaves_open(error):
                    self._state.abandon(entry.recorded)
        return lost(entry, error)

    def finish(self, entry: Entry, result: JobResult, *, for_next: bool = False) -> None:
        """Record the end of a job; ``for_next``: the next pool carries it on."""
        if self._state is None or entry.row is None:
            return
        with self._recording(entry):
            if for_next:
                self._state.note(entry.row, "waiting")
            else:
                self._state.finish(entry.row, result)
        self._alive.pop(entry.key, None)  # last: the same job, submitted meanwhile, would be carried out again

    @contextmanager
    def _recording(self, entry: Entry) -> Generator[None]:
        """Report what cannot be recorded: the job itself goes on."""
        try:
            yield
        except CodexError as error:
            _log.warning("codex.job_state_failed", key=entry.job.key, reason=str(error))


def _check_same(job: Job, known: Job) -> None:
    if job != known:
        raise ConfigError("key", f"{job.key!r} is that of another job in the state; give each job one of its own")
