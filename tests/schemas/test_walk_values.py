"""A value of any type that has a form is written, fits the schema, and is read as an equal value."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, make_dataclass
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Generic, Literal, NamedTuple, NewType, TypeVar
from uuid import UUID

import annotated_types as at
import attrs
import msgspec
import orjson
import pydantic
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import TypeAliasType, TypedDict

from openai_codex import ToolArgumentError, tool
from openai_codex._schemas.output import output_type
from openai_codex._schemas.values import to_json
from tests.schemas.samples import fits, strict_faults
from tests.tools.samples import CONTEXT, texts

T = TypeVar("T")
Typed = tuple[Any, "st.SearchStrategy[Any]"]


class Level(Enum):
    LOW = "low"
    HIGH = "high"


class Rank(IntEnum):
    FIRST = 1
    SECOND = 2


UserId = NewType("UserId", int)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
ZONES = st.none() | st.timezones().map(lambda _: timezone.utc) | st.just(timezone(timedelta(hours=-5, minutes=-30)))
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False)
PATHS = st.lists(st.text("ab. ø", min_size=1), min_size=1, max_size=3).map("/".join)

# -- Leaves.

LEAVES: list[Typed] = [
    (str, TEXTS),
    (int, st.integers(-(2**63), 2**63 - 1)),
    (float, FLOATS),
    (bool, st.booleans()),
    (type(None), st.none()),
    (date, st.dates()),
    (datetime, st.datetimes(timezones=ZONES)),
    (time, st.times(timezones=ZONES)),
    (timedelta, st.timedeltas()),
    (Decimal, DECIMALS),
    (UUID, st.uuids()),
    (Path, PATHS.map(Path)),
    (PurePosixPath, PATHS.map(PurePosixPath)),
    (Level, st.sampled_from(Level)),
    (Rank, st.sampled_from(Rank)),
    (Literal["a", 2, True, None], st.sampled_from(["a", 2, True, None])),  # noqa: PYI061  the odd spelling is the case
    (UserId, st.integers(0, 9)),
]

# -- Constraints, in the words of the three packages.

CONSTRAINED: list[Typed] = [
    (Annotated[int, at.Gt(0), "how many"], st.integers(1, 2**62)),
    (Annotated[int, pydantic.Field(ge=-3, le=3, description="how many")], st.integers(-3, 3)),
    (Annotated[float, msgspec.Meta(gt=-1.5, lt=1.5)], st.floats(-1.5, 1.5, exclude_min=True, exclude_max=True)),
    (Annotated[int, at.MultipleOf(7)], st.integers(-99, 99).map(lambda n: 7 * n)),
    (Annotated[str, at.Len(1, 3)], st.text("abø\n", min_size=1, max_size=3)),
    (Annotated[str, pydantic.StringConstraints(max_length=2)], st.text("abø", max_size=2)),
    (Annotated[str, pydantic.Field(pattern=r"^[a-c]+$")], st.text("abc", min_size=1)),
    (Annotated[str, msgspec.Meta(pattern=r"^[a-c]*$")], st.text("abc")),
    (Annotated[list[int], at.MinLen(1), at.MaxLen(2)], st.lists(st.integers(0, 9), min_size=1, max_size=2)),
    (Annotated[set[int], pydantic.Field(max_length=2)], st.sets(st.integers(0, 9), max_size=2)),
    (Annotated[Decimal, pydantic.Field(ge=0, max_digits=6, decimal_places=2)], st.decimals(0, 9999, places=2)),
    (Annotated[date, at.Ge(date(2020, 1, 1))], st.dates(date(2020, 1, 1))),
    (Annotated[timedelta, at.Lt(timedelta(days=1))], st.timedeltas(max_value=timedelta(hours=23))),
    (pydantic.PositiveInt, st.integers(1, 9)),
    (pydantic.conint(gt=3, lt=8), st.integers(4, 7)),
    (Annotated[int | None, at.Gt(0)], st.none() | st.integers(1, 9)),
]


# -- What is made of parts.


def listed(part: Typed) -> Typed:
    return list[part[0]], st.lists(part[1], max_size=3)  # type: ignore[misc,name-defined]


def in_tuple(part: Typed) -> Typed:
    return tuple[part[0], ...], st.lists(part[1], max_size=3).map(tuple)  # type: ignore[misc,name-defined]


def in_deque(part: Typed) -> Typed:
    return deque[part[0]], st.lists(part[1], max_size=3).map(deque)  # type: ignore[misc,name-defined]


def optional(part: Typed) -> Typed:
    return part[0] | None, st.none() | part[1]


def described(part: Typed) -> Typed:
    return Annotated[part[0], "some words"], part[1]


def aliased(part: Typed) -> Typed:
    return TypeAliasType("Alias", part[0]), part[1]


def paired(first: Typed, second: Typed) -> Typed:
    return tuple[first[0], second[0]], st.tuples(first[1], second[1])  # type: ignore[misc,name-defined]


@dataclass
class Page(Generic[T]):
    of: T
    more: list[T]


@attrs.define
class Box(Generic[T]):
    """A box."""

    inside: T
    size: int = attrs.field(default=0, alias="theSize")


class Cell(msgspec.Struct, Generic[T], tag="cell", rename="camel"):
    the_part: T
    other_parts: list[T] = []


def generic(make: Any) -> Callable[[Typed], Typed]:
    def of(part: Typed) -> Typed:
        if make is Page:
            return Page[part[0]], st.builds(Page, part[1], st.lists(part[1], max_size=2))  # type: ignore[name-defined]
        if make is Cell:
            return Cell[part[0]], st.builds(Cell, part[1], st.lists(part[1], max_size=2))  # type: ignore[name-defined]
        return Box[part[0]], st.builds(Box, part[1])  # type: ignore[name-defined]

    return of


def make_attrs_class(name: str, fields: list[tuple[str, Any]]) -> Any:
    return attrs.define(type(name, (), {"__annotations__": dict(fields)}))


def make_typed_dict(name: str, fields: list[tuple[str, Any]]) -> Any:
    return TypedDict(name, dict(fields))  # type: ignore[operator]


def make_named_tuple(name: str, fields: list[tuple[str, Any]]) -> Any:
    return NamedTuple(name, fields)  # type: ignore[misc]


def classed(made: list[Typed], make: Callable[[str, list[tuple[str, Any]]], Any]) -> Typed:
    names = [f"field{index}" for index in range(len(made))]
    cls = make("Made", list(zip(names, (type_ for type_, _ in made), strict=True)))
    return cls, st.builds(cls, **{name: values for name, (_, values) in zip(names, made, strict=True)})


MAKERS = [make_dataclass, make_attrs_class, make_typed_dict, make_named_tuple, msgspec.defstruct]


def grown(parts: st.SearchStrategy[Typed]) -> st.SearchStrategy[Typed]:
    around = (listed, in_tuple, in_deque, optional, described, aliased, generic(Page), generic(Box), generic(Cell))
    return st.one_of(
        *[parts.map(each) for each in around],
        st.builds(paired, parts, parts),
        st.builds(classed, st.lists(parts, min_size=1, max_size=3), st.sampled_from(MAKERS)),
    )


class Line(pydantic.BaseModel):
    """A line of an order."""

    sku: Annotated[str, pydantic.Field(min_length=1, alias="theSku")]
    count: int = pydantic.Field(gt=0)
    when: date | None = None


class Order(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(strict=True)

    id: UUID
    lines: list[Line]
    kind: Literal["a", "b"] = "a"
    parts: list[Order] = []


@pydantic.dataclasses.dataclass
class Spot:
    x: Annotated[int, pydantic.Field(ge=0)]
    note: str = ""


LINES = st.builds(
    lambda sku, n, day: Line(theSku=sku, count=n, when=day),
    TEXTS.filter(bool),
    st.integers(1, 9),
    st.none() | st.dates(),
)
ORDERS = st.builds(
    lambda uid, lines: Order(id=uid, lines=lines, parts=[Order(id=uid, lines=[])]),
    st.uuids(),
    st.lists(LINES, max_size=2),
)
FOREIGN: list[Typed] = [
    (Line, LINES),
    (Order, ORDERS),
    (Spot, st.builds(Spot, st.integers(0, 9), TEXTS)),
    (pydantic.PastDate, st.dates(date(1900, 1, 1), date(2020, 1, 1))),
]

TYPED = st.recursive(st.sampled_from(LEAVES + CONSTRAINED + FOREIGN), grown, max_leaves=6)


def through_text(value: Any) -> Any:
    return orjson.loads(orjson.dumps(to_json(value)))


@settings(deadline=None, derandomize=True, max_examples=400)
@given(st.data())
def test_a_value_is_an_answer_that_is_read_as_the_same_value(data: st.DataObject) -> None:
    type_, values = data.draw(TYPED)
    value = data.draw(values)
    wanted, json = output_type(type_), through_text(value)
    json = {"value": json} if wanted.schema["properties"].keys() == {"value"} else json
    assert strict_faults(wanted.schema) == []
    assert fits(json, wanted.schema)
    read = wanted.decode(orjson.dumps(json).decode())
    assert (read, type(read)) == (value, type(value))


# Loose schemas have maps, too.
KEYS: list[Typed] = [(str, TEXTS), (Level, st.sampled_from(Level)), (UUID, st.uuids()), (date, st.dates())]


def mapped(key: Typed, part: Typed) -> Typed:
    return dict[key[0], part[0]], st.dictionaries(key[1], part[1], max_size=3)  # type: ignore[misc,name-defined]


LOOSE = st.recursive(
    st.sampled_from(LEAVES + CONSTRAINED + FOREIGN),
    lambda parts: st.one_of(grown(parts), st.builds(mapped, st.sampled_from(KEYS), parts)),
    max_leaves=6,
)


@settings(deadline=None, derandomize=True, max_examples=400)
@given(st.data())
def test_what_a_tool_returns_another_tool_can_take(data: st.DataObject) -> None:
    type_, values = data.draw(LOOSE)
    value = data.draw(values)

    def take(it: Any) -> Any:
        return it

    take.__annotations__ = {"it": type_}
    taking = tool(take)
    # In a list, because a text is returned as it is.
    [json] = orjson.loads(texts([value])[0])
    assert fits({"it": json}, taking.schema)
    read = taking.bind({"it": json}, CONTEXT)()
    assert (read, type(read)) == (value, type(value))


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=4),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.sampled_from(["of", "it", "theSku", "a"]), part),
    max_leaves=6,
)


@settings(deadline=None, derandomize=True, max_examples=400)
@given(st.data())
def test_any_json_is_an_argument_or_is_refused(data: st.DataObject) -> None:
    type_, _ = data.draw(LOOSE)
    json = data.draw(ANY_JSON)

    def take(it: Any) -> Any:
        return it

    take.__annotations__ = {"it": type_}
    taking = tool(take)
    # With nothing but its own error. What is read can be written again, and is then the same.
    with suppress(ToolArgumentError):
        read = taking.bind({"it": json}, CONTEXT)()
        [told] = orjson.loads(texts([read])[0])
        assert taking.bind({"it": told}, CONTEXT)() == read
