"""The clock of a turn that makes no progress, against a clock that only the test moves."""

from __future__ import annotations

import math

import pytest

from openai_codex._notification import Notification
from openai_codex._turns.stall import StallClock


class Time:
    """A clock that stands until it is moved, and the time of the last server request."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.last_pending_at = -math.inf

    def stall_clock(self, timeout: float = 2.0) -> StallClock:
        return StallClock(timeout, lambda: self.last_pending_at, lambda: self.now)


@pytest.fixture
def time() -> Time:
    return Time()


def test_silence_uses_the_time_up(time: Time) -> None:
    clock = time.stall_clock()
    assert clock.remaining() == 2.0
    time.now += 1.5
    assert clock.remaining() == 0.5
    time.now += 1.5
    assert clock.remaining() == 0.0


def test_without_a_timeout_there_is_no_limit(time: Time) -> None:
    clock = time.stall_clock(math.inf)
    time.now += 1e9
    assert clock.remaining() == math.inf


def test_progress_restarts_it_and_is_remembered(time: Time) -> None:
    clock = time.stall_clock()
    assert clock.last_event is None
    for method in ("turn/started", "item/agentMessage/delta", "brand/new"):
        time.now += 1.9
        clock.on_event([Notification(method, {})])
        assert clock.remaining() == 2.0
        assert clock.last_event == method


def test_attempts_that_fail_are_not_progress(time: Time) -> None:
    clock = time.stall_clock()
    clock.on_event([Notification("item/completed", {})])
    time.now += 1.5
    clock.on_event([Notification("error", {"willRetry": True})])
    assert clock.remaining() == 0.5
    assert clock.last_event == "item/completed"


def test_it_stands_while_a_request_is_pending_and_starts_anew_after_it(time: Time) -> None:
    clock = time.stall_clock()
    for _ in range(10):
        time.now += 1.0
        time.last_pending_at = time.now
        assert clock.remaining() == 2.0
    time.now += 1.5
    assert clock.remaining() == 0.5


def test_a_request_before_the_last_progress_gives_no_time(time: Time) -> None:
    time.last_pending_at = time.now - 0.1
    clock = time.stall_clock()
    time.now += 2.0
    assert clock.remaining() == 0.0
