"""Try again when the runtime or the provider is overloaded, for operations of either face."""

from __future__ import annotations

import inspect
import time
from typing import TYPE_CHECKING, Any, TypeVar, cast

from openai_codex import _checks as checks
from openai_codex._runtime.backoff import Attempts, Backoff
from openai_codex._runtime.backoff import is_retryable_error as is_retryable_error

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")


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
    if not callable(op):
        raise checks.refusal("op", op, "a function without arguments")
    backoff = Backoff(
        checks.finite_seconds("initial_delay_s", initial_delay_s, above_zero=False),
        checks.finite_seconds("max_delay_s", max_delay_s, above_zero=False),
        checks.number("jitter_ratio", jitter_ratio, 0, 1),
    )
    deadline = time.monotonic() + checks.seconds("timeout", timeout)
    attempts = Attempts(checks.count("max_attempts", max_attempts), backoff, deadline)
    while True:
        try:
            outcome: Any = op()
        except Exception as error:  # noqa: BLE001  `delay_after` raises it again unless it passes by itself
            time.sleep(attempts.delay_after(error))
        else:
            return cast("T", _retry_awaitable(op, outcome, attempts)) if inspect.isawaitable(outcome) else outcome


async def _retry_awaitable(op: Callable[[], Any], outcome: Awaitable[Any], attempts: Attempts) -> Any:
    from openai_codex._async.client._wait import sleep

    while True:
        try:
            return await outcome
        except Exception as error:  # noqa: BLE001  as above
            await sleep(attempts.delay_after(error))
        outcome = op()
