"""The one end of a turn in the log, where the faces differ: tasks that are cancelled, clients that are dropped."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Iterator

import pytest

from openai_codex import AsyncCodex, Codex
from openai_codex.testing import FakeAppServer
from tests.support.bounds import PATIENCE, eventually


@pytest.fixture
def server() -> Iterator[FakeAppServer]:
    with FakeAppServer() as server:
        yield server


@pytest.fixture(autouse=True)
def at_info(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.INFO, "openai_codex.turn"):
        yield


def names(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [vars(record)["codex"]["event"] for record in caplog.records if record.name == "openai_codex.turn"]


@pytest.mark.parametrize("completed", [False, True])
async def test_a_run_that_is_cancelled(
    server: FakeAppServer, completed: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async with AsyncCodex(server.config()) as codex:
        thread = await codex.thread_start()
        task = asyncio.create_task(thread.run("go"))
        await server.received("turn/start")
        while "codex.turn_started" not in names(caplog):
            await asyncio.sleep(0)
        if completed:  # at the very moment: the task is woken and cancelled at once
            server.turn.complete()
        task.cancel()
        await asyncio.wait([task])
    started, *asked, end = names(caplog)
    assert started == "codex.turn_started"
    assert asked in ([], ["codex.turn_interrupt_asked"])
    assert end in {"codex.turn_abandoned", "codex.turn_completed"}


async def test_a_step_that_is_cancelled(server: FakeAppServer, caplog: pytest.LogCaptureFixture) -> None:
    async with AsyncCodex(server.config()) as codex:
        turn = await (await codex.thread_start()).turn("go")
        task = asyncio.create_task(turn.items().__anext__())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        server.turn.complete()
        assert eventually(lambda: len(names(caplog)) == 2)
    assert names(caplog) == ["codex.turn_started", "codex.turn_completed"]


def test_a_client_that_is_dropped_with_its_turn(server: FakeAppServer, caplog: pytest.LogCaptureFixture) -> None:
    codex = Codex(server.config())
    turn = codex.thread_start().turn("go")
    del turn, codex
    gc.collect()
    assert eventually(lambda: len(names(caplog)) == 2)
    assert names(caplog) == ["codex.turn_started", "codex.turn_lost"]


def test_a_runtime_that_is_replaced(server: FakeAppServer, caplog: pytest.LogCaptureFixture) -> None:
    with Codex(server.config(restart=True)) as codex:
        thread = codex.thread_start()
        lost = thread.turn("go")
        server.child.kill()
        assert eventually(lambda: len(names(caplog)) == 2)
        kept = thread.turn("go on")
        assert server.starts == 2
        server.turn.complete()
        kept.run(timeout=PATIENCE)
        assert lost.id
    assert names(caplog) == [
        "codex.turn_started",
        "codex.turn_lost",
        "codex.turn_started",
        "codex.turn_completed",
    ]
