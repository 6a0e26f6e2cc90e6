"""Runs that wait for their thread and are cancelled or interrupted: they leave the queue, and nothing was sent."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType

import pytest

from openai_codex import AsyncCodex, AsyncThread, Codex, ConfigError, RunResult, Thread
from openai_codex.testing import FakeAppServer
from tests.support.bounds import PATIENCE, eventually
from tests.support.inside import calls_waiting, is_idle, turns_running


async def queue(codex: AsyncCodex, thread: AsyncThread, *names: str) -> list[asyncio.Task[RunResult]]:
    """Start runs that wait, one after the other."""
    before = calls_waiting(codex, thread.id)
    tasks = []
    for number, name in enumerate(names, before + 1):
        tasks.append(asyncio.create_task(thread.run(name, timeout=PATIENCE)))
        while calls_waiting(codex, thread.id) < number:
            await asyncio.sleep(0)
    return tasks


def inputs(server: FakeAppServer) -> list[str]:
    return [request.params["input"][0]["text"] for request in server.requests("turn/start")]


@pytest.mark.parametrize("cancelled", [["B"], ["C"], ["D"], ["B", "D"], ["B", "C", "D"]])
async def test_a_cancelled_run_leaves_the_queue_and_the_others_keep_their_order(cancelled: list[str]) -> None:
    with FakeAppServer() as server:
        async with AsyncCodex(server.config()) as codex:
            thread = await codex.thread_start()
            await thread.turn("A")
            names = ["B", "C", "D"]
            tasks = dict(zip(names, await queue(codex, thread, *names), strict=True))
            for name in cancelled:
                tasks[name].cancel()
            server.turn.complete()
            for count, name in enumerate([name for name in names if name not in cancelled], 2):
                await asyncio.to_thread(server.wait_for_requests, "turn/start", count)
                server.turn.complete()
                await tasks[name]
            for name in cancelled:
                with pytest.raises(asyncio.CancelledError):
                    await tasks[name]
            assert await asyncio.to_thread(eventually, lambda: is_idle(codex))
            assert server.request_count("turn/interrupt") == 0
        assert inputs(server) == ["A", *(name for name in names if name not in cancelled)]


async def test_a_run_that_is_cancelled_while_its_request_is_on_its_way_is_followed_by_its_own_turn() -> None:
    with FakeAppServer() as server:
        async with AsyncCodex(server.config()) as codex:
            thread = await codex.thread_start()
            server.hold("turn/start", times=1)
            (first,) = await queue(codex, thread, "A")
            (held,) = await asyncio.to_thread(server.wait_for_requests, "turn/start", 1)
            first.cancel()
            (second,) = await queue(codex, thread, "B")
            with pytest.raises(asyncio.CancelledError):
                await first
            # The runtime may have started it, so the next one waits until it knows.
            assert inputs(server) == ["A"]
            turn = server.child.turn(thread.id, "late")
            turn.started()
            turn.complete("interrupted")
            await asyncio.to_thread(server.wait_for_requests, "turn/start", 2)
            server.turn.complete()
            assert (await second).id != "late"
            assert held.params["input"][0]["text"] == "A"


def strike(codex: Codex, thread: Thread) -> None:
    eventually(lambda: turns_running(codex, thread.id))
    os.kill(os.getpid(), signal.SIGUSR1)


def test_a_signal_handler_cannot_wait_for_the_run_that_it_interrupts() -> None:
    outcomes: list[object] = []

    def attempt(act: Callable[[], object]) -> None:
        try:
            outcomes.append(act())
        except ConfigError as error:
            outcomes.append(error.what)

    with FakeAppServer() as server, Codex(server.config()) as codex:
        thread = codex.thread_start()

        def on_signal(_number: int, _frame: FrameType | None) -> None:
            attempt(lambda: thread.run("nested"))
            attempt(lambda: thread.turn("more").joined)
            server.turn.complete()

        previous = signal.signal(signal.SIGUSR1, on_signal)
        try:
            sender = threading.Thread(target=strike, args=(codex, thread))
            sender.start()
            thread.run("go")
            sender.join()
        finally:
            signal.signal(signal.SIGUSR1, previous)
        assert eventually(lambda: is_idle(codex))
    assert outcomes == ["run", True]
