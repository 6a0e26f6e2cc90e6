"""Try again when the runtime or the provider is overloaded: what counts as such, how long to wait, when to give up."""

from __future__ import annotations

import inspect
import random
import time
from typing import TYPE_CHECKING, Any, TypeVar, cast

import attrs

from openai_codex.errors import JsonRpcError, RetryLimitExceededError, ServerBusyError, TurnFailedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")

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


def retry_on_overload(
    op: Callable[[], T],
    *,
    max_attempts: int = 3,
    initial_delay_s: float = 0.25,
    max_delay_s: float = 2.0,
    jitter_ratio: float = 0.2,
    timeout: float | None = None,
) -> T:
    """Run an operation, and again while `is_retryable_error` says so: with exponential back-off and jitter.

    Works for both faces: when ``op`` returns an awaitable, so does this.

        result = retry_on_overload(lambda: thread.run("Hello"))
        result = await retry_on_overload(lambda: thread.run("Hello"))

    Args:
        op: the operation; called anew for each attempt.
        max_attempts: how many attempts at the most.
        initial_delay_s: the wait before the second attempt, in seconds; it doubles each time.
        max_delay_s: the longest wait, in seconds, before jitter.
        jitter_ratio: by which part a wait is made longer or shorter at random: 0.2 means up to a fifth.
        timeout: no further attempt starts after so many seconds; ``None``: only ``max_attempts`` counts.

    Raises `RetryLimitExceededError` when the runtime is still overloaded in the end, the turn's own `TurnFailedError`
    when the provider is, and any other error of ``op`` at once. Cancelling ends the wait and the operation.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    patience = _Patience(max_attempts, initial_delay_s, max_delay_s, jitter_ratio, deadline)
    while True:
        try:
            outcome: Any = op()
        except Exception as error:  # noqa: BLE001  the patience raises it again unless it passes
            time.sleep(patience.delay_after(error))
        else:
            return cast("T", _retry_awaitable(op, outcome, patience)) if inspect.isawaitable(outcome) else outcome


async def _retry_awaitable(op: Callable[[], Any], outcome: Awaitable[Any], patience: _Patience) -> Any:
    from openai_codex._async._wait import sleep

    while True:
        try:
            return await outcome
        except Exception as error:  # noqa: BLE001  as above
            await sleep(patience.delay_after(error))
        outcome = op()


@attrs.define
class _Patience:
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
