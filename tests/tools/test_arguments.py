"""How the model's arguments and the context become a call."""

from __future__ import annotations

import asyncio
import pickle
from datetime import date
from typing import Any, Literal, NamedTuple, Union

import attrs
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import TypeAliasType, TypedDict

import openai_codex._tools.declaration
from openai_codex import tool
from openai_codex._tools.arguments import ToolArgumentError, ToolContext
from openai_codex._tools.arguments import ToolContext as Handed
from openai_codex._tools.declaration import AnyTool
from openai_codex.errors import CodexError
from tests.tools.samples import (
    CONTEXT,
    JSON,
    PLACES,
    SPANS,
    Place,
    Span,
    Unit,
    get_weather,
    make_plan,
    texts,
)


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


def test_a_class_of_the_same_name_is_not_a_context() -> None:
    module: dict[str, Any] = {"ToolContext": Place}
    exec("def f(context: 'ToolContext'): return context", module)  # noqa: S102  a module of its own
    assert tool(module["f"]).bind({"context": {"name": "Oslo"}}, CONTEXT)() == Place("Oslo")


def test_a_context_reads_the_flag_of_its_owner() -> None:
    flags = iter([False, True])
    context = ToolContext("thread", "turn", "call", is_cancelled=lambda: next(flags))
    assert [context.cancelled, context.cancelled] == [False, True]
    assert not CONTEXT.cancelled
    assert context == CONTEXT
    assert repr(context).startswith(
        "ToolContext(thread_id='thread', turn_id='turn', call_id='call', root_thread_id=None, "
    )


Nested = TypeAliasType("Nested", list["Nested"])


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


def test_all_mismatches_are_reported_with_paths_and_without_values() -> None:
    places = [{}, {"name": 4}, {"name": "a", "colour": "secret"}]
    arguments = {"span": {"start": "secret", "places": places}, "unit": "secret", "colour": "secret"}
    assert problems(make_plan, arguments) == (
        "span.start: expected date, found str",
        "span.places[0].name: expected str, found nothing",
        "span.places[1].name: expected str, found int",
        "span.places[2].colour: unknown field",
        "unit: expected Unit, found str",
        "colour: unknown argument",
    )


class Shape(TypedDict):
    size: int


class Square(NamedTuple):
    side: int


@pytest.mark.parametrize("type_", [Place, Span, Shape, Square, list[Shape], Union[Shape, Square], Place | None])
def test_nothing_that_the_model_sent_is_ignored_at_any_depth(type_: Any) -> None:
    def draw(it: Any) -> Any:
        return it

    draw.__annotations__ = {"it": type_}
    wrong = {"name": "a", "start": "2026-01-01", "places": [], "size": 1, "side": 1}
    refused = problems(tool(draw), {"it": [wrong] if type_ == list[Shape] else wrong})
    assert all(problem.endswith("unknown field") for problem in refused)
    assert len(refused) >= 3


def test_a_map_takes_what_no_class_of_a_union_has() -> None:
    @tool
    def draw(it: Union[Shape, dict[str, int]]) -> Any:
        return it

    assert draw.bind({"it": {"size": 1, "more": 2}}, CONTEXT)() == {"size": 1, "more": 2}


def test_arguments_that_are_nested_too_deeply() -> None:
    deep: list[Any] = []
    for _ in range(5_000):
        deep = [deep]

    @tool
    def take(it: Nested) -> None: ...

    assert problems(take, {"it": deep}) == ("its arguments are nested too deeply",)


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
def test_the_keys_of_an_explicit_schema_are_checked(schema: Any, arguments: Any, told: tuple[str, ...]) -> None:
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


def test_the_error_of_a_constructor_is_reported_and_chained() -> None:
    @tool
    def halve(even: Even) -> float:
        return even.number / 2

    with pytest.raises(ToolArgumentError, match="even: Even raised ValueError") as caught:
        halve.bind({"even": {"number": 3}}, CONTEXT)
    assert isinstance(caught.value.__cause__, ValueError)


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


@given(st.integers(-(10**40), 10**40) | st.integers(2**63, 2**70))
def test_a_tool_gets_the_integer_that_the_model_wrote_or_is_not_called(number: int) -> None:
    """The wire makes a float of an integer with more than 64 bits."""

    @tool
    def pay(amount: int) -> int:
        return amount

    try:
        taken = pay.bind({"amount": orjson.loads(str(number))}, CONTEXT)()
    except ToolArgumentError as error:
        taken, text = None, str(error)
    if taken is None:
        assert abs(number) > 2**53
        assert "amount: cannot be read as int without a change" in text
    else:
        assert taken == number
