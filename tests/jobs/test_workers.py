"""Pools whose jobs run in other processes."""

from __future__ import annotations

import os
import signal
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from openai_codex import AppServerConfig, AsyncCodexPool, CodexPool, ConfigError, Job, JobError
from openai_codex._jobs.state import reading
from openai_codex.testing import ScriptedModel, say
from tests.support.bounds import PATIENCE, eventually
from tests.support.jobs import prompts_of
from tests.support.programs import running
from tools.fleet.victims import below

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


@pytest.mark.usefixtures("echo")
def test_the_class_of_an_executor_is_a_function_that_makes_one(codex_config: AppServerConfig) -> None:
    with CodexPool(codex_config, executor=ThreadPoolExecutor) as pool:
        assert pool.submit(jobs()[0]).result(PATIENCE).status == "completed"


@pytest.mark.parametrize("made", [None, 3, "x", Executor])
def test_what_is_made_in_place_of_an_executor_is_refused(made: Any) -> None:
    with pytest.raises(ConfigError, match="a function that returns an Executor") as caught:
        CodexPool(executor=lambda: made)
    assert caught.value.what == "executor"


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


class Twice(Executor):
    """An executor of a cluster that takes a worker for dead, which still runs: each task is carried out by another one, too."""

    def __init__(self, inner: Executor) -> None:
        self.inner = inner
        self.firsts: list[Future[Any]] = []
        self.again: list[Any] = []

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.firsts.append(self.inner.submit(fn, *args, **kwargs))
        second: Future[Any] = Future()
        self.again.append(
            lambda: self.inner.submit(fn, *args, **kwargs).add_done_callback(lambda f: second.set_result(f.result()))
        )
        return second


@pytest.mark.parametrize("kind", ["processes", "threads"])
def test_an_attempt_that_is_carried_out_twice_waits_for_itself(
    kind: str, codex_config: AppServerConfig, scripted_model: ScriptedModel, tmp_path: Path
) -> None:
    gates = [scripted_model.gate(), scripted_model.gate()]
    scripted_model.when("job 0 a", say("to a", gate=gates[0]))
    scripted_model.when("job 0 b", say("to b", gate=gates[1]))
    with processes() if kind == "processes" else ThreadPoolExecutor(2) as inner:
        twice = Twice(inner)
        with CodexPool(codex_config, executor=twice, state=tmp_path / "state") as pool:
            future = pool.submit(Job(prompts=["job 0 a", "job 0 b"]))
            scripted_model.wait_for_requests(1, PATIENCE)
            twice.again[0]()
            reader = reading(str(tmp_path / "state"))
            assert eventually(lambda: [row.number for row in reader.attempts_until(1)] == [2])
            reader.close()
            gates[0].open()
            scripted_model.wait_for_requests(2, PATIENCE)
            gates[1].open()
            result = future.result(PATIENCE)
            assert twice.firsts[0].result(PATIENCE).thread_id == result.thread_id
    assert ([each.final_response for each in result.results], result.attempts) == (["to a", "to b"], 2)
    assert scripted_model.request_count == 2
    assert prompts_of(scripted_model) == {"job 0 a": 1, "job 0 b": 1}


_PROGRAM = """
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

if __name__ == "__main__":
    with CodexPool(config, executor=ProcessPoolExecutor(2, get_context({method!r})), state={path!r}, turns=2) as pool:
        jobs = [pool.submit(Job(prompts=[f"job {{number}}"], key=f"{{number}}")) for number in range(2)]
        print(jobs[0].result().process, flush=True)
        jobs[1].result()
"""


@pytest.mark.parametrize("method", ["spawn", "fork", "forkserver"])
def test_workers_end_after_a_pool_that_was_killed(
    method: str, codex_config: AppServerConfig, scripted_model: ScriptedModel, tmp_path: Path
) -> None:
    gate = scripted_model.gate()
    scripted_model.when("job 0", "done")
    scripted_model.when("job 1", say("late", gate=gate))
    state = tmp_path / "state"
    with running(_PROGRAM.format(method=method, path=str(state)), codex_config) as program:
        assert program.stdout is not None
        idle = int(program.stdout.readline())
        scripted_model.wait_for_requests(2, PATIENCE)
        processes = [pid for pid, kind in below(program.pid).items() if kind == "runtime"]
        busy = _parents(processes)
        os.kill(program.pid, signal.SIGKILL)
        program.wait(PATIENCE)
        gate.open()
        assert eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in (idle, *busy, *processes)))
    with CodexPool(codex_config, state=state) as pool:
        result = pool.submit(Job(prompts=["job 1"], key="1")).result(PATIENCE)
    assert result.final_response == "late"
    assert prompts_of(scripted_model) == {"job 0": 1, "job 1": 1}


def _parents(pids: list[int]) -> set[int]:
    return {int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]) for pid in pids}
