"""Iterators that are closed while a step waits: the step ends like the end of the iteration, and nothing is lost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing
from functools import partial
from typing import Any

import pytest

from openai_codex import AppServerConfig, AsyncCodex, AsyncTurnHandle
from openai_codex._async.client._wait import ready
from openai_codex._engine.waiting import Deadline, Latch
from openai_codex.testing import FakeAppServer, ScriptedModel
from tests.faces_async._wait import together
from tests.support.bounds import PATIENCE
from tests.support.inside import actor_of

STREAMS: list[Callable[[AsyncTurnHandle], Any]] = [AsyncTurnHandle.stream, AsyncTurnHandle.text, AsyncTurnHandle.items]


@pytest.fixture
def server() -> Iterator[FakeAppServer]:
    with FakeAppServer() as server:
        yield server


async def begin(codex: AsyncCodex) -> AsyncTurnHandle:
    return await (await codex.thread_start()).turn("go")


async def waiting(codex: AsyncCodex, count: int = 1) -> None:
    """Return when so many callers wait."""
    deadline = Deadline(PATIENCE)
    while actor_of(codex).load().waiters < count:
        assert not deadline.passed()
        await ready(Latch(), 0.005)


async def read(iteration: Any) -> list[Any]:
    return [each async for each in iteration]


async def close(codex: AsyncCodex, iteration: Any, count: int = 1) -> None:
    await waiting(codex, count)
    await iteration.close()
    await iteration.close()


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("timeout", [None, PATIENCE])
async def test_a_step_that_waits_ends_when_its_stream_is_closed(
    server: FakeAppServer, stream: Any, timeout: float | None
) -> None:
    async with AsyncCodex(server.config()) as codex:
        turn = await begin(codex)
        events = stream(turn, timeout=timeout)
        await together([partial(read, events), partial(close, codex, events)])
        assert await read(events) == []
        server.turn.message("the answer")
        server.turn.complete()
        assert (await turn.run(timeout=PATIENCE)).final_response == "the answer"
        assert server.request_count("turn/interrupt") == 0


async def test_all_steps_of_a_shared_stream_end(server: FakeAppServer) -> None:
    async with AsyncCodex(server.config()) as codex:
        events = (await begin(codex)).text()
        readers = [partial(read, events)] * 3
        assert (await together([*readers, partial(close, codex, events, 3)]))[:3] == [[], [], []]


async def test_other_consumers_of_the_turn_wait_on(server: FakeAppServer) -> None:
    async with AsyncCodex(server.config()) as codex:
        turn = await begin(codex)
        closed, other = turn.text(), turn.text()

        async def close_and_speak() -> None:
            await close(codex, closed, 3)
            server.turn.delta("word")
            server.turn.message("word")
            server.turn.complete()

        steps: list[Callable[[], Awaitable[Any]]] = [
            partial(read, closed),
            partial(read, other),
            partial(turn.run, timeout=PATIENCE),
            close_and_speak,
        ]
        ended, words, result, _ = await together(steps)
        assert ended == []
        assert "".join(words) in {"word", ""}  # `run` shares the position of the streams
        assert result.final_response == "word"


async def test_events_end_when_they_are_closed(server: FakeAppServer) -> None:
    async with AsyncCodex(server.config()) as codex:
        events = codex.events()
        await together([partial(read, events), partial(close, codex, events)])
        assert await read(events) == []


async def test_a_listing_ends_when_it_is_closed(server: FakeAppServer) -> None:
    async with AsyncCodex(server.config()) as codex:
        pages = codex.threads()
        await pages.close()
        assert await read(pages) == []
        assert server.request_count("thread/list") == 0


async def test_contextlib_closes_every_iteration_and_the_client(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    async with aclosing(AsyncCodex(codex_config)) as codex:
        thread = await codex.thread_start()
        for iterate in STREAMS:
            async with aclosing(iterate(await thread.turn("go"))) as entries:
                assert await read(entries)
        for iteration in (codex.events(), codex.threads(), thread.turns(), thread.items()):
            async with aclosing(iteration) as entries:
                pass
            assert await read(entries) == []
    assert actor_of(codex).exited.is_ready()
