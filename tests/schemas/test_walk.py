"""From types to schemas. Beside the tests: a validator for what we derive, and the provider's rules for strict schemas."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import (
    Callable,
    Collection,
    Iterable,
    Mapping,
    MutableMapping,
    MutableSequence,
    MutableSet,
    Sequence,
)
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum, Flag
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any, Generic, Literal, NewType, Optional, TypeVar, Union

import attrs
import pytest
from typing_extensions import NotRequired, Required, TypeAliasType, TypedDict, Unpack

from openai_codex._schemas.form import ValidationError, type_name
from openai_codex._schemas.output import output_type
from openai_codex._schemas.walk import arguments_form
from openai_codex._tools.callables import plain_function
from openai_codex.errors import ConfigError
from tests.schemas.samples import Item, Level, Point, Rank, Report, json_schema, strict_faults, validate

if TYPE_CHECKING:
    from somewhere import Context, Nowhere

ITEM = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "price": {"type": "number"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "where": {"anyOf": [{"$ref": "#/$defs/Point"}, {"type": "null"}]},
    },
    "required": ["name", "price", "tags", "where"],
    "additionalProperties": False,
}
POINT = {
    "type": "object",
    "properties": {"x": {"type": "integer"}, "y": {"type": "integer"}},
    "required": ["x", "y"],
    "additionalProperties": False,
    "description": "Where it is.",
}


def test_a_report_in_full() -> None:
    assert json_schema(Report) == {
        "type": "object",
        "properties": {
            "items": {"type": "array", "items": {"$ref": "#/$defs/Item"}},
            "level": {"type": "string", "enum": ["low", "high"]},
            "count": {"type": "integer", "description": "how many"},
            "best": {"anyOf": [{"$ref": "#/$defs/Item"}, {"type": "null"}], "description": "the best one"},
            "kind": {"type": "string", "enum": ["a", "b"]},
        },
        "required": ["items", "level", "count", "best", "kind"],
        "additionalProperties": False,
        "description": "A report.\n\nWith two paragraphs.",
        "$defs": {"Item": ITEM, "Point": POINT},
    }


def test_a_report_in_loose_form_shows_defaults_and_does_not_require_them() -> None:
    schema = json_schema(Report, strict=False)
    assert schema["required"] == ["items", "level"]
    assert schema["properties"]["count"] == {"type": "integer", "description": "how many", "default": 3}
    assert schema["properties"]["best"]["default"] is None
    assert schema["$defs"]["Item"]["required"] == ["name", "price"]
    assert "default" not in schema["$defs"]["Item"]["properties"]["tags"], "what a factory makes is no constant"


UserId = NewType("UserId", str)

SIMPLE: list[tuple[Any, dict[str, Any]]] = [
    (str, {"type": "string"}),
    (int, {"type": "integer"}),
    (float, {"type": "number"}),
    (bool, {"type": "boolean"}),
    (type(None), {"type": "null"}),
    (datetime, {"type": "string", "format": "date-time"}),
    (date, {"type": "string", "format": "date"}),
    (UserId, {"type": "string"}),
    (Annotated[str, 5, "first", "second"], {"type": "string", "description": "first"}),
    (Annotated[Annotated[str, "inner"], "outer"], {"type": "string", "description": "inner"}),
    (list[int], {"type": "array", "items": {"type": "integer"}}),
    (tuple[int, ...], {"type": "array", "items": {"type": "integer"}}),
    (set[int], {"type": "array", "items": {"type": "integer"}}),
    (frozenset[int], {"type": "array", "items": {"type": "integer"}}),
    (Sequence[int], {"type": "array", "items": {"type": "integer"}}),
    (int | None, {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
    (Optional[int], {"anyOf": [{"type": "integer"}, {"type": "null"}]}),  # noqa: UP045  the old spelling is the case
    (Union[int, str], {"anyOf": [{"type": "integer"}, {"type": "string"}]}),
    (Level, {"type": "string", "enum": ["low", "high"]}),
    (Rank, {"type": "integer", "enum": [1, 2]}),
    (Literal[Level.LOW], {"type": "string", "enum": ["low"]}),
    (Literal["a", 1, True], {"type": ["string", "integer", "boolean"], "enum": ["a", 1, True]}),
    (Literal["a", None], {"type": ["string", "null"], "enum": ["a", None]}),  # noqa: PYI061  the odd spelling is the case
]


@pytest.mark.parametrize(("type_", "expected"), SIMPLE, ids=str)
def test_a_strict_schema_of_no_object_is_put_into_one(type_: Any, expected: dict[str, Any]) -> None:
    assert json_schema(type_) == {
        "type": "object",
        "properties": {"value": expected},
        "required": ["value"],
        "additionalProperties": False,
    }
    assert json_schema(type_, strict=False) == expected


def test_a_union_of_classes_is_put_into_an_object() -> None:
    schema = json_schema(Item | Point)
    assert schema["properties"]["value"] == {"anyOf": [{"$ref": "#/$defs/Item"}, {"$ref": "#/$defs/Point"}]}
    assert schema["$defs"] == {"Item": ITEM, "Point": POINT}


NEW_SYNTAX = """
type Size = int | None
type Json = int | list[Json]
type Twice[T] = tuple[T, T]
type Broken = Missing
@dataclass
class Box[T]:
    it: "T"
    more: "list[Box[T]]"
"""
OLD_SYNTAX = """
T = TypeVar("T")
Size = TypeAliasType("Size", int | None)
Json = TypeAliasType("Json", Union[int, list["Json"]])
Twice = TypeAliasType("Twice", tuple[T, T], type_params=(T,))
Broken = TypeAliasType("Broken", "Missing")
@dataclass
class Box(Generic[T]):
    it: "T"
    more: "list[Box[T]]"
"""


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a module in the syntax of Python 3.12 where it is known, and with what it stands for elsewhere."""
    made = ModuleType("syntax_of_types")
    vars(made).update(dataclass=dataclass, Generic=Generic, TypeVar=TypeVar, TypeAliasType=TypeAliasType, Union=Union)
    monkeypatch.setitem(sys.modules, "syntax_of_types", made)
    exec(NEW_SYNTAX if sys.version_info >= (3, 12) else OLD_SYNTAX, vars(made))  # noqa: S102  older Pythons cannot parse it
    return made


def test_aliases_and_generic_classes_in_the_newest_syntax(module: Any) -> None:
    assert json_schema(module.Size, strict=False) == json_schema(int | None, strict=False)
    assert validate(module.Json, [1, [2]]) == [1, [2]]
    assert validate(module.Twice[int], [1, 2]) == (1, 2)
    assert validate(module.Box[int], {"it": 1, "more": [{"it": 2, "more": []}]}) == module.Box(1, [module.Box(2, [])])
    with pytest.raises(ConfigError, match="Missing"):
        json_schema(module.Broken)


class Movie(TypedDict):
    title: str
    year: NotRequired[Annotated[int, "of the première"]]


class Series(Movie, total=False):
    """Many of them."""

    seasons: Required[int]
    over: bool


def test_typed_dicts_and_their_markers() -> None:
    strict, loose = json_schema(Series), json_schema(Series, strict=False)
    assert strict["required"] == ["title", "year", "seasons", "over"]
    assert loose["required"] == ["title", "seasons"]
    assert strict["properties"]["year"] == {"type": "integer", "description": "of the première"}
    assert strict["description"] == "Many of them."
    assert "description" not in json_schema(Movie)


def test_a_typed_dict_whose_annotations_are_not_postponed() -> None:
    made = TypedDict("made", {"a-b": int, "c": NotRequired[int]})
    assert json_schema(made, strict=False)["required"] == ["a-b"]


@attrs.define
class Node:
    children: list[Node]
    parent: Annotated[Node | None, "up"] = None


@dataclass
class Ping:
    pong: Pong | None


@dataclass
class Pong:
    ping: Annotated[Ping, "back"]


def test_recursive_classes() -> None:
    node = json_schema(Node)
    assert node["properties"] == {
        "children": {"type": "array", "items": {"$ref": "#"}},
        "parent": {"anyOf": [{"$ref": "#"}, {"type": "null"}], "description": "up"},
    }
    assert "$defs" not in node
    assert json_schema(list[Node])["$defs"]["Node"]["properties"]["children"]["items"] == {"$ref": "#/$defs/Node"}


def test_a_reference_has_nothing_beside_it() -> None:
    schema = json_schema(Ping)
    assert schema["$defs"]["Pong"]["properties"]["ping"] == {"anyOf": [{"$ref": "#"}], "description": "back"}


def test_a_recursive_class_inside_a_function() -> None:
    @attrs.define
    class Tree:
        branches: list[Tree]

    assert json_schema(Tree)["properties"]["branches"]["items"] == {"$ref": "#"}


def test_classes_of_the_same_name_are_kept_apart() -> None:
    first = attrs.make_class("Same", {"a": attrs.field(type=int)})
    second = attrs.make_class("Same", {"b": attrs.field(type=str)})
    first.__annotations__, second.__annotations__ = {"a": int}, {"b": str}
    schema = json_schema(Union[first, second, list[first]])
    assert {name: list(part["properties"]) for name, part in schema["$defs"].items()} == {"Same": ["a"], "Same_": ["b"]}
    assert schema["properties"]["value"]["anyOf"][2]["items"] == {"$ref": "#/$defs/Same"}


@attrs.define
class Odd:
    _private: int
    renamed: int = attrs.field(alias="camelCase")
    computed: int = attrs.field(init=False, default=0)
    level: Level = attrs.field(default=Level.LOW, kw_only=True)
    made: list[int] = attrs.Factory(list)


def test_fields_are_named_as_the_constructor_names_them() -> None:
    schema = json_schema(Odd, strict=False)
    assert sorted(schema["properties"]) == ["camelCase", "level", "made", "private"]
    assert schema["required"] == ["private", "camelCase"]
    assert schema["properties"]["level"]["default"] == "low"
    assert "default" not in schema["properties"]["made"]


@pytest.mark.parametrize("type_", [Report, Node, Ping, Series, Odd, Point, list[Item], Item | Node | None, Level])
def test_strict_schemas_keep_the_rules_of_the_provider(type_: Any) -> None:
    assert strict_faults(json_schema(type_)) == []


@dataclass
class Inner:
    when: complex


@dataclass
class Outer:
    items: list[Inner | None]


T = TypeVar("T")


@dataclass
class Page(Generic[T]):
    of: T


def holder(type_: Any) -> type:
    return attrs.define(type("Holder", (), {"__annotations__": {"it": type_}}))


REFUSED: list[tuple[Any, str, str]] = [
    (Outer, "Outer.items[].when", "complex has no JSON schema"),
    (list[Inner], "list[Inner][].when", "complex has no JSON schema"),
    (holder(dict[str, int]), "Holder.it", "dict[str, int] has no strict JSON schema"),
    (holder(dict), "Holder.it", "dict has no strict JSON schema"),
    (holder(Any), "Holder.it", "Any has no strict JSON schema"),
    (holder(list), "Holder.it[]", "Any has no strict JSON schema"),
    (holder(dict[int, str]), "Holder.it", "dict[int, str] has no strict JSON schema"),
    (holder(dict[str, list[int]]), "Holder.it", "dict[str, list[int]] has no strict JSON schema"),
    (holder(tuple[()]), "Holder.it", "tuple[()] has no JSON schema"),
    (
        holder(tuple[int, Unpack[tuple[str, ...]]]),  # type: ignore[misc]  the case
        "Holder.it",
        "tuple[int, Unpack[tuple[str, ...]]] has no JSON schema: its length is not known; use a list",
    ),
    (
        TypedDict("Open", {"a": int}, extra_items=str),  # type: ignore[call-arg]  not known to mypy yet
        "Open",
        "extra_items have no JSON schema here; give them a field with a dict",
    ),
    (holder(tuple[int, complex]), "Holder.it[1]", "complex has no JSON schema"),
    (holder(Page[complex]), "Holder.it.of", "complex has no JSON schema"),
    (Page, "Page.of", "~T has no JSON schema"),
    (holder(Literal[b"a"]), "Holder.it", "expected values of str, int, float, bool or None, got Literal[b'a']"),
    (holder(Enum("Nothing", "")), "Holder.it", "expected values of str, int, float, bool or None, got Nothing"),
    (
        holder(Enum("Days", {"ONE": date(2024, 1, 1)})),
        "Holder.it",
        "expected values of str, int, float, bool or None, got Days",
    ),
    (
        holder(Flag("Rights", "READ WRITE")),
        "Holder.it",
        "Rights has values that are combinations; use a list of another enum",
    ),
    (holder(Callable), "Holder.it", "Callable has no JSON schema"),
    (bytes, "bytes", "bytes has no JSON schema"),
    ({"type": "object"}, "{'type': 'object'}", "{'type': 'object'} has no JSON schema"),
]


@pytest.mark.parametrize(("type_", "path", "reason"), REFUSED, ids=lambda part: str(part)[:40])
def test_what_has_no_strict_schema_is_refused_by_its_path(type_: Any, path: str, reason: str) -> None:
    with pytest.raises(ConfigError) as caught:
        json_schema(type_)
    assert (caught.value.what, caught.value.reason) == (path, reason)


@pytest.mark.parametrize("type_", [dict[str, int], Mapping[str, int]])
def test_maps_and_anything_have_a_loose_form(type_: Any) -> None:
    assert json_schema(type_, strict=False) == {"type": "object", "additionalProperties": {"type": "integer"}}
    assert json_schema(holder(Any), strict=False)["properties"] == {"it": {}}
    with pytest.raises(ConfigError, match=r"Holder.it\{\}: complex"):
        json_schema(holder(dict[str, complex]), strict=False)


@attrs.define
class Unresolved:
    there: Nowhere


def test_an_annotation_that_cannot_be_evaluated() -> None:
    with pytest.raises(
        ConfigError, match=r"Unresolved: .*: name 'Nowhere' .*; define or import this name before it, and not"
    ):
        json_schema(Unresolved)


def test_a_field_without_annotation() -> None:
    with pytest.raises(ConfigError, match=r"Bare\.x: expected a type annotation"):
        json_schema(attrs.make_class("Bare", ["x"]))


def parameters_schema(function: Any, skip: Sequence[str] = ()) -> dict[str, Any]:
    return arguments_form(function, plain_function(function), function.__name__, skip).schema


def tool(context: Context, city: Annotated[str, "where"], days: int = 1, *, level: Level | None = None) -> Nowhere:
    """A tool whose context is imported for type checkers only."""


class Tools:
    def find(self, item: Item) -> None: ...


def test_parameters_of_a_function() -> None:
    assert parameters_schema(tool, skip=["context"]) == {
        "type": "object",
        "properties": {
            "city": {"type": "string", "description": "where"},
            "days": {"type": "integer", "default": 1},
            "level": {
                "anyOf": [{"type": "string", "enum": ["low", "high"]}, {"type": "null"}],
                "default": None,
            },
        },
        "required": ["city"],
        "additionalProperties": False,
    }


def test_parameters_of_a_method_do_not_name_the_object() -> None:
    schema = parameters_schema(Tools().find)
    assert schema["properties"] == {"item": {"$ref": "#/$defs/Item"}}
    assert schema["$defs"].keys() == {"Item", "Point"}


def test_a_function_without_parameters() -> None:
    assert parameters_schema(lambda: None)["properties"] == {}


def positional(a: int, /) -> None: ...
def variadic(*a: int) -> None: ...
def keywords(**a: int) -> None: ...
def untyped(a) -> None: ...  # noqa: ANN001  the missing annotation is the case
def untypable(a: complex) -> None: ...


@pytest.mark.parametrize("function", [positional, variadic, keywords, untyped, untypable])
def test_parameters_that_cannot_be_described(function: Callable[..., None]) -> None:
    with pytest.raises(ConfigError) as caught:
        parameters_schema(function)
    assert caught.value.what == f"{function.__name__}.a"


def test_a_parameter_of_an_unknown_type() -> None:
    with pytest.raises(ConfigError, match="tool: its annotations cannot be evaluated"):
        parameters_schema(tool)


@pytest.mark.parametrize(
    ("type_", "name"),
    [
        (Report, "Report"),
        (type(None), "NoneType"),
        (list[Report], "list[Report]"),
        (dict[str, list[Report]], "dict[str, list[Report]]"),
        (tuple[int, ...], "tuple[int, ...]"),
        (Report | None, "Report | None"),
        (Literal["a.b"], "Literal['a.b']"),
    ],
)
def test_types_are_spelled_without_modules(type_: Any, name: str) -> None:
    assert type_name(type_) == name


def test_keys_of_maps_are_text() -> None:
    assert validate(dict[Level, int], {"low": 1}) == {Level.LOW: 1}
    assert validate(dict[date, int], {"2026-01-02": 1}) == {date(2026, 1, 2): 1}
    assert json_schema(dict[date, int], strict=False)["propertyNames"] == {"type": "string", "format": "date"}
    with pytest.raises(ValidationError) as caught:
        validate(dict[date, int], {"2026-01-02": 1, "20260102": 2})
    assert caught.value.problems == (("", "expected dict[date, int], two keys are the same"),)
    with pytest.raises(ConfigError, match=r"dict\[int, str\] has no JSON schema: the keys of an object are text"):
        json_schema(dict[int, str], strict=False)


def test_a_tuple_has_its_length_and_its_order() -> None:
    assert validate(tuple[int, str, int | None], [1, "a", None]) == (1, "a", None)
    for value, problems in (
        ([1], (("", "expected 2 items, found 1"),)),
        (["a", 1], (("[0]", "expected int, found str"), ("[1]", "expected str, found int"))),
        ({"0": 1}, (("", "expected tuple[int, str], found dict"),)),
    ):
        with pytest.raises(ValidationError) as caught:
            validate(tuple[int, str], value)
        assert caught.value.problems == problems
    assert json_schema(tuple[int, int], strict=False)["items"] == {"type": "integer"}


def test_collections() -> None:
    assert validate(deque[int], [1]) == deque([1])
    for abstract in (AbstractSet, MutableSet):
        assert validate(abstract[int], [1, 1]) == {1}
    for abstract in (Sequence, MutableSequence, Collection, Iterable):
        assert validate(abstract[int], [1]) == [1]
    assert validate(MutableMapping[str, int], {"a": 1}) == {"a": 1}


def test_notes_without_a_hash() -> None:
    note = Annotated[int, {"a": ["b"]}]
    assert output_type(note) is not output_type(note)
    assert output_type(note).decode('{"value": 1}') == 1
    assert validate(tuple[Page[note], Page[note]], [{"of": 1}, {"of": 2}]) == (Page(1), Page(2))
    assert list(json_schema(tuple[Page[note], Page[note]])["$defs"]) == ["Page_int"]
