"""What a pool does with the outcome of an attempt: it is the result, or the job is carried on."""

from __future__ import annotations

import time
from concurrent.futures import BrokenExecutor, CancelledError
from typing import Literal, TypeAlias

import attrs

from openai_codex._jobs import dask
from openai_codex._jobs.entry import Entry
from openai_codex._jobs.failure import JobError
from openai_codex._jobs.outcomes import is_limit, is_lost
from openai_codex._jobs.result import JobResult
from openai_codex._runtime.backoff import Backoff

# A job that is lost so often in succession, without a turn more, may be what kills its runtime or worker.
_MOST_LOSSES = 5

_BACKOFF = Backoff(0.1, 5.0, 0.2)

# Where the provider does not say when a usage limit resets, it is tried again after so many seconds.
_UNKNOWN_RESET = 300.0

# A limit to the second: the provider's clock may differ.
_MARGIN = 1.0

Then: TypeAlias = Literal["done", "again", "limit"]


@attrs.frozen
class Decision:
    """What follows.

    Attributes:
        then: ``done``: the outcome is the result; ``again``: another attempt looks up what there is, and carries on;
            ``limit``: so it does, after the reset of a usage limit.
        result: The result.
        delay: How long to wait before, in seconds.
        until: When the limit resets, in seconds since the epoch.
    """

    then: Then
    result: JobResult
    delay: float = 0.0
    until: float = 0.0


def decide(entry: Entry, result: JobResult) -> Decision:
    """Decide about the result of an attempt. A job that was lost is counted."""
    error = result.error
    if is_limit(error) and not _is_bound(entry) and not entry.is_cancelled:
        resets_at: int | None = getattr(error, "resets_at", None)
        reset = time.time() + _UNKNOWN_RESET if resets_at is None else resets_at + _MARGIN
        return Decision("limit", result, until=reset)
    if not _is_lost(entry, result) or entry.is_cancelled:
        return Decision("done", result)
    entry.losses += 1
    if entry.losses >= _MOST_LOSSES:
        return Decision("done", result)
    return Decision("again", result, delay=_BACKOFF.delay(entry.losses))


def lost(entry: Entry, error: BaseException) -> JobResult:
    """Return a result that stands for an attempt without one: its worker is gone, or was never reached."""
    reason = f"its worker has not returned a result: {type(error).__name__}: {error}"
    return attrs.evolve(
        entry.stopped_result(), status="failed", stopped=None, error=JobError("worker", reason), process=None
    )


def leaves_open(error: BaseException) -> bool:
    """Return whether an error of an executor does not tell that the attempt has ended in its process, which may still run.

    A pool is broken before its processes are ended; a cluster goes on with a task whose future was cancelled, and takes a
    worker for dead that it cannot reach.
    """
    return isinstance(error, (BrokenExecutor, CancelledError)) or dask.is_own(error)


def _is_bound(entry: Entry) -> bool:
    """Return whether a job cannot be carried on by another attempt: its thread cannot be looked up."""
    return bool(entry.job.thread.get("ephemeral"))


def _is_lost(entry: Entry, result: JobResult) -> bool:
    if isinstance(result.error, JobError) and result.error.kind == "worker":
        return entry.can_look_up or entry.job.idempotent
    return is_lost(result.error)
