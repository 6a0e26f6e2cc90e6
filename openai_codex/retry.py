"""Try again when the runtime or the provider is overloaded, for operations of either face."""

from __future__ import annotations

import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

from openai_codex import _checks as checks
from openai_codex._runtime.backoff import Attempts, Backoff
from openai_codex._runtime.failures import is_retryable_error as is_retryable_error

# Without it `help` would leave out what is defined in another module.
__all__ = ["is_retryable_error", "retry_on_overload"]

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
    """Run an operation, and repeat it with exponential back-off and jitter while `is_retryable_error` is true.

    Works for both faces: if ``op`` returns an awaitable, so does this function.

        result = retry_on_overload(lambda: thread.run("Hello"))
        result = await retry_on_overload(lambda: thread.run("Hello"))

    A failed turn stays in the history, and each attempt of such a lambda adds the prompt once more: `Thread.run` with
    ``retries=`` continues the failed turn instead.

    Args:
        op: The operation; called again for each attempt.
        max_attempts: How many attempts at most.
        initial_delay_s: Delay before the second attempt, in seconds; it doubles with each attempt.
        max_delay_s: The longest delay in seconds, before jitter.
        jitter_ratio: The part by which a delay is varied at random, 0 to 1: 0.2 means up to a fifth shorter or longer.
        timeout: No attempt starts after this many seconds; ``None`` means no limit. The reset of a usage limit is waited
            for only if it is known and lies within the timeout.

    Returns:
        What ``op`` returns.

    Raises:
        ConfigError: An argument is not accepted. ``op`` was not called.
        RetryLimitExceededError: The runtime is still overloaded after the last attempt.
        TurnFailedError: The turn still fails after the last attempt, or its failure does not pass by itself.

    Any other error of ``op`` is raised at once. Cancelling ends the delay and the operation.
    """
    checks.function("op", op, "no argument")
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
    # Imported here, because a sync program has no use for asyncio.
    from openai_codex._async.client._wait import sleep

    while True:
        try:
            return await outcome
        except Exception as error:  # noqa: BLE001  as above
            await sleep(attempts.delay_after(error))
        outcome = op()
