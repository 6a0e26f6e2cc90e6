"""Postponed annotations of classes and functions that were defined inside of a function."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Any, NewType

import attrs
import msgspec
import pydantic
import pytest
from typing_extensions import Self, TypedDict

from openai_codex import tool
from openai_codex._schemas.output import output_type
from openai_codex.errors import ConfigError
from tests.schemas.samples import json_schema, validate
from tests.tools.samples import CONTEXT


def test_classes_of_one_function_know_each_other() -> None:
    class Level(Enum):
        LOW = "low"

    Count = NewType("Count", int)

    @dataclass
    class Inner:
        level: Level
        n: Count

    class Loose(TypedDict):
        inner: Inner

    class Model(pydantic.BaseModel):
        n: int

    class Struct(msgspec.Struct):
        loose: Loose

    @attrs.define
    class Outer:
        inner: Inner
        struct: Struct
        model: Model | None
        more: list[Outer]

    inner = {"level": "low", "n": 1}
    value = {"inner": inner, "struct": {"loose": {"inner": inner}}, "model": {"n": 1}, "more": []}
    read = Inner(Level.LOW, Count(1))
    assert validate(Outer, value) == Outer(read, Struct({"inner": read}), Model(n=1), [])

    @tool
    def take(outer: Outer, level: Level = Level.LOW) -> Any:
        return outer.inner, level

    assert take.bind({"outer": value}, CONTEXT)() == (read, Level.LOW)


@dataclass
class Same:
    """What the name means in this module."""

    other: str


def test_the_function_comes_before_the_module() -> None:
    @dataclass
    class Same:
        n: int

    @dataclass
    class Holder:
        same: Same

    assert validate(Holder, {"same": {"n": 1}}) == Holder(Same(1))


def test_so_do_functions_around_the_function() -> None:
    @dataclass
    class Far:
        n: int

    def between() -> Any:
        @dataclass
        class Near:
            far: Far

        def innermost() -> Any:
            @dataclass
            class Here:
                near: Near

            return validate(Here, {"near": {"far": {"n": 1}}}) == Here(Near(Far(1)))

        return innermost()

    assert between()


async def test_classes_are_found_from_another_task() -> None:
    @dataclass
    class Inner:
        n: int

    @dataclass
    class Outer:
        inner: Inner

    async def ask() -> Any:
        return output_type(Outer).decode('{"inner": {"n": 1}}')

    assert await asyncio.gather(ask(), ask()) == [Outer(Inner(1))] * 2


KEPT: list[Any] = []


def make() -> Any:
    @attrs.define
    class Part:
        n: int

    @attrs.define
    class Whole:
        part: Part

    KEPT.append(Part)
    return Whole


def test_classes_that_a_function_has_returned() -> None:
    KEPT.clear()
    whole = make_one()
    assert validate(whole, {"part": {"n": 1}}).part.n == 1


def make_one() -> Any:
    @attrs.define
    class OnlyPart:
        n: int

    @attrs.define
    class OnlyWhole:
        part: OnlyPart

    KEPT.append(OnlyPart)
    return OnlyWhole


def test_classes_of_several_calls_are_not_mixed_up() -> None:
    first, second = make(), make()
    for each in (first, second):
        with pytest.raises(ConfigError, match="name 'Part' is not defined; define or import this name at module level"):
            json_schema(each)


def test_a_name_that_is_nowhere() -> None:
    @dataclass
    class Lost:
        it: Nowhere  # noqa: F821  that it is missing is the case

    with pytest.raises(ConfigError, match="Lost: its annotations cannot be evaluated: name 'Nowhere'"):
        json_schema(Lost)


def test_a_tool_knows_the_outer_names_of_its_body_when_they_are_gone() -> None:
    def make_tool() -> Any:
        @dataclass
        class Inner:
            n: int

        def take(inner: Inner) -> bool:
            return isinstance(inner, Inner)

        return take

    assert tool(make_tool()).bind({"inner": {"n": 1}}, CONTEXT)()


def test_an_annotation_may_raise_anything() -> None:
    @dataclass
    class Odd:
        it: 1 / 0  # type: ignore[valid-type]

    with pytest.raises(ConfigError, match=r"Odd: its annotations cannot be evaluated: division by zero$"):
        json_schema(Odd)


def test_a_name_that_the_body_uses_may_come_later() -> None:
    def take(number: int) -> Any:
        return later(number)

    made = tool(take)

    def later(number: int) -> int:
        return number

    assert made.bind({"number": 1}, CONTEXT)() == 1


class One:
    def make(self) -> Any:
        @attrs.define
        class Part:
            n: int

        @attrs.define
        class Whole:
            part: Part

        KEPT.append(Part)
        return Whole


class Two:
    def make(self, whole: Any) -> Any:
        @attrs.define
        class Part:
            other: int

        @attrs.define
        class Again:
            part: Part

        return json_schema(whole), validate(Again, {"part": {"other": 1}})


def test_a_function_that_has_only_the_name_of_the_one_around() -> None:
    KEPT.clear()
    whole = One().make()
    with suppress(ConfigError):  # where the two cannot be told apart
        schema, _ = Two().make(whole)
        assert sys.version_info < (3, 11) or list(schema["$defs"]["Part"]["properties"]) == ["n"]


def test_self_is_a_class() -> None:
    def take(it: Self) -> None: ...

    with pytest.raises(ConfigError, match=r"take\.it: Self has no JSON schema outside of a class"):
        tool(take)
