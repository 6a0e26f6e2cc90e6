"""The state of a pool in an SQLite file: a row for each job, and one for each attempt at it.

The pool's process writes the rows of jobs, and that an attempt begins; the process that carries the attempt out writes its
thread, before the first turn is sent, and its end. Each is one statement, which is stored when it returns, so the death of a
process loses none. (After a loss of power, the last moments may be missing.)
"""

from __future__ import annotations

import itertools
import json
import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from openai_codex._engine.waiting import Deadline
from openai_codex._jobs.failure import JobError
from openai_codex._jobs.job import Job
from openai_codex._jobs.processes import ProcessName
from openai_codex._jobs.result import JobResult
from openai_codex._jobs.rows import APPLICATION, FORMAT, TABLES, AttemptRow, JobRow
from openai_codex.errors import ConfigError

T = TypeVar("T")
V = TypeVar("V", Job, JobResult)

# How long a writer waits for another process, in seconds.
_PATIENCE = 30.0

# SQLITE_BUSY, and after how long to try again, in seconds.
_BUSY, _PAUSE = 5, 0.001


class State:
    """One file, as this process has it open. Any thread may use it."""

    def __init__(self, path: str, *, is_read_only: bool = False) -> None:
        self.path = path
        self._process = os.getpid()
        name = f"{Path(path).as_uri()}?mode={'ro' if is_read_only else 'rwc'}"
        try:
            if not is_read_only:
                # For the user alone: prompts and answers are in it. What SQLite puts beside it gets the same mode. A file
                # that is there is not opened: to close it would end the locks that SQLite has on it in this process.
                with suppress(FileExistsError):
                    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
            # No transaction outlasts a statement. SQLite itself has threads wait for each other.
            self._db = sqlite3.connect(name, timeout=_PATIENCE, isolation_level=None, check_same_thread=False, uri=True)
            try:
                self._prepare(is_read_only=is_read_only)
            except BaseException:
                self._db.close()
                raise
        except JobError as error:
            raise ConfigError("state", error.reason) from error
        except (OSError, sqlite3.Error) as error:
            raise ConfigError("state", _unusable(path, error)) from error

    def _prepare(self, *, is_read_only: bool) -> None:
        found = self._value("PRAGMA application_id"), self._value("PRAGMA user_version")
        if found != (APPLICATION, FORMAT):
            if is_read_only or found != (0, 0) or self._value("SELECT count(*) FROM sqlite_master"):
                raise ConfigError("state", f"{self.path!r} is not the state of a pool, or that of another version")
            self._run(f"PRAGMA application_id = {APPLICATION}")
            self._run(f"PRAGMA user_version = {FORMAT}")
        if is_read_only:
            return
        # Readers and the writer do not wait for each other, and nothing is written twice.
        self._run("PRAGMA journal_mode = WAL")
        self._run("PRAGMA synchronous = NORMAL")
        for table in TABLES:
            self._run(table)
        # Only one process adds attempts.
        self._numbers = itertools.count(1 + (self._value("SELECT max(id) FROM attempts") or 0))

    def close(self) -> None:
        """Close the file. Harmless in a forked child, which leaves the connection of its parent alone."""
        if _open.get((self._process, self.path)) is self:
            _open.pop((self._process, self.path), None)
        if self._process == os.getpid():
            self._db.close()

    # -- jobs --------------------------------------------------------------------------------------------------------

    def add(self, key: str, job: Job, queued_at: float) -> JobRow:
        """Record a job, unless its key is there; return what there is."""
        text = json.dumps(job.to_dict())
        self._run(
            "INSERT INTO jobs (key, job, status, queued_at) VALUES (?, ?, 'waiting', ?) ON CONFLICT (key) DO NOTHING",
            *(key, text, queued_at),
        )
        return self.jobs("WHERE key = ?", key)[0]

    def unfinished(self) -> list[JobRow]:
        """Return the jobs that are not finished, in the order in which they came."""
        return self.jobs("WHERE result IS NULL ORDER BY id")

    def jobs(self, condition: str = "ORDER BY id", *values: object) -> list[JobRow]:
        """Return jobs that a condition selects."""
        # The condition is one of this package.
        rows = self._run("SELECT id, key, job, status, queued_at, result FROM jobs " + condition, *values)  # noqa: S608
        return [
            JobRow(id_, key, self._read(Job, job), status, queued_at, self._result(result))
            for id_, key, job, status, queued_at, result in rows
        ]

    def finish(self, row: int, result: JobResult) -> None:
        """Record the result of a job. It is not carried out again."""
        text = json.dumps(result.to_dict())
        self._run(
            "UPDATE jobs SET status = ?, result = ?, ended_at = ? WHERE id = ?", result.status, text, time.time(), row
        )

    def note(self, row: int, status: str) -> None:
        """Record the status of a job that is not finished."""
        self._run("UPDATE jobs SET status = ? WHERE id = ?", status, row)

    # -- attempts ----------------------------------------------------------------------------------------------------

    def begin(self, row: int, number: int, home: str, thread_id: str | None) -> int:
        """Record that an attempt is started, and return its row."""
        attempt = next(self._numbers)
        self._run(
            "INSERT INTO attempts (id, job_id, number, home, status, started_at, thread_id)"
            " VALUES (?, ?, ?, ?, 'started', ?, ?)",
            *(attempt, row, number, home, time.time(), thread_id),
        )
        self.note(row, "running")
        return attempt

    def enter(self, attempt: int) -> AttemptRow | None:
        """Record which process carries an attempt out, unless another attempt at the job has begun, or it is withdrawn.

        A cluster that has lost a worker carries the same attempt out again, on another one: it counts as one more.

        Returns what was recorded before; ``None`` if it must not be carried out.
        """
        found, own = self.attempt(attempt), ProcessName.current()
        # Asked and written in one step: the process that begins another attempt sees it, or is seen.
        is_entered = self._change(
            "UPDATE attempts SET host = ?, pid = ?, process_started = ?, ended_at = NULL,"
            " number = number + (host IS NOT NULL) WHERE id = ? AND status <> 'withdrawn' AND NOT EXISTS (SELECT 1 FROM"
            " attempts AS later WHERE later.job_id = attempts.job_id AND later.id > attempts.id)",
            *(own.host, own.pid, own.started, attempt),
        )
        return found if is_entered else None

    def withdraw(self, attempt: int) -> bool:
        """Have no process carry an attempt out; return whether none has begun."""
        return self._change(
            "UPDATE attempts SET status = 'withdrawn', ended_at = ? WHERE id = ? AND host IS NULL", time.time(), attempt
        )

    def note_thread(self, attempt: int, thread_id: str | None) -> None:
        """Record the thread of an attempt, before anything is sent to it."""
        self._run("UPDATE attempts SET thread_id = ? WHERE id = ?", thread_id, attempt)

    def end(self, attempt: int, status: str, result: JobResult) -> None:
        """Record the end of an attempt."""
        text = json.dumps(result.to_dict())
        self._run(
            "UPDATE attempts SET status = ?, result = ?, ended_at = ? WHERE id = ?", status, text, time.time(), attempt
        )

    def abandon(self, attempt: int) -> None:
        """Record that an attempt has ended without a result: its process does not have to be waited for."""
        self._run(
            "UPDATE attempts SET status = 'lost', ended_at = ? WHERE id = ? AND ended_at IS NULL", time.time(), attempt
        )

    def attempt(self, attempt: int) -> AttemptRow | None:
        """Return an attempt."""
        return next(iter(self._attempts("WHERE id = ?", attempt)), None)

    def attempts_until(self, attempt: int) -> list[AttemptRow]:
        """Return an attempt and all earlier ones at its job, the newest first."""
        return self._attempts(
            "WHERE id <= ? AND job_id = (SELECT job_id FROM attempts WHERE id = ?) ORDER BY id DESC", attempt, attempt
        )

    def last_attempt(self, row: int) -> AttemptRow | None:
        """Return the last attempt at a job."""
        return next(iter(self._attempts("WHERE job_id = ? ORDER BY id DESC LIMIT 1", row)), None)

    def _attempts(self, condition: str, *values: object) -> list[AttemptRow]:
        statement = (
            "SELECT id, number, home, status, started_at, ended_at, thread_id, result, host, pid, process_started"
            " FROM attempts "
        )
        return [self._attempt(row) for row in self._run(statement + condition, *values)]

    # -- values ------------------------------------------------------------------------------------------------------

    def _attempt(self, row: Any) -> AttemptRow:
        host, pid, process_started = row[-3:]
        process = None if host is None else ProcessName(host, pid, process_started)
        values: list[Any] = [*row[:-4], self._result(row[-4]), process]
        return AttemptRow(*values)

    def _result(self, text: str | None) -> JobResult | None:
        return None if text is None else self._read(JobResult, text)

    def _read(self, kind: type[V], text: str) -> V:
        """Return what is stored as JSON. Raises `JobError`: another version may have written what this one does not know."""
        try:
            return kind.from_dict(json.loads(text))
        except (ValueError, TypeError, RecursionError) as error:  # among them `ConfigError`
            raise JobError(
                "state", _unusable(self.path, f"this version cannot read one of its rows: {error}")
            ) from error

    # -- SQL ---------------------------------------------------------------------------------------------------------

    def _run(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        return self._executed(lambda: self._db.execute(statement, values).fetchall())

    def _change(self, statement: str, *values: object) -> bool:
        """Run a statement that changes at most one row; return whether it has."""
        return self._executed(lambda: self._db.execute(statement, values).rowcount == 1)

    def _executed(self, execute: Callable[[], T]) -> T:
        deadline = Deadline(_PATIENCE)
        while True:
            try:
                return execute()
            except sqlite3.Error as error:
                # SQLite waits for other processes, but not if another thread reads by this connection what one of them
                # has changed since: the read has to end first. Python 3.10 does not tell the kind, which is the first byte:
                # a full disk is reported late there.
                kind = getattr(error, "sqlite_errorcode", _BUSY) & 0xFF
                if not isinstance(error, sqlite3.OperationalError) or kind != _BUSY or deadline.passed():
                    raise JobError("state", _unusable(self.path, error)) from error
            time.sleep(_PAUSE)

    def _value(self, statement: str) -> Any:
        return self._run(statement)[0][0]


# The files that a process has open. A forked child opens its own.
_open: dict[tuple[int, str], State] = {}


def opened(path: str) -> State:
    """Return the state in a file, which stays open in this process. Raises `ConfigError`, or a `JobError` for its faults."""
    key = os.getpid(), path
    state = _open.get(key)
    if state is None:
        _close_removed()
        made = State(path)
        state = _open.setdefault(key, made)
        if state is not made:  # another thread has opened it meanwhile
            made.close()
    return state


def _close_removed() -> None:
    """Close what is open of files that are gone: those of pools without a state end with them, and a worker does not."""
    for _, path in list(_open):
        if not os.path.exists(path) and (state := _open.get((os.getpid(), path))) is not None:  # noqa: PTH110  no Path is needed
            state.close()


def reading(path: str) -> State:
    """Return the state in a file, to be read only. Raises `ConfigError` if there is none."""
    return State(path, is_read_only=True)


def _unusable(path: str, reason: object) -> str:
    return f"{path!r} cannot be used: {reason}"
