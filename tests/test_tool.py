"""Tools: what they declare, how the model's arguments become a call, and what becomes of the outcome."""

from __future__ import annotations

import asyncio
import base64
import functools
import inspect
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timezone
from enum import Enum
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Annotated, Any, Literal, NamedTuple, Optional

import attrs
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

import openai_codex._tools.declaration
from openai_codex import LATER, tool
from openai_codex import _codec as codec
from openai_codex import _protocol as protocol
from openai_codex._tools.arguments import ToolArgumentError, ToolContext
from openai_codex._tools.arguments import ToolContext as Handed
from openai_codex._tools.declaration import AnyTool, Namespace, tool_specs, tool_table
from openai_codex._tools.result import ToolImage, ToolResult, failure_response, to_response
from openai_codex.errors import CodexError, ConfigError
from openai_codex.testing import QuietHome, ScriptedModel, call

from .protocol.test_typing import Check, mypy, pyright
from .testing.raw_client import RawClient

CONTEXT = ToolContext("thread", "turn", "call")
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


class Unit(str, Enum):
    celsius = "C"
    kelvin = "K"


@attrs.define
class Place:
    name: str
    height: float = 0.0


@dataclass
class Span:
    start: date
    places: list[Place]


@tool
def get_weather(city: str, days: int = 1) -> str:
    """Forecast for a city.

    Of no use
      at sea.
    """
    return f"{city}: sunny for {days}"


@tool(name="plan", description="Plans.", timeout=2.5, namespace="travel")
async def make_plan(span: Span, unit: Unit = Unit.celsius, via: Optional[Place] = None) -> tuple[Any, ...]:  # noqa: UP045  the old form is a case
    """Not what the model reads."""
    return span, unit, via


def a_tool(name: str, **settings: Any) -> AnyTool:
    return tool(lambda: name, name=name, **settings)


# ------------------------------------------------------------------------------------------------------- declarations


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
    assert (get_weather.__name__, get_weather.__module__) == ("get_weather", __name__)
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
        (functools.partial(plain), {}, "tool"),
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
    with pytest.raises(TypeError, match="nmae"):
        tool(plain, nmae="x")


# ------------------------------------------------------------------------------------------------------------- context


def test_the_context_is_handed_over_and_not_declared() -> None:
    @tool
    def where(city: str, context: ToolContext, *, again: ToolContext | None = None) -> Any:
        return city, context, again

    assert list(where.schema["properties"]) == where.schema["required"] == ["city"]
    assert where.bind({"city": "Oslo"}, CONTEXT)() == ("Oslo", CONTEXT, CONTEXT)


def test_the_context_may_be_known_by_another_name_or_to_type_checkers_only() -> None:
    def seen(context: Handed) -> Any:
        return context

    def unseen(context: openai_codex._tools.declaration.ToolContext | None) -> Any:
        return context

    for function in (seen, unseen):
        assert tool(function).bind({}, CONTEXT)() is CONTEXT
        assert tool(function, schema={"type": "object"}).bind({}, CONTEXT)() is CONTEXT


def test_the_name_alone_is_enough_for_a_context() -> None:
    module: dict[str, Any] = {}
    exec("def f(city: str, context: 'ToolContext', more: 'codex.ToolContext | None'): return context, more", module)  # noqa: S102  a module that imports nothing
    assert tool(module["f"]).bind({"city": "Oslo"}, CONTEXT)() == (CONTEXT, CONTEXT)


def test_evaluated_annotations_name_a_context_too() -> None:
    def f(a: Any, b: Any) -> Any:
        return a, b

    f.__annotations__ = {"a": ToolContext, "b": ToolContext | None}
    assert tool(f).bind({}, CONTEXT)() == (CONTEXT, CONTEXT)


def test_a_class_of_the_same_name_is_no_context() -> None:
    module: dict[str, Any] = {"ToolContext": Place}
    exec("def f(context: 'ToolContext'): return context", module)  # noqa: S102  a module of its own
    assert tool(module["f"]).bind({"context": {"name": "Oslo"}}, CONTEXT)() == Place("Oslo")


def test_a_context_reads_the_flag_of_its_owner() -> None:
    flags = iter([False, True])
    context = ToolContext("thread", "turn", "call", is_cancelled=lambda: next(flags))
    assert [context.cancelled, context.cancelled] == [False, True]
    assert not CONTEXT.cancelled
    assert context == CONTEXT
    assert repr(context) == "ToolContext(thread_id='thread', turn_id='turn', call_id='call')"


# ----------------------------------------------------------------------------------------------------------- arguments


def problems(of: AnyTool, arguments: Any) -> tuple[str, ...]:
    with pytest.raises(ToolArgumentError) as caught:
        of.bind(arguments, CONTEXT)
    assert caught.value.tool == of.name
    return caught.value.problems


def test_arguments_arrive_as_what_is_annotated() -> None:
    arguments = {"span": {"start": "2024-05-06", "places": [{"name": "Oslo", "height": 3}]}, "unit": "K"}
    outcome = asyncio.run(make_plan.bind(arguments, CONTEXT)())
    assert outcome == (Span(date(2024, 5, 6), [Place("Oslo", 3.0)]), Unit.kelvin, None)


def test_what_is_not_sent_is_left_to_the_function() -> None:
    default: list[str] = []

    @tool
    def collect(names: list[str] = default) -> list[str]:
        return names

    assert collect.bind({}, CONTEXT)() is default


def test_binding_runs_nothing() -> None:
    runs: list[int] = []
    bound = tool(lambda: runs.append(1), name="count").bind({}, CONTEXT)
    assert runs == []
    bound()
    assert runs == [1]


def test_all_misfits_are_told_with_their_places_and_without_values() -> None:
    arguments = {"span": {"start": "secret", "places": [{}, {"name": 4}]}, "unit": "secret", "colour": "secret"}
    assert problems(make_plan, arguments) == (
        "span.start: expected date, found str",
        "span.places[0].name: expected str, found nothing",
        "span.places[1].name: expected str, found int",
        "unit: expected Unit, found str",
        "colour: unknown argument",
    )


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({}, "city: expected str, found nothing"),
        ({"city": None}, "city: expected str, found None"),
        ({"city": "Oslo", "days": "3"}, "days: expected int, found str"),
        ({"city": "Oslo", "days": True}, "days: expected int, found bool"),
        ({"city": "Oslo", "days": None}, "days: expected int, found None"),
        ({"city": "Oslo", "self": 1}, "self: unknown argument"),
        (None, "expected object, found None"),
        (["Oslo"], "expected object, found list"),
        ("Oslo", "expected object, found str"),
    ],
)
def test_arguments_that_do_not_fit(arguments: Any, problem: str) -> None:
    assert problems(get_weather, arguments) == (problem,)


def test_the_model_cannot_make_up_a_context() -> None:
    @tool
    def where(context: ToolContext) -> ToolContext:
        return context

    assert problems(where, {"context": {}}) == ("context: unknown argument",)
    loose = tool(where.function, schema={"type": "object"})
    assert loose.bind({"context": {}}, CONTEXT)() is CONTEXT


def test_parameters_may_have_any_name() -> None:
    @tool
    def odd(self: int, function: int, _private: int, cls: int, keys: int, args: int) -> tuple[int, ...]:
        return self, function, _private, cls, keys, args

    names = ["self", "function", "_private", "cls", "keys", "args"]
    assert odd.schema["required"] == names
    assert odd.bind(dict(zip(names, range(6), strict=True)), CONTEXT)() == (0, 1, 2, 3, 4, 5)


def test_with_a_schema_of_ones_own_arguments_arrive_as_they_are() -> None:
    schema = {"type": "object", "properties": {"query": {"type": "string", "minLength": 3}}}

    @tool(schema=schema)
    def search(query, **more: Any) -> Any:  # noqa: ANN001  annotations do not count
        return query, more

    assert search.schema is schema
    assert search.bind({"query": ["x"], "limit": 3}, CONTEXT)() == (["x"], {"limit": 3})
    assert problems(search, ["x"]) == ("expected dict[str, Any], found list",)


OPEN = {"type": "object", "properties": {"query": {}}, "required": ["query"]}
CLOSED = {**OPEN, "additionalProperties": False}


@pytest.mark.parametrize(
    ("schema", "arguments", "told"),
    [
        (OPEN, {}, ("query: is required",)),
        (OPEN, {"limit": 3}, ("query: is required",)),
        (CLOSED, {"limit": 3}, ("query: is required", "limit: unknown argument")),
        (CLOSED, {"query": "x", "limit": 3}, ("limit: unknown argument",)),
        ({"type": "object", "additionalProperties": False}, {"limit": 3}, ("limit: unknown argument",)),
        (CLOSED, ["x"], ("expected dict[str, Any], found list",)),
    ],
)
def test_a_schema_of_ones_own_is_held_to_its_keys(schema: Any, arguments: Any, told: tuple[str, ...]) -> None:
    assert problems(tool(lambda **given: given, name="search", schema=schema), arguments) == told


@pytest.mark.parametrize(
    "schema",
    [OPEN, {**OPEN, "additionalProperties": {"type": "integer"}}, {**CLOSED, "patternProperties": {"^l": {}}}],
)
def test_a_schema_of_ones_own_may_allow_other_keys(schema: Any) -> None:
    @tool(schema=schema)
    def search(**given: Any) -> Any:
        return given

    assert search.bind({"query": 1, "limit": 3}, CONTEXT)() == {"query": 1, "limit": 3}


@tool
def count(number: int, rank: Literal[1, 2] = 1, many: list[int] | None = None, any_: int | float = 0) -> Any:  # noqa: PYI041  both are the case
    return number, rank, many, any_


def test_a_number_without_a_fraction_is_an_integer() -> None:
    arguments = {"number": 2.0, "rank": 2.0, "many": [-3.0, 1e15], "any_": 2.0}
    read = count.bind(arguments, CONTEXT)()
    assert read == (2, 2, [-3, 10**15], 2.0)
    assert [type(value) for value in (read[0], read[1], *read[2], read[3])] == [int, int, int, int, float]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"number": 2.5}, "number: expected int, found float"),
        ({"number": float("inf")}, "number: expected int, found float"),
        ({"number": float("nan")}, "number: expected int, found float"),
        ({"number": 1, "rank": 1.5}, "rank: expected Literal[1, 2], found float"),
        ({"number": 1, "rank": True}, "rank: expected Literal[1, 2], found bool"),
        ({"number": 1, "many": [1.0, 0.1]}, "many[1]: expected int, found float"),
    ],
)
def test_a_number_with_a_fraction_is_none(arguments: Any, problem: str) -> None:
    assert problems(count, arguments) == (problem,)


def test_an_argument_error_tells_the_tool_and_what_does_not_fit_and_pickles() -> None:
    error = ToolArgumentError("plan", ("span: expected Span, found int", "colour: unknown argument"))
    assert str(error) == "plan: span: expected Span, found int; colour: unknown argument"
    assert isinstance(error, CodexError)
    assert isinstance(error, ValueError)
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301  of our own making
    assert (copy.tool, copy.problems) == (error.tool, error.problems)


@attrs.define
class Even:
    number: int = attrs.field()

    @number.validator
    def _even(self, _: Any, value: int) -> None:
        if value % 2:
            raise ValueError(value)


def test_a_class_that_refuses_its_value_is_told_of_and_chained() -> None:
    @tool
    def halve(even: Even) -> float:
        return even.number / 2

    with pytest.raises(ToolArgumentError, match="even: Even raised ValueError") as caught:
        halve.bind({"even": {"number": 3}}, CONTEXT)
    assert isinstance(caught.value.__cause__, ValueError)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
PLACES = st.builds(Place, st.text(), st.floats(allow_nan=False, allow_infinity=False))
SPANS = st.builds(Span, st.dates(), st.lists(PLACES, max_size=3))


@given(SPANS, st.sampled_from(Unit), st.none() | PLACES)
def test_what_a_tool_says_in_json_another_can_read(span: Span, unit: Unit, via: Place | None) -> None:
    [told] = texts({"span": span, "unit": unit, "via": via})
    assert asyncio.run(make_plan.bind(orjson.loads(told), CONTEXT)()) == (span, unit, via)


def is_fit(arguments: Any) -> bool:
    """Say it once more, in the words of this one tool."""
    kinds = {"city": str, "days": int}
    if not isinstance(arguments, dict) or "city" not in arguments:
        return False
    whole = {name: int(value) if _is_whole(value) else value for name, value in arguments.items()}
    return all(type(value) is kinds.get(name) for name, value in whole.items())


def _is_whole(value: Any) -> bool:
    return isinstance(value, float) and value.is_integer()


@given(JSON | st.dictionaries(st.sampled_from(["city", "days", "x"]), st.text() | st.integers() | JSON))
def test_a_tool_runs_with_what_fits_and_with_nothing_else(arguments: Any) -> None:
    if is_fit(arguments):
        whole = {name: int(value) if _is_whole(value) else value for name, value in arguments.items()}
        assert get_weather.bind(arguments, CONTEXT)() == get_weather(**whole)
    else:
        assert problems(get_weather, arguments)


# --------------------------------------------------------------------------------------------------------------- specs


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
def test_what_is_no_tool(wrong: Any) -> None:
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


# ------------------------------------------------------------------------------------------------------------ outcomes


def texts(outcome: Any) -> list[str]:
    response = to_response(outcome)
    assert response.success
    return [item["text"] for item in codec.unstructure(response)["contentItems"]]


class Pair(NamedTuple):
    a: int
    b: Unit


@attrs.define
class Guarded:
    shown: int
    _hidden: int = 0


@dataclass
class GuardedToo:
    shown: int
    _hidden: int = 0


class Model:
    """What pydantic's models look like from here."""

    def model_dump(self, *, mode: str) -> dict[str, str]:
        return {"mode": mode}


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        ("", ""),
        ("sunny", "sunny"),
        (Unit.kelvin, "K"),
        (protocol.TurnStatus("brand_new"), "brand_new"),
        (None, "null"),
        (True, "true"),
        (3, "3"),
        (2.5, "2.5"),
        (float("nan"), "null"),
        ([1, "ø"], '[1,"ø"]'),
        ({"unit": Unit.kelvin, 1: None}, '{"unit":"K","1":null}'),
        (Place("Oslo", 3.0), '{"name":"Oslo","height":3.0}'),
        (Span(date(2024, 5, 6), [Place("Oslo")]), '{"start":"2024-05-06","places":[{"name":"Oslo","height":0.0}]}'),
        (Guarded(1, hidden=2), '{"shown":1}'),
        (GuardedToo(1, 2), '{"shown":1}'),
        (Pair(1, Unit.celsius), '{"a":1,"b":"C"}'),
        ((1, (2,)), "[1,[2]]"),
        ({"a"}, '["a"]'),
        (frozenset[int](), "[]"),
        ({"a": 1}.keys(), '["a"]'),
        (MappingProxyType({"a": 1}), '{"a":1}'),
        (PurePosixPath("a/b"), '"a/b"'),
        (datetime(2024, 5, 6, tzinfo=timezone.utc), '"2024-05-06T00:00:00+00:00"'),
        (protocol.TextUserInput(text="hi"), '{"type":"text","text":"hi"}'),
        pytest.param([Model()], '[{"mode":"json"}]', id="model_dump"),
    ],
    ids=repr,
)
def test_an_outcome_is_one_text(outcome: Any, text: str) -> None:
    assert texts(outcome) == [text]


@given(JSON)
def test_data_arrives_as_it_was(outcome: Any) -> None:
    [text] = texts([outcome])
    assert orjson.loads(text) == [outcome]


@given(st.text(st.characters(codec=None, exclude_categories=[])))
def test_every_text_can_travel(text: str) -> None:
    for response in (to_response(text), failure_response(ValueError(text))):
        assert orjson.loads(orjson.dumps(codec.unstructure(response)))


def test_half_a_surrogate_pair_is_told_by_its_code() -> None:
    assert texts("caf\udce9 é") == ["caf\\udce9 é"]


CYCLE: list[Any] = []
CYCLE.append(CYCLE)


class Broken:
    """What fails while its data is taken out."""

    def _asdict(self) -> dict[str, Any]:
        raise LookupError("no data")


@pytest.mark.parametrize(
    ("outcome", "met"),
    [
        (b"bytes", ": bytes has no JSON form"),
        pytest.param(object(), ": object has no JSON form", id="object"),
        ({"a": [complex(1, 2)]}, ": complex has no JSON form"),
        ([ToolImage.from_bytes(PIXEL)], ": ToolImage has no JSON form"),  # the model would be shown its letters
        ({"a": ToolResult("x")}, ": ToolResult has no JSON form"),
        pytest.param([Broken()], ": no data", id="failing _asdict"),
        (2**70, ""),
        (CYCLE, ""),
        (["a\udc80"], ""),
        ({("a", "tuple"): 1}, ""),
    ],
    ids=repr,
)
def test_data_without_a_json_form(outcome: Any, met: str) -> None:
    with pytest.raises(TypeError) as caught:
        to_response(outcome)
    assert str(caught.value) == f"the tool's return value cannot be written as JSON{met}"
    assert caught.value.__cause__ is not None


def test_a_tool_does_not_answer_later() -> None:
    with pytest.raises(TypeError, match="a tool cannot return LATER; expected its result"):
        to_response(LATER)


def test_a_result_of_several_pieces() -> None:
    audio = protocol.InputAudioDynamicToolCallOutputContentItem(audio_url="data:audio/wav;base64,AAAA")
    result = ToolResult("two", ToolImage("data:image/png;base64,AAAA"), audio, {"a": [1]}, ["x"], success=False)
    assert codec.unstructure(to_response(result)) == {
        "success": False,
        "contentItems": [
            {"type": "inputText", "text": "two"},
            {"type": "inputImage", "imageUrl": "data:image/png;base64,AAAA"},
            {"type": "inputAudio", "audioUrl": "data:audio/wav;base64,AAAA"},
            {"type": "inputText", "text": '{"a":[1]}'},
            {"type": "inputText", "text": '["x"]'},
        ],
    }


def test_a_result_of_nothing_is_empty() -> None:
    assert codec.unstructure(to_response(ToolResult())) == {"success": True, "contentItems": []}


def test_a_response_fits_the_protocol() -> None:
    response = to_response(ToolResult("two", ToolImage.from_bytes(PIXEL)))
    assert codec.structure_named("DynamicToolCallResponse", codec.unstructure(response)) == response


def image_urls(outcome: Any) -> list[str]:
    return [item["imageUrl"] for item in codec.unstructure(to_response(outcome))["contentItems"]]


def test_an_image_of_bytes() -> None:
    [url] = image_urls(ToolImage.from_bytes(PIXEL))
    assert url.startswith("data:image/png;base64,")
    assert base64.b64decode(url.partition(",")[2]) == PIXEL
    assert image_urls(ToolImage.from_bytes(b"\0", "image/webp")) == ["data:image/webp;base64,AA=="]


@pytest.mark.parametrize(
    ("name", "mime_type"),
    [("a.png", "image/png"), ("a.JPG", "image/jpeg"), ("a.jpeg", "image/jpeg"), ("a.gif", "image/gif"), ("a.b.webp", "image/webp")],
)  # fmt: skip
def test_an_image_of_a_file(name: str, mime_type: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(PIXEL)
    for path in (tmp_path / name, str(tmp_path / name)):
        assert ToolImage.from_path(path) == ToolImage.from_bytes(PIXEL, mime_type)


def test_an_image_prints_short() -> None:
    assert repr(ToolImage("data:image/png;base64," + "A" * 1000)) == "ToolImage(url=<1022 characters>)"


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda: ToolImage("https://example.org/a.png"), "url"),
        (lambda: ToolImage("data:text/plain;base64,AAAA"), "url"),
        (lambda: ToolImage(PIXEL), "url"),
        (lambda: ToolImage.from_bytes(b"", "text/plain"), "url"),
        (lambda: ToolImage.from_path("picture.svg"), "path"),
        (lambda: ToolImage.from_path("picture"), "path"),
    ],
)
def test_what_is_no_image(make: Callable[[], object], what: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make()
    assert caught.value.what == what


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        ToolImage.from_path(tmp_path / "none.png")


class WordlessError(Exception):
    """What fails even at saying why."""

    def __str__(self) -> str:
        raise LookupError("no words")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (WordlessError(), "WordlessError"),
        (SystemExit(3), "SystemExit: 3"),
        (RuntimeError("the sea is dry"), "RuntimeError: the sea is dry"),
        (KeyError("city"), "KeyError: 'city'"),
        (TimeoutError(), "TimeoutError"),
        (ConfigError("url", "bad"), "ConfigError: url: bad"),
        (ToolArgumentError("t", ("a: unknown argument",)), "ToolArgumentError: t: a: unknown argument"),
    ],
)
def test_a_failure_tells_the_type_and_the_words_of_the_error(error: BaseException, text: str) -> None:
    assert codec.unstructure(failure_response(error)) == {
        "success": False,
        "contentItems": [{"type": "inputText", "text": text}],
    }


# -------------------------------------------------------------------------------------------------------- type checkers

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


# ---------------------------------------------------------------------------------------------------------- the runtime


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
