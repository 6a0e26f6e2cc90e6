"""Models of pydantic as parts of other types, and classes of msgspec, as answers and as arguments of tools."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple, Optional, Union

import attrs
import msgspec
import orjson
import pydantic
import pytest
from typing_extensions import TypedDict

from openai_codex import OutputError, ToolArgumentError, tool
from openai_codex._schemas.output import output_type
from openai_codex.errors import ConfigError
from tests.schemas.samples import fits, json_schema, strict_faults, validate
from tests.tools.samples import CONTEXT, texts


class Line(pydantic.BaseModel):
    sku: str
    count: int = pydantic.Field(default=1, ge=1)
    when: date | None = None


class Order(pydantic.BaseModel):
    """An order."""

    lines: list[Line]
    parts: list[Order] = []


class Cat(pydantic.BaseModel):
    kind: Literal["cat"]
    lives: int


class Dog(pydantic.BaseModel):
    kind: Literal["dog"]
    lives: int


@dataclass
class InDataclass:
    line: Line


@attrs.define
class InAttrs:
    order: Order | None
    line: Line


class InTypedDict(TypedDict):
    lines: list[Line]


class InTuple(NamedTuple):
    line: Line
    count: int


class InStruct(msgspec.Struct):
    line: Line


LINE = {"sku": "a", "count": 2, "when": "2026-01-02"}
READ = Line(sku="a", count=2, when=date(2026, 1, 2))
PLACES: list[tuple[Any, Any, Any]] = [
    (Line, LINE, READ),
    (list[Line], [LINE], [READ]),
    (tuple[Line, ...], [LINE], (READ,)),
    (tuple[int, Line], [1, LINE], (1, READ)),
    (Line | None, LINE, READ),
    (Optional[Line], None, None),  # noqa: UP045  the old spelling is the case
    (Union[Line, Order], {"lines": [LINE], "parts": []}, Order(lines=[READ])),
    (Union[Cat, Dog], {"kind": "dog", "lives": 1}, Dog(kind="dog", lives=1)),
    (Union[str, Line], LINE, READ),
    (InDataclass, {"line": LINE}, InDataclass(READ)),
    (InAttrs, {"order": {"lines": [LINE], "parts": []}, "line": LINE}, InAttrs(Order(lines=[READ]), READ)),
    (InTypedDict, {"lines": [LINE]}, {"lines": [READ]}),
    (InTuple, {"line": LINE, "count": 3}, InTuple(READ, 3)),
    (InStruct, {"line": LINE}, InStruct(READ)),
    (list[list[InDataclass | None]], [[None, {"line": LINE}]], [[None, InDataclass(READ)]]),
    (Order, {"lines": [], "parts": [{"lines": [LINE], "parts": []}]}, Order(lines=[], parts=[Order(lines=[READ])])),
]


@pytest.mark.parametrize(("type_", "json", "expected"), PLACES, ids=str)
def test_a_model_is_a_part_like_any_other(type_: Any, json: Any, expected: Any) -> None:
    wanted = output_type(type_)
    answer = {"value": json} if wanted.schema["properties"].keys() == {"value"} else json
    assert strict_faults(wanted.schema) == []
    assert fits(answer, wanted.schema)
    assert wanted.decode(orjson.dumps(answer).decode()) == expected

    def take(it: Any) -> Any:
        return it

    take.__annotations__ = {"it": type_}
    taking = tool(take)
    assert fits({"it": json}, taking.schema)
    assert taking.bind({"it": json}, CONTEXT)() == expected
    [told] = orjson.loads(texts([expected])[0])
    assert taking.bind({"it": told}, CONTEXT)() == expected


def test_maps_of_models_are_arguments_of_tools() -> None:
    @tool
    def sum_up(lines: dict[str, Line], more: dict[str, list[Line]] | None = None) -> Any:
        return lines, more

    assert sum_up.bind({"lines": {"a": LINE}}, CONTEXT)() == ({"a": READ}, None)


def test_problems_of_a_model_have_their_whole_path_and_no_values() -> None:
    @tool
    def take(orders: list[InAttrs]) -> None: ...

    wrong = {"order": {"lines": [{"sku": "s3cret", "count": 0}, {}]}, "line": {"sku": 7}}
    with pytest.raises(ToolArgumentError) as caught:
        take.bind({"orders": [wrong]}, CONTEXT)
    assert caught.value.problems == (
        "orders[0].order.lines[0].count: greater_than_equal",
        "orders[0].order.lines[1].sku: missing",
        "orders[0].line.sku: string_type",
    )
    assert isinstance(caught.value.__cause__, pydantic.ValidationError)


def test_models_share_their_definitions() -> None:
    schema = json_schema(InAttrs)
    assert list(schema["$defs"]) == ["Order", "Line"]
    assert schema["$defs"]["Order"]["properties"]["lines"]["items"] == {"$ref": "#/$defs/Line"}
    assert schema["properties"]["line"] == {"$ref": "#/$defs/Line"}
    assert schema["$defs"]["Order"]["description"] == "An order."


def test_models_of_the_same_name_are_kept_apart() -> None:
    other = pydantic.create_model("Line", price=(float, ...))
    holder = pydantic.create_model("Holder", line=(other, ...))
    wanted = output_type(tuple[Order, holder])  # type: ignore[valid-type]
    kinds = [part["properties"].keys() for part in wanted.schema["$defs"].values()]
    assert sorted(map(sorted, kinds)) == [["count", "sku", "when"], ["line"], ["lines", "parts"], ["price"]]
    value = [{"lines": [LINE], "parts": []}, {"line": {"price": 1.5}}]
    assert fits({"value": value}, wanted.schema)
    order, held = wanted.decode(orjson.dumps({"value": value}).decode())
    assert (order, held.line.price) == (Order(lines=[READ]), 1.5)


def test_the_schema_of_a_model_that_contains_itself_has_an_object_at_its_root() -> None:
    schema = output_type(Order).schema
    assert schema["type"] == "object"
    assert schema["properties"]["parts"]["items"] == {"$ref": "#"}


@pydantic.dataclasses.dataclass
class Spot:
    x: int = pydantic.Field(ge=0)


def test_dataclasses_of_pydantic_check_what_they_declare() -> None:
    assert validate(list[Spot], [{"x": 1}]) == [Spot(x=1)]
    with pytest.raises(OutputError, match=r"\[0\]\.x: greater_than_equal"):
        output_type(list[Spot]).decode('{"value": [{"x": -1}]}')


def test_other_types_of_pydantic() -> None:
    assert str(validate(pydantic.HttpUrl, "http://example.org")) == "http://example.org/"
    assert json_schema(list[pydantic.HttpUrl])["properties"]["value"]["items"] == {
        "type": "string",
        "description": "length 1 to 2083; format: uri",
    }
    assert validate(pydantic.RootModel[list[Cat]], [{"kind": "cat", "lives": 9}]).root[0].lives == 9


class Amount(pydantic.BaseModel):
    whole: int = 0
    exact: Decimal = Decimal(0)
    about: float = 0.0
    parts: list[int | Decimal] = []


LONG = 123456789012345678901234567890


@pytest.mark.parametrize("wrong", [{"whole": LONG}, {"exact": LONG}, {"parts": [1, -LONG]}], ids=str)
def test_a_model_is_not_read_from_a_number_that_was_rounded_on_the_way(wrong: Any) -> None:
    @tool
    def pay(amounts: list[Amount]) -> Any:
        return amounts

    with pytest.raises(
        ToolArgumentError, match=r"amounts\[0\].*((int|Decimal) without a change|whole: int_parsing_size)"
    ):
        pay.bind(orjson.loads(json.dumps({"amounts": [wrong]})), CONTEXT)
    fine = {"about": 1e300, "exact": str(LONG), "whole": 2**60}
    assert pay.bind({"amounts": [fine]}, CONTEXT)() == [Amount.model_validate(fine)]
    # In an answer it is as it was written.
    text = json.dumps({"value": [{"whole": 0, "exact": 0, "about": 0, "parts": [], **wrong}]})
    assert output_type(list[Amount]).decode(text) == [Amount(**wrong)]


@pytest.mark.parametrize("type_", [Amount, list[Amount], Union[Amount, None]], ids=str)
@pytest.mark.parametrize(
    ("text", "lost"),
    [
        ('{"exact": 12345678901234567.89}', "Decimal without a change"),
        ('{"exact": 1234567.8912345678912}', "Decimal without a change"),
        ('{"exact": 1e22}', "Decimal without a change"),
        ('{"whole": 9007199254740993.0}', "int without a change"),
        ('{"about": 9007199254740993}', "float without a change"),
        ('{"about": 1' + "0" * 400 + "}", "not valid JSON"),
        ('{"about": NaN}', "not valid JSON"),
        ('{"about": Infinity}', "not valid JSON"),
    ],
)
def test_a_number_of_a_model_is_what_was_written_or_it_is_refused(type_: Any, text: str, lost: str) -> None:
    wanted = output_type(type_)
    answer = text if type_ is Amount else f'{{"value": [{text}]}}' if type_ == list[Amount] else f'{{"value": {text}}}'
    with pytest.raises(OutputError, match=lost):
        wanted.decode(answer)


def test_numbers_of_a_model_that_fit_are_read() -> None:
    text = '{"whole": 9007199254740993, "exact": 1234567.89123, "about": 0.30000000000000004, "parts": [1.5, 2.0]}'
    assert output_type(Amount).decode(text) == Amount(
        whole=2**53 + 1, exact=Decimal("1234567.89123"), about=0.1 + 0.2, parts=[Decimal("1.5"), 2]
    )
    both = '{"whole": 9007199254740993, "about": 9007199254740992.0}'
    assert output_type(Amount).decode(both) == Amount(whole=2**53 + 1, about=2.0**53)


Pet = Annotated[Union[Cat, Dog], pydantic.Field(discriminator="kind")]


def test_members_of_a_union_are_told_apart_by_their_literals() -> None:
    assert validate(list[Pet], [{"kind": "dog", "lives": 1}]) == [Dog(kind="dog", lives=1)]
    with pytest.raises(OutputError, match="lives: int_parsing"):
        output_type(Pet).decode('{"value": {"kind": "dog", "lives": "x"}}')


class Named(pydantic.BaseModel):
    the_name: str = pydantic.Field(alias="theName")


def test_aliases_are_the_names_in_both_directions() -> None:
    value = Named(theName="a")
    assert orjson.loads(texts(value)[0]) == {"theName": "a"}
    assert validate(Named, {"theName": "a"}) == value


class Unreadable(pydantic.BaseModel):
    thing: Callable[[], int]


def test_a_model_without_a_schema_is_refused_with_its_place() -> None:
    with pytest.raises(ConfigError, match=r"list\[Unreadable\]\[\]: Unreadable gives no JSON schema: "):
        output_type(list[Unreadable])


# -- msgspec


class Base(msgspec.Struct, tag_field="kind", tag=str.lower, rename="camel", forbid_unknown_fields=True):
    the_size: int


class Circle(Base):
    pass


class Square(Base):
    corners: list[Decimal] = []


def test_classes_of_msgspec_have_their_names_and_their_tags() -> None:
    wanted = output_type(list[Circle | Square])
    assert strict_faults(wanted.schema) == []
    assert wanted.schema["$defs"]["Square"]["properties"] == {
        "kind": {"type": "string", "enum": ["square"]},
        "theSize": {"type": "integer"},
        "corners": json_schema(list[Decimal], strict=False),
    }
    value = [Square(1, [Decimal("1.5")]), Circle(2)]
    json = orjson.loads(msgspec.json.encode(value))
    assert orjson.loads(texts(value)[0]) == json
    assert wanted.decode(orjson.dumps({"value": json}).decode()) == value
    with pytest.raises(OutputError, match=r"\[0\]\.theSize: expected int, found str"):
        wanted.decode('{"value": [{"kind": "circle", "theSize": "1"}]}')


def test_an_unknown_field_is_refused_where_the_class_forbids_it() -> None:
    with pytest.raises(OutputError, match="theColour: unknown field"):
        output_type(Circle).decode('{"kind": "circle", "theSize": 1, "theColour": 2}')


class Mixed(msgspec.Struct, kw_only=True):
    a: int = 1
    b: int
    c: list[int] = []


def test_fields_with_a_default_are_not_required() -> None:
    assert json_schema(Mixed, strict=False)["required"] == ["b"]
    assert json_schema(Mixed, strict=False)["properties"]["a"] == {"type": "integer", "default": 1}
    assert validate(Mixed, {"b": 2}) == Mixed(b=2)


class Row(msgspec.Struct, array_like=True):
    a: int


def test_a_class_of_msgspec_that_is_an_array_is_refused() -> None:
    with pytest.raises(ConfigError, match="Row: array_like"):
        output_type(Row)


def test_neither_package_is_imported() -> None:
    program = """
import sys
from dataclasses import dataclass
from openai_codex._schemas.output import output_type
from openai_codex import tool

@dataclass
class Plain:
    a: int

output_type(list[Plain])
tool(lambda: None, name="x")
print(*sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"pydantic", "msgspec", "annotated_types"} & set(done.stdout.split())
