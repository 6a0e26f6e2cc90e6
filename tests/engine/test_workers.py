"""Pools and timers go on whatever their tasks do, and handlers that block hold up nothing urgent."""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Iterator

import pytest

from openai_codex import Codex, RuntimeRequest
from openai_codex._engine.threads import ThreadGroup
from openai_codex._engine.waiting import Latch, block_until_ready
from openai_codex._engine.workers import Timer, Workers
from openai_codex.testing import FakeAppServer
from tests.support.bounds import PATIENCE, STARTED, eventually

COMMAND = {
    "kind": "command",
    "threadId": "T",
    "turnId": "U",
    "itemId": "call_1",
    "startedAtMs": 1,
    "command": "true",
    "cwd": "/",
    "environmentId": "local",
}
FRESH = {"access_token": "a", "chatgpt_account_id": "b"}


@pytest.fixture
def workers() -> Iterator[Workers]:
    group = ThreadGroup("workers-test")
    workers = Workers(group)
    yield workers
    workers.close()
    assert block_until_ready(group.ended, PATIENCE)
    group.join()


def fail() -> None:
    raise ZeroDivisionError


def test_a_task_that_raises_is_logged_and_its_worker_goes_on(
    workers: Workers, caplog: pytest.LogCaptureFixture
) -> None:
    done = Latch()
    workers.dispatch.submit(fail)
    workers.dispatch.submit(done.set)
    assert block_until_ready(done, PATIENCE)
    assert "codex.handler_failed" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_a_timer_that_raises_is_logged_and_the_next_one_fires(
    workers: Workers, caplog: pytest.LogCaptureFixture
) -> None:
    done, now = Latch(), time.monotonic()
    workers.timers.at(now, fail)
    workers.timers.at(now, done.set)
    assert block_until_ready(done, PATIENCE)
    assert "codex.timer_failed" in caplog.text


def test_timers_that_were_cancelled_are_forgotten_and_never_fire(workers: Workers) -> None:
    fired: list[int] = []
    done, soon = Latch(), time.monotonic() + STARTED
    for number in range(1_000):
        workers.timers.at(soon, lambda number=number: fired.append(number)).wake()
    workers.timers.at(soon, done.set)
    assert block_until_ready(done, PATIENCE)
    assert fired == []


def test_timers_that_were_cancelled_are_not_kept_until_they_would_be_due(workers: Workers) -> None:
    kept: list[weakref.ref[Timer]] = []
    for _ in range(1_000):
        timer = workers.timers.at(time.monotonic() + 3_600, bool)
        timer.wake()
        kept.append(weakref.ref(timer))
    assert eventually(lambda: sum(reference() is not None for reference in kept) < 100)


def test_nothing_runs_after_the_close(workers: Workers, caplog: pytest.LogCaptureFixture) -> None:
    done = Latch()
    workers.handlers.submit(done.set)
    assert block_until_ready(done, PATIENCE)
    workers.close()
    with caplog.at_level(logging.DEBUG):
        workers.handlers.submit(fail)
        workers.timers.at(time.monotonic(), fail)
    assert caplog.text == ""


def test_tasks_that_come_one_after_another_have_one_thread(workers: Workers) -> None:
    threads: list[str] = []
    for number in range(1, 11):
        # The worker counts itself as idle before it takes the next task, which is a moment after the end of the last one.
        assert workers.handlers.submit(lambda: threads.append(threading.current_thread().name))
        assert eventually(lambda number=number: len(threads) == number and workers.handlers._idle)  # type: ignore[misc]  # noqa: SLF001  that moment
    assert len(set(threads)) == 1


def test_handlers_that_block_hold_up_no_urgent_request_and_no_refusal() -> None:
    gate = Latch()

    def block(_: RuntimeRequest) -> bool:
        return block_until_ready(gate, PATIENCE)

    with (
        FakeAppServer() as server,
        Codex(server.config(), on_approval=block, on_token_refresh=lambda _: FRESH) as codex,
    ):
        codex.thread_start()
        blocked = [server.ask("item/commandExecution/requestApproval", COMMAND) for _ in range(80)]
        fresh = server.ask("account/chatgptAuthTokens/refresh", {"reason": "unauthorized"}).wait_answer(PATIENCE / 2)
        unknown = server.ask("a/new/one", {}).wait_answer(PATIENCE / 2)
        assert not any(ask.is_answered for ask in blocked)
        gate.set()
        decisions = {ask.wait_answer(PATIENCE)["result"]["decision"] for ask in blocked}
    assert fresh["result"]["accessToken"] == "a"
    assert unknown["error"]["code"] == -32601
    assert decisions == {"accept"}
