"""A caller that leads the replacement of a runtime and is cancelled: others go on."""

from __future__ import annotations

import asyncio

import pytest

from openai_codex import AsyncCodex, Restart
from openai_codex.testing import FakeAppServer
from openai_codex.types import ModelListParams
from tests.support.bounds import PATIENCE
from tests.support.inside import is_draining


async def test_another_caller_replaces_the_runtime_when_the_first_is_cancelled() -> None:
    with FakeAppServer() as server:
        server.on("model/list", {"data": [], "nextCursor": None})
        async with AsyncCodex(server.config(restart=Restart(max_threads=1, drain_timeout=PATIENCE))) as codex:
            turn = await (await codex.thread_start()).turn("long")
            first, second = (asyncio.create_task(codex.thread_start()) for _ in range(2))
            while not is_draining(codex):
                await codex.request(ModelListParams())
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first
            server.turn.complete()
            await turn.run()
            await second
            assert (codex.health().recycled, server.starts) == (1, 2)
