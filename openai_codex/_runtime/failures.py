"""Which failures pass by themselves, and when: one table of all kinds of failure that the protocol has."""

from __future__ import annotations

import time

from openai_codex import _codec as codec
from openai_codex.errors import RetryLimitExceededError, ServerBusyError, TurnFailedError

NEVER, SOON, AT_RESET, BY_STATUS, BY_MESSAGE = "never", "soon", "at reset", "by status", "by message"

# Every kind of `CodexErrorInfo`, in the wire's spelling. A test holds the table complete.
PASSES = {
    "contextWindowExceeded": NEVER,
    "sessionBudgetExceeded": NEVER,
    "usageLimitExceeded": AT_RESET,
    "rateLimitExceeded": SOON,
    "flexUnavailable": SOON,
    "serverOverloaded": SOON,
    "cyberPolicy": NEVER,
    "misalignmentPolicyViolation": NEVER,
    "tooManyDenials": NEVER,
    "internalServerError": SOON,
    "unauthorized": NEVER,
    "badRequest": NEVER,
    "threadRollbackFailed": NEVER,
    "sandboxError": NEVER,
    "other": BY_MESSAGE,
    "httpConnectionFailed": BY_STATUS,
    "responseStreamConnectionFailed": BY_STATUS,
    "responseStreamDisconnected": BY_STATUS,
    "responseTooManyFailedAttempts": BY_STATUS,
    "activeTurnNotSteerable": NEVER,
}

# The HTTP statuses below 500 that ask to come again.
_PASSING_STATUSES = frozenset({408, 425, 429})

# The only error text that this package reads: the runtime reports a stream that was cut as `other`, as it does a bad
# request, and nothing else in the error differs.
_CUT_STREAM = ("stream disconnected before completion", "idle timeout waiting for SSE")


def is_retryable_error(exc: BaseException) -> bool:
    """Return whether the same operation may succeed now, because its failure passes by itself.

    True for the runtime's own overload reply (`ServerBusyError`, -32001: the request was not carried out), and for a
    turn that failed because the provider was overloaded, limited the rate, answered with HTTP 408, 425, 429 or 5xx,
    could not be reached, or cut its stream. True for a usage limit only after its known reset. False for everything
    else, for instance HTTP 401, and for kinds of failure that this version does not know.
    """
    return seconds_until_retry(exc) == 0


def seconds_until_retry(exc: BaseException) -> float | None:
    """Return how long the failure lasts at least, in seconds: 0 if it may have passed, ``None`` if it does not pass."""
    if isinstance(exc, TurnFailedError):
        return _turn_failure(exc)
    busy = isinstance(exc, ServerBusyError) and not isinstance(exc, RetryLimitExceededError)
    return 0.0 if busy else None


def _turn_failure(error: TurnFailedError) -> float | None:
    kind, status = _kind_and_status(error)
    passes = PASSES.get(kind, NEVER)
    if passes == AT_RESET:
        return None if error.resets_at is None else max(0.0, error.resets_at - time.time())
    if passes == BY_STATUS:
        # Without a status there was no answer: the provider could not be reached, or the stream ended.
        soon = status is None or status in _PASSING_STATUSES or status >= 500  # noqa: PLR2004  HTTP's server errors
    elif passes == BY_MESSAGE:
        soon = error.message.startswith(_CUT_STREAM)
    else:
        soon = passes == SOON
    return 0.0 if soon else None


def _kind_and_status(error: TurnFailedError) -> tuple[str, int | None]:
    """Return the kind of a failure in the wire's spelling, and its HTTP status if it has one."""
    # In its JSON form every variant looks alike, also one of a later runtime.
    info = codec.unstructure(error.codex_error_info)
    if isinstance(info, str):
        return info, None
    if not isinstance(info, dict) or len(info) != 1:
        return "", None
    ((kind, details),) = info.items()
    status = details.get("httpStatusCode") if isinstance(details, dict) else None
    return kind, status if isinstance(status, int) else None
