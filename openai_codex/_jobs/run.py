"""`run_job`: carries out a job in this process, with a client that stays open for the next one."""

from __future__ import annotations

import os

from openai_codex import _checks as checks
from openai_codex._config import AppServerConfig
from openai_codex._jobs.clients import Clients
from openai_codex._jobs.job import Job
from openai_codex._jobs.lifetime import carrying_out
from openai_codex._jobs.prepared import prepare
from openai_codex._jobs.result import JobResult
from openai_codex._jobs.steps import Attempt, Ticket
from openai_codex._jobs.worktree import name_of
from openai_codex._sync.client._wait import ready
from openai_codex._sync.codex import Codex
from openai_codex._sync.driving import drive
from openai_codex.errors import ConfigError

_clients = Clients(lambda config: Codex(config).__enter__(), ready)


def run_job(config: AppServerConfig | None, job: Job, *, thread_id: str | None = None) -> JobResult:
    """Carry out a job and wait for its end. It can be pickled, for any executor, queue or workflow.

    Each process keeps one client per configuration, which is started for the first job and closed when the process ends.
    After a fork, the child makes its own. Several Python threads may call this at a time; the jobs share the client then.

    Args:
        config: How to start the runtime; ``None`` means the defaults of `AppServerConfig`.
        job: The job.
        thread_id: Continue the job in this thread, that of an earlier result of it: prompts that the thread has are not
            sent again, and a turn that was interrupted or has failed is continued. The turns of the thread are counted
            and not compared: give the job whose prompts it has, from the first one on.

    Returns:
        The result. A failure of the job is in its ``error``, also if the runtime cannot be started or has died.

    Raises:
        ConfigError: An argument is not accepted, or what the job names cannot be imported. Nothing was sent.

    An exception that ends the call otherwise, such as Ctrl-C, interrupts the turn.
    """
    accepted = "an AppServerConfig or None"
    config = AppServerConfig() if config is None else checks.instance("config", config, AppServerConfig, accepted)
    checks.instance("job", job, Job, "a Job")
    prepare(job)
    known = None if thread_id is None else checks.filled("thread_id", thread_id)
    if known is not None and job.repo is not None and job.key is None:
        raise ConfigError(
            "thread_id", "a job without a key has a new worktree each time; give it a key, or cwd instead of repo"
        )
    ticket = Ticket(thread_id=known, tree=name_of(job.key, os.urandom(16).hex()))
    return drive(Attempt(_clients, ready, config, job, ticket).steps())


def attempt(config: AppServerConfig, job: Job, ticket: Ticket) -> JobResult:
    """Carry out one attempt at a job of a pool, in this process."""
    with carrying_out(ticket.pool, _close):
        return drive(Attempt(_clients, ready, config, job, ticket).steps())


def _close() -> None:
    drive(_clients.close())
