"""The model calls the program's functions, and reads what became of it; every time the turn goes on."""

from __future__ import annotations

import base64
import logging
from typing import Any

import attrs
import pytest

from openai_codex import AsyncCodex, ConfigError, Namespace, ToolContext, ToolImage, ToolResult, tool
from openai_codex._async.client import _wait
from openai_codex._engine.waiting import Latch
from openai_codex._tools.declaration import AnyTool
from openai_codex.testing import QuietHome, ScriptedModel, call, reply
from openai_codex.types import DynamicToolCallThreadItem, ThreadLoadedListParams, TurnStatus
from tests.support.bounds import PATIENCE, STARTED

DOT = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC")


@attrs.define
class Forecast:
    city: str
    degrees: list[int]


@tool
async def get_weather(city: str, days: int = 1) -> str:
    """Forecast for a city."""
    return f"{city}: sunny for {days} day(s)"


@tool
async def forecast(city: str) -> Forecast:
    """The forecast, number by number."""
    return Forecast(city, [3, 5])


@tool
async def draw() -> ToolResult:
    """Draw the map."""
    return ToolResult("the map", ToolImage.from_bytes(DOT))


@tool
async def photograph() -> ToolImage:
    """Take a picture."""
    return ToolImage.from_bytes(DOT)


@tool
async def give_up() -> ToolResult:
    """Say that it did not work."""
    return ToolResult("nobody at home", success=False)


@tool
async def read_sensor(name: str) -> str:
    """Read a sensor."""
    raise LookupError(f"no sensor {name}")


@tool
async def reveal() -> object:
    """Return what has no JSON form."""
    return object()


@tool(namespace=Namespace("clock", "Time and date."))
async def now() -> str:
    """The time."""
    return "noon"


TOOLS: list[AnyTool] = [get_weather, forecast, draw, photograph, give_up, read_sensor, reveal, now]


def call_all(model: ScriptedModel, calls: dict[str, dict[str, Any]]) -> None:
    """Let the model make these calls, by call id, in one response."""
    model.queue(reply(*(call(call_id=call_id, **made) for call_id, made in calls.items())))


def tool_items(result: Any) -> dict[str, DynamicToolCallThreadItem]:
    return {item.id: item for item in result.items if isinstance(item, DynamicToolCallThreadItem)}


async def comes(latch: Latch) -> None:
    assert await _wait.ready(latch, PATIENCE), "it did not come"


async def test_the_model_is_offered_the_tools_and_reads_what_they_return(
    codex_home: QuietHome, scripted_model: ScriptedModel
) -> None:
    call_all(
        scripted_model,
        {
            "text": {"name": "get_weather", "arguments": {"city": "Oslo"}},
            "again": {"name": "get_weather", "arguments": {"city": "Rome", "days": 2}},
            "data": {"name": "forecast", "arguments": {"city": "Oslo"}},
            "mixed": {"name": "draw"},
            "image": {"name": "photograph"},
            "namespace": {"name": "now", "namespace": "clock"},
        },
    )
    async with AsyncCodex(codex_home.config()) as codex:
        thread = await codex.thread_start(tools=TOOLS)
        result = await thread.run("go", timeout=PATIENCE)
    offered = {each["name"]: each for each in scripted_model.requests[0].tools if "name" in each}
    weather = offered["get_weather"]
    assert weather["description"] == "Forecast for a city."
    assert weather["parameters"]["required"] == ["city"]
    assert weather["parameters"]["properties"]["city"] == {"type": "string"}
    assert offered["clock"]["description"] == "Time and date."
    assert [each["name"] for each in offered["clock"]["tools"]] == ["now"]
    url = ToolImage.from_bytes(DOT).url
    told = scripted_model.requests[-1].function_outputs
    assert told["text"] == "Oslo: sunny for 1 day(s)"
    assert told["again"] == "Rome: sunny for 2 day(s)"
    assert told["data"] == '{"city":"Oslo","degrees":[3,5]}'
    assert told["namespace"] == "noon"
    text, image = told["mixed"]
    assert (text["type"], text["text"]) == ("input_text", "the map")
    assert (image["type"], image["image_url"]) == ("input_image", url)
    assert [(part["type"], part["image_url"]) for part in told["image"]] == [("input_image", url)]
    items = tool_items(result)
    assert {item.status for item in items.values()} == {"completed"}
    assert [item.success for item in items.values()] == [True] * len(told)
    assert result.final_response == "ok"


async def test_the_model_reads_what_went_wrong(
    codex_home: QuietHome, scripted_model: ScriptedModel, caplog: pytest.LogCaptureFixture
) -> None:
    call_all(
        scripted_model,
        {
            "failed": {"name": "give_up"},
            "raised": {"name": "read_sensor", "arguments": {"name": "attic"}},
            "nonsense": {"name": "reveal"},
            "mistyped": {"name": "get_weather", "arguments": {"city": "Oslo", "days": "many"}},
            "missing": {"name": "get_weather", "arguments": {"days": 1}},
            "unknown": {"name": "get_weather", "arguments": {"city": "Oslo", "country": "no"}},
            "fine": {"name": "get_weather", "arguments": {"city": "Oslo"}},
        },
    )
    with caplog.at_level(logging.WARNING, "openai_codex"):
        async with AsyncCodex(codex_home.config()) as codex:
            thread = await codex.thread_start(tools=TOOLS)
            result = await thread.run("go", timeout=PATIENCE)
    told = scripted_model.requests[-1].function_outputs
    assert told["failed"] == "nobody at home"
    assert told["raised"] == "LookupError: no sensor attic"
    assert told["nonsense"] == "TypeError: the tool's return value cannot be written as JSON: object has no JSON form"
    assert "ToolArgumentError: get_weather: days:" in told["mistyped"]
    assert "ToolArgumentError: get_weather: city:" in told["missing"]
    assert "country: unknown argument" in told["unknown"]
    items = tool_items(result)
    assert {name: item.success for name, item in items.items()} == {name: name == "fine" for name in told}
    assert {items[name].status for name in told if name != "fine"} == {"failed"}
    assert result.final_response == "ok"
    # The program's own mistakes have a traceback; what the model got wrong has none.
    failed = [record for record in caplog.records if record.getMessage().startswith("codex.handler_failed")]
    assert {vars(record)["codex"]["tool"] for record in failed} == {"read_sensor", "reveal"}, "side by side: no order"
    assert len(failed) == 2
    assert "in read_sensor" in caplog.text
    assert "ToolArgumentError" not in caplog.text


async def test_a_tool_knows_which_call_it_is(codex_home: QuietHome, scripted_model: ScriptedModel) -> None:
    seen = []

    @tool
    async def look(where: str, context: ToolContext) -> str:
        """Look somewhere."""
        seen.append((context.thread_id, context.turn_id, context.call_id, context.cancelled))
        return where

    calls = {name: {"name": "look", "arguments": {"where": name}} for name in ("here", "there")}
    call_all(scripted_model, calls)
    async with AsyncCodex(codex_home.config()) as codex:
        thread = await codex.thread_start(tools=[look])
        turn = await thread.turn("go")
        await turn.run(timeout=PATIENCE)
    # Calls of one response run side by side, in no order.
    assert sorted(seen) == [(thread.id, turn.id, "here", False), (thread.id, turn.id, "there", False)]
    assert scripted_model.requests[-1].function_outputs == {"here": "here", "there": "there"}


async def test_a_tool_that_takes_too_long_has_failed(codex_home: QuietHome, scripted_model: ScriptedModel) -> None:
    release, left = Latch(), Latch()
    seen = []

    @tool(timeout=STARTED)
    async def dig(context: ToolContext) -> str:
        """Dig deep."""
        try:
            await comes(release)
        finally:
            seen.append(context.cancelled)
            left.set()
        return "gold"

    call_all(scripted_model, {"dig": {"name": "dig"}})
    async with AsyncCodex(codex_home.config()) as codex:
        thread = await codex.thread_start(tools=[dig])
        result = await thread.run("go", timeout=PATIENCE)
        release.set()
        await comes(left)
    assert scripted_model.requests[-1].function_outputs == {"dig": f"TimeoutError: no outcome within {STARTED:g} s"}
    assert tool_items(result)["dig"].status == "failed"
    assert seen == [True]
    assert result.final_response == "ok"


async def test_a_thread_has_only_its_own_tools(codex_home: QuietHome, scripted_model: ScriptedModel) -> None:
    asks = reply(call("read_sensor", {"name": "attic"}, call_id="asks"))
    async with AsyncCodex(codex_home.config()) as codex:
        threads = [await codex.thread_start(tools=tools) for tools in ([read_sensor], None, [get_weather])]
        told = []
        for thread in threads:
            scripted_model.queue(asks)
            assert (await thread.run("go", timeout=PATIENCE)).final_response == "ok"
            told.append(scripted_model.requests[-1].function_outputs["asks"])
    assert told == ["LookupError: no sensor attic", *["unsupported call: read_sensor"] * 2]


async def test_a_resumed_thread_is_given_its_tools_again(codex_home: QuietHome, scripted_model: ScriptedModel) -> None:
    given: list[list[AnyTool] | None] = [[get_weather], [], None]
    async with AsyncCodex(codex_home.config()) as codex:
        started = [await codex.thread_start(tools=[get_weather]) for _ in given]
        for thread in started:
            await thread.run("first", timeout=PATIENCE)
    asks = reply(call("get_weather", {"city": "Oslo"}, call_id="asks"))
    told = []
    async with AsyncCodex(codex_home.config()) as codex:
        for thread, tools in zip(started, given, strict=True):
            scripted_model.queue(asks)
            resumed = await codex.thread_resume(thread.id, tools=tools)
            assert (await resumed.run("go", timeout=PATIENCE)).final_response == "ok"
            told.append(scripted_model.requests[-1].function_outputs["asks"])
    assert told == ["Oslo: sunny for 1 day(s)", *["This client has no such tool."] * 2]


async def test_a_fork_has_the_tools_of_its_thread_or_those_that_it_is_given(
    codex_home: QuietHome, scripted_model: ScriptedModel
) -> None:
    @tool(name="get_weather")
    async def get_other_weather(city: str) -> str:
        """Not the forecast that the model was told of."""
        return f"{city}: rain"

    asks = reply(call("get_weather", {"city": "Oslo"}, call_id="asks"))
    told = []

    async def run(thread: Any) -> None:
        scripted_model.queue(asks)
        assert (await thread.run("go", timeout=PATIENCE)).final_response == "ok"
        told.append(scripted_model.requests[-1].function_outputs["asks"])

    given: list[list[AnyTool] | None] = [None, [get_other_weather], []]
    async with AsyncCodex(codex_home.config()) as codex:
        thread = await codex.thread_start(tools=[get_weather])
        await run(thread)
        for tools in given:
            fork = await codex.thread_fork(thread.id, tools=tools)
            await run(fork)
            await run(await codex.thread_fork(fork.id))
        await run(thread)
    sunny, rain, none = "Oslo: sunny for 1 day(s)", "Oslo: rain", "This client has no such tool."
    assert told == [sunny, sunny, sunny, rain, rain, none, none, sunny]
    async with AsyncCodex(codex_home.config()) as codex:  # which knows of none
        for tools in given:
            await run(await codex.thread_fork(thread.id, tools=tools))
    assert told[-3:] == [none, rain, none]


async def test_a_tool_is_told_that_its_turn_was_interrupted(
    codex_home: QuietHome, scripted_model: ScriptedModel, caplog: pytest.LogCaptureFixture
) -> None:
    started, over, left = Latch(), Latch(), Latch()
    seen = []

    @tool
    async def dig(context: ToolContext) -> str:
        """Dig deep."""
        seen.append(context.cancelled)
        started.set()
        try:
            await comes(over)
        finally:
            seen.append(context.cancelled)
            left.set()
        return "gold"

    call_all(scripted_model, {"dig": {"name": "dig"}})
    with caplog.at_level(logging.WARNING, "openai_codex"):
        async with AsyncCodex(codex_home.config()) as codex:
            thread = await codex.thread_start(tools=[dig])
            turn = await thread.turn("go")
            await comes(started)
            await turn.interrupt(timeout=PATIENCE)
            over.set()
            await comes(left)
            result = await turn.run(timeout=PATIENCE)
            after = await thread.run("again", timeout=PATIENCE)
    # Only the runtime itself may have warned of something.
    assert {record.name for record in caplog.records} <= {"openai_codex.runtime"}
    assert seen == [False, True]
    assert result.status == TurnStatus.interrupted
    assert tool_items(result)["dig"].status == "failed"
    assert after.final_response == "ok"


async def test_a_tool_may_use_the_client(codex_home: QuietHome, scripted_model: ScriptedModel) -> None:
    @tool
    async def consult(question: str) -> str | None:
        """Ask somebody else."""
        other = await codex.thread_start(ephemeral=True)
        result = await other.run(question, timeout=PATIENCE)
        return result.final_response

    scripted_model.when("Which way?", "left")
    call_all(scripted_model, {"asks": {"name": "consult", "arguments": {"question": "Which way?"}}})
    async with AsyncCodex(codex_home.config()) as codex:
        thread = await codex.thread_start(tools=[consult])
        result = await thread.run("go", timeout=PATIENCE)
    assert scripted_model.requests[-1].function_outputs == {"asks": "left"}
    assert result.final_response == "ok"


async def test_a_sub_agent_has_the_tools_of_the_thread_that_started_it(
    codex_home: QuietHome, scripted_model: ScriptedModel
) -> None:
    @tool(name="get_weather")
    async def another(city: str) -> str:
        return f"{city}: who knows"

    spawns = call("spawn_agent", {"message": "look it up", "fork_context": True}, namespace="multi_agent_v1")
    scripted_model.when("look it up", reply(call("get_weather", {"city": "Oslo"}, call_id="asks")), "done")
    async with AsyncCodex(codex_home.config()) as codex:
        await codex.thread_start(tools=[another])
        thread = await codex.thread_start(tools=[get_weather])
        scripted_model.reply(spawns)
        await thread.run("go", timeout=PATIENCE)
        requests = await scripted_model.received(4)
    told = [request.function_outputs["asks"] for request in requests if "asks" in request.function_outputs]
    assert told == ["Oslo: sunny for 1 day(s)"]


async def test_tools_are_looked_at_before_anything_is_sent(codex_home: QuietHome) -> None:
    async with AsyncCodex(codex_home.config()) as codex:
        thread = await codex.thread_start(ephemeral=True)
        for operation in (
            lambda: codex.thread_start(tools=[print]),
            lambda: codex.thread_fork(thread.id, tools=[print]),
            lambda: codex.thread_resume(thread.id, tools=[print]),
        ):
            with pytest.raises(ConfigError, match="expected a function with @tool"):
                await operation()
        assert len((await codex.request(ThreadLoadedListParams())).data) == 1


async def test_a_thread_that_is_resumed_in_its_own_client_keeps_its_tools(
    codex_home: QuietHome, scripted_model: ScriptedModel
) -> None:
    async with AsyncCodex(codex_home.config()) as codex:
        thread = await codex.thread_start(tools=(each for each in [get_weather]))
        await thread.run("first", timeout=PATIENCE)
        resumed = await codex.thread_resume(thread.id)
        scripted_model.queue(reply(call("get_weather", {"city": "Oslo"}, call_id="asks")))
        await resumed.run("go", timeout=PATIENCE)
    assert scripted_model.requests[-1].function_outputs["asks"] == "Oslo: sunny for 1 day(s)"


async def test_a_limit_for_handlers_is_one_for_tools_that_have_none(
    codex_home: QuietHome, scripted_model: ScriptedModel
) -> None:
    gate = Latch()

    @tool
    async def slow() -> str:
        await _wait.ready(gate, PATIENCE)
        return "late"

    @tool(timeout=PATIENCE)
    async def patient() -> str:
        await _wait.ready(gate, 0.5)
        return "done"

    outputs = []
    async with AsyncCodex(codex_home.config(handler_timeout=0.2)) as codex:
        thread = await codex.thread_start(tools=[slow, patient])
        for name in ("slow", "patient"):
            scripted_model.queue(reply(call(name, {}, call_id="asks")))
            await thread.run("go", timeout=PATIENCE)
            outputs.append(scripted_model.requests[-1].function_outputs["asks"])
        gate.set()
    assert outputs == ["TimeoutError: no outcome within 0.2 s", "done"]
