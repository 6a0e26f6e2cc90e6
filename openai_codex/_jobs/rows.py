"""The tables of a pool's state, and their rows as values. It does not know how they are kept or changed."""

from __future__ import annotations

import attrs

from openai_codex._jobs.job import Job
from openai_codex._jobs.processes import ProcessName
from openai_codex._jobs.result import JobResult

# "cdxj", and the version of the tables.
APPLICATION, FORMAT = 0x6364786A, 1

TABLES = (
    """CREATE TABLE IF NOT EXISTS jobs (
        id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, job TEXT NOT NULL, status TEXT NOT NULL,
        queued_at REAL NOT NULL, ended_at REAL, result TEXT)""",
    """CREATE TABLE IF NOT EXISTS attempts (
        id INTEGER PRIMARY KEY, job_id INTEGER NOT NULL REFERENCES jobs (id), number INTEGER NOT NULL, home TEXT NOT NULL,
        status TEXT NOT NULL, started_at REAL NOT NULL, ended_at REAL, host TEXT, pid INTEGER, process_started TEXT,
        thread_id TEXT, result TEXT)""",
    "CREATE INDEX IF NOT EXISTS attempts_by_job ON attempts (job_id)",
)


@attrs.frozen
class Record:
    """Where an attempt is recorded. It can be pickled.

    Attributes:
        path: The file.
        attempt: The row of the attempt.
    """

    path: str
    attempt: int


@attrs.frozen
class AttemptRow:
    """What is recorded of an attempt."""

    id: int
    number: int
    home: str
    status: str
    started_at: float
    ended_at: float | None
    thread_id: str | None
    result: JobResult | None
    process: ProcessName | None


@attrs.frozen
class JobRow:
    """What is recorded of a job."""

    id: int
    key: str
    job: Job
    status: str
    queued_at: float
    result: JobResult | None
