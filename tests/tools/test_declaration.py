"""What a tool declares: name, description, namespace, schema; and what the runtime and type checkers make of it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import attrs
import orjson
import pytest

from openai_codex import _codec as codec
from openai_codex import tool
from openai_codex._tools.arguments import ToolArgumentError, ToolContext
from openai_codex._tools.declaration import AnyTool, Namespace, tool_specs, tool_table
from openai_codex._tools.result import ToolImage, ToolResult, failure_response, to_response
from openai_codex.errors import ConfigError
from openai_codex.testing import QuietHome, ScriptedModel, call
from tests.support.checkers import Check, mypy, pyright
from tests.testing.raw_client import RawClient
from tests.tools.samples import (
    CONTEXT,
    PIXEL,
    Place,
    Unit,
    a_tool,
    get_weather,
    make_plan,
)


def test_a_tool_is_named_and_described_as_its_function() -> None:
    assert (get_weather.name, get_weather.namespace, get_weather.timeout) == ("get_weather", None, None)
    assert get_weather.description == "Forecast for a city.\n\nOf no use\n  at sea."
    assert get_weather.schema == {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer", "default": 1}},
        "required": ["city"],
        "additionalProperties": False,
    }


def test_a_tool_is_still_the_function() -> None:
    assert get_weather("Oslo") == get_weather(city="Oslo", days=1) == "Oslo: sunny for 1"
    assert str(inspect.signature(get_weather)) == "(city: 'str', days: 'int' = 1) -> 'str'"
    assert (get_weather.__name__, get_weather.__module__) == ("get_weather", "tests.tools.samples")
    assert repr(get_weather) == "Tool(name='get_weather', namespace=None, timeout=None)"


def test_a_tool_does_not_change() -> None:
    with pytest.raises(attrs.exceptions.FrozenAttributeError):
        get_weather.name = "other"


def test_settings_come_before_what_the_function_says() -> None:
    assert (make_plan.name, make_plan.description, make_plan.timeout) == ("plan", "Plans.", 2.5)
    assert make_plan.namespace == Namespace("travel")
    assert make_plan.key == ("travel", "plan")


def test_settings_that_are_none_are_not_given() -> None:
    made = tool(get_weather.function, name=None, description=None, schema=None, namespace=None, timeout=None)
    assert attrs.astuple(made, filter=_public) == attrs.astuple(get_weather, filter=_public)


def _public(field: attrs.Attribute[Any], _: Any) -> bool:
    return not field.name.startswith("_")


def test_a_tool_knows_whether_it_is_async() -> None:
    assert not get_weather.is_async
    assert make_plan.is_async


def test_a_function_without_words_has_an_empty_description() -> None:
    assert a_tool("mute").description == ""


def test_all_kinds_of_annotations() -> None:
    def everything(
        *,
        text: Annotated[str, "some text"],
        number: float,
        flag: bool,
        names: list[str],
        counts: dict[str, int],
        level: Literal["low", 3],
        unit: Unit,
        place: Place,
        when: datetime,
        anything: Any = None,
    ) -> None: ...

    assert tool(everything).schema["properties"] == {
        "text": {"type": "string", "description": "some text"},
        "number": {"type": "number"},
        "flag": {"type": "boolean"},
        "names": {"type": "array", "items": {"type": "string"}},
        "counts": {"type": "object", "additionalProperties": {"type": "integer"}},
        "level": {"type": ["string", "integer"], "enum": ["low", 3]},
        "unit": {"type": "string", "enum": ["C", "K"]},
        "place": {"$ref": "#/$defs/Place"},
        "when": {"type": "string", "format": "date-time"},
        "anything": {"default": None},
    }


class Clock:
    """A holder of tools."""

    def now(self, zone: str) -> tuple[Clock, str]:
        """Tell the time."""
        return self, zone


def test_a_method_of_an_object_is_a_tool_that_knows_the_object() -> None:
    clock = Clock()
    now = tool(clock.now)
    assert (now.name, now.description, list(now.schema["properties"])) == ("now", "Tell the time.", ["zone"])
    assert now.bind({"zone": "UTC"}, CONTEXT)() == (clock, "UTC")


def test_a_decorated_function_is_declared_as_what_it_wraps() -> None:
    @tool
    @functools.lru_cache
    def double(number: int) -> int:
        return 2 * number

    assert double.bind({"number": 4}, CONTEXT)() == 8


def positional(a: int, /) -> None: ...
def variadic(*a: int) -> None: ...
def keywords(**a: int) -> None: ...
def untyped(a) -> None: ...  # noqa: ANN001  the missing annotation is the case
def untypable(a: complex) -> None: ...
def deep(place: dict[str, list[complex]]) -> None: ...
def by_position(context: ToolContext, /) -> None: ...
def many(*contexts: ToolContext) -> None: ...
def plain(a: int = 1) -> None: ...


@pytest.mark.parametrize(
    ("function", "settings", "what"),
    [
        (positional, {}, "positional.a"),
        (positional, {"schema": {"type": "object"}}, "positional.a"),
        (variadic, {}, "variadic.a"),
        (keywords, {}, "keywords.a"),
        (untyped, {}, "untyped.a"),
        (untypable, {}, "untypable.a"),
        (deep, {}, "deep.place{}[]"),
        (by_position, {}, "by_position.context"),
        (many, {}, "many.contexts"),
        (lambda: None, {}, "<lambda>.name"),
        (plain, {"name": ""}, "plain.name"),
        (plain, {"name": "get weather"}, "plain.name"),
        (plain, {"name": "wetter_für"}, "plain.name"),
        (plain, {"name": "plain\n"}, "plain.name"),
        (plain, {"name": "a" * 129}, "plain.name"),
        (plain, {"namespace": "my ops"}, "plain.namespace"),
        (plain, {"namespace": ""}, "plain.namespace"),
        (plain, {"namespace": Namespace("a" * 65)}, "plain.namespace"),
        (plain, {"timeout": 0}, "plain.timeout"),
        (plain, {"timeout": -1.0}, "plain.timeout"),
        (plain, {"timeout": float("inf")}, "plain.timeout"),
        (plain, {"timeout": float("nan")}, "plain.timeout"),
        (plain, {"timeout": "5"}, "plain.timeout"),
        (plain, {"schema": {"type": "array"}}, "plain.schema"),
        (plain, {"schema": {}}, "plain.schema"),
        (plain, {"schema": "object"}, "plain.schema"),
        (plain, {"schema": {"type": "object", "properties": {"a": object()}}}, "plain.schema"),
        (plain, {"schema": {"type": "object", "properties": {"a": {"const": float("nan")}}}}, "plain.schema"),
        (plain, {"schema": {"type": "object", "description": "\ud800"}}, "plain.schema"),
        (plain, {"name": 5}, "plain.name"),
        (plain, {"description": 5}, "plain.description"),
        (plain, {"namespace": 5}, "plain.namespace"),
        (plain, {"namespace": Namespace(5)}, "plain.namespace"),  # type: ignore[arg-type]  the wrong type is the case
        (plain, {"namespace": Namespace("ops", 5)}, "plain.namespace"),  # type: ignore[arg-type]  as above
        (functools.partial(untyped), {}, "untyped.a"),
        (Clock, {}, "tool"),
        (print, {}, "tool"),
        ("plain", {}, "tool"),
    ],
)
def test_what_cannot_be_declared_is_named(function: Any, settings: Any, what: str) -> None:
    with pytest.raises(ConfigError) as caught:
        tool(function, **settings)
    assert caught.value.what == what
    with pytest.raises(ConfigError):
        tool(**settings)(function)


def test_an_unknown_setting_is_a_mistake_in_the_call() -> None:
    with pytest.raises(TypeError, match=r"tool\(\) .* 'nmae'"):
        tool(plain, nmae="x")
    with pytest.raises(TypeError, match="'bound'"):  # a field of the tool, but no setting
        tool(plain, bound={"a": 1})


def test_a_declaration_on_the_wire() -> None:
    assert codec.unstructure(get_weather.spec()) == {
        "type": "function",
        "name": "get_weather",
        "description": get_weather.description,
        "inputSchema": get_weather.schema,
    }


def test_tools_of_a_namespace_are_declared_together() -> None:
    ops = Namespace("ops", "What keeps things running.")
    tools = [
        a_tool("stop", namespace="ops"),
        a_tool("plan", namespace="travel"),
        a_tool("plan"),
        a_tool("start", namespace=ops),
        a_tool("plan", namespace=ops),
    ]
    specs = codec.unstructure(tool_specs(tools))
    assert [(spec["type"], spec["name"]) for spec in specs] == [
        ("function", "plan"),
        ("namespace", "ops"),
        ("namespace", "travel"),
    ]
    assert [spec["description"] for spec in specs] == ["", "What keeps things running.", ""]
    assert [[each["name"] for each in spec.get("tools", [])] for spec in specs] == [
        [],
        ["stop", "start", "plan"],
        ["plan"],
    ]
    assert specs[1]["tools"][0] == {
        "type": "function",
        "name": "stop",
        "description": "",
        "inputSchema": tools[0].schema,
    }


def test_no_tools_are_no_specs() -> None:
    assert tool_specs([]) == []


def test_tools_are_found_by_namespace_and_name() -> None:
    assert tool_table([get_weather, make_plan]) == {(None, "get_weather"): get_weather, ("travel", "plan"): make_plan}


@pytest.mark.parametrize("namespace", [None, "ops"])
def test_two_tools_of_one_name(namespace: str | None) -> None:
    twins = [a_tool("x"), a_tool("a", namespace=namespace), a_tool("a", namespace=namespace)]
    with pytest.raises(ConfigError, match=r"tools\[2\]: duplicate tool name a; rename one"):
        tool_specs(twins)


@pytest.mark.parametrize("wrong", [plain, "get_weather", None, {}])
def test_values_that_are_not_tools_are_refused(wrong: Any) -> None:
    with pytest.raises(ConfigError, match=r"tools\[1\]: expected a function with @tool, got"):
        tool_specs([get_weather, wrong])


def test_a_namespace_is_described_in_one_way() -> None:
    with pytest.raises(ConfigError, match="namespace ops: expected one description, got 2 that differ"):
        tool_specs([a_tool("a", namespace=Namespace("ops", "A.")), a_tool("b", namespace=Namespace("ops", "B."))])


BUILT_IN = [
    *("exec_command", "write_stdin", "apply_patch", "view_image", "web_search"),
    *("request_user_input", "get_goal", "create_goal", "update_goal"),
]


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_tool_of_a_name_that_the_runtime_uses(name: str) -> None:
    with pytest.raises(ConfigError, match=r"<lambda>\.name: expected another name than that of a tool of the runtime"):
        a_tool(name)
    assert a_tool(name, namespace="ops").key == ("ops", name)
    assert a_tool(f"{name}_2").key == (None, f"{name}_2")


USE = """
from typing_extensions import assert_type

from openai_codex import ToolContext, tool
from openai_codex._tools.declaration import tool_specs

@tool
def get_weather(city: str, days: int = 1) -> str: return city

@tool(timeout=3, namespace="ops", name=None)
async def stop(name: str, context: ToolContext | None = None) -> list[int]: return []

def plain(a: int) -> float: return a

assert_type(get_weather("Oslo", days=2), str)

async def use() -> None:
    assert_type(await stop("x"), list[int])

assert_type(tool(plain)(1), float)
assert_type(tool(plain, name="other")(1), float)
tool_specs([get_weather, stop])
"""


@pytest.mark.slow
@pytest.mark.parametrize("check", [mypy, pyright])
@pytest.mark.parametrize(
    ("more", "ok"),
    [("", True), ("get_weather(3)", False), ("get_weather()", False), ("tool(plain, tiemout=1)", False)],
)
def test_type_checkers_still_see_the_function(check: Check, more: str, ok: bool, tmp_path: Path) -> None:
    (tmp_path / "use.py").write_text(USE + more + "\n")
    done = check(tmp_path)
    assert (done.returncode == 0) is ok, done.stdout + done.stderr


def on_the_wire(tools: list[AnyTool]) -> list[dict[str, Any]]:
    specs: list[dict[str, Any]] = codec.unstructure(tool_specs(tools))
    return specs


def answered(tools: list[AnyTool], params: Mapping[str, Any]) -> Any:
    """What is to be said to a call, as the caller of a tool would find it out."""
    asked = tool_table(tools)[params["namespace"], params["tool"]]
    context = ToolContext(params["threadId"], params["turnId"], params["callId"])
    try:
        return codec.unstructure(to_response(asked.bind(params["arguments"], context)()))
    except ToolArgumentError as error:
        return codec.unstructure(failure_response(error))


def test_the_real_runtime_takes_declarations_and_answers(scripted_model: ScriptedModel, codex_home: QuietHome) -> None:
    @tool(namespace=Namespace("maps", "Maps."))
    def draw(place: Place, context: ToolContext) -> ToolResult:
        """Draw a place."""
        return ToolResult(f"{place.name} for {context.thread_id}", ToolImage.from_bytes(PIXEL))

    tools: list[AnyTool] = [draw, get_weather]
    with RawClient(codex_home) as client:
        thread = client.thread(dynamicTools=on_the_wire(tools))
        # One reply each: of calls in one reply, any may come first.
        scripted_model.reply(call("get_weather", {"city": "Oslo", "days": "3"}))
        scripted_model.reply(call("draw", {"place": {"name": "Bø"}}, namespace="maps"))
        scripted_model.say("Done")
        client.send("turn/start", threadId=thread, input=[{"type": "text", "text": "Go"}])
        for _ in range(2):
            request = client.until(lambda frame: frame.get("method") == "item/tool/call")
            client.answer(request, answered(tools, request["params"]))
        assert client.event("turn/completed", threadId=thread)["turn"]["status"] == "completed"
        done = client.items("dynamicToolCall")
    assert [(item["tool"], item["status"]) for item in done] == [("get_weather", "failed"), ("draw", "completed")]
    [wrong], [text, image] = (item["contentItems"] for item in done)
    assert wrong["text"] == "ToolArgumentError: get_weather: days: expected int, found str"
    assert (text["text"], image["type"]) == (f"Bø for {thread}", "inputImage")
    shown = {each.get("name"): each for each in orjson.loads(scripted_model.requests[-1].body)["tools"]}
    assert shown["get_weather"]["description"] == get_weather.description
    assert shown["maps"]["tools"][0]["parameters"]["$defs"]["Place"]["required"] == ["name"]
