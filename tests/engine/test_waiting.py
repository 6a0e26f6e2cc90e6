"""Waiting: no wake-up is lost between a check and a wait, and no wait lasts for ever."""

from __future__ import annotations

import asyncio
import gc
import math
import threading
import time
import weakref

import pytest

from openai_codex._async.client import _wait
from openai_codex._engine.waiting import (
    Deadline,
    Latch,
    Waiter,
    block_until_ready,
    may_block,
    never_block,
    wake_all,
)
from tests.support.bounds import PATIENCE, SOON


def test_a_set_latch_does_not_block() -> None:
    latch = Latch()
    latch.set()
    assert block_until_ready(latch, timeout=0)
    assert asyncio.run(_wait.ready(latch, 0))


def test_a_wait_ends_at_its_deadline_and_leaves_no_waiter() -> None:
    latch = Latch()
    assert not block_until_ready(latch, timeout=0.01)
    assert not asyncio.run(_wait.ready(latch, 0.01))
    assert latch.waiter_count() == 0


class SetWhenLookedAt(Latch):
    """Another thread sets it at the instant after the look of one that is about to wait."""

    def is_ready(self) -> bool:
        is_set = super().is_ready()
        if not is_set:
            self.set()
        return is_set


def test_a_waiter_is_woken_by_what_happens_right_after_its_look() -> None:
    wakes: list[None] = []

    class Noting:
        def wake(self) -> None:
            wakes.append(None)

    assert SetWhenLookedAt().add_waiter(Noting())
    assert wakes


class SetAfterTheLimit(Latch):
    """Another thread sets it at the instant after a wait has come to its limit."""

    def discard_waiter(self, waiter: Waiter) -> None:
        super().discard_waiter(waiter)
        self.set()


def test_what_happens_as_a_wait_comes_to_its_limit_counts() -> None:
    assert block_until_ready(SetAfterTheLimit(), timeout=0)


def test_a_wait_on_a_thread_that_others_depend_on_ends_at_once_without_a_limit_of_its_own() -> None:
    outcomes: list[bool] = []

    def depended_on() -> None:
        never_block()
        outcomes.append(block_until_ready(Latch(), timeout=None))
        may_block()

    thread = threading.Thread(target=depended_on, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    assert outcomes == [False]


def test_every_kind_of_waiter_is_woken() -> None:
    latch = Latch()
    outcomes: list[bool] = []
    threads = [threading.Thread(target=lambda: outcomes.append(block_until_ready(latch, 10))) for _ in range(3)]

    async def main() -> None:
        tasks = [asyncio.create_task(_wait.ready(latch, 10)) for _ in range(3)]
        for thread in threads:
            thread.start()
        while latch.waiter_count() < 6:
            await asyncio.sleep(0)
        latch.set()
        outcomes.extend(await asyncio.gather(*tasks))

    asyncio.run(main())
    for thread in threads:
        thread.join(10)
    assert outcomes == [True] * 6


def test_many_wakes_of_one_loop_are_one_call_into_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> int:
        loop = asyncio.get_running_loop()
        latches = [Latch() for _ in range(50)]
        tasks = [asyncio.create_task(_wait.ready(latch, 10)) for latch in latches]
        while not all(latch.waiter_count() for latch in latches):
            await asyncio.sleep(0)
        calls: list[object] = []
        real = loop.call_soon_threadsafe
        monkeypatch.setattr(loop, "call_soon_threadsafe", lambda *a: (calls.append(a), real(*a))[1])
        for latch in latches:  # the loop does not run in between, as when a reader thread is faster than it
            latch.set()
        await asyncio.gather(*tasks)
        return len(calls)

    assert asyncio.run(main()) == 1


def test_a_cancelled_wait_leaves_no_waiter_and_the_source_as_it_was() -> None:
    async def main() -> Latch:
        latch = Latch()
        task = asyncio.create_task(_wait.ready(latch, 10))
        while not latch.waiter_count():
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return latch

    latch = asyncio.run(main())
    assert latch.waiter_count() == 0
    latch.set()


def test_waking_a_loop_that_is_closed_is_harmless() -> None:
    latch = Latch()
    loop = asyncio.new_event_loop()
    task = loop.create_task(_wait.ready(latch, None))
    loop.run_until_complete(asyncio.sleep(0))
    assert latch.waiter_count() == 1
    loop.close()
    latch.set()
    assert latch.is_ready()
    task._log_destroy_pending = False  # type: ignore[attr-defined]  # noqa: SLF001 the loop was closed under it on purpose


def test_a_deadline_is_shared_by_several_waits() -> None:
    deadline = Deadline(0.0)
    assert deadline.remaining() == 0.0
    assert deadline.passed()
    endless = Deadline(None)
    assert endless.remaining() == math.inf
    assert not endless.passed()


def test_one_call_into_a_loop_wakes_all_who_are_due(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> tuple[list[bool], int]:
        loop = asyncio.get_running_loop()
        latches = [Latch() for _ in range(10)]
        tasks = [asyncio.create_task(_wait.ready(latch, 10)) for latch in latches]
        while not all(latch.waiter_count() for latch in latches):
            await asyncio.sleep(0)
        calls: list[object] = []
        call = loop.call_soon_threadsafe
        monkeypatch.setattr(loop, "call_soon_threadsafe", lambda callback: (calls.append(callback), call(callback)))
        wake_all([waiter for latch in latches for waiter in latch.trip()])
        return await asyncio.gather(*tasks), len(calls)

    assert asyncio.run(main()) == ([True] * 10, 1)


def test_each_wait_ends_at_its_own_deadline_by_one_timer() -> None:
    short, long = [0.1, 0.02, 0.06, 0.02, 0.1], [30.0, math.inf, None]

    async def wait(timeout: float | None) -> float:
        start = time.monotonic()
        assert not await _wait.ready(Latch(), timeout)
        return time.monotonic() - start

    async def main() -> tuple[list[float], int]:
        still = [asyncio.create_task(wait(timeout)) for timeout in long]
        tasks = [asyncio.create_task(wait(timeout)) for timeout in short]
        await asyncio.sleep(0)
        timers = sum(not timer.cancelled() for timer in vars(asyncio.get_running_loop())["_scheduled"])
        waits = await asyncio.gather(*tasks)
        assert not any(task.done() for task in still)
        for task in still:
            task.cancel()
        return waits, timers

    waits, timers = asyncio.run(main())
    assert timers == 1
    for taken, timeout in zip(waits, short, strict=True):
        assert timeout - 0.002 <= taken < timeout + SOON


def test_a_wait_keeps_no_loop_that_is_over() -> None:
    async def main() -> weakref.ref[asyncio.AbstractEventLoop]:
        latch = Latch()
        waiting = asyncio.create_task(_wait.ready(latch, 1000))
        while not latch.waiter_count():
            await asyncio.sleep(0)
        latch.set()
        assert await waiting
        return weakref.ref(asyncio.get_running_loop())

    loop = asyncio.run(main())
    gc.collect()
    assert loop() is None
