"""What only the async face promises of a runtime gone mad: its event loop goes on, whatever comes or does not go."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from openai_codex import AsyncCodex, RequestTimeoutError, TurnTimeoutError
from openai_codex._async.client import _wait
from openai_codex._engine.waiting import Latch
from openai_codex.testing import FakeAppServer
from openai_codex.types import ModelListParams
from tests.support.bounds import PATIENCE

BIG = "x" * 1_000_000

BLOCKED = 3.0


@pytest.fixture
def server() -> Iterator[FakeAppServer]:
    with FakeAppServer() as server:
        yield server


@asynccontextmanager
async def ticking(every: float = 0.005) -> AsyncIterator[list[float]]:
    """A task that sleeps again and again; the list has how long each sleep took."""
    gaps: list[float] = []

    async def tick() -> None:
        last = time.monotonic()
        while True:
            await asyncio.sleep(every)
            now = time.monotonic()
            gaps.append(now - last)
            last = now

    task = asyncio.create_task(tick())
    yield gaps
    task.cancel()


async def test_a_full_pipe_does_not_hold_up_the_loop(server: FakeAppServer) -> None:
    async with AsyncCodex(server.config(shutdown_timeout=1)) as codex:
        thread = await codex.thread_start()
        server.child.stop_reading()
        async with ticking() as gaps:
            asked = [codex.request(ModelListParams(cursor=BIG), timeout=BLOCKED) for _ in range(10)]
            waiting = asyncio.gather(*asked, thread.run(BIG, timeout=BLOCKED), return_exceptions=True)
            await asyncio.sleep(0)  # each of them begins to write
            before = len(gaps)
            while len(gaps) < before + 20:  # a write that blocks the loop would do so for ever
                await asyncio.sleep(0)
            *errors, error = await waiting
            await codex.close()
    assert {type(each) for each in errors} == {RequestTimeoutError}
    assert type(error) is TurnTimeoutError


async def test_a_consumer_that_is_always_behind_leaves_time_to_others(server: FakeAppServer) -> None:
    async with AsyncCodex(server.config()) as codex:
        turn = await (await codex.thread_start()).turn("Hi")
        async with ticking(every=0) as gaps:
            server.turn.delta("word ", times=200_000)
            server.turn.complete()
            taken: Counter[int] = Counter()
            length = 0
            async for text in turn.text(timeout=PATIENCE):
                length += len(text)
                taken[len(gaps)] += 1
    assert length == len("word ") * 200_000
    assert max(taken.values()) < 20_000, "so many pieces were taken while no other task could run"


async def test_a_wait_that_is_over_before_it_begins_lets_others_run() -> None:
    latch = Latch()
    latch.set()
    ran: list[bool] = []
    asyncio.get_running_loop().call_soon(ran.append, True)
    assert await _wait.ready(latch, None)
    assert ran == [True]
