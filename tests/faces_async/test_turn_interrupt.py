"""Interrupts at every moment of a turn, and other turns on its thread: what ends a turn is its own end alone."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from openai_codex import AppServerConfig, AsyncCodex, AsyncTurnHandle, TransportClosedError, TurnTimeoutError
from openai_codex._approvals.decisions import LATER, Later
from openai_codex.testing import FakeAppServer, FakeTurn, ScriptedModel, message, reply
from openai_codex.types import (
    ItemCompletedNotification,
    TurnCompletedNotification,
    TurnInterruptResponse,
    TurnStartedNotification,
    TurnStatus,
)
from tests.faces_async._outcome import outcomes
from tests.faces_async._wait import together
from tests.support.bounds import PATIENCE, SOON, within


@pytest.fixture
def server() -> Iterator[FakeAppServer]:
    with FakeAppServer() as server:
        yield server


def interrupts(server: FakeAppServer) -> list[str]:
    """Return which turns the client has asked to stop; it repeats that until they are over."""
    return list(dict.fromkeys(request.params["turnId"] for request in server.requests("turn/interrupt")))


async def begun(turn: AsyncTurnHandle) -> None:
    """Wait until the client knows that a turn has begun."""
    async for event in turn.stream(timeout=PATIENCE):
        if event.method == "turn/started":
            break


# --- before, while, after


async def test_a_turn_that_was_only_accepted_is_interrupted() -> None:
    with FakeAppServer(announce_turns=False) as server:
        async with AsyncCodex(server.config()) as codex:
            turn = await (await codex.thread_start()).turn("go")
            with within(SOON):
                await turn.interrupt()
            assert interrupts(server) == [""], "its own id is refused until it has begun"
            assert (await turn.run(timeout=PATIENCE)).status == TurnStatus.interrupted


async def test_a_turn_that_has_begun_is_interrupted_by_its_id(server: FakeAppServer) -> None:
    async with AsyncCodex(server.config()) as codex:
        turn = await (await codex.thread_start()).turn("go")
        await begun(turn)
        with within(SOON):
            await turn.interrupt()
        assert interrupts(server) == [turn.id]
        assert (await turn.run(timeout=PATIENCE)).status == TurnStatus.interrupted


async def test_an_interrupt_that_came_too_early_is_repeated(server: FakeAppServer) -> None:
    server.refuse("turn/interrupt", -32600, "no active turn to interrupt", times=1)
    async with AsyncCodex(server.config()) as codex:
        turn = await (await codex.thread_start()).turn("go")
        with within(SOON):
            await turn.interrupt()
        assert server.request_count("turn/interrupt") >= 2
        assert (await turn.run(timeout=PATIENCE)).status == TurnStatus.interrupted
        assert codex.health().requests_in_flight == 0


async def test_a_turn_that_ends_by_itself_meanwhile_keeps_its_end(server: FakeAppServer) -> None:
    server.hold("turn/interrupt")
    async with AsyncCodex(server.config()) as codex:
        turn = await (await codex.thread_start()).turn("go")

        async def end() -> None:
            request, *_ = await server.received("turn/interrupt")  # it is repeated
            server.turn.message("just in time")
            server.turn.complete()
            request.refuse(-32600, "no active turn to interrupt")

        with within(SOON):
            await together([turn.interrupt, end])
        result = await turn.run(timeout=PATIENCE)
    assert (result.status, result.final_response) == (TurnStatus.completed, "just in time")


async def test_what_counts_is_the_end_and_not_the_reply(server: FakeAppServer) -> None:
    server.hold("turn/interrupt")
    async with AsyncCodex(server.config()) as codex:
        turn = await (await codex.thread_start()).turn("go")

        async def end() -> None:
            await server.received("turn/interrupt")
            server.turn.complete("interrupted")

        with within(SOON):
            await together([turn.interrupt, end])
        assert codex.health().requests_in_flight == 0
        assert (await turn.run(timeout=PATIENCE)).status == TurnStatus.interrupted


async def test_a_reply_without_an_end_is_not_enough(server: FakeAppServer) -> None:
    server.on("turn/interrupt", {})
    async with AsyncCodex(server.config()) as codex:
        turn = await (await codex.thread_start()).turn("go")
        with within(SOON), pytest.raises(TurnTimeoutError) as caught:
            await turn.interrupt(timeout=0.2)
        assert (caught.value.turn_id, caught.value.timeout) == (turn.id, 0.2)
        server.turn.complete()
        with within(SOON):
            await turn.interrupt()
        assert (await turn.run(timeout=PATIENCE)).status == TurnStatus.completed


async def test_an_interrupt_that_is_never_answered_comes_to_its_deadline(server: FakeAppServer) -> None:
    server.hold("turn/interrupt")
    async with AsyncCodex(server.config(max_in_flight=1)) as codex:
        thread = await codex.thread_start()
        turn = await thread.turn("go")
        with within(SOON), pytest.raises(TurnTimeoutError):
            await turn.interrupt(timeout=0.2)
        health = codex.health()
        assert (health.requests_in_flight, health.requests_queued) == (0, 0)
        server.forget("turn/interrupt")
        with within(SOON):
            await turn.interrupt()
        assert (await turn.run(timeout=PATIENCE)).status == TurnStatus.interrupted


async def test_an_interrupt_ends_with_the_runtime(server: FakeAppServer) -> None:
    server.hold("turn/interrupt")
    async with AsyncCodex(server.config()) as codex:
        turn = await (await codex.thread_start()).turn("go")

        async def die() -> None:
            await server.received("turn/interrupt")
            server.child.kill()

        with within(SOON):
            await together([partial(turn.interrupt, timeout=PATIENCE), die])
        with pytest.raises(TransportClosedError, match="SIGKILL"):
            await turn.run(timeout=PATIENCE)


async def test_many_interrupts_at_once_all_return(server: FakeAppServer) -> None:
    server.hold("turn/interrupt", times=3)  # of several at once the runtime leaves out some replies
    async with AsyncCodex(server.config()) as codex:
        thread = await codex.thread_start()
        handles = [await thread.turn("go"), await thread.turn("more")]
        interruptions = [handles[number % 2].interrupt for number in range(8)]
        with within(SOON):
            found = await outcomes(interruptions)
        assert [type(each) for each in found] == [TurnInterruptResponse] * 8
        results = await together([handle.run for handle in handles])
        assert [result.status for result in results] == [TurnStatus.interrupted] * 2
        assert codex.health().requests_in_flight == 0


# --- handles on turns that are over


async def test_a_handle_whose_turn_is_over_leaves_the_next_alone(server: FakeAppServer) -> None:
    async with AsyncCodex(server.config()) as codex:
        thread = await codex.thread_start()
        over = [await thread.turn("one") for _ in range(2)]  # of the second nothing was read
        server.turn.complete()
        await over[0].run(timeout=PATIENCE)
        running = await thread.turn("two")
        with within(SOON):
            await together([each.interrupt for each in over])
        assert interrupts(server) == []
        server.turn.message("undisturbed")
        server.turn.complete()
        result = await running.run(timeout=PATIENCE)
    assert (result.status, result.final_response) == (TurnStatus.completed, "undisturbed")


async def test_so_it_does_on_the_real_runtime(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    gate = scripted_model.gate()
    scripted_model.say("one")
    scripted_model.say("two and three", gate=gate, hold_after=1)
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start(ephemeral=True)
        over = await thread.turn("one")
        await over.run(timeout=PATIENCE)
        running = await thread.turn("two")
        await gate.reached()
        await together([over.interrupt] * 4)
        gate.open()
        result = await running.run(timeout=PATIENCE)
    assert (result.status, result.final_response) == (TurnStatus.completed, "two and three")


# --- other turns on the same thread


def live(turn: FakeTurn, status: str) -> None:
    """Let a turn go from its beginning to its end."""
    turn.started()
    turn.item_started({"type": "plan", "id": f"{turn.id}-plan", "text": ""})
    turn.delta(f"words of {turn.id}")
    turn.message()
    turn.notify("thread/tokenUsage/updated", tokenUsage=USAGE)
    if status == "failed":
        turn.fail("somebody else's trouble", "usageLimitExceeded")
    else:
        turn.complete(status)  # type: ignore[arg-type]  # one of the protocol's


NUMBERS = {
    "totalTokens": 999,
    "inputTokens": 900,
    "cachedInputTokens": 0,
    "outputTokens": 99,
    "reasoningOutputTokens": 0,
}
USAGE = {"total": NUMBERS, "last": NUMBERS, "modelContextWindow": None}


@pytest.mark.parametrize("status", ["completed", "interrupted", "failed"])
async def test_other_turns_neither_end_a_turn_nor_get_into_it(server: FakeAppServer, status: str) -> None:
    async with AsyncCodex(server.config()) as codex:
        thread = await codex.thread_start()
        turn = await thread.turn("go")
        sub_agent = server.child.turn(thread.id, "sub-agent")
        server.turn.delta("mine ")
        live(sub_agent, status)
        server.turn.delta("alone")
        live(server.child.turn(thread.id, "another"), status)
        server.turn.message()
        server.turn.complete()
        events = [event async for event in turn.stream(timeout=PATIENCE)]
        result = await turn.run(timeout=PATIENCE)
    assert {event.turn_id for event in events} == {turn.id}
    assert [event.method for event in events].count("turn/completed") == 1
    assert (result.status, result.final_response, len(result.items)) == (TurnStatus.completed, "mine alone", 1)
    assert (result.usage, result.error) == (None, None)


async def test_nor_do_they_before_its_id_is_known(server: FakeAppServer) -> None:
    server.hold("turn/start")
    async with AsyncCodex(server.config()) as codex:
        thread = await codex.thread_start()

        async def accept() -> None:
            [request] = await server.received("turn/start")
            live(server.child.turn(thread.id, "sub-agent"), "completed")
            request.proceed()
            live(server.child.turn(thread.id, "another"), "completed")
            server.turn.message("mine alone")
            server.turn.complete()

        result, _ = await together([partial(thread.run, "go", timeout=PATIENCE), accept])
    assert result is not None
    assert (result.final_response, len(result.items), result.usage) == ("mine alone", 1, None)


async def test_the_end_of_another_turn_is_not_that_of_an_interrupt(server: FakeAppServer) -> None:
    server.hold("turn/interrupt")
    async with AsyncCodex(server.config()) as codex:
        thread = await codex.thread_start()
        turn = await thread.turn("go")
        live(server.child.turn(thread.id, "sub-agent"), "interrupted")
        with pytest.raises(TurnTimeoutError):
            await turn.interrupt(timeout=0.2)
        server.turn.complete("interrupted")
        await turn.interrupt(timeout=PATIENCE)


async def test_the_end_of_another_turn_takes_no_question_back(server: FakeAppServer) -> None:
    async def later(_: object) -> Later:
        return LATER

    async with AsyncCodex(server.config(), on_approval=later) as codex:
        thread = await codex.thread_start()
        turn = await thread.turn("go")
        sub_agent = server.child.turn(thread.id, "sub-agent")
        asks = [
            each.ask("item/commandExecution/requestApproval", itemId="i", startedAtMs=0, command="true", cwd="/")
            for each in (server.turn, sub_agent)
        ]
        sub_agent.complete()
        server.turn.delta("a word")
        async for _ in turn.text(timeout=PATIENCE):
            break
        [mine] = codex.pending_requests()
        assert mine.turn_id == turn.id
        assert codex.answer(mine.id, True)
        server.turn.complete()
        await turn.run(timeout=PATIENCE)
        assert (await codex.thread_resume(thread.id)).id == thread.id
    assert [ask.is_answered for ask in asks] == [True, False]


async def test_a_review_and_the_turns_around_it_do_not_mix(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.say("before")
    scripted_model.queue(reply(message('{"findings":[],"overall_explanation":"all good"}')))
    scripted_model.say("after")
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start()
        before = await thread.run("one", timeout=PATIENCE)
        kinds = (TurnStartedNotification, ItemCompletedNotification, TurnCompletedNotification)
        async with codex.events(*kinds, thread_id=thread.id, timeout=PATIENCE) as everything:
            review = await codex.review(thread.id, "Look at nothing.")
            own = [event async for event in review.stream(timeout=PATIENCE)]
            result = await review.run(timeout=PATIENCE)
            after = await thread.run("two", timeout=PATIENCE)
            started, ended = [], []
            async for event in everything:
                if event.method == "turn/started":
                    started.append(event.turn_id)
                elif event.method == "turn/completed":
                    ended.append(event.turn_id)
                    if event.turn_id == after.id:
                        break
    assert (before.final_response, after.final_response) == ("before", "after")
    assert result.status == TurnStatus.completed
    assert {event.turn_id for event in own} == {review.id}
    assert [event.method for event in own].count("turn/completed") == 1
    assert len({before.id, review.id, after.id}) == 3
    assert ended == [review.id, after.id]
    assert started[-1] == after.id
    assert started[0] != review.id, "the runtime begins a review by the id of a turn that nobody has asked for"
