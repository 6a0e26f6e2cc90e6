"""Tasks that are cancelled while they wait for a turn: the turn is interrupted, and the cancellation goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from openai_codex import AppServerConfig, AsyncCodex, AsyncThread, AsyncTurnHandle
from openai_codex.testing import FakeAppServer, ScriptedModel, hang
from openai_codex.types import TurnStatus
from tests.support.bounds import PATIENCE, SOON, STARTED, eventually, nothing_left, within


@pytest.fixture
def server() -> Iterator[FakeAppServer]:
    with FakeAppServer() as server:
        yield server


def interrupts(server: FakeAppServer) -> list[str]:
    """Return which turns the client has asked to stop; it repeats that until they are over."""
    return list(dict.fromkeys(request.params["turnId"] for request in server.requests("turn/interrupt")))


async def run(turn: AsyncTurnHandle) -> object:
    return await turn.run()


async def run_for_a_while(turn: AsyncTurnHandle) -> object:
    return await turn.run(timeout=PATIENCE, stall_timeout=PATIENCE)


async def stream(turn: AsyncTurnHandle) -> object:
    async with turn.stream() as events:
        return [event async for event in events]


async def text(turn: AsyncTurnHandle) -> object:
    async with turn.text(timeout=PATIENCE) as pieces:
        return [piece async for piece in pieces]


Work = Callable[[AsyncTurnHandle], Coroutine[Any, Any, object]]


async def turn_and(work: Work, thread: AsyncThread) -> object:
    return await work(await thread.turn("go"))


async def begin(work: Coroutine[Any, Any, object]) -> asyncio.Task[object]:
    """Start a task and let it go on until it waits."""
    task = asyncio.create_task(work)
    await asyncio.sleep(0)
    return task


async def cancelled(task: asyncio.Task[Any]) -> None:
    """Cancel a task and see that it ends so, in time."""
    task.cancel()
    with within(SOON), pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()


@pytest.mark.parametrize("work", [run, stream])
async def test_a_turn_without_an_id_is_interrupted(server: FakeAppServer, work: Work) -> None:
    server.hold("turn/start", times=1)
    async with AsyncCodex(server.config()) as codex:
        task = await begin(turn_and(work, await codex.thread_start()))
        [request] = await server.received("turn/start")
        await cancelled(task)
        assert eventually(lambda: set(interrupts(server)) == {""})
        assert codex.health().requests_in_flight == 1, "the runtime still works on it"
        request.proceed()
        await codex.thread_start()
        assert codex.health().late == 1
        assert codex.health().requests_in_flight == 0


@pytest.mark.parametrize("work", [run, run_for_a_while, stream, text])
@pytest.mark.parametrize("announced", [True, False])
async def test_a_turn_with_an_id_is_interrupted(work: Work, announced: bool) -> None:
    with FakeAppServer(announce_turns=announced) as server:
        async with AsyncCodex(server.config()) as codex:
            turn = await (await codex.thread_start()).turn("go")
            server.turn.delta("a word")
            async for _ in turn.text(timeout=PATIENCE):
                break
            await cancelled(await begin(work(turn)))
            assert eventually(lambda: server.turn.is_over)
            assert interrupts(server) == [turn.id if announced else ""]
            assert codex.health().requests_in_flight == 0


async def test_a_reply_that_arrived_but_was_not_read_still_interrupts_the_turn(server: FakeAppServer) -> None:
    server.hold("turn/start")
    async with AsyncCodex(server.config()) as codex:
        task = asyncio.create_task((await codex.thread_start()).turn("go"))
        [request] = await server.received("turn/start")
        request.proceed()
        # It blocks the loop on purpose: if the loop ran, the task would take the reply.
        assert eventually(lambda: not codex.health().requests_in_flight)
        await cancelled(task)
        assert eventually(lambda: server.turn.is_over)
        assert set(interrupts(server)) <= {"", "turn-1"}


@pytest.mark.parametrize("work", [run, stream])
async def test_a_runtime_that_does_not_answer_holds_up_no_cancellation(server: FakeAppServer, work: Work) -> None:
    server.hold("turn/interrupt")
    async with AsyncCodex(server.config()) as codex:
        turn = await (await codex.thread_start()).turn("go")
        await cancelled(await begin(work(turn)))
        assert eventually(lambda: interrupts(server))
        assert set(interrupts(server)) <= {"", turn.id}
        assert codex.health().requests_in_flight == 0


async def test_an_impatient_second_cancellation_goes_through_at_once(server: FakeAppServer) -> None:
    server.hold("turn/start")
    server.hold("turn/interrupt")
    async with AsyncCodex(server.config()) as codex:
        task = await begin((await codex.thread_start()).turn("go"))
        await server.received("turn/start")
        task.cancel()
        await server.received("turn/interrupt")
        await cancelled(task)


async def test_many_are_cancelled_at_once(server: FakeAppServer) -> None:
    server.hold("turn/interrupt", times=10)  # half of them are not answered
    with nothing_left():
        async with AsyncCodex(server.config()) as codex:
            threads = [await codex.thread_start() for _ in range(20)]
            tasks = [asyncio.create_task(thread.run("go")) for thread in threads]
            await server.received("turn/start", len(tasks))
            with within(SOON):
                for task in tasks:
                    task.cancel()
                found = await asyncio.gather(*tasks, return_exceptions=True)
            assert [type(each) for each in found] == [asyncio.CancelledError] * 20
            ids = {thread.id for thread in threads}
            assert eventually(lambda: {each.params["threadId"] for each in server.requests("turn/interrupt")} == ids)
            assert codex.health().requests_in_flight == 0


async def test_a_deadline_of_the_program_is_a_cancellation(server: FakeAppServer) -> None:
    async with AsyncCodex(server.config()) as codex:
        thread = await codex.thread_start()
        with within(SOON), pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(thread.run("go"), STARTED)
        assert eventually(lambda: len(interrupts(server)) == 1)


async def test_a_stream_on_the_real_runtime_is_interrupted_by_the_cancellation_of_its_reader(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    gate = scripted_model.gate()
    scripted_model.say("never finished", gate=gate, hold_after=1)
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start(ephemeral=True)
        task = await begin(turn_and(stream, thread))
        await gate.reached()
        await cancelled(task)
        await scripted_model.idle()
        assert scripted_model.abandoned_count == 1
        assert (await thread.run("again", timeout=PATIENCE)).status == TurnStatus.completed


async def test_many_on_the_real_runtime_are_interrupted_wherever_they_are(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.when("go", hang())
    async with AsyncCodex(codex_config) as codex:
        threads = [await codex.thread_start(ephemeral=True) for _ in range(12)]
        tasks: list[asyncio.Task[Any]] = []
        for thread in threads:
            tasks.append(asyncio.create_task(thread.run("go")))
            await codex.models()  # some are accepted by the end, some have begun, and the last is not yet written
        tasks.append(await begin((await codex.thread_start(ephemeral=True)).run("go")))
        for task in tasks:
            task.cancel()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(each) for each in found] == [asyncio.CancelledError] * 13
        await scripted_model.idle()
        results = await asyncio.gather(*(thread.run("again", timeout=PATIENCE) for thread in threads))
        assert [result.final_response for result in results] == ["ok"] * 12
        await scripted_model.idle()
