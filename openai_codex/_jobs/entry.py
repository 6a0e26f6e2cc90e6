"""One job of a pool, from when it is submitted until its future has a result."""

from __future__ import annotations

import os
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from openai_codex._jobs.result import JobResult
from openai_codex._jobs.rows import AttemptRow, Record
from openai_codex._jobs.state import State
from openai_codex._jobs.steps import Ticket
from openai_codex._jobs.worktree import name_of

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from openai_codex._jobs.job import Job
    from openai_codex._jobs.steps import Attempt
    from openai_codex._jobs.worktree import Worktree
    from openai_codex._turns.results import RunResult


class Entry:
    """A job, what is known of it, and the future that its program holds. Only the fleet changes it."""

    def __init__(self, job: Job, *, queued_at: float | None = None) -> None:
        self.job = job
        self.queued_at = time.time() if queued_at is None else queued_at
        self.future: Future[JobResult] = Future()
        self.attempts = 0
        """How often it was started."""
        self.losses = 0
        """How often in succession it was lost without getting on."""
        self.not_before = 0.0
        """It is not started before this time of the monotonic clock."""
        self.home: int | None = None
        """The configuration whose home has its thread."""
        self.client = 0
        """Which of the clients of that configuration carries it out."""
        self.thread_id: str | None = None
        self.known: tuple[RunResult[Any], ...] = ()
        """The results that were seen so far."""
        self.worktree: Worktree | None = None
        """As the last attempt has left it."""
        self.name = os.urandom(16).hex()
        """What tells it from all others."""
        self.attempt: Attempt | None = None
        """The attempt that runs in this process."""
        self.inner: Future[JobResult] | None = None
        """What the executor has returned for it."""
        self.executor: Executor | None = None
        self.is_cancelled = False
        self.is_for_next = False
        """Whether the next pool on the state carries it on, if it does not end."""
        self.is_over = False
        """Whether its end is decided; its future may hear of it later."""
        self.key = ""
        """By which it is recorded."""
        self.row: int | None = None
        """Where it is recorded."""
        self.recorded: int | None = None
        """Where its last attempt is recorded."""

    @property
    def can_look_up(self) -> bool:
        """Whether it is known where an attempt was that has not returned."""
        return self.row is not None

    def ticket(self, state: State | None, home: str) -> Ticket:
        """Return what its next attempt has to know, which is recorded as begun."""
        record, identity = None, self.name
        if state is not None and self.row is not None:
            identity = f"{os.path.realpath(state.path)}#{self.key}"
            attempt = state.begin(self.row, self.attempts, home, self.thread_id)
            record, self.recorded = Record(state.path, attempt), attempt
        return Ticket(
            attempts=self.attempts,
            queued_at=self.queued_at,
            thread_id=self.thread_id,
            known=self.known,
            client=self.client,
            record=record,
            tree=name_of(self.job.key, identity),
            base=None if self.worktree is None else self.worktree.base_commit,
            pool=os.getpid(),
        )

    def carry_on(self, last: AttemptRow) -> None:
        """Note where the last attempt has left off, as it is recorded."""
        self.attempts, self.recorded, self.thread_id = last.number, last.id, last.thread_id
        self.known = () if last.result is None else last.result.results
        self.worktree = None if last.result is None else last.result.worktree

    def note(self, result: JobResult) -> None:
        """Note how far an attempt has come that is not the last one."""
        if len(result.results) > len(self.known) or result.thread_id != self.thread_id:
            self.losses = 0
        self.thread_id, self.worktree = result.thread_id, result.worktree or self.worktree
        self.attempts = max(self.attempts, result.attempts)
        seen = {each.id: each for each in (*self.known, *result.results)}
        self.known = tuple(seen.values())

    def stopped_result(self) -> JobResult:
        """Return the result of a job that is cancelled before it is started."""
        return JobResult(
            job=self.job,
            status="stopped",
            stopped="cancelled",
            results=self.known,
            thread_id=self.thread_id,
            worktree=self.worktree,
            attempts=self.attempts,
            queued_at=self.queued_at,
            ended_at=time.time(),
        )
