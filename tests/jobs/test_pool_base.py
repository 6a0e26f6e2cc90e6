"""Where a pool can be used: in the process that has made it, and on one event loop."""

from __future__ import annotations

import asyncio
from multiprocessing import get_context
from typing import Any

import pytest

from openai_codex import AppServerConfig, AsyncCodexPool, CodexPool, ConfigError, Job
from openai_codex.testing import ScriptedModel, say
from tests.support.bounds import PATIENCE

JOB = Job(prompts=["job 0"])


def in_child(pool: CodexPool, said: Any) -> None:
    try:
        pool.submit(JOB)
    except ConfigError as error:
        pool.close()
        said.put(str(error))


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")  # that is what is tested
def test_a_pool_belongs_to_its_process(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    gate = scripted_model.gate()
    scripted_model.when("job 0", say("done", gate=gate))
    context = get_context("fork")
    said: Any = context.Queue()
    with CodexPool(codex_config) as pool:
        future = pool.submit(JOB)
        scripted_model.wait_for_requests(1, PATIENCE)
        child = context.Process(target=in_child, args=(pool, said))
        child.start()
        assert "it belongs to the process that this one was forked from" in said.get(timeout=PATIENCE)
        child.join(PATIENCE)
        assert child.exitcode == 0
        gate.open()
        assert future.result(PATIENCE).status == "completed"


def test_a_pool_belongs_to_its_event_loop(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    pool = AsyncCodexPool(codex_config)

    async def submit() -> None:
        assert (await asyncio.wait_for(await pool.submit(JOB), PATIENCE)).status == "completed"

    async def elsewhere() -> None:
        with pytest.raises(ConfigError, match="pool: it is in use on another event loop"):
            await asyncio.to_thread(asyncio.run, submit())
        await pool.close()

    async def both() -> None:
        await submit()
        await elsewhere()

    asyncio.run(both())
    pool = AsyncCodexPool(codex_config)
    asyncio.run(submit())
    with pytest.raises(ConfigError, match="pool: its event loop was closed"):
        asyncio.run(submit())
    asyncio.run(pool.close())
    assert scripted_model.request_count == 2
