"""Fields of generic classes, of aliases and of classes that name themselves."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated, Any, Generic, NamedTuple, TypeVar, Union

import attrs
import msgspec
import pydantic
import pytest
from typing_extensions import Self, TypeAliasType, TypedDict

from openai_codex._schemas.output import output_type
from openai_codex.errors import ConfigError
from tests.schemas.samples import json_schema, strict_faults, validate

T = TypeVar("T")
U = TypeVar("U")


@dataclass
class Page(Generic[T]):
    items: list[T]
    best: T | None


@attrs.define
class Entry(Generic[T, U]):
    key: T
    value: Annotated[U, "what it is"]


@dataclass
class Named(Page[list[T]], Generic[T]):  # the same variable means another type in its base
    name: T


@dataclass
class Numbers(Named[int]):
    total: int


class Typed(TypedDict, Generic[T]):
    it: T


class Cell(msgspec.Struct, Generic[T]):
    it: T
    next: Cell[T] | None = None


class Model(pydantic.BaseModel, Generic[T]):
    it: T


GENERIC: list[tuple[Any, Any, Any]] = [
    (Page[int], {"items": [1], "best": None}, Page([1], None)),
    (Page[Page[str]], {"items": [], "best": {"items": ["a"], "best": "b"}}, Page([], Page(["a"], "b"))),
    (Entry[str, list[int]], {"key": "a", "value": [1]}, Entry("a", [1])),
    (Named[int], {"items": [[1]], "best": [2], "name": 3}, Named([[1]], [2], 3)),
    (Numbers, {"items": [[1]], "best": [2], "name": 3, "total": 4}, Numbers([[1]], [2], 3, 4)),
    (Cell[int], {"it": 1, "next": {"it": 2, "next": None}}, Cell(1, Cell(2))),
    (Page[Model[int]], {"items": [{"it": 1}], "best": None}, Page([Model[int](it=1)], None)),
    (Typed[int], {"it": 1}, {"it": 1}),
]


@pytest.mark.parametrize(("type_", "json", "expected"), GENERIC, ids=str)
def test_generic_classes_with_their_arguments(type_: Any, json: Any, expected: Any) -> None:
    assert validate(type_, json) == expected
    schema = json_schema(type_)
    assert strict_faults(schema) == []
    assert "value" not in schema["properties"] or type_ is GENERIC[2][0]


def test_each_choice_of_arguments_is_a_definition() -> None:
    schema = json_schema(Union[Page[int], Page[str]])
    assert {name: part["properties"]["items"] for name, part in schema["$defs"].items()} == {
        "Page_int": {"type": "array", "items": {"type": "integer"}},
        "Page_str": {"type": "array", "items": {"type": "string"}},
    }


@pytest.mark.parametrize(
    ("type_", "reason"), [(Page, "~T has no JSON schema"), (Entry[int, T], "~T has no JSON schema")]
)
def test_a_variable_without_a_type_is_refused(type_: Any, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        json_schema(type_)


@dataclass
class Tree:
    branches: list[Self]
    stem: Self | None = None


def test_a_class_may_name_itself_by_self() -> None:
    assert json_schema(Tree)["properties"]["branches"] == {"type": "array", "items": {"$ref": "#"}}
    assert validate(Tree, {"branches": [{"branches": []}]}) == Tree([Tree([])])


Pair = TypeAliasType("Pair", tuple[T, T], type_params=(T,))
Alias = TypeAliasType("Alias", Annotated[int, "some words", pydantic.Field(gt=0)])


def test_aliases() -> None:
    assert json_schema(Alias, strict=False) == {"type": "integer", "exclusiveMinimum": 0, "description": "some words"}
    assert json_schema(Annotated[Alias, pydantic.Field(gt=5)], strict=False)["exclusiveMinimum"] == 5
    assert validate(Pair[int], [1, 2]) == (1, 2)
    assert json_schema(Pair[int], strict=False) == {
        "type": "array",
        "items": {"type": "integer"},
        "minItems": 2,
        "maxItems": 2,
    }


class Nested(TypedDict):
    inner: Json


Json = TypeAliasType("Json", Union[int, list["Json"], Nested])
Deep = TypeAliasType("Deep", list["Deep"])
Nowhere = TypeAliasType("Nowhere", list["Missing"])  # noqa: F821  that it is missing is the case


def test_an_alias_that_contains_itself_is_a_definition() -> None:
    schema = json_schema(Nested)
    assert strict_faults(schema) == []
    assert schema["properties"]["inner"] == {"$ref": "#/$defs/Json"}
    assert schema["$defs"]["Json"]["anyOf"][1:] == [
        {"type": "array", "items": {"$ref": "#/$defs/Json"}},
        {"$ref": "#"},
    ]
    value = {"inner": [1, [2, {"inner": 3}]]}
    assert validate(Nested, value) == value


def test_an_alias_that_contains_itself_takes_no_constraints() -> None:
    assert validate(Deep, [[], [[]]]) == [[], [[]]]
    with pytest.raises(ConfigError, match="Deep contains itself, so it takes no constraints"):
        json_schema(Annotated[Deep, pydantic.Field(max_length=3)])


def test_an_alias_of_an_unknown_name_is_refused() -> None:
    with pytest.raises(ConfigError, match="Nowhere: its annotations cannot be evaluated: name 'Missing'"):
        json_schema(Nowhere)


@dataclass
class Start:
    seed: dataclasses.InitVar[int]
    grown: int = 0

    def __post_init__(self, seed: int) -> None:
        self.grown = seed + 1


def test_an_argument_of_the_constructor_is_a_field() -> None:
    assert list(json_schema(Start)["properties"]) == ["seed", "grown"]
    assert validate(Start, {"seed": 1}).grown == 2


@dataclass
class WithField:
    count: int = pydantic.Field(gt=0)


def test_a_field_of_pydantic_is_no_default_elsewhere() -> None:
    with pytest.raises(ConfigError, match=r"WithField\.count: pydantic's Field is no default here; write Annotated"):
        output_type(WithField)


class Body(NamedTuple):
    class Part(NamedTuple):
        n: int

    part: Part


def test_names_in_the_body_of_a_class() -> None:
    assert validate(Body, {"part": {"n": 1}}) == Body(Body.Part(1))


class Quoted(NamedTuple):
    many: list["Quoted"]  # noqa: UP037  without the postponed annotations of this module it has to be
    maybe: Annotated[Union[dict[str, "Quoted"], None], "words"] = None  # noqa: UP037


Quoted.__annotations__.update(
    many=list["Quoted"],
    maybe=Annotated[Union[dict[str, "Quoted"], None], "words"],
)


def test_names_in_quotes_inside_of_other_types() -> None:
    assert validate(Quoted, {"many": [{"many": []}], "maybe": {"a": {"many": []}}}) == Quoted(
        [Quoted([])], {"a": Quoted([])}
    )
