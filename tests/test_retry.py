"""Retrying: only what passes, with growing and jittered waits, within a deadline, for both faces."""

from __future__ import annotations

import asyncio
import time
from typing import get_args

import attrs
import pytest

from openai_codex import (
    CodexError,
    ConfigError,
    InvalidRequestError,
    RetryLimitExceededError,
    RunResult,
    ServerBusyError,
    TurnFailedError,
    is_retryable_error,
    retry_on_overload,
)
from openai_codex._codec import structure_named
from openai_codex._runtime.failures import PASSES
from openai_codex.errors import rpc_error
from openai_codex.types import CodexErrorInfo, CodexErrorKind, TurnStatus, UnknownVariant

BUSY = rpc_error(-32001, "Server overloaded; retry later.", method="turn/start")
REFUSED = rpc_error(-32600, "no")


def failed(kind: CodexErrorInfo | None, message: str = "failed", resets_at: int | None = None) -> TurnFailedError:
    result = RunResult(id="U", thread_id="T", status=TurnStatus.failed)
    return TurnFailedError(message, result, kind, resets_at=resets_at)


def with_status(kind: str, status: int | None) -> TurnFailedError:
    return failed(structure_named("CodexErrorInfo", {kind: {"httpStatusCode": status}}))


VARIANTS = [
    "httpConnectionFailed",
    "responseStreamConnectionFailed",
    "responseStreamDisconnected",
    "responseTooManyFailedAttempts",
]


class Operation:
    """Fails with each of the given errors, then succeeds."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"

    async def later(self) -> str:
        await asyncio.sleep(0)
        return self()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Record the waits instead of waiting."""
    taken: list[float] = []

    async def sleep(delay: float) -> None:
        taken.append(delay)

    monkeypatch.setattr(time, "sleep", taken.append)
    monkeypatch.setattr("openai_codex._async.client._wait.sleep", sleep)
    return taken


@pytest.mark.parametrize(
    ("error", "retryable"),
    [
        (BUSY, True),
        (REFUSED, False),
        (failed(CodexErrorKind.server_overloaded), True),
        (failed(CodexErrorKind.rate_limit_exceeded), True),
        (failed(CodexErrorKind.usage_limit_exceeded), False),
        (failed(CodexErrorKind.usage_limit_exceeded, resets_at=1), True),
        (failed(CodexErrorKind.usage_limit_exceeded, resets_at=1 << 40), False),
        (failed(CodexErrorKind.internal_server_error), True),
        (failed(CodexErrorKind.unauthorized), False),
        (failed(CodexErrorKind("somethingNew")), False),
        (failed(structure_named("CodexErrorInfo", {"somethingNew": [1]})), False),
        (failed(None), False),
        (failed(CodexErrorKind.other, '{"error": "bad request"}'), False),
        (failed(CodexErrorKind.other, "stream disconnected before completion: closed"), True),
        *((with_status(kind, status), True) for kind in VARIANTS for status in (None, 408, 429, 500, 502, 503, 599)),
        *((with_status(kind, status), False) for kind in VARIANTS for status in (400, 401, 403, 404)),
        (RetryLimitExceededError(-32001, "busy"), False),
        (CodexError(), False),
        (ValueError(), False),
        (KeyboardInterrupt(), False),
    ],
)
def test_what_passes_by_itself(error: BaseException, retryable: bool) -> None:
    assert is_retryable_error(error) is retryable


def test_every_kind_of_the_protocol_is_classified() -> None:
    variants = [each for each in get_args(CodexErrorInfo) if each not in (CodexErrorKind, UnknownVariant)]
    fields = [attrs.fields(variant)[-1].name.split("_") for variant in variants]
    names = [first + "".join(map(str.title, others)) for first, *others in fields]
    assert set(PASSES) == {str(kind.value) for kind in CodexErrorKind} | set(names)


def test_the_reset_of_a_usage_limit_is_waited_for_within_the_deadline(
    waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: 1000.0)
    limited = failed(CodexErrorKind.usage_limit_exceeded, resets_at=1030)
    assert retry_on_overload(Operation(limited), timeout=60) == "done"
    assert waits == [30]
    for timeout in (None, 20.0):
        operation = Operation(limited)
        with pytest.raises(TurnFailedError):
            retry_on_overload(operation, timeout=timeout)
        assert operation.calls == 1
    assert waits == [30]


def test_it_tries_again_with_growing_waits(waits: list[float]) -> None:
    operation = Operation(BUSY, failed(CodexErrorKind.server_overloaded), BUSY)
    assert retry_on_overload(operation, max_attempts=4, initial_delay_s=1, max_delay_s=3, jitter_ratio=0) == "done"
    assert operation.calls == 4
    assert waits == [1, 2, 3]


async def test_it_awaits_an_awaitable_operation(waits: list[float]) -> None:
    operation = Operation(BUSY, BUSY)
    assert await retry_on_overload(operation.later, initial_delay_s=1, jitter_ratio=0) == "done"
    assert operation.calls == 3
    assert waits == [1, 2]


def test_waits_are_jittered_within_their_part(waits: list[float]) -> None:
    for _ in range(50):
        retry_on_overload(Operation(BUSY), initial_delay_s=1, jitter_ratio=0.2)
    assert 0.8 <= min(waits) < max(waits) <= 1.2


def test_it_gives_up_after_the_last_attempt_with_an_error_that_is_still_busy(waits: list[float]) -> None:
    operation = Operation(*[BUSY] * 5)
    with pytest.raises(ServerBusyError) as caught:
        retry_on_overload(operation, max_attempts=2)
    assert type(caught.value) is RetryLimitExceededError
    assert (caught.value.method, caught.value.__cause__) == ("turn/start", BUSY)
    assert operation.calls == 2
    assert len(waits) == 1


def test_a_turn_that_keeps_failing_raises_its_own_error(waits: list[float]) -> None:
    error = failed(CodexErrorKind.server_overloaded)
    with pytest.raises(TurnFailedError) as caught:
        retry_on_overload(Operation(error, error), max_attempts=2)
    assert caught.value is error
    assert len(waits) == 1


async def test_no_attempt_starts_after_the_deadline(waits: list[float]) -> None:
    for operation in (Operation(*[BUSY] * 5), Operation(*[BUSY] * 5)):
        with pytest.raises(RetryLimitExceededError):
            await retry_on_overload(operation.later, max_attempts=9, initial_delay_s=10, max_delay_s=10, timeout=5)
        assert operation.calls == 1
    assert waits == []


def test_any_other_error_is_raised_at_once(waits: list[float]) -> None:
    operation = Operation(REFUSED)
    with pytest.raises(InvalidRequestError):
        retry_on_overload(operation)
    assert operation.calls == 1
    assert waits == []


def test_invalid_durations_are_refused_before_the_first_attempt() -> None:
    operation = Operation()
    with pytest.raises(ConfigError, match="timeout"):
        retry_on_overload(operation, timeout=float("nan"))
    assert operation.calls == 0
