"""`close` where the two faces differ: handlers that block a thread, starts that a task waits for, other loops."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from openai_codex import AsyncCodex, Codex, LaunchError, TransportClosedError
from openai_codex._async.client._wait import ready
from openai_codex.testing import FakeAppServer
from tests.support.bounds import PATIENCE, SOON, nothing_left, within
from tests.support.inside import actor_of

ASKS = "item/commandExecution/requestApproval"


@pytest.fixture
def server() -> Iterator[FakeAppServer]:
    with FakeAppServer() as server:
        yield server


def ask(server: FakeAppServer) -> None:
    """Let the runtime ask for an approval."""
    server.turn.ask(ASKS, itemId="i", startedAtMs=0, command="true", cwd="/")


# --- handlers


def test_a_handler_that_blocks_holds_up_no_close(server: FakeAppServer) -> None:
    asked, decided = threading.Event(), threading.Event()

    def ponder(_: object) -> bool:
        asked.set()
        return decided.wait(PATIENCE)

    with nothing_left():
        codex = Codex(server.config(), on_approval=ponder)
        turn = codex.thread_start().turn("go")
        ask(server)
        assert asked.wait(PATIENCE)
        with within(SOON):
            codex.close()
        server.child.wait_gone()
        with pytest.raises(TransportClosedError):
            turn.run()
        decided.set()


def test_two_handlers_that_close_do_not_wait_for_each_other(server: FakeAppServer) -> None:
    both = threading.Barrier(2)
    closed = threading.Semaphore(0)

    def close(_: object) -> bool:
        both.wait(PATIENCE)
        with within(SOON):
            codex.close()
        closed.release()
        return True

    with nothing_left():
        codex = Codex(server.config(), on_approval=close)
        turn = codex.thread_start().turn("go")
        ask(server)
        ask(server)
        with pytest.raises(TransportClosedError, match="the client was closed"):
            turn.run(timeout=PATIENCE)
        assert closed.acquire(timeout=PATIENCE)
        assert closed.acquire(timeout=PATIENCE)


async def test_the_task_of_a_handler_that_waits_is_cancelled(server: FakeAppServer) -> None:
    asked, cancelled = asyncio.Event(), asyncio.Event()

    async def ponder(_: object) -> bool:
        asked.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return True

    with nothing_left():
        codex = AsyncCodex(server.config(), on_approval=ponder)
        await (await codex.thread_start()).turn("go")
        ask(server)
        await asyncio.wait_for(asked.wait(), PATIENCE)
        with within(SOON):
            await codex.close()
        await asyncio.wait_for(cancelled.wait(), PATIENCE)


# --- starts


async def test_a_first_start_is_given_up_when_its_client_is_closed(server: FakeAppServer) -> None:
    server.hold("initialize")
    with nothing_left():
        codex = AsyncCodex(server.config())
        starts = [asyncio.create_task(codex.models()) for _ in range(3)]
        await server.received("initialize")
        with within(SOON):
            await codex.close()
            errors = await asyncio.gather(*starts, return_exceptions=True)
    assert [type(error) for error in errors] == [TransportClosedError] * 3
    assert server.starts == 1


async def test_a_start_whose_only_caller_is_cancelled_leaves_nothing_and_can_be_repeated(server: FakeAppServer) -> None:
    server.hold("initialize", times=1)
    with nothing_left():
        codex = AsyncCodex(server.config())
        start = asyncio.create_task(codex.thread_start())
        await server.received("initialize")
        start.cancel()
        with pytest.raises(asyncio.CancelledError):
            await start
        await server.child.gone()
        await codex.thread_start()
        await codex.close()
    assert server.starts == 2


async def test_a_start_that_fails_still_raises_a_launch_error(server: FakeAppServer) -> None:
    server.refuse("initialize", -32600, "too old")
    with nothing_left(), pytest.raises(LaunchError, match="too old"):
        await AsyncCodex(server.config()).models()


# --- loops


async def test_another_loop_may_close_a_client(server: FakeAppServer) -> None:
    with nothing_left():
        codex = AsyncCodex(server.config())
        turn = await (await codex.thread_start()).turn("go")
        run = asyncio.create_task(turn.run())
        closer = threading.Thread(target=lambda: asyncio.run(codex.close()))
        closer.start()
        with pytest.raises(TransportClosedError, match="the client was closed"):
            await run
        assert await ready(actor_of(codex).exited, PATIENCE)
        closer.join(PATIENCE)
        assert not closer.is_alive()


def test_a_client_is_closed_on_a_loop_of_its_own_after_that_of_its_work(server: FakeAppServer) -> None:
    async def begin(codex: AsyncCodex) -> None:
        await (await codex.thread_start()).turn("go")

    with nothing_left():
        codex = AsyncCodex(server.config())
        asyncio.run(begin(codex))
        with within(SOON):
            asyncio.run(codex.close())
