"""The system gives no more threads: a start fails with a typed error, leaves nothing behind, and works again later."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from openai_codex import AppServerConfig, AsyncCodex, LaunchError
from openai_codex._async.client._wait import ready
from openai_codex.testing import FakeAppServer
from tests.support.bounds import PATIENCE, nothing_left
from tests.support.inside import actor_of

# How many threads a start needs at least: one reads stdout, one stderr, one writes.
NEEDED = 3


@pytest.fixture
def server() -> Iterator[FakeAppServer]:
    with FakeAppServer() as server:
        yield server


@contextmanager
def threads_left(count: int) -> Iterator[None]:
    """Let so many threads of a client start; refuse all others, as the system does at its limit."""
    start: Callable[[threading.Thread], None] = threading.Thread.start
    left = [None] * count

    def limited(thread: threading.Thread) -> None:
        if not thread.name.startswith("codex-"):
            start(thread)
            return
        if not left:
            raise RuntimeError("can't start new thread")
        left.pop()
        start(thread)

    threading.Thread.start = limited  # type: ignore[method-assign]  # what the system does cannot be asked for
    try:
        yield
    finally:
        threading.Thread.start = start  # type: ignore[method-assign]


async def test_a_request_that_no_thread_can_answer_is_in_the_result_and_in_the_log(
    server: FakeAppServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with AsyncCodex(server.config()) as codex:
        thread = await codex.thread_start()
        turn = await thread.turn("go")
        with threads_left(0):
            asked = server.turn.ask("item/commandExecution/requestApproval", itemId="I", startedAtMs=0, command="true")
            error = (await asked.answered(PATIENCE))["error"]
        server.turn.complete()
        result = await turn.run(timeout=PATIENCE)
    assert error["code"] == -32603
    [declined] = result.declined
    assert (declined.kind, declined.item_id, declined.turn_id) == ("raised", "I", turn.id)
    assert "no more threads" in declined.reason
    assert [each for each in caplog.records if "codex.handler_failed" in each.getMessage()]


async def use(config: AppServerConfig) -> str:
    async with AsyncCodex(config) as codex:
        return (await codex.thread_start()).id


@pytest.mark.parametrize("count", range(NEEDED))
async def test_a_start_without_threads_fails_and_leaves_nothing(server: FakeAppServer, count: int) -> None:
    await use(server.config())  # what the kit needs itself has started
    with nothing_left(), threads_left(count):
        for _ in range(3):
            with pytest.raises(LaunchError, match="no more threads"):
                await use(server.config())
    assert await use(server.config())


async def test_few_threads_are_enough_for_a_start(server: FakeAppServer) -> None:
    with nothing_left(), threads_left(NEEDED + 1):
        assert await use(server.config())


@pytest.mark.parametrize("count", range(NEEDED))
async def test_a_restart_without_threads_fails_and_is_repeated(server: FakeAppServer, count: int) -> None:
    async with AsyncCodex(server.config(restart=True)) as codex:
        thread = await codex.thread_start()
        server.child.kill()
        assert await ready(actor_of(codex).exited, PATIENCE)
        with threads_left(count), pytest.raises(LaunchError, match="no more threads"):
            await thread.turn("go", timeout=PATIENCE)
        assert (await thread.turn("go", timeout=PATIENCE)).id
