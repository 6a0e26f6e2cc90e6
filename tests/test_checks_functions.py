"""Whatever takes a function of the program refuses one that cannot be called as it will be, or does nothing then."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from openai_codex import AllowList, AsyncCodex, Codex, ConfigError, Tool, allow, retry_on_overload, tool
from openai_codex.testing import FakeAppServer, ScriptedModel
from openai_codex.types import CurrentTimeReadParams


class Yields:
    def __call__(self, _request: Any = None) -> Iterator[bool]:
        yield True

    def method(self, _request: Any = None) -> Iterator[bool]:
        yield True

    @classmethod
    def of_class(cls, _request: Any = None) -> Iterator[bool]:
        yield True

    @staticmethod
    def static(_request: Any = None) -> Iterator[bool]:
        yield True

    part = functools.partialmethod(method)


class YieldsLater:
    async def __call__(self, _request: Any = None) -> AsyncIterator[bool]:
        yield True

    async def method(self, _request: Any = None) -> AsyncIterator[bool]:
        yield True


class AnswersLater:
    async def __call__(self, _request: Any = None) -> bool:
        return True


class Answers:
    def __call__(self, _request: Any = None) -> bool:
        return True


def yields(_request: Any = None) -> Iterator[bool]:
    yield True


async def yields_later(_request: Any = None) -> AsyncIterator[bool]:
    yield True


async def answers_later(_request: Any = None) -> bool:
    return True


def answers(_request: Any = None) -> bool:
    return True


GENERATORS: dict[str, Any] = {
    "generator": yields,
    "async generator": yields_later,
    "partial": functools.partial(yields),
    "partial of async": functools.partial(yields_later),
    "partial of partial": functools.partial(functools.partial(yields)),
    "partial of object": functools.partial(Yields()),
    "object": Yields(),
    "async object": YieldsLater(),
    "call of object": Yields().__call__,
    "method": Yields().method,
    "async method": YieldsLater().method,
    "partial of method": functools.partial(Yields().method),
    "class method": Yields.of_class,
    "static method": Yields.static,
    "partial method": Yields().part,
    "cached": functools.cache(yields),
}
COROUTINES: dict[str, Any] = {
    "function": answers_later,
    "object": AnswersLater(),
    "partial": functools.partial(answers_later),
    "partial of object": functools.partial(AnswersLater()),
    "method": AnswersLater().__call__,
    "otherwise": allow(["ls"], otherwise=answers_later),
}
FUNCTIONS: dict[str, Any] = {
    "function": answers,
    "object": Answers(),
    "partial": functools.partial(answers),
    "method": Answers().__call__,
    "builtin": dict.fromkeys,
    "lambda": lambda *_: True,
}

Give = Callable[[Any, FakeAppServer], object]


def with_model(give: Callable[[ScriptedModel], object]) -> None:
    with ScriptedModel() as model:
        give(model)


def with_server(give: Callable[[FakeAppServer], object]) -> None:
    with FakeAppServer() as server:
        give(server)


def handled_by(codex: Any, function: Any) -> None:
    try:
        codex.handle(CurrentTimeReadParams, function)
    finally:
        if isinstance(codex, Codex):
            codex.close()


HANDLERS = ["on_approval", "on_user_input", "on_elicitation", "on_token_refresh"]


def constructor(face: Any, parameter: str) -> Give:
    def give(function: Any, server: FakeAppServer) -> None:
        codex = face(server.config(), **{parameter: function})
        if isinstance(codex, Codex):
            codex.close()

    return give


TAKEN_BY: dict[str, Give] = {
    **{f"Codex({name}=)": constructor(Codex, name) for name in HANDLERS},
    **{f"AsyncCodex({name}=)": constructor(AsyncCodex, name) for name in HANDLERS},
    "Codex.handle": lambda function, server: handled_by(Codex(server.config()), function),
    "AsyncCodex.handle": lambda function, server: handled_by(AsyncCodex(server.config()), function),
    "allow(otherwise=)": lambda function, _: allow(["ls"], otherwise=function),
    "AllowList(otherwise=)": lambda function, _: AllowList((("ls",),), function),
    "retry_on_overload": lambda function, _: retry_on_overload(function),
    "tool": lambda function, _: tool(function, schema={"type": "object"}),
    "Tool": lambda function, _: Tool(function, "name", "", {"type": "object"}),
    "ScriptedModel(default=)": lambda function, _: ScriptedModel(default=function),
    "ScriptedModel.queue": lambda function, _: with_model(lambda model: model.queue(function)),
    "ScriptedModel.when": lambda function, _: with_model(lambda model: model.when("x", function)),
    "ScriptedModel.when(matcher)": lambda function, _: with_model(lambda model: model.when(function, "x")),
    "ScriptedModel.when_agent": lambda function, _: with_model(lambda model: model.when_agent(function, depth=0)),
    "FakeAppServer.on": lambda function, _: with_server(lambda server: server.on("x", function)),
    "FakeAppServer.on_start": lambda function, _: with_server(lambda server: server.on_start(function)),
}


@pytest.fixture(scope="module")
def server() -> Iterator[FakeAppServer]:
    with FakeAppServer() as server:
        yield server


@pytest.mark.parametrize("give", TAKEN_BY.values(), ids=TAKEN_BY)
@pytest.mark.parametrize("function", GENERATORS.values(), ids=GENERATORS)
def test_a_generator_is_refused_wherever_it_is_given(give: Give, function: Any, server: FakeAppServer) -> None:
    with pytest.raises(ConfigError, match="generator"):
        give(function, server)


PLAIN_ONLY = [name for name in TAKEN_BY if name.startswith(("Codex", "ScriptedModel", "FakeAppServer"))]


@pytest.mark.parametrize("name", PLAIN_ONLY)
@pytest.mark.parametrize("function", COROUTINES.values(), ids=COROUTINES)
def test_a_coroutine_function_is_refused_where_nothing_awaits_it(
    name: str, function: Any, server: FakeAppServer
) -> None:
    if isinstance(function, AllowList) and not name.startswith("Codex"):
        function = function.otherwise
    with pytest.raises(ConfigError, match="expected a plain function, got a coroutine function"):
        TAKEN_BY[name](function, server)


@pytest.mark.parametrize("name", [name for name in TAKEN_BY if name.startswith("AsyncCodex")])
@pytest.mark.parametrize("function", [*COROUTINES.values(), *FUNCTIONS.values()], ids=[*COROUTINES, *FUNCTIONS])
def test_the_async_client_takes_both(name: str, function: Any, server: FakeAppServer) -> None:
    TAKEN_BY[name](function, server)


@pytest.mark.parametrize("name", [name for name in TAKEN_BY if "ool" not in name and "retry" not in name])
def test_what_takes_no_argument_is_refused(name: str, server: FakeAppServer) -> None:
    with pytest.raises(ConfigError, match="expected a function of one argument"):
        TAKEN_BY[name](lambda: True, server)


@pytest.mark.parametrize("name", [name for name in TAKEN_BY if "ool" not in name and "retry" not in name])
@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_functions_are_taken(name: str, function: Any, server: FakeAppServer) -> None:
    TAKEN_BY[name](function, server)


def test_an_operation_takes_no_argument() -> None:
    with pytest.raises(ConfigError, match="op: expected a function of no argument"):
        retry_on_overload(lambda needed: needed)  # type: ignore[call-arg, misc]
