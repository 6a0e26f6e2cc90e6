"""Pools whose jobs run on a Dask cluster: two worker processes on loopback, each with a client of its own."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import dask
import pytest
from distributed import Client, LocalCluster

from openai_codex import AppServerConfig, AsyncCodexPool, CodexPool, ConfigError, Job, JobError, JobResult
from openai_codex._jobs.state import reading
from openai_codex.testing import QuietHome, ScriptedModel, say
from tests.support.bounds import PATIENCE, eventually
from tests.support.inside import close_warm_clients, warm_clients
from tests.support.jobs import asks, prompts_of
from tools.fleet.victims import below

pytestmark = pytest.mark.slow  # starts a cluster, whose workers import all of Dask

WORKERS, THREADS = 2, 4


def local_cluster(workers: int) -> LocalCluster:
    """Return a cluster that listens on loopback only, on ports that are free."""
    here = "127.0.0.1:0"
    return LocalCluster(
        processes=True,
        n_workers=workers,
        threads_per_worker=THREADS,
        dashboard_address=here,
        worker_dashboard_address=here,
        silence_logs=logging.CRITICAL,
    )


# So long after a worker was lost, Dask closes its place for good if there is no worker of its name at that moment. Another
# test may just have killed the next one.
NEVER = {"distributed.deploy.lost-worker-timeout": "1 h"}


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    with dask.config.set(NEVER), local_cluster(WORKERS) as cluster:
        yield cluster


@pytest.fixture
def client(cluster: LocalCluster, codex_home: QuietHome) -> Iterator[Client]:
    del codex_home  # set up before, so that it is removed after the clients that use it are closed
    with Client(cluster, set_as_default=False) as client:
        yield client
        assert eventually(lambda: has_closed(client))


def has_closed(client: Client) -> bool:
    """Have all workers close the clients that use the home of the test; return whether all have answered."""
    # The scheduler may not have heard yet of a worker that was killed, or of its successor.
    answers = client.run(close_warm_clients, on_error="return").values()
    return len(answers) == WORKERS and not any(isinstance(answer, BaseException) for answer in answers)


def workers_of(client: Client) -> set[int]:
    """Return the processes that answer."""
    return {pid for pid in client.run(os.getpid, on_error="return").values() if isinstance(pid, int)}


def two(number: int, **more: Any) -> Job:
    return Job(prompts=[f"job {number} a", f"job {number} b"], **more)


def texts(result: JobResult) -> list[str | None]:
    return [each.final_response for each in result.results]


def process_of(state: Path, key: str) -> int:
    """Return the process that carries a job out."""
    reader = reading(str(state))
    try:
        (row,) = [row for row in reader.jobs() if row.key == key]
        attempt = reader.last_attempt(row.id)
    finally:
        reader.close()
    assert attempt is not None
    assert attempt.process is not None
    return attempt.process.pid


async def test_a_cluster_gives_what_threads_give(
    client: Client, codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.when(lambda request: request.last_user_text.startswith("job "), lambda r: f"to {r.last_user_text}")
    jobs = [two(number) for number in range(6)]
    with CodexPool(codex_config) as pool:
        expected = [texts(result) for result in pool.map(jobs)]
    with CodexPool(codex_config, executor=client.get_executor(pure=False), runtimes=2) as pool:
        results = list(pool.map(jobs))
    async with AsyncCodexPool(codex_config, executor=lambda: client.get_executor(pure=False)) as async_pool:
        more = [each async for each in async_pool.map(jobs)]
    for found in (results, more):
        assert [texts(result) for result in found] == expected
        assert {(result.status, result.attempts) for result in found} == {("completed", 1)}
    assert {result.process for result in (*results, *more)} <= workers_of(client)
    assert set(client.run(lambda: len(warm_clients())).values()) == {1}, "one for all jobs of a process"


def test_equal_jobs_are_as_many_jobs_however_the_executor_was_made(
    client: Client, codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.when("job 0 a", "first")
    with CodexPool(codex_config, executor=client.get_executor(pure=True)) as pool:
        results = list(pool.map([two(0)] * 3))
    assert len({result.thread_id for result in results}) == 3
    assert prompts_of(scripted_model) == {"job 0 a": 3, "job 0 b": 3}


def test_a_client_in_place_of_its_executor_is_refused(client: Client) -> None:
    with pytest.raises(ConfigError, match="get_executor") as caught:
        CodexPool(executor=client)  # type: ignore[arg-type]  # on purpose
    assert caught.value.what == "executor"


async def test_a_client_of_the_event_loop_is_refused(cluster: LocalCluster) -> None:
    async with Client(cluster.scheduler_address, asynchronous=True, set_as_default=False) as client:
        for executor in (client.get_executor(pure=False), lambda: client.get_executor(pure=False)):
            for kind in (AsyncCodexPool, CodexPool):
                with pytest.raises(ConfigError, match="asynchronous=True") as caught:
                    kind(executor=executor)
                assert caught.value.what == "executor"


@pytest.mark.parametrize("when", ["before the second turn", "after the second turn was begun"])
def test_a_worker_that_is_killed_costs_nothing_but_time(
    when: str, client: Client, codex_config: AppServerConfig, scripted_model: ScriptedModel, tmp_path: Path
) -> None:
    gate = scripted_model.gate()
    waits = "ab"[when.startswith("after")]
    for part in "ab":
        answers = (say("cut", gate=gate), f"to {part}") if part == waits else (f"to {part}",)
        scripted_model.when(asks(f"job 0 {part}"), *answers)
    state = tmp_path / "state"
    with CodexPool(codex_config, executor=client.get_executor(pure=False), state=state) as pool:
        future = pool.submit(two(0, key="k"))
        scripted_model.wait_for_requests(1 + (waits == "b"), PATIENCE)
        killed = process_of(state, "k")
        os.kill(killed, signal.SIGKILL)
        result = future.result(PATIENCE)
        gate.open()
    assert (result.status, texts(result), result.attempts) == ("completed", ["to a", "to b"], 2)
    assert result.process != killed
    assert prompts_of(scripted_model) == {"job 0 a": 1, "job 0 b": 1}


def test_a_job_that_cannot_be_looked_up_is_not_sent_again_unless_it_may(
    client: Client, codex_config: AppServerConfig, scripted_model: ScriptedModel, tmp_path: Path
) -> None:
    gate = scripted_model.gate()
    scripted_model.when(lambda _request: True, say("answer", gate=gate))
    state = tmp_path / "state"
    jobs = [Job(prompts=[f"job {number}"], thread={"ephemeral": True}, idempotent=bool(number)) for number in range(2)]
    with CodexPool(codex_config, executor=client.get_executor(pure=False), state=state) as pool:
        futures = [pool.submit(job) for job in jobs]
        scripted_model.wait_for_requests(2, PATIENCE)
        workers = workers_of(client)
        for step in (signal.SIGSTOP, signal.SIGKILL):  # so that none takes over from the other
            for pid in workers:
                os.kill(pid, step)
        gate.open()
        lost, again = [future.result(PATIENCE) for future in futures]
    assert isinstance(lost.error, JobError)
    assert lost.error.kind == "lost"
    assert (texts(again), again.attempts) == (["answer"], 2)
    assert len([each for each in scripted_model.requests if each.last_user_text == "job 0"]) == 1


def test_a_job_that_runs_on_a_worker_is_not_cancelled_by_name_only(
    client: Client, codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    gate = scripted_model.gate()
    scripted_model.when("job 0 a", say("done", gate=gate))
    with CodexPool(codex_config, executor=client.get_executor(pure=False)) as pool:
        future = pool.submit(two(0))
        scripted_model.wait_for_requests(1, PATIENCE)
        assert not pool.cancel(future)
        gate.open()
        result = future.result(PATIENCE)
    assert result.status == "completed"


def test_a_job_that_waits_on_the_cluster_is_cancelled(
    client: Client, codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    with CodexPool(codex_config, executor=client.get_executor(workers=["tcp://127.0.0.1:1"])) as pool:
        futures = [pool.submit(two(number)) for number in range(2)]
        assert pool.cancel(futures[0])
        assert futures[0].result(PATIENCE).stopped == "cancelled"
        pool.close(drain=False)
        assert futures[1].result(PATIENCE).stopped == "cancelled"
    assert scripted_model.request_count == 0


def test_the_result_of_a_job_may_cancel_another_one(
    client: Client, codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    """It is given on the thread of the cluster's client, which must not wait for the cluster."""
    waiting: list[Future[JobResult]] = []
    cancelled: list[bool] = []
    nowhere = client.get_executor(workers=["tcp://127.0.0.1:1"])
    with CodexPool(codex_config, executor=nowhere) as pool:
        waiting.append(pool.submit(two(0)))
        with CodexPool(
            codex_config,
            executor=client.get_executor(),
            on_result=lambda _result: cancelled.append(pool.cancel(waiting[0])),
        ) as other:
            assert other.submit(two(1)).result(PATIENCE).status == "completed"
        assert waiting[0].result(PATIENCE).stopped == "cancelled"
    assert cancelled == [True]
    assert prompts_of(scripted_model) == {"job 1 a": 1, "job 1 b": 1}


def test_what_the_program_cancels_at_the_cluster_is_carried_on_when_it_has_ended_there(
    client: Client, codex_config: AppServerConfig, scripted_model: ScriptedModel, tmp_path: Path
) -> None:
    gate = scripted_model.gate()
    scripted_model.when("job 0 a", say("to a", gate=gate))
    state, tasks = tmp_path / "state", list[Any]()
    executor = client.get_executor(pure=False)
    submit, executor.submit = executor.submit, lambda *a, **k: tasks.append(submit(*a, **k)) or tasks[-1]
    with CodexPool(codex_config, executor=executor, state=state, turns=1) as pool:
        future = pool.submit(two(0, key="k"))
        scripted_model.wait_for_requests(1, PATIENCE)
        first = process_of(state, "k")
        tasks[0].cancel()
        assert eventually(lambda: len(tasks) > 1)
        reader = reading(str(state))
        assert eventually(lambda: (row := reader.attempt(2)) is not None and row.process is not None)
        reader.close()
        gate.open()
        result = future.result(PATIENCE)
    assert (result.status, texts(result)[0], result.attempts) == ("completed", "to a", 2)
    assert (result.process, scripted_model.request_count) == (first, 2)


def test_a_cluster_that_is_closed_leaves_no_runtime(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    gate = scripted_model.gate()
    scripted_model.when("job 1 a", say("cut", gate=gate))
    with (
        local_cluster(1) as cluster,
        Client(cluster, set_as_default=False) as client,
        CodexPool(codex_config, executor=client.get_executor()) as pool,
    ):
        assert pool.submit(two(0)).result(PATIENCE).status == "completed"
        future = pool.submit(two(1))
        assert eventually(lambda: scripted_model.request_count == 3)
        (worker,) = workers_of(client)
        (runtime,) = [pid for pid, kind in below(worker).items() if kind == "runtime"]
        client.close()
        cluster.close()
        assert isinstance(future.result(PATIENCE).error, JobError)
        assert eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in (worker, runtime)))
