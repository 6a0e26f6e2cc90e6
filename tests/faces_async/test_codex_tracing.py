"""The spans and metrics of turns, tools and approvals, on the real runtime."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode

from openai_codex import (
    ApprovalRequest,
    AppServerConfig,
    AsyncCodex,
    CodexRpcError,
    Tool,
    TurnFailedError,
    tool,
)
from openai_codex.testing import QuietHome, ScriptedModel, Usage, call, fail, reply, say
from openai_codex.types import TurnStartParams
from tests.faces_async._wait import together
from tests.support.agents import agents
from tests.support.bounds import PATIENCE, eventually
from tests.support.tracing import TURN, Recorder, attributes, id_of, measured, recorded, tracer

CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
ASKS: dict[str, Any] = {"approval_policy": "on-request", "sandbox": "read-only"}
FREE: dict[str, Any] = {"approval_policy": "never", "sandbox": "full-access"}


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    monkeypatch.delenv(CAPTURE, raising=False)
    with recorded() as recorder:
        yield recorder


@pytest.fixture
def traced(codex_home: QuietHome) -> AppServerConfig:
    return codex_home.config(otel=True)


def asking(cmd: str) -> Any:
    arguments = {"cmd": cmd, "sandbox_permissions": "require_escalated", "justification": "why not"}
    return reply(call("exec_command", arguments))


async def test_a_turn_is_a_span_below_that_of_its_caller(
    traced: AppServerConfig, scripted_model: ScriptedModel, spans: Recorder
) -> None:
    usage = Usage(input_tokens=100, output_tokens=10, cached_input_tokens=30, reasoning_output_tokens=4)
    scripted_model.queue(say("secret answer", usage=usage))
    async with AsyncCodex(traced) as codex:
        thread = await codex.thread_start()
        with tracer().start_as_current_span("caller") as caller:
            result = await thread.run("secret question", timeout=PATIENCE)
            turn = spans.turn()  # it has ended before the call returns
    assert turn.parent == caller.get_span_context()
    assert (turn.kind, turn.status.status_code) == (SpanKind.CLIENT, StatusCode.UNSET)
    assert attributes(turn) == {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.provider.name": "mock",
        "gen_ai.agent.name": "codex",
        "gen_ai.conversation.id": thread.id,
        "gen_ai.request.model": "mock-model",
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 10,
        "gen_ai.usage.cache_read.input_tokens": 30,
        "gen_ai.usage.cache_write.input_tokens": 0,
        "gen_ai.usage.reasoning.output_tokens": 4,
        "codex.turn.id": result.id,
        "codex.generation": 1,
    }
    fields = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.provider.name": "mock",
        "gen_ai.request.model": "mock-model",
    }
    ((series, seconds, count),) = measured("gen_ai.client.operation.duration")
    assert (series, count) == (fields, 1)
    assert turn.end_time is not None
    assert turn.start_time is not None
    assert seconds == pytest.approx((turn.end_time - turn.start_time) / 1e9)


async def test_tokens_are_measured_by_their_type(
    traced: AppServerConfig, scripted_model: ScriptedModel, spans: Recorder
) -> None:
    scripted_model.queue(say("ok", usage=Usage(input_tokens=100, output_tokens=10)))
    async with AsyncCodex(traced) as codex:
        await (await codex.thread_start()).run("go", timeout=PATIENCE)
    counts = {series["gen_ai.token.type"]: total for series, total, _ in measured("gen_ai.client.token.usage")}
    assert counts == {"input": 100, "output": 10}


async def test_without_a_caller_a_turn_is_the_root_of_its_trace(traced: AppServerConfig, spans: Recorder) -> None:
    async with AsyncCodex(traced) as codex:
        thread = await codex.thread_start()
        await thread.run("one", timeout=PATIENCE)
        await thread.run("two", timeout=PATIENCE)
    first, second = spans.turns()
    assert first.parent is second.parent is None
    assert first.context.trace_id != second.context.trace_id


async def test_a_turn_with_an_output_type_says_so(
    traced: AppServerConfig, scripted_model: ScriptedModel, spans: Recorder
) -> None:
    scripted_model.queue(say('{"value": [1]}'))
    async with AsyncCodex(traced) as codex:
        await (await codex.thread_start()).run("go", timeout=PATIENCE, output_type=list[int])
    assert attributes(spans.turn())["gen_ai.output.type"] == "json"


async def test_tools_are_spans_below_the_turn(
    traced: AppServerConfig, scripted_model: ScriptedModel, spans: Recorder, seen: list[Any], look: Tool
) -> None:
    scripted_model.queue(
        reply(call("look", {"name": "x"})), reply(call("exec_command", {"cmd": "exit 3"})), say("done")
    )
    async with AsyncCodex(traced) as codex:
        thread = await codex.thread_start(tools=[look], **FREE)
        result = await thread.run("go", timeout=PATIENCE)
    turn = spans.turn()
    mine, command = spans.below(turn, 2)
    assert {mine.kind, command.kind} == {SpanKind.INTERNAL}
    assert seen == [id_of(turn)]
    item, other = [each.id for each in result.items if each.type in {"dynamicToolCall", "commandExecution"}]
    assert (mine.name, attributes(mine)) == (
        "execute_tool look",
        {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "look",
            "gen_ai.tool.call.id": item,
            "gen_ai.tool.type": "function",
        },
    )
    assert (command.name, attributes(command)) == (
        "execute_tool exec_command",
        {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "exec_command",
            "gen_ai.tool.call.id": other,
            "gen_ai.tool.type": "extension",
            "process.exit.code": 3,
            "error.type": "failed",
        },
    )
    assert command.status.status_code is StatusCode.ERROR


@pytest.fixture
def seen() -> list[Any]:
    return []


@pytest.fixture
def look(seen: list[Any]) -> Tool:
    async def look(name: str) -> str:
        """Look at a thing."""
        seen.append(trace.get_current_span().get_span_context().span_id)
        return f"a {name}"

    return tool(look)


@pytest.mark.parametrize(
    "outcome",
    [
        ("handler", "accept", None),
        ("handler", "decline", None),
        ("raised", "decline", "raised"),
        ("missing", "decline", None),
    ],
)
async def test_an_approval_is_a_span_with_its_decision(
    traced: AppServerConfig,
    scripted_model: ScriptedModel,
    spans: Recorder,
    seen: list[Any],
    outcome: tuple[str, str, str | None],
) -> None:
    by, decision, error = outcome

    async def decide(_request: ApprovalRequest) -> bool:
        seen.append(trace.get_current_span().get_span_context().span_id)
        if by == "raised":
            raise ValueError
        return decision == "accept"

    scripted_model.queue(asking("true"), say("done"))
    async with AsyncCodex(traced, on_approval=None if by == "missing" else decide) as codex:
        thread = await codex.thread_start(**ASKS)
        result = await thread.run("go", timeout=PATIENCE)
    turn = spans.turn()
    assert len(spans.below(turn, 2)) == 2
    (approval,) = spans.named("codex.approval command")
    (item,) = [each.id for each in result.items if each.type == "commandExecution"]
    expected = {
        "codex.approval.kind": "command",
        "codex.approval.decision": decision,
        "codex.approval.decided_by": by,
        "gen_ai.conversation.id": thread.id,
        "gen_ai.tool.call.id": item,
        "codex.turn.id": result.id,
    }
    assert attributes(approval) == expected | ({} if error is None else {"error.type": error})
    assert approval.kind is SpanKind.INTERNAL
    assert seen == ([] if by == "missing" else [id_of(turn)])


async def test_contents_are_in_spans_only_if_the_variable_says_so(
    traced: AppServerConfig,
    scripted_model: ScriptedModel,
    spans: Recorder,
    look: Tool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = reply(call("look", {"name": "cat"})), say("an answer")
    async with AsyncCodex(traced) as codex:
        for capture in ("false", "true"):
            monkeypatch.setenv(CAPTURE, capture)
            scripted_model.queue(*answers)
            await (await codex.thread_start(tools=[look], **FREE)).run("a question", timeout=PATIENCE)
    (plain, said) = spans.turns()
    (plain_tool,), (tool_with,) = spans.below(plain, 1), spans.below(said, 1)
    for words in ("a question", "an answer", "cat"):
        assert words not in str([attributes(plain), attributes(plain_tool)])
    part = {"type": "text", "content": "a question"}
    assert json.loads(attributes(said)["gen_ai.input.messages"]) == [{"role": "user", "parts": [part]}]
    part = {"type": "text", "content": "an answer"}
    assert json.loads(attributes(said)["gen_ai.output.messages"]) == [{"role": "assistant", "parts": [part]}]
    assert json.loads(attributes(tool_with)["gen_ai.tool.call.arguments"]) == {"name": "cat"}
    assert "a cat" in attributes(tool_with)["gen_ai.tool.call.result"]


async def test_no_secret_is_in_a_span(
    codex_home: QuietHome,
    scripted_model: ScriptedModel,
    spans: Recorder,
    look: Tool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(CAPTURE, "true")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "")
    known, bearer, key = "hush-1234567890", "abcdefgh12345678XYZ", "sk-aaaabbbbccccddddeeee"
    text = f"use {known} and Authorization: Bearer {bearer} and {key}"
    scripted_model.queue(
        reply(call("look", {"name": text})),
        reply(call("exec_command", {"cmd": f"echo {known}; true token=planted-by-name"})),
        say(text),
    )
    async with AsyncCodex(codex_home.config(otel=True, env={"SERVICE_TOKEN": known})) as codex:
        await (await codex.thread_start(tools=[look], **FREE)).run(text, timeout=PATIENCE)
    turn = spans.turn()
    shown = str([attributes(each) for each in (turn, *spans.below(turn, 2))])
    assert "use ***" in shown
    for secret in (known, bearer, key, "planted-by-name"):
        assert secret not in shown


async def test_a_failed_turn_has_the_kind_of_its_error(
    traced: AppServerConfig, scripted_model: ScriptedModel, spans: Recorder
) -> None:
    scripted_model.queue(fail(400, "bad"))
    async with AsyncCodex(traced) as codex:
        with pytest.raises(TurnFailedError):
            await (await codex.thread_start()).run("go", timeout=PATIENCE)
    turn = spans.turn()
    assert turn.status.status_code is StatusCode.ERROR
    kind = attributes(turn)["error.type"]
    assert kind in {"badRequest", "other", "failed"}
    (duration,) = measured("gen_ai.client.operation.duration")
    assert duration[0]["error.type"] == kind


async def test_each_attempt_is_a_span(traced: AppServerConfig, scripted_model: ScriptedModel, spans: Recorder) -> None:
    scripted_model.queue(fail(503, "busy"), say("done"))
    async with AsyncCodex(traced) as codex:
        result = await (await codex.thread_start()).run("go", timeout=PATIENCE, retries=2)
    assert result.final_response == "done"
    assert [each.status.status_code for each in spans.turns()] in (
        [StatusCode.UNSET],  # the runtime has repeated the request itself
        [StatusCode.ERROR, StatusCode.UNSET],
    )


@pytest.mark.parametrize("version", [1, 2])
async def test_the_turns_of_sub_agents_are_spans_below_that_of_the_root(version: Any, spans: Recorder) -> None:
    with agents("answers", "asks", version=version) as tree:
        seen: list[int] = []

        async def decide(_request: ApprovalRequest) -> bool:
            seen.append(trace.get_current_span().get_span_context().span_id)
            return True

        async with AsyncCodex(tree.home.config(otel=True), on_approval=decide) as codex:
            thread = await codex.thread_start(**tree.thread())
            result = await thread.run("go", timeout=PATIENCE)
    (root,) = [each for each in spans.turns() if attributes(each)["gen_ai.conversation.id"] == thread.id]
    assert eventually(lambda: len([each for each in spans.below(root, 2) if each.name == TURN]) == 2)
    children = [each for each in spans.below(root, 2) if each.name == TURN]
    assert {attributes(each)["gen_ai.conversation.id"] for each in children} == {
        each.thread_id for each in result.agents
    }
    assert eventually(lambda: spans.named("codex.approval command"))
    (approval,) = spans.named("codex.approval command")
    asker = next(each for each in children if approval.parent and id_of(each) == approval.parent.span_id)
    assert seen in ([id_of(asker)], [id_of(root)])


async def test_the_turns_of_a_goal_are_spans_below_that_of_the_caller(
    traced: AppServerConfig, scripted_model: ScriptedModel, spans: Recorder
) -> None:
    scripted_model.queue(say("first"), reply(call("update_goal", {"status": "complete"})), say("reached"))
    async with AsyncCodex(traced) as codex:
        thread = await codex.thread_start(ephemeral=False)
        with tracer().start_as_current_span("caller") as caller:
            await codex.run_goal(thread.id, "count", timeout=PATIENCE)
    spans.check()
    assert spans.turns()
    for turn in spans.turns():
        assert turn.parent is not None
        assert turn.parent.span_id == caller.get_span_context().span_id


async def test_concurrent_turns_have_their_own_spans(traced: AppServerConfig, spans: Recorder) -> None:
    async with AsyncCodex(traced) as codex:

        async def one() -> tuple[str, int]:
            thread = await codex.thread_start()
            with tracer().start_as_current_span("caller") as caller:
                await thread.run("go", timeout=PATIENCE)
            return thread.id, caller.get_span_context().span_id

        callers = dict(await together([one] * 8))
    found = {attributes(each)["gen_ai.conversation.id"]: each for each in spans.turns()}
    assert found.keys() == callers.keys()
    for thread_id, turn in found.items():
        assert turn.parent is not None
        assert turn.parent.span_id == callers[thread_id]


async def test_a_request_that_is_refused_ends_the_span_of_its_turn(traced: AppServerConfig, spans: Recorder) -> None:
    async with AsyncCodex(traced) as codex:
        await codex.models()
        with pytest.raises(CodexRpcError) as caught:
            await codex.request(TurnStartParams(thread_id=str(uuid4()), input=[]), timeout=PATIENCE)
    assert [attributes(each)["error.type"] for each in spans.turns()] == [type(caught.value).__name__]
