"""What a pool does with its jobs beside carrying them out: callbacks that call it, and jobs that it leaves to the next one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import pytest

from openai_codex import AppServerConfig, CodexPool, Job, JobError, JobResult
from openai_codex._jobs import prompts
from openai_codex.testing import ScriptedModel, fail, hang
from tests.support.bounds import PATIENCE, eventually
from tests.support.inside import is_closing
from tests.support.jobs import prompts_of


def jobs(count: int) -> list[Job]:
    return [Job(prompts=[f"job {number}"], key=f"k{number}") for number in range(count)]


def test_a_result_may_have_another_job_submitted_while_no_more_may_wait(
    codex_config: AppServerConfig, done: ScriptedModel
) -> None:
    more: list[Future[JobResult]] = []

    def submit(_result: JobResult) -> None:
        if not more:
            more.append(pool.submit(Job(prompts=["job 9"])))

    with CodexPool(codex_config, turns=1, max_waiting=1, on_result=submit) as pool:
        futures = [pool.submit(job) for job in jobs(3)]
        assert [future.result(PATIENCE).status for future in futures] == ["completed"] * 3
    assert more[0].result(PATIENCE).status == "completed"
    assert prompts_of(done) == {"job 0": 1, "job 1": 1, "job 2": 1, "job 9": 1}


@pytest.mark.usefixtures("done")
@pytest.mark.parametrize("by", ["on_result", "a callback of a future"])
def test_a_result_may_close_the_pool(codex_config: AppServerConfig, by: str) -> None:
    closed = threading.Event()

    def close(_value: object) -> None:
        pool.close()
        closed.set()

    pool = CodexPool(codex_config, turns=1, on_result=close if by == "on_result" else None)
    futures = [pool.submit(job) for job in jobs(3)]
    if by != "on_result":
        futures[0].add_done_callback(close)
    assert [future.result(PATIENCE).status for future in futures] == ["completed"] * 3
    assert closed.wait(PATIENCE)


@pytest.mark.usefixtures("done")
def test_a_pool_is_closed_when_the_program_was_told_of_all_results(codex_config: AppServerConfig) -> None:
    told: list[JobResult] = []
    go = threading.Event()

    def tell(result: JobResult) -> None:
        go.wait(PATIENCE)
        told.append(result)

    pool = CodexPool(codex_config, on_result=tell)
    assert pool.submit(jobs(1)[0]).result(PATIENCE).status == "completed"
    closing = threading.Thread(target=pool.close)
    closing.start()
    assert (closing.is_alive(), told) == (True, [])
    go.set()
    closing.join(PATIENCE)
    assert not closing.is_alive()
    assert len(told) == 1


class ByHand(Executor):
    """An executor whose futures the test settles."""

    def __init__(self) -> None:
        self.futures: list[Future[Any]] = []

    def submit(self, _fn: Any, /, *_args: Any, **_kwargs: Any) -> Future[Any]:
        self.futures.append(Future())
        self.futures[-1].set_running_or_notify_cancel()
        return self.futures[-1]


def ends(error: JobError) -> Callable[[Future[Any]], None]:
    """Return what settles a job by a result with an error."""
    return lambda future: future.set_result(JobResult(job=jobs(1)[0], status="failed", error=error))


LOST: dict[str, Callable[[Future[Any]], None]] = {
    "its worker": lambda future: future.set_exception(BrokenProcessPool("gone")),
    "its runtime": ends(JobError("TransportClosedError", "gone")),
    "a usage limit": ends(JobError("TurnFailedError", "limit", {"codex_error_info": "usageLimitExceeded"})),
}


@pytest.mark.parametrize("lose", LOST.values(), ids=LOST)
def test_what_a_closing_pool_has_lost_is_left_to_the_next_one(
    codex_config: AppServerConfig, tmp_path: Path, lose: Callable[[Future[Any]], None]
) -> None:
    assert left_by(codex_config, tmp_path / "state", lose) == 1


def test_what_ends_while_a_pool_is_closed_is_not_carried_out_again(
    codex_config: AppServerConfig, tmp_path: Path
) -> None:
    assert left_by(codex_config, tmp_path / "state", ends(JobError("raised", "a reason of its own"))) == 0


def left_by(config: AppServerConfig, state: Path, act: Callable[[Future[Any]], None]) -> int:
    """Settle a job while its pool is closed without draining; return how many jobs the next pool on the state has."""
    executor = ByHand()
    pool = CodexPool(config, executor=executor, state=state)
    future = pool.submit(jobs(1)[0])
    closing = threading.Thread(target=lambda: pool.close(drain=False))
    closing.start()
    assert eventually(lambda: is_closing(pool))
    act(executor.futures[0])
    closing.join(PATIENCE)
    assert not closing.is_alive()
    assert future.result(PATIENCE).status == "failed"
    with_rest = CodexPool(config, executor=executor, state=state)
    try:
        return len(with_rest.resumed)
    finally:
        with_rest.close(drain=False)


def test_what_the_program_has_cancelled_is_not_left_to_the_next_pool(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, tmp_path: Path
) -> None:
    scripted_model.queue(hang())
    pool = CodexPool(codex_config, state=tmp_path / "state", turns=1)
    running, waiting = (pool.submit(job) for job in jobs(2))
    scripted_model.wait_for_requests(1, PATIENCE)
    assert pool.cancel(running)
    pool.close(drain=False)
    assert running.result(PATIENCE).stopped == "cancelled"
    assert waiting.cancelled()
    with CodexPool(codex_config, state=tmp_path / "state") as pool:
        assert [future.result(PATIENCE).key for future in pool.resumed] == ["k1"]


def test_a_retry_is_not_begun_when_the_job_was_cancelled_meanwhile(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompts, "_FIRST_DELAY", 2 * PATIENCE)
    monkeypatch.setattr(prompts, "_LONGEST_DELAY", 2 * PATIENCE)
    scripted_model.queue(fail(500), "never asked for")
    with CodexPool(codex_config) as pool:
        future = pool.submit(Job(prompts=["job 0"], retries=1))
        scripted_model.wait_for_requests(1, PATIENCE)
        assert pool.cancel(future)
        result = future.result(PATIENCE)
    assert (result.status, result.stopped, scripted_model.request_count) == ("stopped", "cancelled", 1)


def test_an_executor_that_cannot_be_replaced_fails_its_jobs(codex_config: AppServerConfig) -> None:
    made: list[Executor] = []

    class Broken(Executor):
        def submit(self, *_args: Any, **_kwargs: Any) -> Future[Any]:  # type: ignore[override]  # it takes anything
            raise BrokenProcessPool("it is broken")

    def make() -> Executor:
        if made:
            raise OSError("no more processes")
        made.append(Broken())
        return made[0]

    with CodexPool(codex_config, executor=make) as pool:
        result = pool.submit(jobs(1)[0]).result(PATIENCE)
    assert isinstance(result.error, JobError)
    assert (result.error.kind, result.attempts) == ("worker", 5)
