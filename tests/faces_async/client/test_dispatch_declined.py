"""`RunResult.declined`: the server requests of a turn that no handler of the program has answered."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from openai_codex import LATER, AppServerConfig, AsyncCodex, DeclinedRequest, TurnFailedError, TurnTimeoutError, tool
from openai_codex.testing import FakeAppServer, ScriptedModel, call, reply, say
from openai_codex.types import CurrentTimeReadParams
from tests.support.bounds import PATIENCE

ASKS = {"itemId": "I", "startedAtMs": 0, "command": "true"}
COMMAND, QUESTION, CALL = "item/commandExecution/requestApproval", "item/tool/requestUserInput", "item/tool/call"
QUESTIONS = {"itemId": "I", "questions": [], "isBlocking": True}


@pytest.fixture
def server() -> Iterator[FakeAppServer]:
    with FakeAppServer() as server:
        yield server


def broken(_request: Any) -> Any:
    raise LookupError("no such\nuser")


Case = tuple[dict[str, Any], str, dict[str, Any], str, str]
DECLINED: dict[str, Case] = {
    "no handler": ({}, COMMAND, ASKS, "missing", "pass on_approval=…"),
    "unknown method": ({}, "item/unheardOf", {}, "missing", "a newer runtime's kind of request"),
    "no tool": ({}, CALL, {"callId": "I", "tool": "t", "arguments": {}}, "missing", "pass tools=[…] when"),
    "raises": ({"on_approval": broken}, COMMAND, ASKS, "raised", "LookupError: no such\nuser"),
    "answers wrongly": ({"on_approval": lambda _: "yes"}, COMMAND, ASKS, "wrong_answer", "ConfigError: "),
    "answers nothing": ({"on_approval": lambda _: None}, COMMAND, ASKS, "wrong_answer", "ConfigError: "),
    "is late": ({"on_approval": lambda _: LATER}, COMMAND, ASKS, "timed_out", "no outcome within 0.2 s"),
    "answers in numbers": ({"on_user_input": lambda _: 5}, QUESTION, QUESTIONS, "wrong_answer", "ConfigError: "),
    "unreadable": ({"on_approval": broken}, COMMAND, {"itemId": 5}, "unreadable", "DecodeError: "),
}


@pytest.mark.parametrize("case", DECLINED)
async def test_the_result_names_each_request_that_was_declined(server: FakeAppServer, case: str) -> None:
    handlers, method, params, kind, reason = DECLINED[case]
    timeout = 0.2 if case == "is late" else PATIENCE
    async with AsyncCodex(server.config(handler_timeout=timeout), **handlers) as codex:
        thread = await codex.thread_start()
        turn = await thread.turn("go")
        asked = [server.turn.ask(method, **params) for _ in range(2)]
        for each in asked:
            await each.answered(PATIENCE)
        server.turn.complete()
        result = await turn.run(timeout=PATIENCE)
        again = await thread.turn("go")
        server.turn.complete()
        assert (await again.run(timeout=PATIENCE)).declined == [], "those of one turn only"
    # In any order: two workers handle them.
    assert sorted(each.request_id for each in result.declined) == sorted(each.id for each in asked)
    first = result.declined[0]
    item_id = "I" if "I" in params.values() else None
    assert (first.method, first.kind, first.thread_id, first.turn_id, first.item_id, first.tool) == (
        method,
        kind,
        thread.id,
        turn.id,
        item_id,
        params.get("tool"),
    )
    assert first.reason.startswith(reason)


ANSWERED: dict[str, tuple[Callable[[Any], Any], str]] = {
    "accepts": (lambda _: True, "accept"),
    "declines": (lambda _: False, "decline"),
}


@pytest.mark.parametrize("case", ANSWERED)
async def test_what_a_handler_has_decided_is_not_among_them(server: FakeAppServer, case: str) -> None:
    handler, decision = ANSWERED[case]
    async with AsyncCodex(server.config(), on_approval=handler) as codex:
        turn = await (await codex.thread_start()).turn("go")
        asked = server.turn.ask(COMMAND, **ASKS)
        assert (await asked.answered(PATIENCE))["result"] == {"decision": decision}
        server.turn.complete()
        assert (await turn.run(timeout=PATIENCE)).declined == []


async def test_what_failed_too_late_was_not_declined(server: FakeAppServer) -> None:
    asked, over = threading.Event(), threading.Event()

    def dawdle(_request: Any) -> Any:
        asked.set()
        over.wait(PATIENCE)
        raise LookupError

    async with AsyncCodex(server.config(), on_approval=dawdle) as codex:
        turn = await (await codex.thread_start()).turn("go")
        request = server.turn.ask(COMMAND, **ASKS)
        async for _ in turn.stream(timeout=PATIENCE):
            break
        server.turn.notify("serverRequest/resolved", requestId=request.id)
        server.turn.complete()
        result = await turn.run(timeout=PATIENCE)
        over.set()
    assert result.declined == []


async def test_the_partial_result_of_an_error_has_them(server: FakeAppServer) -> None:
    async with AsyncCodex(server.config()) as codex:
        thread = await codex.thread_start()
        turn = await thread.turn("go")
        await server.turn.ask(COMMAND, **ASKS).answered(PATIENCE)
        with pytest.raises(TurnTimeoutError) as timed_out:
            await turn.run(timeout=0.1)
        failing = await thread.turn("go")
        await server.turn.ask(COMMAND, **ASKS).answered(PATIENCE)
        server.turn.fail("no")
        with pytest.raises(TurnFailedError) as failed:
            await failing.run(timeout=PATIENCE)
    results = [timed_out.value.result, failed.value.result]
    assert [[each.kind for each in result.declined] for result in results if result] == [["missing"], ["missing"]]


async def test_a_request_without_a_turn_belongs_to_the_turn_of_its_thread(server: FakeAppServer) -> None:
    async with AsyncCodex(server.config()) as codex:
        thread = await codex.thread_start()
        turn = await thread.turn("go")
        asked = {"threadId": thread.id, "turnId": None, "serverName": "s", "mode": "form", "message": "m"}
        schema = {"type": "object", "properties": {"a": {"type": "string"}}}
        await server.ask("mcpServer/elicitation/request", asked | {"requestedSchema": schema}).answered(PATIENCE)
        await server.ask(CurrentTimeReadParams.METHOD, {"threadId": "another"}).answered(PATIENCE)
        server.turn.complete()
        declined = (await turn.run(timeout=PATIENCE)).declined
    assert [(each.method, each.turn_id) for each in declined] == [("mcpServer/elicitation/request", None)]


async def test_the_real_runtime_asks_and_the_result_tells(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    @tool
    def fails(count: int) -> int:
        """Fail."""
        raise LookupError(count)

    scripted_model.queue(reply(call("fails", {"count": "many"}, call_id="A")))  # the model's mistake, not the program's
    scripted_model.queue(reply(call("fails", {"count": 7}, call_id="B")), say("done"))
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start(ephemeral=True, tools=[fails])
        result = await thread.run("go", timeout=PATIENCE)
    declined = [attrs_of(each) for each in result.declined]
    assert declined == [("item/tool/call", "raised", "LookupError: 7", "B", "fails")]


def attrs_of(request: DeclinedRequest) -> tuple[object, ...]:
    return request.method, request.kind, request.reason, request.item_id, request.tool
