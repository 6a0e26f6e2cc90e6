"""What can be a tool beside plain functions, and what is refused with advice."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from typing_extensions import NotRequired, TypedDict, Unpack

from openai_codex import ToolArgumentError, ToolContext, tool
from openai_codex.errors import ConfigError
from tests.tools.samples import CONTEXT, get_weather, make_plan


def add(number: int, more: int = 2, *, tenant: str = "none") -> tuple[int, str]:
    """Add two numbers."""
    return number + more, tenant


async def fetch(number: int, context: ToolContext) -> tuple[int, str]:
    """Fetch a number."""
    return number, context.call_id


class Counter:
    """Counts from a start."""

    def __init__(self, start: int) -> None:
        self.start = start

    def __call__(self, step: int) -> int:
        """Count on."""
        return self.start + step

    def method(self, step: int) -> int:
        """Count on by method."""
        return self.start + step

    @classmethod
    def of_class(cls, step: int) -> tuple[str, int]:
        """Name the class."""
        return cls.__name__, step

    @staticmethod
    def static(step: int) -> int:
        """Give it back."""
        return step

    @staticmethod
    @tool
    def declared(step: int) -> int:
        """Give it back."""
        return step

    @tool
    @staticmethod
    def declared_above(step: int) -> int:
        """Give it back."""
        return step


class Later:
    """Waits."""

    async def __call__(self, step: int) -> int:
        return step


def traced(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


WORKING: list[tuple[Any, str, str, dict[str, Any], Any]] = [
    (functools.partial(add, more=5), "add", "Add two numbers.", {"number": 1}, (6, "none")),
    (functools.partial(add, 1), "add", "Add two numbers.", {"more": 1, "tenant": "a"}, (2, "a")),
    (functools.partial(functools.partial(add, 1), tenant="t"), "add", "Add two numbers.", {}, (3, "t")),
    (functools.partial(Counter(3).method), "method", "Count on by method.", {"step": 1}, 4),
    (functools.partial(Counter(3), step=2), "Counter", "Count on.", {}, 5),
    (functools.partial(get_weather, days=3), "get_weather", get_weather.description, {"city": "a"}, "a: sunny for 3"),
    (Counter(3), "Counter", "Count on.", {"step": 1}, 4),
    (Counter(3).method, "method", "Count on by method.", {"step": 1}, 4),
    (Counter.of_class, "of_class", "Name the class.", {"step": 1}, ("Counter", 1)),
    (Counter(3).of_class, "of_class", "Name the class.", {"step": 1}, ("Counter", 1)),
    (Counter.static, "static", "Give it back.", {"step": 1}, 1),
    (Counter.declared, "declared", "Give it back.", {"step": 1}, 1),
    (Counter.declared_above, "declared_above", "Give it back.", {"step": 1}, 1),
    (traced(add), "add", "Add two numbers.", {"number": 1}, (3, "none")),
    (traced(functools.partial(add, more=5)), "wrapper", "", {"number": 1}, (6, "none")),
    (functools.lru_cache(add), "add", "Add two numbers.", {"number": 1}, (3, "none")),
    (get_weather, "get_weather", get_weather.description, {"city": "a"}, "a: sunny for 1"),
]


@pytest.mark.parametrize(
    ("function", "name", "text", "arguments", "expected"), WORKING, ids=[str(index) for index in range(len(WORKING))]
)
def test_what_works(function: Any, name: str, text: str, arguments: dict[str, Any], expected: Any) -> None:
    made = tool(function)
    assert (made.name, made.is_async) == (name, False)
    assert made.description == text or name == "wrapper"
    assert made.bind(arguments, CONTEXT)() == expected
    assert tool(function, name="other").name == "other"


@pytest.mark.parametrize(
    ("function", "arguments", "expected"),
    [
        (fetch, {"number": 1}, (1, "call")),
        (functools.partial(fetch, number=2), {}, (2, "call")),
        (Later(), {"step": 3}, 3),
        (functools.partial(Later(), step=4), {}, 4),
        (Later().__call__, {"step": 5}, 5),
    ],
    ids=[*"abcde"],
)
def test_coroutines_of_any_callable_are_known(function: Any, arguments: dict[str, Any], expected: Any) -> None:
    made = tool(function, name="it")
    assert made.is_async
    assert asyncio.run(made.bind(arguments, CONTEXT)()) == expected
    assert tool(make_plan, name="it").is_async


def test_what_a_partial_function_binds_is_the_programs() -> None:
    bound = tool(functools.partial(add, tenant="mine"))
    assert list(bound.schema["properties"]) == ["number", "more"]
    with pytest.raises(ToolArgumentError, match="tenant: unknown argument"):
        bound.bind({"number": 1, "tenant": "yours"}, CONTEXT)
    loose = tool(functools.partial(add, tenant="mine"), schema={"type": "object"})
    assert loose.bind({"number": 1, "tenant": "yours"}, CONTEXT)() == (3, "mine")
    own = ToolContext("thread", "turn", "own")
    assert asyncio.run(tool(functools.partial(fetch, context=own)).bind({"number": 1}, CONTEXT)()) == (1, "own")


def generate(number: int) -> Iterator[int]:
    yield number


async def generate_later(number: int) -> AsyncIterator[int]:
    yield number


class Generating:
    def __call__(self, number: int) -> Iterator[int]:
        yield number


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (generate, "generate"),
        (generate_later, "generate_later"),
        (functools.partial(generate, 1), "generate"),
        (Generating(), "Generating"),
        (Generating().__call__, "__call__"),
    ],
    ids=[*"abcde"],
)
def test_generators_are_refused(function: Any, name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        tool(function)
    assert caught.value.what == name
    assert "the model reads one result; return a list" in caught.value.reason


def test_a_wrapper_that_reads_a_generator_to_its_end_is_a_function() -> None:
    @functools.wraps(generate)
    def listed(*args: Any, **kwargs: Any) -> list[int]:
        return list(generate(*args, **kwargs))

    assert tool(listed).bind({"number": 1}, CONTEXT)() == [1]


class Methods:
    def method(self, step: int) -> int:
        return step

    def of_class(cls, step: int) -> int:  # noqa: N805  as under @classmethod
        return step

    made = classmethod(of_class)


@pytest.mark.parametrize(
    ("function", "what", "advice"),
    [
        (Methods.method, "method.self", "declare tool(object.method)"),
        (Methods.of_class, "of_class.cls", "declare tool(object.method)"),
        (vars(Methods)["made"], "tool", "got classmethod; declare tool(Class.method) below the class"),
        (Counter, "tool", "got a class; declare a function that makes an object of it"),
        (functools.partial(Counter, 1), "tool", "declare a function that makes an object of it"),
        (len, "tool", "write a function with annotations around it"),
        ("a".upper, "tool", "write a function with annotations around it"),
        (functools.partial(len), "tool", "write a function with annotations around it"),
        (functools.partial(add, nothing=1), "add", "its parameters cannot be read"),
        ("text", "tool", "got str; write a function with annotations around it"),
        (None.__class__, "tool", "got a class"),
        (lambda a: a, "<lambda>.a", "expected a type annotation"),
        (lambda *args: args, "<lambda>.args", "a decorator needs functools.wraps"),
    ],
    ids=[*"abcdefghijklm"],
)
def test_what_cannot_be_called_by_the_model_is_refused_with_advice(function: Any, what: str, advice: str) -> None:
    with pytest.raises(ConfigError) as caught:
        tool(function)
    assert caught.value.what == what
    assert advice in caught.value.reason


class Options(TypedDict):
    number: int
    unit: NotRequired[str]


def test_named_options_are_parameters() -> None:
    @tool
    def convert(factor: float, **options: Unpack[Options]) -> Any:
        return factor, options

    assert list(convert.schema["properties"]) == ["factor", "number", "unit"]
    assert convert.schema["required"] == ["factor", "number"]
    assert convert.bind({"factor": 1, "number": 2}, CONTEXT)() == (1.0, {"number": 2})
    with pytest.raises(ToolArgumentError, match="number: expected int, found str"):
        convert.bind({"factor": 1, "number": "2"}, CONTEXT)
