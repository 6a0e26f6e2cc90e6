"""Which failures pass by themselves, and when: one table of all kinds of failure that the protocol has."""

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING

from openai_codex import _codec as codec
from openai_codex.errors import RetryLimitExceededError, ServerBusyError, TurnFailedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openai_codex import _protocol as protocol

_UNAUTHORIZED = 401

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

# The error texts that this package reads are these two. The runtime reports a stream that was cut as `other`, as it does a bad
# request, and nothing else in the error differs.
_CUT_STREAM = ("stream disconnected before completion", "idle timeout waiting for SSE")

# And it reports when a limit resets in words only, unless the provider has sent headers about it. In its own time zone,
# to the minute, and without a date if it is the same day.
_RESET = re.compile(r"[Tt]ry again at (?:(\w{3}) (\d{1,2})\w\w, (\d{4}) )?(\d{1,2}):(\d\d) ([AP])M")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_EXHAUSTED = 100

# Variables that look like a login and are none.
_KEYS = ("OPENAI_API_KEY", "CODEX_API_KEY")


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
    kind, status = _kind_and_status(error.codex_error_info)
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


def _kind_and_status(info: protocol.CodexErrorInfo | None) -> tuple[str, int | None]:
    """Return the kind of a failure in the wire's spelling, and its HTTP status if it has one."""
    # In its JSON form every variant looks alike, also one of a later runtime.
    json = codec.unstructure(info)
    if isinstance(json, str):
        return json, None
    if not isinstance(json, dict) or len(json) != 1:
        return "", None
    ((kind, details),) = json.items()
    status = details.get("httpStatusCode") if isinstance(details, dict) else None
    return kind, status if isinstance(status, int) else None


def reset_time(limits: protocol.RateLimitSnapshot | None, message: str, zone: str | None = None) -> int | None:
    """Return when an exceeded usage limit resets, in seconds since the epoch; ``None`` if that is unknown.

    That is when the last exhausted window resets, by the newest limits that the runtime has reported, else what its
    message says: to the minute, rounded up. ``zone`` is the time zone of the runtime, ``None`` that of this program.
    """
    windows = () if limits is None else (limits.primary, limits.secondary)
    exhausted = [window.resets_at for window in windows if window is not None and window.used_percent >= _EXHAUSTED]
    known = max((time for time in exhausted if time is not None), default=None)
    return _time_in(message, _zone(zone)) if known is None else known


def _time_in(message: str, zone: tzinfo | None) -> int | None:
    found = _RESET.search(message)
    if found is None:
        return None
    now = datetime.now(timezone.utc).astimezone(zone)
    month, day, year, hour, minute, half = found.groups()
    try:
        date = (int(year), _MONTHS.index(month) + 1, int(day)) if year else (now.year, now.month, now.day)
        local = datetime(*date, int(hour) % 12 + 12 * (half == "P"), int(minute), tzinfo=zone)
        return int(local.timestamp() + timedelta(minutes=1).total_seconds())
    except (ValueError, OverflowError):
        return None


def _zone(name: str | None) -> tzinfo | None:
    from zoneinfo import ZoneInfo

    try:
        return None if name is None else ZoneInfo(name.removeprefix(":"))
    except (ValueError, OSError, KeyError):  # a zone that only the system knows
        return None


def hint_for(error: protocol.TurnError | None, environment: Mapping[str, str]) -> str | None:
    """Return what a program may have overlooked whose turn failed for want of a login."""
    name = next((name for name in _KEYS if environment.get(name)), None)
    if name is None or error is None:
        return None
    kind, status = _kind_and_status(error.codex_error_info)
    if kind != "unauthorized" and status != _UNAUTHORIZED:
        return None
    return f"the runtime does not use {name} of the environment: pass it to login_api_key"
