"""Callers that give a turn up: the turn is interrupted, whether its id is known or not, and the reason comes through."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from openai_codex import AsyncCodex, AsyncTurnHandle, RequestTimeoutError, TurnTimeoutError
from openai_codex._async.client import cursor
from openai_codex._async.client._wait import ready
from openai_codex._engine import router
from openai_codex._engine.actor import Actor
from openai_codex._engine.reply import Reply
from openai_codex._engine.router import Dispatch
from openai_codex._engine.server_requests import PendingRequests
from openai_codex.testing import FakeAppServer, FakeRequest, FakeTurn, frames
from openai_codex.types import TurnStatus
from tests.support.bounds import PATIENCE, SOON, STARTED, eventually, within
from tests.support.inside import actor_of, has_begun, is_ended

STREAMS: list[Callable[[AsyncTurnHandle], Any]] = [AsyncTurnHandle.stream, AsyncTurnHandle.text, AsyncTurnHandle.items]


class LeavingError(Exception):
    """What the program has on its mind."""


@pytest.fixture(params=[True, False], ids=["begun", "accepted"])
def server(request: pytest.FixtureRequest) -> Iterator[FakeAppServer]:
    """A runtime that tells that a turn has begun, and one that has only accepted it."""
    with FakeAppServer(announce_turns=request.param) as server:
        yield server


def interrupts(server: FakeAppServer) -> list[str]:
    """Return which turns the client has asked to stop; it repeats that until they are over."""
    return list(dict.fromkeys(request.params["turnId"] for request in server.requests("turn/interrupt")))


async def begun(server: FakeAppServer, turn: AsyncTurnHandle) -> list[str]:
    """Wait until the turn has begun, if it does; return by which ids it may be interrupted then."""
    server.turn.delta("a word")
    async for _ in turn.text(timeout=PATIENCE):
        break
    return [turn.id] if has_begun(turn) else [""]


# --- streams


@pytest.mark.parametrize("error", [LeavingError, KeyboardInterrupt, SystemExit, GeneratorExit])
async def test_a_stream_that_is_left_by_an_exception_interrupts_its_turn(
    server: FakeAppServer, error: type[BaseException]
) -> None:
    async with AsyncCodex(server.config()) as codex:
        turn = await (await codex.thread_start()).turn("go")
        ids = await begun(server, turn)
        with pytest.raises(error):
            async with turn.stream():
                raise error
        result = await turn.run(timeout=PATIENCE)
        assert interrupts(server) == ids
        assert codex.health().requests_in_flight == 0
    assert result.status == TurnStatus.interrupted


@pytest.mark.parametrize("stream", STREAMS)
async def test_so_it_is_within_any_iteration(
    server: FakeAppServer, stream: Callable[[AsyncTurnHandle], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cursor, "ABANDON_PATIENCE", PATIENCE)
    async with AsyncCodex(server.config()) as codex:
        turn = await (await codex.thread_start()).turn("go")
        ids = await begun(server, turn)
        server.turn.delta("more")
        server.turn.message()
        with pytest.raises(LeavingError):
            async with stream(turn) as events:
                async for _ in events:
                    raise LeavingError
        assert is_ended(turn)
        assert interrupts(server) == ids


@pytest.mark.parametrize("stream", STREAMS)
async def test_a_stream_that_is_left_in_peace_interrupts_nothing(
    server: FakeAppServer, stream: Callable[[AsyncTurnHandle], Any]
) -> None:
    async with AsyncCodex(server.config()) as codex:
        turn = await (await codex.thread_start()).turn("go")
        server.turn.message("the answer")
        async with stream(turn) as events:
            async for _ in events:
                break
        server.turn.complete()
        assert (await turn.run(timeout=PATIENCE)).final_response == "the answer"
        with pytest.raises(LeavingError):
            async with stream(turn):
                raise LeavingError  # when all is over
        assert interrupts(server) == []


async def test_a_stream_is_left_though_the_runtime_is_gone(server: FakeAppServer) -> None:
    async with AsyncCodex(server.config()) as codex:
        turn = await (await codex.thread_start()).turn("go")
        with within(SOON), pytest.raises(LeavingError):
            async with turn.stream():
                server.child.kill()
                assert await ready(actor_of(codex).exited, PATIENCE)
                raise LeavingError


async def test_a_stream_is_left_though_the_runtime_does_not_answer(server: FakeAppServer) -> None:
    server.hold("turn/interrupt")
    async with AsyncCodex(server.config()) as codex:
        turn = await (await codex.thread_start()).turn("go")
        ids = await begun(server, turn)
        with within(SOON), pytest.raises(LeavingError):
            async with turn.stream():
                raise LeavingError
        assert eventually(lambda: set(interrupts(server)) == set(ids))
        assert codex.health().requests_in_flight == 0


# --- deadlines


async def test_a_turn_that_never_completes_is_interrupted_and_tells_what_there_was(
    server: FakeAppServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cursor, "ABANDON_PATIENCE", PATIENCE)
    async with AsyncCodex(server.config()) as codex:
        thread = await codex.thread_start()
        turn = await thread.turn("go")
        ids = await begun(server, turn)
        server.turn.message("the first part")
        async for _ in turn.items(timeout=PATIENCE):
            break
        with within(SOON), pytest.raises(TurnTimeoutError) as caught:
            await turn.run(timeout=0.1)
        assert interrupts(server) == ids
        assert is_ended(turn)
        assert codex.health().requests_in_flight == 0
        again = await thread.turn("again")
        server.turn.complete()
        assert (await again.run(timeout=PATIENCE)).status == TurnStatus.completed
    error = caught.value
    assert (error.thread_id, error.turn_id, error.timeout) == (thread.id, turn.id, 0.1)
    assert error.result is not None
    assert (error.result.status, error.result.final_response) == (TurnStatus.in_progress, "the first part")


async def test_a_turn_that_cannot_be_stopped_either_is_left(server: FakeAppServer) -> None:
    server.hold("turn/interrupt")
    async with AsyncCodex(server.config()) as codex:
        turn = await (await codex.thread_start()).turn("go")
        with within(SOON), pytest.raises(TurnTimeoutError) as caught:
            await turn.run(timeout=0.1)
        assert codex.health().requests_in_flight == 0
        server.turn.message("late")
        server.turn.complete()
        late = await turn.run(timeout=PATIENCE)
    assert caught.value.result is not None
    assert late.final_response == "late", "the handle is as good as before"


@pytest.mark.parametrize("answers", [True, False])
async def test_a_turn_that_was_not_accepted_in_time_is_taken_back(
    server: FakeAppServer, answers: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(router, "_LEASE", 0.1)
    server.hold("turn/start", times=1)
    if not answers:
        server.hold("turn/interrupt", times=1)
    async with AsyncCodex(server.config(max_in_flight=1)) as codex:
        thread = await codex.thread_start()
        with within(SOON), pytest.raises(RequestTimeoutError, match="turn/start"):
            await thread.turn("go", timeout=0.1)
        assert eventually(lambda: set(interrupts(server)) == {""})
        turn = await thread.turn("again")
        health = codex.health()
        assert (health.requests_in_flight, health.requests_queued) == (0, 0), "an undo that is not answered, either"
        server.turn.complete()
        assert (await turn.run(timeout=PATIENCE)).status == TurnStatus.completed


@pytest.mark.parametrize("announced", [True, False])
async def test_a_reply_that_is_read_at_the_moment_when_the_caller_leaves(
    announced: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader has the reply and has not settled it: neither the caller nor the reader may lose the turn."""
    has_left = threading.Event()
    abandon, carry_out = Actor.abandon, Dispatch.carry_out

    def leave(actor: Actor, reply: Reply) -> bool:
        try:
            return abandon(actor, reply)
        finally:
            has_left.set()

    def wait_and_carry_out(dispatch: Dispatch, requests: PendingRequests) -> None:
        if any(reply.method == "turn/start" for reply, _ in dispatch.settled):
            assert has_left.wait(PATIENCE)
        carry_out(dispatch, requests)

    with FakeAppServer(announce_turns=announced) as server:
        async with AsyncCodex(server.config()) as codex:
            thread = await codex.thread_start()
            with monkeypatch.context() as patched:
                patched.setattr(Actor, "abandon", leave)
                patched.setattr(Dispatch, "carry_out", wait_and_carry_out)
                with pytest.raises(TurnTimeoutError):
                    await thread.run("go", timeout=STARTED)
            assert eventually(lambda: server.turn.is_over)
            turn = await thread.turn("again")
            assert not turn.joined
            server.turn.complete()
            assert (await turn.run(timeout=PATIENCE)).status == TurnStatus.completed


async def test_two_abandoned_reviews_do_not_spare_each_other() -> None:
    reviews: list[FakeTurn] = []

    def start(request: FakeRequest) -> None:
        reviews.append(request.child.turn(request.params["threadId"], f"review-{len(reviews)}"))
        request.reply({"turn": frames.turn(reviews[-1].id), "reviewThreadId": request.params["threadId"]})

    def stop(request: FakeRequest) -> None:
        # A review goes on by an id that no reply names; the empty one means whatever is active.
        active = [review for review in reviews if not review.is_over]
        if request.params["turnId"] or not active:
            request.refuse(-32600, "expected the active turn")
        else:
            request.reply({})
            active[0].complete("interrupted")

    with FakeAppServer() as server:
        server.on("review/start", start)
        server.on("turn/interrupt", stop)
        async with AsyncCodex(server.config()) as codex:
            thread = await codex.thread_start()
            first, second = [await codex.review(thread.id) for _ in range(2)]
            with pytest.raises(TurnTimeoutError):  # the other one is wanted, and might be hit
                await first.interrupt(timeout=0.1)
            assert not any(review.is_over for review in reviews)
            await second.interrupt(timeout=PATIENCE)
            await first.interrupt(timeout=PATIENCE)
    assert all(review.is_over for review in reviews)
