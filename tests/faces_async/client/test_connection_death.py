"""A runtime that ends while calls wait: each raises soon, with what it waited for and how the runtime ended."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

import pytest

from openai_codex import AsyncCodex, AsyncTurnHandle, Restart, TransportClosedError
from openai_codex._async.client._wait import ready
from openai_codex._engine.waiting import Deadline, Latch
from openai_codex.testing import FakeAppServer, FakeChild
from openai_codex.types import ModelListParams, ThreadLoadedListParams, TurnStatus
from tests.faces_async._outcome import Operation, outcomes
from tests.faces_async._wait import together
from tests.support.bounds import PATIENCE, SOON
from tests.support.inside import actor_of

LOGIN = {"type": "chatgpt", "loginId": "L", "authUrl": "http://127.0.0.1"}


@pytest.fixture
def server() -> Iterator[FakeAppServer]:
    with FakeAppServer() as server:
        server.on("account/login/start", LOGIN)
        server.hold("model/list")
        yield server


async def rest_of(events: Any) -> None:
    """Read on until there is nothing more."""
    async for _ in events:
        pass


async def begin_turns(server: FakeAppServer, codex: AsyncCodex, count: int) -> list[AsyncTurnHandle]:
    """Turns of a thread each, which have said half of what they have to say."""
    turns = []
    for _ in range(count):
        turns.append(await (await codex.thread_start()).turn("Hi"))
        server.turn.message("half")
        server.turn.delta("and the other")
    return turns


async def all_wait(codex: AsyncCodex, count: int) -> None:
    """Return when so many callers are blocked, and so have taken all that there was."""
    deadline = Deadline(PATIENCE)
    while actor_of(codex).load().waiters < count:
        assert not deadline.passed()
        await ready(Latch(), 0.005)


def close_output(child: FakeChild) -> None:
    """Say no more, and live on whatever happens."""
    child.ignore_eof()
    child.close_stdout()


@pytest.mark.parametrize(
    ("end", "code", "told"),
    [
        (lambda child: child.exit(7), 7, "exit code 7"),
        (lambda child: child.exit(0), 0, "exit code 0"),
        (lambda child: os.kill(child.pid, signal.SIGKILL), -signal.SIGKILL, "killed by SIGKILL"),
        (close_output, -signal.SIGKILL, "killed by SIGKILL"),
    ],
    ids=["exit", "end", "kill", "closed output"],
)
async def test_all_who_wait_wake_and_later_calls_fail_at_once(
    server: FakeAppServer, end: Callable[[FakeChild], object], code: int, told: str
) -> None:
    began = 0.0
    async with AsyncCodex(server.config(max_in_flight=2)) as codex:
        run, streamed, text, items = await begin_turns(server, codex, 4)
        starting = await codex.thread_start()
        login = await codex.login_chatgpt()
        events = codex.events()
        server.hold("turn/start")
        turns: list[Operation] = [
            run.run,
            *(partial(rest_of, each) for each in (streamed.stream(), text.text(), items.items())),
        ]
        # Three of the requests wait for their turn, as no more than two may be under way.
        requests: list[Operation] = [partial(codex.request, ModelListParams())] * 4 + [partial(starting.turn, "Hi")]
        others: list[Operation] = [partial(rest_of, events), login.wait]

        async def kill() -> None:
            nonlocal began
            try:
                await all_wait(codex, len(turns) + len(requests) + len(others))
                server.child.write_stderr(b"last words\n")
                server.child.sync()
            except BaseException:
                server.child.kill()  # else all the others would wait for ever
                raise
            began = time.monotonic()
            end(server.child)

        *errors, _ = await outcomes([*turns, *requests, *others, kill])
        assert time.monotonic() - began < SOON
        began = time.monotonic()
        later = await outcomes([*turns, *requests, *others, codex.thread_start])
        with pytest.raises(TransportClosedError, match="while waiting for notifications"):
            codex.events()
        assert time.monotonic() - began < SOON
        assert not codex.health().alive

    subjects = [f"the events of a turn of thread {turn.thread_id}" for turn in (run, streamed, text, items)]
    subjects += ["model/list"] * 4 + ["turn/start", "notifications", "the end of a login"]
    assert [waited_for(error) for error in errors] == subjects
    assert [waited_for(error) for error in later] == [*subjects, "thread/start"]
    for error in (*errors, *later):
        assert isinstance(error, TransportClosedError)
        assert error.process.exit_code == code
        assert error.process.stderr_tail == ("last words",)
        assert told in str(error)
    for error in (*errors[:4], *later[:4]):
        assert isinstance(error, TransportClosedError)
        assert error.result is not None
        assert (error.result.status, error.result.final_response) == (TurnStatus.in_progress, "half")
        assert len(error.result.items) == 1
    assert len({id(error) for error in (*errors, *later)}) == len(errors) + len(later)


def waited_for(error: object) -> str | None:
    assert isinstance(error, TransportClosedError)
    return error.waiting_for


async def strike(codex: AsyncCodex) -> None:
    """End the runtime as the out-of-memory killer does, and wait until it is gone."""
    actor = actor_of(codex)
    os.kill(actor.pid, signal.SIGKILL)
    assert await ready(actor.exited, PATIENCE)


async def strike_and_close(codex: AsyncCodex) -> None:
    """Close a client whose runtime has died before."""
    await strike(codex)
    await codex.close()


@pytest.mark.parametrize(
    ("restart", "end", "told"),
    [
        (None, strike, "killed by SIGKILL"),
        (None, AsyncCodex.close, "the client was closed"),
        (Restart(limit=0), strike, "no other is started after 1 failures in succession"),
        (Restart(), AsyncCodex.close, "the client was closed"),
        (Restart(), strike_and_close, "the client was closed"),
    ],
    ids=["death", "close", "last death", "close of a supervised one", "death and close of a supervised one"],
)
async def test_a_subscription_ends_with_the_client(
    server: FakeAppServer, restart: Restart | None, end: Callable[[AsyncCodex], Awaitable[None]], told: str
) -> None:
    async with AsyncCodex(server.config(restart=restart)) as codex:
        events = codex.events(timeout=PATIENCE)
        server.notify("brand/new")
        while codex.health().unread == 0:
            await ready(Latch(), 0.005)
        await end(codex)
        began = time.monotonic()
        with pytest.raises(TransportClosedError, match=told):
            await codex.thread_start()
        assert (await events.__anext__()).method == "brand/new"
        for _ in range(2):
            with pytest.raises(TransportClosedError, match=told) as caught:
                await rest_of(events)
            assert caught.value.waiting_for == "notifications"
            with pytest.raises(TransportClosedError, match=told):
                codex.events(timeout=PATIENCE)
        assert time.monotonic() - began < SOON


async def test_what_was_said_before_the_end_is_delivered_before_it(server: FakeAppServer) -> None:
    async with AsyncCodex(server.config()) as codex:
        [turn] = await begin_turns(server, codex, 1)
        words = [f"{number} " for number in range(5_000)]
        for word in words:
            server.turn.delta(word)
        server.on("thread/loaded/list", lambda request: (request.reply({"data": ["T"]}), request.child.exit(7)))
        loaded = await codex.request(ThreadLoadedListParams(), timeout=PATIENCE)
        said = ""
        with pytest.raises(TransportClosedError, match="exit code 7"):
            async for piece in turn.text(timeout=PATIENCE):
                said += piece
    assert loaded.data == ["T"]
    assert said == "half" + "and the other" + "".join(words)


async def test_who_writes_while_it_dies_gets_no_error_of_the_system(server: FakeAppServer) -> None:
    async with AsyncCodex(server.config()) as codex:
        big = "x" * 300_000

        async def kill() -> None:
            await server.received("model/list")
            os.kill(server.child.pid, signal.SIGKILL)

        calls = [partial(codex.request, ModelListParams(cursor=big), timeout=PATIENCE) for _ in range(20)]
        *errors, _ = await outcomes([*calls, kill])
        errors += await outcomes(calls)
    assert {type(error) for error in errors} == {TransportClosedError}
    assert {waited_for(error) for error in errors} == {"model/list"}


async def test_a_death_during_a_close_ends_the_close(server: FakeAppServer) -> None:
    server.on_start(FakeChild.ignore_eof)
    async with AsyncCodex(server.config(shutdown_timeout=10 * PATIENCE)) as codex:
        actor = actor_of(codex)

        async def kill() -> float:
            deadline = Deadline(PATIENCE)
            while actor.close_reason is None:  # the first thing that a close sees to
                assert not deadline.passed()
                await ready(Latch(), 0.005)
            os.kill(server.child.pid, signal.SIGKILL)
            return time.monotonic()

        _, killed_at = await together([codex.close, kill])
        assert killed_at is not None
        assert time.monotonic() - killed_at < SOON
