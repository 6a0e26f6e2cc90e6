"""The end of a pool, and what it does not do any longer."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from openai_codex import AppServerConfig, AsyncCodexPool, ConfigError, Job
from openai_codex.testing import FakeAppServer, ScriptedModel, hang
from tests.faces_async._wait import eventually, settled, together
from tests.support.bounds import nothing_left
from tests.support.jobs import prompts_of


async def test_closing_without_draining_interrupts_and_cancels(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.queue(hang())
    pool = AsyncCodexPool(codex_config, turns=1)
    running = await pool.submit(Job(prompts=["job 0"]))
    waiting = await pool.submit(Job(prompts=["job 1"]))
    await scripted_model.received(1)
    await pool.close(drain=False)
    await pool.close()
    await eventually(waiting.cancelled)
    assert (await settled(running)).stopped == "cancelled"
    with pytest.raises(ConfigError, match="closed"):
        await pool.submit(Job(prompts=["job 2"]))


async def test_a_job_whose_turn_is_about_to_start_is_interrupted() -> None:
    with FakeAppServer() as server:
        server.on("thread/unsubscribe", {"status": "unsubscribed"})
        server.hold("turn/start")
        pool = AsyncCodexPool(server.config(), turns=1)
        job = await pool.submit(Job(prompts=["job 0"]))
        [asked] = await server.received("turn/start")

        async def accept() -> None:
            await server.received("turn/interrupt")
            asked.proceed()

        await together([partial(pool.close, drain=False), accept])
        assert (await settled(job)).stopped == "cancelled"


async def test_an_error_in_the_block_does_not_wait_for_the_jobs(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.queue(hang())
    with pytest.raises(ZeroDivisionError):
        async with AsyncCodexPool(codex_config) as pool:
            running = await pool.submit(Job(prompts=["job 0"]))
            await scripted_model.received(1)
            raise ZeroDivisionError
    assert (await settled(running)).stopped == "cancelled"


async def test_closing_gives_up_after_a_timeout(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    scripted_model.queue(hang())
    pool = AsyncCodexPool(codex_config)
    running = await pool.submit(Job(prompts=["job 0"]))
    await scripted_model.received(1)
    await pool.close(timeout=0.1)
    assert (await settled(running)).stopped == "cancelled"


async def test_a_closed_iterator_submits_no_further_jobs(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.when(lambda _request: True, lambda _request: "done")
    taken = []

    def endless() -> Any:
        for number in range(1_000):
            taken.append(number)
            yield Job(prompts=[f"job {number}"])

    async with AsyncCodexPool(codex_config, turns=1) as pool:
        async with pool.map(endless()) as results:
            assert (await results.__anext__()).final_response == "done"
        with pytest.raises(StopAsyncIteration):
            await results.__anext__()
    assert len(taken) < 6


async def test_a_pool_that_is_closed_gives_the_results_that_are_left(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.queue("done", hang(), hang())
    pool = AsyncCodexPool(codex_config, turns=2)
    results = pool.as_completed([Job(prompts=[f"job {number}"]) for number in range(5)])
    assert (await results.__anext__()).status == "completed"
    await scripted_model.received(3)
    await pool.close(drain=False)
    left = [await results.__anext__() for _ in range(3)]  # two that ran, and one whose future was cancelled
    assert [(each.status, each.stopped) for each in left] == [("stopped", "cancelled")] * 3
    with pytest.raises(ConfigError, match="closed"):
        await results.__anext__()
    assert scripted_model.request_count == 3


async def test_a_pool_that_was_never_used_is_closed_with_what_its_state_has_left(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, tmp_path: Path
) -> None:
    scripted_model.queue(hang(), "done")
    pool = AsyncCodexPool(codex_config, state=tmp_path / "state")
    await pool.submit(Job(prompts=["job 0"], key="k"))
    await scripted_model.received(1)
    await pool.close(drain=False)
    pool = AsyncCodexPool(codex_config, state=tmp_path / "state")
    (left,) = pool.resumed
    await pool.close()
    assert (await settled(left)).status == "completed"
    assert prompts_of(scripted_model) == {"job 0": 1}


async def test_a_closed_pool_shows_nothing_any_longer(codex_config: AppServerConfig) -> None:
    told: list[object] = []
    pool = AsyncCodexPool(codex_config, progress=told.append)
    await pool.close()
    with nothing_left(), pytest.raises(ConfigError, match="closed"):
        await pool.submit(Job(prompts=["job 0"]))
    assert told == []
