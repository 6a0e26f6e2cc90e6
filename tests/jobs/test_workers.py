"""Pools whose jobs run in other processes."""

from __future__ import annotations

import os
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from typing import Any

import pytest

from openai_codex import AppServerConfig, AsyncCodexPool, CodexPool, Job, JobError
from openai_codex.testing import ScriptedModel
from tests.support.bounds import PATIENCE

pytestmark = pytest.mark.usefixtures("no_warm_client_stays")


def processes() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(2, get_context("spawn"))


def jobs() -> list[Job]:
    return [Job(prompts=[f"job {number} a", f"job {number} b"]) for number in range(4)]


@pytest.fixture
def echo(scripted_model: ScriptedModel) -> ScriptedModel:
    """Answer each prompt by its text."""
    scripted_model.when(lambda request: request.last_user_text.startswith("job "), lambda r: f"to {r.last_user_text}")
    return scripted_model


@pytest.mark.usefixtures("echo")
async def test_threads_tasks_and_processes_give_equal_results(codex_config: AppServerConfig) -> None:
    with CodexPool(codex_config) as pool:
        threads = list(pool.map(jobs()))
    with processes() as executor, CodexPool(codex_config, executor=executor, turns=1, runtimes=2) as pool:
        others = list(pool.map(jobs()))
    async with AsyncCodexPool(codex_config, executor=processes) as async_pool:
        more = [each async for each in async_pool.map(jobs())]
    expected = [[f"to job {number} {part}" for part in "ab"] for number in range(4)]
    for results in (threads, others, more):
        assert [[each.final_response for each in result.results] for result in results] == expected
        assert {result.status for result in results} == {"completed"}
    assert {result.process for result in threads} == {os.getpid()}
    assert os.getpid() not in {result.process for result in (*others, *more)}


class Refuses(Executor):
    """An executor that takes no work."""

    def submit(self, *_args: Any, **_kwargs: Any) -> Future[Any]:  # type: ignore[override]  # it takes anything
        raise RuntimeError("no work today")


def test_an_executor_that_takes_no_work_fails_the_jobs() -> None:
    with CodexPool(executor=Refuses()) as pool:
        result = pool.submit(Job(prompts=["job 1"], idempotent=True)).result(PATIENCE)
    assert isinstance(result.error, JobError)
    assert (result.error.kind, result.attempts) == ("worker", 5)
    assert "no work today" in str(result.error)


def test_jobs_with_an_executor_are_cancelled_while_they_wait_there(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    with ThreadPoolExecutor(1) as executor, CodexPool(codex_config, executor=executor, turns=2) as pool:
        executor.submit(busy := _Wait())
        waiting = pool.submit(Job(prompts=["job 0"]))
        assert pool.cancel(waiting)
        busy.over()
        assert waiting.result(PATIENCE).stopped == "cancelled"
    assert scripted_model.request_count == 0


class _Wait:
    """Keeps a worker busy until it is told to end."""

    def __init__(self) -> None:
        self._future: Future[None] = Future()

    def __call__(self) -> None:
        self._future.result(PATIENCE)

    def over(self) -> None:
        self._future.set_result(None)
