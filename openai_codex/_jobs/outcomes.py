"""Which results of an attempt are those of the job, and which only say that it has to be carried on."""

from __future__ import annotations

from openai_codex import _protocol as protocol
from openai_codex._jobs.failure import JobError
from openai_codex._jobs.result import JobResult
from openai_codex.errors import LaunchError, RuntimeNotFoundError, TransportClosedError, TurnFailedError

# The same, of errors of which only the text is left.
_LOST_KINDS = frozenset({"worker", "LaunchError", "RuntimeFrozenError", "TransportClosedError"})


def is_lost(error: BaseException | None) -> bool:
    """Return whether a job has failed with its runtime or its worker, and not by itself."""
    if isinstance(error, JobError):
        return error.kind in _LOST_KINDS
    return isinstance(error, (TransportClosedError, LaunchError)) and not isinstance(error, RuntimeNotFoundError)


def is_limit(error: BaseException | None) -> bool:
    """Return whether a turn failed because a usage limit was reached."""
    kind = protocol.CodexErrorKind.usage_limit_exceeded
    if isinstance(error, JobError):
        return error.facts.get("codex_error_info") == kind.value
    return isinstance(error, TurnFailedError) and error.codex_error_info == kind


def is_final(result: JobResult) -> bool:
    """Return whether a result is that of the job, unless a pool knows better."""
    return not (is_lost(result.error) or is_limit(result.error) or result.stopped == "cancelled")
