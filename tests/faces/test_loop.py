"""Event loops and a client of the async face: one at a time."""

from __future__ import annotations

import asyncio
import threading

import pytest

from openai_codex import AppServerConfig, AsyncCodex, ConfigError
from openai_codex._async.client._loop import waker_of
from openai_codex.testing import ScriptedModel


def test_a_second_loop_is_refused(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    async def elsewhere(operation: object) -> str:
        try:
            await operation  # type: ignore[misc]  # an awaitable, made by the caller
        except ConfigError as error:
            return str(error)
        return "no error"

    def in_a_second_loop(operation: object, texts: list[str]) -> None:
        texts.append(asyncio.run(elsewhere(operation)))

    async def main() -> list[str]:
        gate = scripted_model.gate()
        scripted_model.say("two words", gate=gate, hold_after=1)
        texts: list[str] = []
        async with AsyncCodex(codex_config) as codex:
            turn = await (await codex.thread_start(ephemeral=True)).turn("Hi")
            events = codex.events(timeout=5)
            await gate.reached()
            operations = (codex.models(), turn.stream(timeout=5).__anext__(), events.__anext__())
            threads = [threading.Thread(target=in_a_second_loop, args=(each, texts)) for each in operations]
            for thread in threads:
                thread.start()
            for thread in threads:
                await asyncio.to_thread(thread.join, 20)
            gate.open()
            assert (await turn.run()).final_response == "two words"
        return texts

    assert asyncio.run(main()) == ["client: it is in use on another event loop; make one client per loop"] * 3


def test_a_loop_that_is_closed_while_streaming_lets_the_next_go_on(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    gate = scripted_model.gate()
    scripted_model.say("two words", gate=gate, hold_after=1)
    codex = AsyncCodex(codex_config)

    async def begin() -> object:
        return await (await codex.thread_start(ephemeral=True)).turn("Hi")

    async def read_to_the_end(turn: object) -> None:
        async for _ in turn.stream():  # type: ignore[attr-defined]  # a turn handle
            pass

    first = asyncio.new_event_loop()
    turn = first.run_until_complete(begin())
    reading = first.create_task(read_to_the_end(turn))
    first.run_until_complete(gate.reached())
    first.close()
    reading.get_coro().close()  # type: ignore[union-attr]  # as the garbage collector does
    reading._log_destroy_pending = False  # type: ignore[attr-defined]  # noqa: SLF001 it is meant to be left pending
    gate.open()  # what comes now finds no loop

    async def finish() -> str | None:
        result = await turn.run(timeout=20)  # type: ignore[attr-defined]  # as above
        await codex.close()
        return result.final_response

    assert asyncio.run(finish()) == "two words"


async def test_a_handler_moves_with_its_client(codex_config: AppServerConfig) -> None:
    codex = AsyncCodex(codex_config)
    try:
        await asyncio.to_thread(lambda: asyncio.run(codex.models()))
        await codex.models()  # the loop of the thread is closed by now
        with pytest.raises(ConfigError):
            await asyncio.to_thread(lambda: asyncio.run(codex.models()))
    finally:
        await codex.close()


def test_a_wait_that_is_over_does_not_cost_those_behind_it_their_wake_up() -> None:
    async def main() -> None:
        loop, failures = asyncio.get_running_loop(), list[object]()
        loop.set_exception_handler(lambda _, context: failures.append(context))
        waker, over, waiting, afterwards = waker_of(loop), *(loop.create_future() for _ in range(3))
        over.cancel()
        for future in (over, waiting):
            waker.add(future)
        call = waker.call()
        assert call is not None
        call()
        loop.call_soon_threadsafe(afterwards.set_result, True)
        await afterwards
        assert waiting.done()
        assert not failures

    asyncio.run(main())
