"""Each constraint in ``Annotated`` is in the schema and in the check, or it is refused by its name."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Annotated, Any, Union
from uuid import UUID

import annotated_types as at
import msgspec
import orjson
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import Doc

from openai_codex import OutputError, ToolArgumentError, tool
from openai_codex._schemas.output import output_type
from openai_codex.errors import ConfigError
from tests.schemas.samples import fits, json_schema, strict_faults
from tests.tools.samples import CONTEXT


def value_schema(type_: Any, *, strict: bool = True) -> Any:
    schema = json_schema(type_, strict=strict)
    return schema["properties"]["value"] if strict else schema


def read(type_: Any, value: Any) -> Any:
    return output_type(type_).decode(orjson.dumps({"value": value}).decode())


def problems(type_: Any, value: Any) -> tuple[str, ...]:
    with pytest.raises(OutputError) as caught:
        read(type_, value)
    return caught.value.problems


# The name in pydantic and msgspec, the note of annotated_types, the keyword, a right and a wrong value, the problem.
SAME = [
    ("gt", at.Gt(0), "exclusiveMinimum", 1, 0, "greater than 0"),
    ("ge", at.Ge(1), "minimum", 1, 0, "at least 1"),
    ("lt", at.Lt(9), "exclusiveMaximum", 8, 9, "less than 9"),
    ("le", at.Le(9), "maximum", 9, 10, "at most 9"),
    ("multiple_of", at.MultipleOf(5), "multipleOf", 10, 11, "a multiple of 5"),
]


@pytest.mark.parametrize("case", SAME, ids=str)
def test_the_three_packages_mean_the_same(case: Any) -> None:
    name, note, keyword, right, wrong, told = case
    bound = getattr(note, name)
    for each in (note, pydantic.Field(**{name: bound}), msgspec.Meta(**{name: bound})):
        type_ = Annotated[int, each]
        for strict in (True, False):
            assert value_schema(type_, strict=strict) == {"type": "integer", keyword: bound}
        assert read(type_, right) == right
        assert problems(type_, wrong) == (f"expected int, {told}",)


@pytest.mark.parametrize(
    "note",
    [
        at.Len(1, 3),
        pydantic.Field(min_length=1, max_length=3),
        msgspec.Meta(min_length=1, max_length=3),
        pydantic.StringConstraints(min_length=1, max_length=3),
    ],
    ids=repr,
)
def test_lengths_have_no_keyword_in_strict_schemas_of_texts_but_a_pattern(note: Any) -> None:
    assert value_schema(Annotated[str, note], strict=False) == {"type": "string", "minLength": 1, "maxLength": 3}
    assert value_schema(Annotated[str, note]) == {"type": "string", "pattern": r"^[\s\S]{1,3}$"}
    assert read(Annotated[str, note], "a\nb") == "a\nb"
    assert problems(Annotated[str, note], "") == ("expected str, length at least 1",)
    assert problems(Annotated[str, note], "abcd") == ("expected str, length at most 3",)


def test_a_length_of_very_long_texts_is_said_in_words() -> None:
    assert value_schema(Annotated[str, at.MaxLen(5_000)]) == {"type": "string", "description": "length 0 to 5000"}
    assert value_schema(Annotated[str, at.MinLen(5_000)]) == {"type": "string", "description": "length at least 5000"}
    assert problems(Annotated[str, at.MaxLen(5_000)], "a" * 5_001) == ("expected str, length at most 5000",)


def test_lengths_of_collections() -> None:
    assert value_schema(Annotated[list[int], at.Len(1, 2)]) == {
        "type": "array",
        "items": {"type": "integer"},
        "minItems": 1,
        "maxItems": 2,
    }
    assert problems(Annotated[list[int], at.MaxLen(1)], [1, 2]) == ("expected list[int], length at most 1",)
    # Of the values, not of the items that were written.
    assert problems(Annotated[set[int], at.MinLen(2)], [1, 1]) == ("expected set[int], length at least 2",)
    assert value_schema(Annotated[dict[str, int], at.MaxLen(1)], strict=False)["maxProperties"] == 1


@pytest.mark.parametrize(
    "note", [pydantic.Field(pattern="^a+$"), msgspec.Meta(pattern="^a+$"), pydantic.Field(pattern=re.compile("^a+$"))]
)
def test_patterns(note: Any) -> None:
    assert value_schema(Annotated[str, note]) == {"type": "string", "pattern": "^a+$"}
    assert read(Annotated[str, note], "aa") == "aa"
    assert problems(Annotated[str, note], "b") == ("expected str, matching ^a+$",)


@pytest.mark.parametrize(
    ("note", "text"),
    [
        ("first", "first"),
        (Doc("second"), "second"),
        (pydantic.Field(description="third"), "third"),
        (msgspec.Meta(description="fourth", title="T", examples=[1]), "fourth"),
    ],
)
def test_descriptions(note: Any, text: str) -> None:
    assert value_schema(Annotated[int, note]) == {"type": "integer", "description": text}


IN_WORDS: list[tuple[Any, Any, Any, str]] = [
    (Annotated[Decimal, pydantic.Field(gt=0)], "0.01", "0", "expected Decimal, greater than 0"),
    (Annotated[Decimal, at.Le(Decimal("9.5"))], "9.5", "9.51", "expected Decimal, at most 9.5"),
    (Annotated[Decimal, at.MultipleOf(Decimal("0.05"))], "0.15", "0.12", "expected Decimal, a multiple of 0.05"),
    (
        Annotated[Decimal, pydantic.Field(decimal_places=2)],
        "1.500",
        "1.501",
        "expected Decimal, at most 2 digits behind the point",
    ),
    (Annotated[Decimal, pydantic.Field(max_digits=3)], "1.20e1", "1.234", "expected Decimal, at most 3 digits"),
    (Annotated[date, at.Ge(date(2020, 1, 1))], "2020-01-01", "2019-12-31", "expected date, at least 2020-01-01"),
    (Annotated[time, at.Lt(time(12))], "11:59:59", "12:00:00", "expected time, less than 12:00:00"),
    (Annotated[timedelta, at.Gt(timedelta())], "PT1S", "-PT1S", "expected timedelta, greater than 0:00:00"),
    (
        Annotated[datetime, at.Gt(datetime(2020, 1, 1, tzinfo=timezone.utc))],
        "2020-01-01T00:00:01Z",
        "2021-01-01T00:00:00",  # without an offset it cannot be compared
        "expected datetime, greater than 2020-01-01 00:00:00+00:00",
    ),
]


@pytest.mark.parametrize(("type_", "right", "wrong", "problem"), IN_WORDS)
def test_what_has_no_keyword_is_said_in_words_and_checked(type_: Any, right: Any, wrong: Any, problem: str) -> None:
    schema = value_schema(Annotated[type_, "how much"])
    assert schema["description"] == f"how much; {problem.partition(', ')[2]}"
    read(type_, right)
    assert problems(type_, wrong) == (problem,)


@pytest.mark.parametrize(
    ("text", "digits", "places"),
    [("0", 0, 0), ("1", 1, 0), ("0.05", 2, 2), ("100", 3, 0), ("1E+2", 3, 0), ("1.50", 2, 1), ("-0.00", 0, 0)],
)
def test_digits_are_counted_as_a_person_does(text: str, digits: int, places: int) -> None:
    for name, number in (("max_digits", digits), ("decimal_places", places)):
        read(Annotated[Decimal, pydantic.Field(**{name: number})], text)
        if number:
            assert problems(Annotated[Decimal, pydantic.Field(**{name: number - 1})], text)


def test_a_constraint_of_a_union_is_about_its_values() -> None:
    optional = Annotated[int | None, pydantic.Field(gt=0, description="how many")]
    assert value_schema(optional) == {
        "anyOf": [{"type": "integer", "exclusiveMinimum": 0}, {"type": "null"}],
        "description": "how many",
    }
    assert read(optional, None) is None
    assert problems(optional, 0) == ("expected int, greater than 0",)
    assert problems(Annotated[Union[int, float], at.Gt(0)], -0.5) == ("expected float, greater than 0",)
    with pytest.raises(ConfigError, match="the constraint gt does not apply to str"):
        output_type(Annotated[Union[int, str], at.Gt(0)])


def test_the_tighter_of_two_bounds_holds() -> None:
    assert value_schema(Annotated[pydantic.PositiveInt, pydantic.Field(gt=5, lt=9), at.Lt(8)]) == {
        "type": "integer",
        "exclusiveMinimum": 5,
        "exclusiveMaximum": 8,
    }


@pytest.mark.parametrize(
    ("type_", "name"),
    [
        (Annotated[int, at.Predicate(str.islower)], r"Predicate\(func="),
        (at.LowerCase[str], r"Predicate\(func="),
        (Annotated[datetime, at.Timezone(None)], "Timezone"),
        (Annotated[datetime, at.Timezone(...)], r"Timezone\(tz="),
        (Annotated[float, at.Unit("m")], r"Unit\(unit="),
        (Annotated[int, pydantic.AfterValidator(abs)], r"AfterValidator\(func="),
        (Annotated[int, pydantic.SkipValidation], "SkipValidation"),
        (pydantic.UUID4, r"UuidVersion\(uuid_version="),
        (Annotated[str, pydantic.StringConstraints(strip_whitespace=True)], "strip_whitespace"),
        (Annotated[int, pydantic.Strict(strict=False)], r"Strict\(strict="),
        (Annotated[float, pydantic.Field(allow_inf_nan=True)], "allow_inf_nan"),
        (Annotated[int, pydantic.Field(default=3)], r"Field\(default="),
        (Annotated[int, pydantic.Field(alias="n")], r"Field\((validation_)?alias="),
        (Annotated[int, pydantic.Field(json_schema_extra={"minimum": 3})], r"Field\(json_schema_extra="),
        (Annotated[datetime, msgspec.Meta(tz=True)], r"Meta\(tz="),
        (Annotated[int, msgspec.Meta(extra_json_schema={"minimum": 3})], r"Meta\(extra_json_schema="),
        (Annotated[str, at.Gt("a")], "the constraint gt does not apply to str"),
        (Annotated[bool, at.Gt(0)], "the constraint gt does not apply to bool"),
        (Annotated[int, at.MinLen(1)], "the constraint min_length does not apply to int"),
        (Annotated[UUID, at.MaxLen(3)], "the constraint max_length does not apply to UUID"),
        (Annotated[tuple[int, str], at.MaxLen(3)], "the constraint max_length does not apply to tuple"),
        (Annotated[int, at.Gt("a")], "the constraint gt of int cannot be 'a'"),
        (Annotated[float, at.Gt(float("inf"))], "the constraint gt of float cannot be inf"),
        (Annotated[int, at.MultipleOf(0)], "the constraint multiple_of of int cannot be 0"),
        (Annotated[date, at.Gt(datetime(2020, 1, 1))], "the constraint gt of date cannot be"),  # noqa: DTZ001
        (Annotated[str, at.MinLen(-1)], "the constraint min_length of str cannot be -1"),
        (Annotated[str, pydantic.Field(pattern="(a")], "the constraint pattern of str cannot be"),
        (Annotated[str, pydantic.Field(pattern="(?P<a>b)")], "the constraint pattern of str cannot be"),
        (Annotated[str, pydantic.Field(pattern=re.compile("a", re.IGNORECASE))], "the constraint pattern of str"),
        (Annotated[str, pydantic.Field(pattern="(?=a)b")], "a pattern that looks around or back has no strict"),
        (Annotated[str, pydantic.Field(pattern="a", max_length=3)], "a pattern beside a length has no strict"),
        (Annotated[int, at.MultipleOf(2), at.MultipleOf(3)], "the constraint multiple_of is given twice"),
    ],
    ids=str,
)
def test_what_has_no_place_in_a_schema_is_refused_by_its_name(type_: Any, name: str) -> None:
    with pytest.raises(ConfigError, match=name):
        output_type(type_)


def test_what_is_done_anyway_and_what_others_say_is_no_constraint() -> None:
    plain = {"type": "integer"}
    for type_ in (pydantic.StrictInt, Annotated[int, object(), 5, {"a": 1}], Annotated[int, pydantic.Field()]):
        assert value_schema(type_) == plain
    assert value_schema(Annotated[float, pydantic.AllowInfNan(False)]) == {"type": "number"}


def test_arguments_of_tools_are_checked_too() -> None:
    @tool
    def order(count: Annotated[int, pydantic.Field(gt=0, description="how many")] = 1) -> int:
        return count

    assert order.schema["properties"]["count"] == {
        "type": "integer",
        "exclusiveMinimum": 0,
        "description": "how many",
        "default": 1,
    }
    assert order.bind({"count": 2}, CONTEXT)() == 2
    with pytest.raises(ToolArgumentError, match="count: expected int, greater than 0"):
        order.bind({"count": 0}, CONTEXT)


BOUNDS = st.integers(-9, 9) | st.floats(-9, 9)
NOTES = st.one_of(
    *[st.builds(each, BOUNDS) for each in (at.Gt, at.Ge, at.Lt, at.Le)],
    st.builds(at.MultipleOf, st.sampled_from([1, 2, 3, 0.5])),
)
TEXT_NOTES = st.one_of(
    st.builds(at.MinLen, st.integers(0, 4)),
    st.builds(at.MaxLen, st.integers(0, 4)),
    st.sampled_from([pydantic.Field(pattern=p) for p in ("^a", "b$", "[ab]{2}", "a|é")]),
)


@settings(deadline=None, derandomize=True, max_examples=300)
@given(
    st.one_of(
        st.tuples(st.sampled_from([int, float]), st.lists(NOTES, min_size=1, max_size=3), st.integers(-20, 20)),
        st.tuples(st.just(float), st.lists(NOTES, min_size=1, max_size=3), st.integers(-40, 40).map(lambda n: n / 4)),
        st.tuples(st.just(str), st.lists(TEXT_NOTES, min_size=1, max_size=3), st.text("abé\n", max_size=5)),
    )
)
def test_the_schema_and_the_check_agree(case: Any) -> None:
    plain, notes, value = case
    type_ = Annotated[(plain, *notes)]  # type: ignore[valid-type]
    with suppress(ConfigError):  # two constraints of one kind, or both a length and a pattern
        wanted = output_type(type_)
        assert strict_faults(wanted.schema) == []
        if isinstance(value, str) and value.endswith("\n"):
            return  # Python's `$` matches in front of it
        try:
            wanted.decode(orjson.dumps({"value": value}).decode())
        except OutputError:
            assert not fits({"value": value}, wanted.schema)
        else:
            assert fits({"value": value}, wanted.schema)
