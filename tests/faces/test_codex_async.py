"""What only the async face promises: no thread per waiter, and a cancellation that reaches the server."""

from __future__ import annotations

import asyncio
import gc
import threading

import pytest

from openai_codex import AppServerConfig, AsyncCodex, DecodeError
from openai_codex._async.client import _wait
from openai_codex.testing import ScriptedModel, hang, say
from openai_codex.types import TurnStatus
from tests.support.bounds import eventually
from tests.support.children import child
from tests.support.inside import actor_of

TURNS = 200


async def test_two_hundred_turns_at_once_need_no_more_threads_than_one(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    gate = scripted_model.gate()
    scripted_model.when(lambda _: True, say("done now", gate=gate))
    async with AsyncCodex(codex_config) as codex:

        async def run(number: int) -> str | None:
            thread = await codex.thread_start(ephemeral=True)
            return (await thread.run(f"turn {number}")).final_response

        one = await codex.thread_start(ephemeral=True)
        first = asyncio.create_task(one.run("first"))
        await gate.reached(30)
        before = {thread.name for thread in threading.enumerate()}
        tasks = [asyncio.create_task(run(number)) for number in range(TURNS)]
        await gate.reached(90, count=TURNS + 1)
        during = {thread.name for thread in threading.enumerate()}
        gate.open()
        answers = await asyncio.gather(*tasks)
        await first
    assert answers == ["done now"] * TURNS
    # No thread for a turn. Those that start on demand write: the lines of a full pipe, and the warnings of the runtime.
    assert len(during - before) <= 2, sorted(during - before)


async def test_cancelling_a_run_interrupts_the_turn(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    gate = scripted_model.gate()
    scripted_model.say("never finished", gate=gate, hold_after=1)
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start(ephemeral=True)
        task = asyncio.create_task(thread.run("go"))
        await gate.reached()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await scripted_model.idle()
        after = await thread.run("again")
    assert scripted_model.abandoned_count == 1
    assert after.status == TurnStatus.completed


async def test_cancelling_before_the_turn_has_an_id_interrupts_it_too(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.when("go", hang())
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start(ephemeral=True)
        task = asyncio.create_task(thread.run("go"))
        await asyncio.sleep(0)  # the request is written in the task's first step; its reply takes milliseconds
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await scripted_model.idle()
        after = await thread.run("again")
    assert after.final_response == "ok"


async def test_cancelling_a_step_of_a_stream_loses_nothing(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    gate = scripted_model.gate()
    scripted_model.say("a b c d", gate=gate, hold_after=2)
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start(ephemeral=True)
        turn = await thread.turn("go")
        stream = turn.stream()
        seen = []
        with pytest.raises(asyncio.TimeoutError):
            while True:
                seen.append(await asyncio.wait_for(stream.__anext__(), 0.3))
        gate.open()
        seen += [event async for event in stream]
    deltas = [event.params["delta"] for event in seen if event.method == "item/agentMessage/delta"]
    assert "".join(deltas) == "a b c d"
    assert seen[-1].method == "turn/completed"


async def test_concurrent_first_calls_start_one_runtime(codex_config: AppServerConfig) -> None:
    codex = AsyncCodex(codex_config)
    threads = await asyncio.gather(*(codex.thread_start(ephemeral=True) for _ in range(5)))
    readers = [thread for thread in threading.enumerate() if thread.name.startswith("codex-reader")]
    await codex.close()
    assert len({thread.id for thread in threads}) == 5
    assert len(readers) == 1


def test_a_client_survives_the_end_of_its_loop(codex_config: AppServerConfig) -> None:
    codex = AsyncCodex(codex_config)

    async def run() -> str | None:
        thread = await codex.thread_start(ephemeral=True)
        return (await thread.run("go")).final_response

    assert [asyncio.run(run()) for _ in range(2)] == ["ok", "ok"]
    asyncio.run(codex.close())


async def test_a_cancelled_close_still_ends_the_runtime() -> None:
    stubborn = child("""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        shake_hands()
        while True: time.sleep(100)
    """)
    codex = AsyncCodex(AppServerConfig(launch_args_override=stubborn, shutdown_timeout=60))
    async with codex:
        actor = actor_of(codex)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(codex.close(), 0.2)
        assert await _wait.ready(actor.exited, 20)


async def test_a_client_without_references_leaves_no_thread_and_no_process(codex_config: AppServerConfig) -> None:
    codex = AsyncCodex(codex_config)
    thread = await codex.thread_start(ephemeral=True)
    actor = actor_of(codex)
    del codex
    gc.collect()
    assert (await thread.run("a handle keeps it")).final_response == "ok"
    del thread
    gc.collect()
    assert await _wait.ready(actor.exited, 20)
    assert await _wait.ready(actor.threads.ended, 20)
    actor.threads.join()
    assert eventually(lambda: not any(t.name.endswith(f"{actor.pid}") for t in threading.enumerate()))


async def test_a_login_whose_end_has_an_odd_shape_is_an_error_and_no_endless_loop() -> None:
    program = child("""
        shake_hands()
        reply(read(), {"type": "chatgpt", "loginId": "L", "authUrl": "http://127.0.0.1"})
        send({"method": "account/login/completed", "params": {"loginId": "L", "success": "perhaps"}})
        read()
    """)
    async with AsyncCodex(AppServerConfig(launch_args_override=program)) as codex:
        login = await codex.login_chatgpt()
        with pytest.raises(DecodeError, match="success"):
            await login.wait(timeout=20)
