"""Usage limits, and runtimes that die: they cost a pool time, and no prompt."""

from __future__ import annotations

from openai_codex import AppServerConfig, AsyncCodexPool, Job
from openai_codex.testing import QuietHome, ScriptedModel, quiet_home, say
from tests.faces_async._wait import eventually, settled
from tests.faces_async.test_pool import jobs, texts
from tests.support.inside import kill_runtimes
from tests.support.jobs import limiting, prompts_of


async def test_a_dead_runtime_costs_nothing_but_time(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    gate = scripted_model.gate()
    for number in range(3):
        scripted_model.when(f"job {number} a", "first")
        scripted_model.when(f"job {number} b", say("cut", gate=gate), "second")
    async with AsyncCodexPool(codex_config, turns=3) as pool:
        futures = [await pool.submit(each) for each in jobs(3)]
        await scripted_model.received(6)
        kill_runtimes(pool)
        results = [await settled(each) for each in futures]
    assert texts(results) == [["first", "second"]] * 3
    assert {each.attempts for each in results} == {2}
    assert prompts_of(scripted_model) == {f"job {number} {part}": 1 for number in range(3) for part in "ab"}


async def test_a_runtime_that_never_starts_fails_its_jobs() -> None:
    config = AppServerConfig(launch_args_override=["false"])
    async with AsyncCodexPool(config) as pool:
        result = await settled(await pool.submit(Job(prompts=["job 0"])))
    assert (result.status, result.attempts) == ("failed", 5)


async def test_a_usage_limit_pauses_the_pool_and_wastes_no_prompt(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    resets: list[int] = []
    scripted_model.when("job 0 a", "first")
    scripted_model.when("job 0 b", limiting(6, resets), "second")
    scripted_model.when("job 1 a", "first")
    scripted_model.when("job 1 b", "second")
    told: list[float] = []
    async with AsyncCodexPool(codex_config, turns=1, on_pause=told.append) as pool:
        futures = [await pool.submit(each) for each in jobs(2)]
        await eventually(lambda: told)
        until = pool.paused_until
        asked = scripted_model.request_count
        results = [await settled(each) for each in futures]
        assert pool.paused_until is None
    assert told == [until]
    assert until is not None
    assert resets[0] <= until <= resets[0] + 3
    assert asked == 2, "nothing is sent while the limit is in force"
    assert all((each.ended_at or 0) >= until for each in results)
    assert texts(results) == [["first", "second"]] * 2
    assert set(prompts_of(scripted_model).values()) == {1}


async def test_with_several_homes_the_next_one_takes_over(
    codex_home: QuietHome, codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    other = quiet_home(codex_home.path / "other", scripted_model.url)
    scripted_model.when("job 0", limiting(6), "late")
    scripted_model.when("job 1", "at once")
    told: list[float] = []
    async with AsyncCodexPool([codex_config, other.config()], turns=1, on_pause=told.append) as pool:
        limit, free = await pool.submit(Job(prompts=["job 0"])), await pool.submit(Job(prompts=["job 1"]))
        first = await settled(free)
        second = await settled(limit)
    assert (first.final_response, second.final_response) == ("at once", "late")
    assert (first.attempts, second.attempts) == (1, 2)
    assert told == []
    assert prompts_of(scripted_model) == {"job 0": 1, "job 1": 1}
