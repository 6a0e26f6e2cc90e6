"""The fake runtime from the side of a client: responses, notifications and server requests, sent by the test."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from openai_codex import (
    ApprovalDecision,
    AsyncCodex,
    Codex,
    InvalidRequestError,
    JsonRpcError,
    LaunchError,
    RequestTimeoutError,
    ServerBusyError,
    TurnFailedError,
    retry_on_overload,
)
from openai_codex.testing import FakeAppServer, FakeRequest
from openai_codex.types import ModelListParams, ThreadLoadedListParams, TurnInterruptParams, TurnStatus
from tests.support.bounds import PATIENCE, STARTED

if TYPE_CHECKING:
    from collections.abc import Iterator

NO_MODELS: dict[str, object] = {"data": [], "nextCursor": None}


@pytest.fixture
def server() -> Iterator[FakeAppServer]:
    with FakeAppServer() as server:
        yield server


def test_a_turn_is_sent_delta_by_delta(server: FakeAppServer) -> None:
    with Codex(server.config()) as codex:
        turn = codex.thread_start().turn("Hi")
        server.turn.delta("Hello ")
        server.turn.delta("world")
        server.turn.message()
        server.turn.complete()
        methods = [event.method for event in turn.stream()]
        result = turn.run()
    delta = "item/agentMessage/delta"
    assert methods == ["turn/started", delta, delta, "item/completed", "turn/completed"]
    assert (result.status, result.final_response) == (TurnStatus.completed, "Hello world")


async def test_a_coroutine_can_wait_and_send(server: FakeAppServer) -> None:
    async with AsyncCodex(server.config()) as codex:
        thread = await codex.thread_start()
        run = asyncio.create_task(thread.run("Hi"))
        [request] = await server.received("turn/start")
        server.turn.message("all at once", phase="final_answer")
        server.turn.complete()
        result = await run
    assert request.params["input"] == [{"type": "text", "text": "Hi"}]
    assert result.final_response == "all at once"


def test_a_turn_can_fail(server: FakeAppServer) -> None:
    with Codex(server.config()) as codex:
        turn = codex.thread_start().turn("Hi")
        server.turn.message("half")
        server.turn.fail("too much", "usageLimitExceeded")
        with pytest.raises(TurnFailedError, match="too much") as caught:
            turn.run()
    assert caught.value.codex_error_info == "usageLimitExceeded"
    assert caught.value.result.final_response == "half"


def test_an_interrupt_ends_the_turn(server: FakeAppServer) -> None:
    with Codex(server.config()) as codex:
        turn = codex.thread_start().turn("Hi")
        turn.interrupt()
        assert turn.run().status == TurnStatus.interrupted
        assert server.turn.is_over
        with pytest.raises(InvalidRequestError, match="no active turn"):
            codex.request(TurnInterruptParams(thread_id=turn.thread_id, turn_id=""))


def test_a_second_input_joins_the_turn_and_the_next_begins_another(server: FakeAppServer) -> None:
    with Codex(server.config()) as codex:
        thread = codex.thread_start()
        first, joined = thread.turn("one"), thread.turn("two")
        server.turn.complete()
        assert {turn.run().id for turn in (first, joined)} == {"turn-1"}
        assert thread.turn("three").id == "turn-2"
        assert codex.thread_resume(thread.id).id == thread.id


def test_the_start_of_a_turn_can_be_left_to_the_test() -> None:
    with FakeAppServer(announce_turns=False) as server, Codex(server.config()) as codex:
        turn = codex.thread_start().turn("Hi")
        server.turn.delta("early")
        server.turn.started()
        server.turn.complete()
        methods = [event.method for event in turn.stream()]
    assert methods == ["item/agentMessage/delta", "turn/started", "turn/completed"]


def test_notifications_of_any_turn_can_be_sent(server: FakeAppServer) -> None:
    with Codex(server.config()) as codex:
        turn = codex.thread_start().turn("Hi")
        other = server.child.turn(turn.thread_id, "somebody-else")
        other.started()
        other.message("not yours")
        other.complete()
        server.turn.item_started({"type": "plan", "id": "p", "text": ""})
        server.turn.item_completed({"type": "plan", "id": "p", "text": "step one"})
        server.turn.notify("turn/diff/updated", diff="+x")
        server.turn.complete()
        methods = [event.method for event in turn.stream()]
        result = turn.run()
    assert methods == ["turn/started", "item/started", "item/completed", "turn/diff/updated", "turn/completed"]
    assert (result.final_response, len(result.items)) == (None, 1)


def test_answers_are_values_and_functions(server: FakeAppServer) -> None:
    server.on("model/list", NO_MODELS)
    server.on("model/list", lambda request: {"data": [], "nextCursor": str(request.params["limit"])}, times=1)
    with Codex(server.config()) as codex:
        assert codex.request(ModelListParams(limit=7)).next_cursor == "7"
        assert codex.request(ModelListParams(limit=7)).next_cursor is None
        server.forget("model/list")
        with pytest.raises(InvalidRequestError, match="unknown variant `model/list`"):
            codex.request(ModelListParams())


def test_a_function_can_answer_and_send_notifications(server: FakeAppServer) -> None:
    def answer(request: FakeRequest) -> None:
        request.child.notify("said/before")
        request.refuse(-32603, "no", {"why": "because"})
        request.child.notify("said/after")

    server.on("model/list", answer)
    with Codex(server.config()) as codex, codex.events(timeout=PATIENCE) as events:
        with pytest.raises(JsonRpcError, match="no") as caught:
            codex.request(ModelListParams())
        assert [next(events).method, next(events).method] == ["said/before", "said/after"]
    assert (caught.value.code, caught.value.data) == (-32603, {"why": "because"})


def test_overload_ends_after_the_given_number_of_refusals(server: FakeAppServer) -> None:
    server.refuse("turn/start", times=2)
    with Codex(server.config()) as codex:
        thread = codex.thread_start()
        with pytest.raises(ServerBusyError, match="Server overloaded"):
            thread.turn("Hi")
        assert retry_on_overload(lambda: thread.turn("Hi"), initial_delay_s=0).id == "turn-1"
    assert server.request_count("turn/start") == 3


def test_a_request_is_held_and_answered_late(server: FakeAppServer) -> None:
    with Codex(server.config()) as codex:
        server.hold("model/list", times=1)
        server.on("thread/loaded/list", {"data": ["in time"]})
        with pytest.raises(RequestTimeoutError, match="model/list"):
            codex.request(ModelListParams(), timeout=STARTED)
        [held] = server.wait_for_requests("model/list", timeout=PATIENCE)
        for _ in range(2):
            held.reply(NO_MODELS)
        assert codex.request(ThreadLoadedListParams()).data == ["in time"]
    assert held.is_answered


async def test_a_held_request_can_proceed(server: FakeAppServer) -> None:
    server.hold("turn/start")
    async with AsyncCodex(server.config()) as codex:
        thread = await codex.thread_start()
        run = asyncio.create_task(thread.run("Hi"))
        [held] = await server.received("turn/start")
        assert not held.is_answered
        held.proceed()
        server.turn.message("at last")
        server.turn.complete()
        assert (await run).final_response == "at last"


def test_a_client_without_an_answer_times_out(server: FakeAppServer) -> None:
    server.hold("initialize")
    with pytest.raises(LaunchError, match="initialize"):  # it has come up by then, however busy the machine
        Codex(server.config(start_timeout=2 * STARTED))
    server.child.wait_gone()


def test_the_client_answers_server_requests(server: FakeAppServer) -> None:
    with Codex(server.config(), on_approval=lambda _: ApprovalDecision.accept()) as codex:
        turn = codex.thread_start().turn("Hi")
        asked = server.turn.ask("item/fileChange/requestApproval", itemId="i", startedAtMs=1)
        assert asked.wait_answer()["result"] == {"decision": "accept"}
        unknown = server.ask("brand/new", {})
        assert unknown.wait_answer()["error"]["code"] == -32601
        assert (asked.id, unknown.id, asked.is_answered) == (0, 1, True)
        server.turn.complete()
        turn.run()


async def test_a_coroutine_can_wait_for_the_answer(server: FakeAppServer) -> None:
    async with AsyncCodex(server.config()):
        answer = await server.ask("brand/new").answered()
    assert answer["id"] == 0


def test_notifications_of_the_newest_child_reach_its_client(server: FakeAppServer) -> None:
    with Codex(server.config()) as codex, codex.events(timeout=PATIENCE) as events:
        server.notify("x/y", {"a": 1}, times=3)
        told = [(event.method, event.params) for _, event in zip(range(3), events, strict=False)]
    assert told == [("x/y", {"a": 1})] * 3
