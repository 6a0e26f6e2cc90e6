"""A pool in this process: order, limits, room, cancellation, the end, dead runtimes and usage limits."""

from __future__ import annotations

from typing import Any

import pytest

from openai_codex import AppServerConfig, AsyncCodexPool, ConfigError, Job, JobResult, TurnFailedError
from openai_codex.testing import ScriptedModel, fail, hang, say
from tests.faces_async._wait import eventually, settled, together
from tests.support.inside import is_waited_for, pool_clients
from tests.support.jobs import prompts_of


def jobs(count: int) -> list[Job]:
    return [Job(prompts=[f"job {number} a", f"job {number} b"], key=f"k{number}") for number in range(count)]


def texts(results: list[JobResult]) -> list[list[str | None]]:
    return [[each.final_response for each in result.results] for result in results]


@pytest.fixture
def echo(scripted_model: ScriptedModel) -> ScriptedModel:
    """Answer each prompt by its text."""
    scripted_model.when(lambda request: request.last_user_text.startswith("job "), lambda r: f"to {r.last_user_text}")
    return scripted_model


async def test_results_come_in_the_order_of_the_jobs(codex_config: AppServerConfig, echo: ScriptedModel) -> None:
    async with AsyncCodexPool(codex_config, turns=4) as pool:
        results = [each async for each in pool.map(iter(jobs(6)))]
        counts = pool.counts
    assert texts(results) == [[f"to job {number} {part}" for part in "ab"] for number in range(6)]
    assert [each.key for each in results] == [f"k{number}" for number in range(6)]
    assert (counts.completed, counts.waiting, counts.running, counts.tokens) == (6, 0, 0, 180)
    assert set(prompts_of(echo).values()) == {1}
    assert all(each.queued_at is not None and each.queued_at <= (each.started_at or 0) for each in results)


async def test_a_long_job_does_not_keep_those_behind_it(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    gate = scripted_model.gate()
    scripted_model.when("job 0", say("slow", gate=gate))
    scripted_model.when(lambda _request: True, lambda _request: "fast")
    async with AsyncCodexPool(codex_config, turns=2) as pool:
        results = pool.map([Job(prompts=[f"job {number}"]) for number in range(12)])

        async def take() -> list[str | None]:
            return [each.final_response async for each in results]

        async def release() -> list[str | None]:
            await eventually(lambda: pool.counts.completed == 11)
            gate.open()
            return []

        taken, _ = await together([take, release])
    assert taken == ["slow", *["fast"] * 11]


async def test_results_come_as_they_are_ready(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    gate = scripted_model.gate()
    scripted_model.when("job 0", say("slow", gate=gate))
    scripted_model.when("job 1", "fast")
    async with AsyncCodexPool(codex_config) as pool:
        results = pool.as_completed([Job(prompts=["job 0"]), Job(prompts=["job 1"])])
        assert (await results.__anext__()).final_response == "fast"
        gate.open()
        assert (await results.__anext__()).final_response == "slow"
        with pytest.raises(StopAsyncIteration):
            await results.__anext__()


async def test_no_more_run_than_allowed_and_slots_are_refilled(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    gates = [scripted_model.gate() for _ in range(3)]
    for number, gate in enumerate(gates):
        scripted_model.when(f"job {number}", say("done", gate=gate))
    async with AsyncCodexPool(codex_config, turns=2) as pool:
        futures = [await pool.submit(Job(prompts=[f"job {number}"])) for number in range(3)]
        await scripted_model.received(2)
        assert (pool.counts.running, pool.counts.waiting) == (2, 1)
        gates[1].open()
        await scripted_model.received(3)
        assert {each.last_user_text for each in scripted_model.requests} == {"job 0", "job 1", "job 2"}
        gates[0].open()
        gates[2].open()
        assert [(await settled(each)).status for each in futures] == ["completed"] * 3


async def test_several_runtimes_share_the_jobs(codex_config: AppServerConfig, echo: ScriptedModel) -> None:
    async with AsyncCodexPool(codex_config, turns=1, runtimes=2) as pool:
        results = [each async for each in pool.map(jobs(4))]
        assert len(pool_clients(pool)) == 2
    assert {each.status for each in results} == {"completed"}


async def test_a_failed_job_has_a_result(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    scripted_model.when("job 0", fail(400, {"error": {"message": "no"}}))
    async with AsyncCodexPool(codex_config) as pool:
        failed, fine = [each async for each in pool.map([Job(prompts=["job 0"]), Job(prompts=["job 1"])])]
        counts = pool.counts
    assert isinstance(failed.error, TurnFailedError)
    assert fine.status == "completed"
    assert (counts.failed, counts.completed) == (1, 1)


async def test_what_a_job_names_and_cannot_be_imported_is_its_error(codex_config: AppServerConfig) -> None:
    async with AsyncCodexPool(codex_config) as pool:
        result = await settled(await pool.submit(Job(prompts=["job 0"], tools=["tests.jobs.things:missing"])))
    assert isinstance(result.error, ConfigError)


async def test_a_job_that_runs_is_interrupted(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    scripted_model.queue(hang())
    async with AsyncCodexPool(codex_config, turns=1) as pool:
        running = await pool.submit(Job(prompts=["job 0", "job 1"]))
        waiting = await pool.submit(Job(prompts=["job 2"]))
        await scripted_model.received(1)
        assert pool.cancel(waiting)
        assert pool.cancel(running)
        results = [await settled(running), await settled(waiting)]
        assert not pool.cancel(running)
        counts = pool.counts
    assert [(each.status, each.stopped, len(each.results)) for each in results] == [
        ("stopped", "cancelled", 1),
        ("stopped", "cancelled", 0),
    ]
    assert counts.stopped == 2
    assert prompts_of(scripted_model) == {"job 0": 1}


async def test_a_future_that_is_cancelled_is_not_started(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    gate = scripted_model.gate()
    scripted_model.when("job 0", say("done", gate=gate))
    async with AsyncCodexPool(codex_config, turns=1) as pool:
        running = await pool.submit(Job(prompts=["job 0"]))
        waiting = await pool.submit(Job(prompts=["job 1"]))
        await scripted_model.received(1)
        assert waiting.cancel()
        await eventually(lambda: pool.counts.waiting == 0)
        gate.open()
        assert (await settled(running)).status == "completed"
    assert prompts_of(scripted_model) == {"job 0": 1}


async def test_callbacks_that_raise_change_nothing(codex_config: AppServerConfig, echo: ScriptedModel) -> None:
    def raise_it(_value: object) -> None:
        raise ZeroDivisionError

    async with AsyncCodexPool(codex_config, on_result=raise_it) as pool:
        assert (await settled(await pool.submit(Job(prompts=["job 0"])))).status == "completed"


BAD: dict[str, list[Any]] = {
    "config": ["x", 3, [], ["x"], {"a": 1}],
    "executor": [3, "x"],
    "turns": [True, 0, -1, 1.5, "5", None],
    "runtimes": [True, 0, -1, 1.5, "5", None],
    "max_waiting": [True, 0, -1, 1.5, "5", None],
    "on_pause": [3, "x", lambda: None],
    "on_result": [3, "x", lambda: None],
    "progress": [3, "x", lambda: None],
}


@pytest.mark.parametrize(
    ("name", "bad"), [pytest.param(name, bad, id=f"{name}-{i}") for name in BAD for i, bad in enumerate(BAD[name])]
)
def test_a_pool_refuses_what_cannot_work(name: str, bad: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        AsyncCodexPool(**{name: bad})
    assert caught.value.what.startswith(name)


@pytest.mark.parametrize("bad", [3, None, "job", {"prompts": ["x"]}])
async def test_what_is_no_job_is_refused(codex_config: AppServerConfig, bad: Any) -> None:
    async with AsyncCodexPool(codex_config) as pool:
        with pytest.raises(ConfigError, match="job: expected a Job"):
            await pool.submit(bad)
        with pytest.raises(ConfigError, match="job: expected a Job"):
            await pool.map([bad]).__anext__()
        with pytest.raises(ConfigError, match="jobs: expected an iterable"):
            pool.map(3)  # type: ignore[arg-type]  # on purpose
        with pytest.raises(ConfigError, match="future: expected one"):
            pool.cancel(bad)
        with pytest.raises(ConfigError, match="timeout"):
            await pool.close(timeout="x")  # type: ignore[arg-type]  # on purpose
        with pytest.raises(ConfigError, match="drain"):
            await pool.close(drain=3)  # type: ignore[arg-type]  # on purpose


async def test_submit_waits_for_room(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    gate = scripted_model.gate()
    scripted_model.when("job 0", say("done", gate=gate))
    submitted: list[Any] = []

    async def submit_late() -> None:
        submitted.append(await pool.submit(Job(prompts=["job 2"])))

    async def release() -> None:
        await eventually(lambda: is_waited_for(pool))
        assert submitted == []
        gate.open()

    async with AsyncCodexPool(codex_config, turns=1, max_waiting=1) as pool:
        for number in range(2):
            await pool.submit(Job(prompts=[f"job {number}"]))
        await together([submit_late, release])
        assert (await settled(submitted[0])).status == "completed"
