"""What overload is, and how long to wait before the next attempt. It waits for nothing itself."""

from __future__ import annotations

import random
import time

import attrs

from openai_codex.errors import JsonRpcError, RetryLimitExceededError, ServerBusyError, TurnFailedError

# What a turn may fail of that passes by itself (`CodexErrorInfo`).
_PASSING = frozenset({"serverOverloaded", "rateLimitExceeded", "flexUnavailable"})


def is_retryable_error(exc: BaseException) -> bool:
    """Say whether the same operation may succeed later, because something was overloaded.

    True for the runtime's own overload reply (`ServerBusyError`, -32001: the request was not carried out) and for a
    turn that failed since the provider was overloaded or limited the rate. A usage limit does not pass so soon.
    """
    if isinstance(exc, TurnFailedError):
        return exc.codex_error_info in _PASSING
    return isinstance(exc, ServerBusyError) and not isinstance(exc, RetryLimitExceededError)


@attrs.define
class Patience:
    """Counts the attempts of one operation and says how long to wait before the next."""

    attempts_left: int
    next_delay: float
    max_delay: float
    jitter_ratio: float
    deadline: float | None

    def delay_after(self, error: Exception) -> float:
        """Return the seconds to wait after a failed attempt; raise if there should be no other."""
        if not is_retryable_error(error):
            raise error
        self.attempts_left -= 1
        delay = min(self.next_delay, self.max_delay) * random.uniform(1 - self.jitter_ratio, 1 + self.jitter_ratio)  # noqa: S311  no secret
        self.next_delay *= 2
        if self.attempts_left < 1 or (self.deadline is not None and time.monotonic() + delay > self.deadline):
            raise _given_up(error)
        return delay


def _given_up(error: Exception) -> Exception:
    if not isinstance(error, JsonRpcError):
        return error
    limit = RetryLimitExceededError(error.code, error.message, error.data, error.method)
    limit.__cause__ = error
    return limit
