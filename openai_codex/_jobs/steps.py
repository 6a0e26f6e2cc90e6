"""One attempt at a job, step by step: it yields what has to be called, so that both faces carry it out."""

from __future__ import annotations

import os
import time
from collections.abc import Generator
from functools import partial
from typing import Any

import attrs

from openai_codex._config import AppServerConfig
from openai_codex._jobs.budgets import Watch
from openai_codex._jobs.clients import Clients, Ready, Slot, Steps
from openai_codex._jobs.failure import JobError
from openai_codex._jobs.git import beside, isolated
from openai_codex._jobs.job import Job
from openai_codex._jobs.outcomes import is_limit, is_lost
from openai_codex._jobs.prepared import Prepared, prepare
from openai_codex._jobs.processes import home_of
from openai_codex._jobs.prompts import Prompts, decode_last
from openai_codex._jobs.records import Recorder
from openai_codex._jobs.result import JobResult, JobStatus
from openai_codex._jobs.rows import Record
from openai_codex._jobs.stored import Progress, is_answered, look_up
from openai_codex._jobs.tree import Tree
from openai_codex._log import Log
from openai_codex._turns.results import RunResult
from openai_codex.errors import CodexError, ThreadBusyError, TransportError

# How long a thread may stay open in the process of an earlier attempt, in seconds, and how often to look.
_BUSY_FOR, _BUSY_POLL = 600.0, 0.2

# What a thread that is continued is told again: the runtime has stored everything else.
_ON_RESUME = frozenset({"config", "service_tier"})

_log = Log("jobs")


@attrs.frozen(kw_only=True)
class Ticket:
    """What an attempt has to know beside the job. It can be pickled."""

    attempts: int = 1
    """Which attempt it is."""
    queued_at: float | None = None
    thread_id: str | None = None
    """The thread of earlier attempts."""
    known: tuple[RunResult[Any], ...] = ()
    """The results that earlier attempts have seen."""
    client: int = 0
    """Which of several clients carries it out."""
    record: Record | None = None
    """Where it is recorded."""
    tree: str = ""
    """The name of its worktree."""
    base: str | None = None
    """The commit with which its worktree began in an earlier attempt."""
    pool: int | None = None
    """The id of the process of its pool."""


class Attempt:
    """One attempt at a job."""

    def __init__(self, clients: Clients, ready: Ready, config: AppServerConfig, job: Job, ticket: Ticket) -> None:
        self.watch = Watch()
        """What it uses; stops it."""
        self._clients, self._ready, self._config, self._job, self._ticket = clients, ready, config, job, ticket
        self._began_at, self._began = time.time(), time.monotonic()
        self._number = ticket.attempts
        self._recorder = Recorder(ticket.record)
        self._thread_id = ticket.thread_id
        self._results: list[RunResult[Any]] = []
        self.watch.limit = job.max_tokens
        self._tree = None if job.repo is None else Tree(job, ticket.tree, ticket.base)
        if self._tree is not None:
            self._config = isolated(config)

    def steps(self) -> Generator[Any, Any, JobResult]:
        """Carry the job out. It raises what is not a failure of the job: the end of the program, a cancellation."""
        try:
            result = yield from self._carried_out()
            return self._recorded(result)
        finally:
            try:
                if self._tree is not None:
                    self._tree.give_up()
            finally:  # last: from then on another attempt may begin
                self._recorder.leave()

    def _carried_out(self) -> Generator[Any, Any, JobResult]:
        error: CodexError | None = None
        try:
            prepared = prepare(self._job)
            earlier = yield from self._recorder.enter(self._ready, self.watch.over)
            self._number = earlier.attempts or self._number
            if earlier.result is not None:
                return attrs.evolve(earlier.result, attempts=self._number, queued_at=self._ticket.queued_at)
            self._thread_id = earlier.thread_id or self._thread_id
            if self._tree is not None:
                yield from beside(self._ready, self._tree.open)
            if self._tree is None or not self.watch.stopped:
                yield from self._with_client(prepared)
        except CodexError as failure:
            error = failure
        except Exception as failure:  # noqa: BLE001  of code of the program, such as the constructor of an output
            _log.warning("codex.job_raised", key=self._job.key, exc_info=failure)
            error = JobError("raised", f"{type(failure).__name__}: {failure}")
        result = self._result(error)
        if self._tree is not None:
            is_over = not (is_lost(error) or is_limit(error))
            worktree = yield from beside(self._ready, partial(self._tree.close, is_over=is_over))
            result = attrs.evolve(result, worktree=worktree, ended_at=time.time())
        return result

    def _recorded(self, result: JobResult) -> JobResult:
        try:
            self._recorder.end(result)
        except Exception as failure:  # noqa: BLE001  whatever it is, the pool gets the result
            _log.warning("codex.job_state_failed", key=self._job.key, reason=str(failure))
        return result

    def _result(self, error: CodexError | None) -> JobResult:
        stopped = self.watch.stopped if error is None else None
        answered = [each for each in self._results if is_answered(each)]
        # A limit that only the last answer has exceeded has stopped nothing.
        if stopped is not None and len(answered) == len(self._job.prompts):
            stopped = None
        status: JobStatus = "failed" if error is not None else "completed" if stopped is None else "stopped"
        totals = [each.usage.total.total_tokens for each in self._results if each.usage is not None]
        return JobResult(
            job=self._job,
            status=status,
            results=tuple(self._results),
            error=error,
            stopped=stopped,
            thread_id=self._thread_id,
            tokens=max([*totals, *([] if self.watch.tokens is None else [self.watch.tokens])], default=None),
            attempts=self._number,
            process=os.getpid(),
            queued_at=self._ticket.queued_at,
            started_at=self._began_at,
            ended_at=time.time(),
        )

    # -- client and thread -------------------------------------------------------------------------------------------

    def _with_client(self, prepared: Prepared) -> Steps:
        slot = yield from self._clients.enter(self._config, self._ticket.client, self)
        try:
            yield from self._with_thread(slot, prepared)
        except BaseException as error:
            # A runtime that has lost a job is not given another one. Others may still get their errors from it.
            is_lost = isinstance(error, TransportError) and not getattr(error, "will_restart", False)
            yield from self._clients.leave(slot, self, retire=is_lost or is_limit(error))
            raise
        yield from self._clients.leave(slot, self)

    def _with_thread(self, slot: Slot, prepared: Prepared) -> Steps:
        progress = Progress()
        if self._thread_id is not None:
            progress = yield from self._look_up(slot.client, self._thread_id)
            self._thread_id = progress.thread_id
        self._results += progress.finished
        if len(self._results) >= len(self._job.prompts):
            decode_last(self._results, prepared)
            return
        is_resumed = self._thread_id is not None
        thread = yield from self._open(slot.client, prepared)
        if is_resumed:
            # Again: until now, the process of an earlier attempt may have had the thread.
            progress = yield from self._look_up(slot.client, thread.id)
            self._results[:] = progress.finished
        if thread.id != self._ticket.thread_id:
            self._recorder.note_thread(thread.id)
        self._thread_id = thread.id
        self.watch.follow(slot.budgets.connection, thread.id)
        slot.budgets.watches[thread.id] = self.watch
        try:
            prompts = Prompts(self._job, self.watch, self._ready, prepared, self._began)
            yield from prompts.run(thread, progress, self._results)
        finally:
            slot.budgets.watches.pop(thread.id, None)
            self.watch.leave()
        try:
            yield thread.close
        except CodexError as error:  # the work is done
            _log.info("codex.job_thread_left_open", key=self._job.key, thread_id=thread.id, reason=str(error))

    def _look_up(self, client: Any, thread_id: str) -> Generator[Any, Any, Progress]:
        return look_up(client, self._job, thread_id, self._ticket.known, home_of(self._config))

    def _open(self, client: Any, prepared: Prepared) -> Steps:
        cwd = self._job.cwd if self._tree is None else self._tree.directory
        if self._thread_id is None:
            arguments = {**self._job.thread, "tools": prepared.tools or None, "cwd": cwd}
            thread = yield partial(client.thread_start, **arguments)
            return thread
        arguments = {name: value for name, value in self._job.thread.items() if name in _ON_RESUME}
        until = time.monotonic() + _BUSY_FOR
        while True:
            try:
                thread = yield partial(client.thread_resume, self._thread_id, tools=prepared.tools or None, **arguments)
            except ThreadBusyError:
                # The process of an earlier attempt has not ended yet.
                if time.monotonic() > until or self.watch.stopped:
                    raise
                yield partial(self._ready, self.watch.over, _BUSY_POLL)
            else:
                return thread
