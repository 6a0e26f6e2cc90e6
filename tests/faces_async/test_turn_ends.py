"""Every turn has one start and one end in the log, whatever ends it and whoever reads it or does not."""

from __future__ import annotations

import gc
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from openai_codex import AsyncCodex, AsyncThread, AsyncTurnHandle, CodexError, DecodeError, TransportClosedError
from openai_codex._async.client._wait import ready
from openai_codex.testing import FakeAppServer
from openai_codex.testing import frames as kit
from openai_codex.types import ModelListParams, ThreadGoalStatus, UncommittedChangesReviewTarget
from tests.faces_async._wait import together
from tests.support import bounds
from tests.support.bounds import PATIENCE, eventually
from tests.support.inside import actor_of, end_latch_of, open_turn_count

STARTED = "codex.turn_started"
ENDS = {f"codex.turn_{how}" for how in ("completed", "failed", "interrupted", "abandoned", "lost")}


class LeavingError(Exception):
    """What the program has on its mind."""


@pytest.fixture
def server() -> Iterator[FakeAppServer]:
    with FakeAppServer() as server:
        server.on("model/list", {"data": [], "nextCursor": None})
        yield server


@pytest.fixture(autouse=True)
def at_info(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.INFO, "openai_codex.turn"):
        yield


def fields(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [vars(record)["codex"] for record in caplog.records if record.name == "openai_codex.turn"]


def counted(caplog: pytest.LogCaptureFixture, count: int = 1) -> list[str]:
    """Return the ends in their order, when they are so many. Each turn that was started must have one, after its start."""
    assert eventually(lambda: len(counted_ends(caplog)) >= count)
    seen = [(each["event"], each["turn_id"]) for each in fields(caplog) if each["event"] in ENDS | {STARTED}]
    starts = Counter(turn for event, turn in seen if event == STARTED)
    ends = Counter(turn for event, turn in seen if event in ENDS)
    assert starts == ends
    assert set(starts.values()) == {1}
    assert all(seen.index((STARTED, turn)) < seen.index((event, turn)) for event, turn in seen if event in ENDS)
    return [event.removeprefix("codex.turn_") for event, _ in seen if event in ENDS]


async def all_read(codex: AsyncCodex) -> None:
    """Return when the client has read all that was sent until now."""
    await codex.request(ModelListParams(), timeout=PATIENCE)


# --- how a turn ends


async def complete(codex: AsyncCodex, server: FakeAppServer) -> None:
    server.turn.complete()
    await all_read(codex)


async def fail(codex: AsyncCodex, server: FakeAppServer) -> None:
    server.turn.fail("no")
    await all_read(codex)


async def interrupted_elsewhere(codex: AsyncCodex, server: FakeAppServer) -> None:
    server.turn.complete("interrupted")
    await all_read(codex)


async def undecodable(codex: AsyncCodex, server: FakeAppServer) -> None:
    turn = server.turn
    turn.is_over = True
    server.child.write(kit.notification("turn/completed", {"threadId": turn.thread_id, "turn": {"id": turn.id}}))
    await all_read(codex)


async def killed(codex: AsyncCodex, server: FakeAppServer) -> None:
    server.child.kill()
    assert await ready(actor_of(codex).exited, PATIENCE)


async def closed(codex: AsyncCodex, _server: FakeAppServer) -> None:
    await codex.close()


End = Callable[[AsyncCodex, FakeAppServer], Awaitable[None]]
BY: dict[str, tuple[End, set[str]]] = {
    "completed": (complete, {"completed"}),
    "failed": (fail, {"failed"}),
    "interrupted": (interrupted_elsewhere, {"interrupted"}),
    "undecodable": (undecodable, {"completed", "lost"}),
    "killed": (killed, {"lost"}),
    "closed": (closed, {"lost"}),
}

# --- who reads it


async def read_all(turn: AsyncTurnHandle, end: Callable[[], Awaitable[None]]) -> None:
    await end()
    with suppress(CodexError):
        await turn.run(timeout=PATIENCE)


async def wait_for_all(turn: AsyncTurnHandle, end: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        with suppress(CodexError):
            await turn.run(timeout=PATIENCE)

    await together([run, end])


async def read_twice(turn: AsyncTurnHandle, end: Callable[[], Awaitable[None]]) -> None:
    for _ in range(2):
        await read_all(turn, end)


async def leave_a_loop(turn: AsyncTurnHandle, end: Callable[[], Awaitable[None]]) -> None:
    async for _ in turn.stream(timeout=PATIENCE):
        break
    await end()


async def leave_a_block(turn: AsyncTurnHandle, end: Callable[[], Awaitable[None]]) -> None:
    async with turn.text():
        await end()


async def step_too_short(turn: AsyncTurnHandle, end: Callable[[], Awaitable[None]]) -> None:
    stream = turn.text(timeout=0.01)
    with suppress(CodexError):
        await stream.__anext__()
    await end()


async def keep(_turn: AsyncTurnHandle, end: Callable[[], Awaitable[None]]) -> None:
    await end()


READERS = (read_all, wait_for_all, leave_a_loop, leave_a_block, step_too_short, keep)


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.__name__)
@pytest.mark.parametrize("by", BY)
async def test_a_turn_has_one_end_whoever_reads_it(
    server: FakeAppServer, by: str, reader: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    end, names = BY[by]
    async with AsyncCodex(server.config()) as codex:
        turn = await (await codex.thread_start()).turn("go")
        await reader(turn, partial(end, codex, server))
    assert len(ends := counted(caplog)) == 1
    assert set(ends) <= names


@pytest.mark.parametrize("by", BY)
async def test_a_handle_that_is_dropped_makes_no_difference(
    server: FakeAppServer, by: str, caplog: pytest.LogCaptureFixture
) -> None:
    end, names = BY[by]
    async with AsyncCodex(server.config()) as codex:
        turn = await (await codex.thread_start()).turn("go")
        del turn
        gc.collect()
        await end(codex, server)
    assert len(ends := counted(caplog)) == 1
    assert set(ends) <= names


@pytest.mark.parametrize("by", ["completed", "failed", "interrupted", "undecodable"])
async def test_the_end_of_a_turn_that_nobody_reads_is_logged_when_it_comes(
    server: FakeAppServer, by: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with AsyncCodex(server.config()) as codex:
        handle = await (await codex.thread_start()).turn("go")
        await BY[by][0](codex, server)
        assert eventually(lambda: ENDS & {each["event"] for each in fields(caplog)})
        assert handle.id


@pytest.mark.parametrize("by", ["completed", "failed", "killed"])
async def test_so_it_is_when_the_end_comes_with_the_reply(
    server: FakeAppServer, by: str, caplog: pytest.LogCaptureFixture
) -> None:
    def start(request: Any) -> None:
        request.proceed()
        {"completed": server.turn.complete, "failed": partial(server.turn.fail, "no"), "killed": request.child.kill}[
            by
        ]()

    server.on("turn/start", start)
    async with AsyncCodex(server.config()) as codex:
        thread = await codex.thread_start()
        with suppress(TransportClosedError):  # the reply may be lost, too
            await thread.turn("go")
            await all_read(codex)
    if by != "killed" or fields(caplog):
        assert len(counted(caplog)) == 1


# --- the client ends it


async def time_out(thread: AsyncThread, _server: FakeAppServer) -> None:
    with suppress(CodexError):
        await (await thread.turn("go")).run(timeout=0.2)


async def stall(thread: AsyncThread, _server: FakeAppServer) -> None:
    with suppress(CodexError):
        await thread.run("go", stall_timeout=0.2)


async def interrupt(thread: AsyncThread, _server: FakeAppServer) -> None:
    await (await thread.turn("go")).interrupt(timeout=PATIENCE)


async def leave_by_an_exception(thread: AsyncThread, _server: FakeAppServer) -> None:
    with suppress(LeavingError):
        async with (await thread.turn("go")).stream():
            raise LeavingError


async def leave_at_the_end(thread: AsyncThread, server: FakeAppServer) -> None:
    with suppress(LeavingError):
        async with (await thread.turn("go")).stream() as stream:
            server.turn.complete()
            async for _ in stream:
                pass
            raise LeavingError


async def leave_an_unread_end(thread: AsyncThread, server: FakeAppServer) -> None:
    with suppress(LeavingError):
        turn = await thread.turn("go")
        async with turn.stream():
            server.turn.complete()
            assert await ready(end_latch_of(turn), PATIENCE)
            raise LeavingError


async def decode_nothing(thread: AsyncThread, server: FakeAppServer) -> None:
    turn = await thread.turn("go")
    turn_on_the_wire = server.turn
    turn_on_the_wire.is_over = True
    end = {"id": turn.id, "status": "completed", "items": 3}
    server.child.write(kit.notification("turn/completed", {"threadId": thread.id, "turn": end}))
    with pytest.raises(DecodeError):
        await turn.run(timeout=PATIENCE)


BY_THE_CLIENT: dict[str, tuple[Callable[[AsyncThread, FakeAppServer], Awaitable[None]], str]] = {
    "timed out": (time_out, "abandoned"),
    "stalled": (stall, "abandoned"),
    "interrupted": (interrupt, "interrupted"),
    "left by an exception": (leave_by_an_exception, "abandoned"),
    "left at the end": (leave_at_the_end, "completed"),
    "left with its end unread": (leave_an_unread_end, "completed"),
    "undecodable": (decode_nothing, "lost"),
}


@pytest.mark.parametrize("how", BY_THE_CLIENT)
async def test_a_turn_that_the_client_ends_has_one_end(
    server: FakeAppServer, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    act, name = BY_THE_CLIENT[how]
    async with AsyncCodex(server.config()) as codex:
        await act(await codex.thread_start(), server)
    # Nobody waits at the very moment at which a turn that is read later ends.
    assert counted(caplog) in ([name], ["completed"] if how == "undecodable" else [])


# --- more than one turn, more than one handle


async def test_an_input_that_joins_a_turn_starts_none(server: FakeAppServer, caplog: pytest.LogCaptureFixture) -> None:
    async with AsyncCodex(server.config()) as codex:
        thread = await codex.thread_start()
        handles = [await thread.turn("go"), await thread.turn("and this")]
        server.turn.complete()
        for handle in handles:
            await handle.run(timeout=PATIENCE)
    assert counted(caplog) == ["completed"]
    assert [each["event"] for each in fields(caplog)].count("codex.turn_joined") == 1


async def test_a_review_is_a_turn(server: FakeAppServer, caplog: pytest.LogCaptureFixture) -> None:
    def start(request: Any) -> None:
        turn = request.child.turn(request.params["threadId"], "review")
        request.reply({"turn": kit.turn("review"), "reviewThreadId": request.params["threadId"]})
        turn.complete()

    server.on("review/start", start)
    async with AsyncCodex(server.config()) as codex:
        thread = await codex.thread_start()
        await codex.review(thread.id, UncommittedChangesReviewTarget())
        await all_read(codex)
    assert counted(caplog) == ["completed"]


@pytest.mark.parametrize("by", ["reached", "failed", "timed out", "killed", "closed"])
async def test_the_turns_of_a_goal_have_one_end_each(
    server: FakeAppServer, by: str, caplog: pytest.LogCaptureFixture
) -> None:
    goal = {"objective": "o", "status": "active", "createdAt": 0, "updatedAt": 0, "timeUsedSeconds": 0, "tokensUsed": 0}

    def set_goal(request: Any) -> None:
        thread_id = request.params["threadId"]
        request.reply({"goal": goal | {"threadId": thread_id}})
        if request.params["status"] != ThreadGoalStatus.active:
            return
        for number in (1, 2):
            turn = request.child.turn(thread_id, f"turn-{number}")
            turn.started()
            if number == 1:
                turn.complete()
            elif by in {"reached", "failed"}:
                done = goal | {"threadId": thread_id, "status": "complete"}
                request.child.notify("thread/goal/updated", {"threadId": thread_id, "goal": done})
                turn.complete("completed" if by == "reached" else "failed")
        if by == "killed":
            request.child.kill()

    server.on("thread/goal/set", set_goal)
    async with AsyncCodex(server.config()) as codex:
        thread = await codex.thread_start()

        async def run() -> None:
            with suppress(CodexError):
                await codex.run_goal(thread.id, "o", timeout=bounds.STARTED if by == "timed out" else PATIENCE)

        async def close() -> None:
            while [each["event"] for each in fields(caplog)].count(STARTED) < 2:
                await all_read(codex)
            await codex.close()

        await together([run, close] if by == "closed" else [run])
    second = {"reached": "completed", "failed": "failed"}.get(by, "lost")
    assert counted(caplog, 2) == ["completed", second]


async def test_turns_without_number_have_one_end_each(server: FakeAppServer, caplog: pytest.LogCaptureFixture) -> None:
    def start(request: Any) -> None:
        request.proceed()
        server.turn.complete()

    server.on("turn/start", start)
    async with AsyncCodex(server.config()) as codex:
        threads = [await codex.thread_start() for _ in range(20)]

        async def use(thread: AsyncThread, number: int) -> None:
            if number % 2:
                await thread.run("go", timeout=PATIENCE)
            else:
                await thread.turn("go")

        for _ in range(5):
            await together([partial(use, thread, number) for number, thread in enumerate(threads)])
        await all_read(codex)
        assert eventually(lambda: len(counted_ends(caplog)) == 100)
        assert eventually(lambda: open_turn_count(codex) == 0)
    assert counted(caplog, 100) == ["completed"] * 100


def counted_ends(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each["event"] for each in fields(caplog) if each["event"] in ENDS]
