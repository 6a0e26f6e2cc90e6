"""The progress of a pool: estimates, lines, what is drawn, and what a callback may do."""

from __future__ import annotations

import asyncio
import gc
import threading

import pytest

from openai_codex import AppServerConfig, AsyncCodexPool, CodexPool, Job, PoolProgress
from openai_codex._jobs import reporter
from openai_codex._jobs.progress import Estimate, Sources
from tests.support.bounds import PATIENCE, eventually
from tests.support.jobs import jobs


class Clock:
    """The time, as a test sets it."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock_of_test(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("openai_codex._jobs.progress.time", made)
    return made


def test_an_estimate_is_made_of_the_time_in_which_jobs_ran(clock_of_test: Clock) -> None:
    estimate = Estimate()
    assert estimate.eta(PoolProgress(running=4, waiting=16)) is None
    clock_of_test.now += 40
    assert estimate.eta(PoolProgress(running=4, waiting=13, completed=3)) is None, "four run at a time"
    assert estimate.eta(PoolProgress(running=4, waiting=12, completed=3, failed=1)) == 160
    clock_of_test.now += 40
    until = clock_of_test.now + 100
    paused = PoolProgress(waiting=12, completed=8, paused_until=until)
    assert estimate.eta(paused) == 100 + 120
    clock_of_test.now += 60
    assert estimate.eta(paused) == 40 + 120, "a pause is no work"
    assert estimate.eta(PoolProgress(waiting=2, expected=10, completed=8)) == 120
    assert estimate.eta(PoolProgress(waiting=2, expected=None, completed=8)) is None
    assert estimate.eta(PoolProgress(completed=20)) == 0


def test_it_counts_down_between_ends_and_grows_when_they_are_late(clock_of_test: Clock) -> None:
    estimate = Estimate()
    estimate.eta(PoolProgress(running=4, waiting=26))
    seen = []
    for ended in (4, 4, 4, 4, 8):
        clock_of_test.now += 10 if ended == 4 else 0
        seen.append(estimate.eta(PoolProgress(running=4, waiting=26 - ended, completed=ended)))
    assert seen == [65, 55, 82.5, 110, 110]
    clock_of_test.now += 1_000
    assert estimate.eta(PoolProgress(running=1, completed=29)) == pytest.approx(1_040 / 29)
    clock_of_test.now += 100
    assert estimate.eta(PoolProgress(running=1, completed=29)) is None, "nobody knows when a job ends that is late"


def test_a_few_ends_are_not_enough(clock_of_test: Clock) -> None:
    estimate = Estimate()
    estimate.eta(PoolProgress(running=1, waiting=4))
    clock_of_test.now += 10
    etas = [estimate.eta(PoolProgress(running=1, waiting=4 - ended, completed=ended)) for ended in range(1, 5)]
    assert etas == [None, None, pytest.approx(20 / 3), pytest.approx(2.5)]


def test_iterators_that_are_gone_are_not_expected() -> None:
    sources = Sources()
    assert sources.left() == 0

    class Iterator:
        left: int | None = 3

    one, other = Iterator(), Iterator()
    sources.add(one)
    sources.add(other)
    assert sources.left() == 6
    other.left = None
    assert sources.left() is None
    del other
    gc.collect()
    assert sources.left() == 3


@pytest.mark.usefixtures("done")
async def test_callbacks_run_beside_the_jobs(codex_config: AppServerConfig) -> None:
    places: list[tuple[str, bool]] = []

    def note(_progress: PoolProgress) -> None:
        try:
            has_loop = asyncio.get_running_loop() is not None
        except RuntimeError:
            has_loop = False
        places.append((threading.current_thread().name, has_loop))

    async with AsyncCodexPool(codex_config, progress=note) as pool:
        assert len([each async for each in pool.map(jobs(2))]) == 2
    assert set(places) == {(threading.main_thread().name, True)}
    places.clear()
    with CodexPool(codex_config, progress=note) as sync_pool:
        assert len(list(sync_pool.map(jobs(2)))) == 2
    assert set(places) == {("codex-job-pool", False)}


@pytest.mark.usefixtures("done")
def test_a_callback_that_does_not_return_keeps_no_job_and_no_close(
    codex_config: AppServerConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reporter, "_PATIENCE", 0.1)
    go, calls = threading.Event(), []

    def block(progress: PoolProgress) -> None:
        calls.append(progress)
        go.wait(PATIENCE)

    try:
        with CodexPool(codex_config, progress=block) as pool:
            assert len(list(pool.map(jobs(3)))) == 3
        assert len(calls) == 1
    finally:
        go.set()
    assert eventually(lambda: calls[-1].is_over)


@pytest.mark.usefixtures("done")
def test_a_pool_that_is_dropped_is_not_kept(codex_config: AppServerConfig) -> None:
    def threads() -> int:
        return sum(thread.name == "codex-job-pool" for thread in threading.enumerate())

    pool = CodexPool(codex_config, progress=lambda _progress: None)
    assert pool.submit(Job(prompts=["job 0"])).result(PATIENCE).status == "completed"
    assert threads()
    del pool
    assert eventually(lambda: gc.collect() >= 0 and threads() == 0)
