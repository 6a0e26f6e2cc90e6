"""What is no time to wait is refused by name before anything is sent; 0, infinity and ``None`` are times to wait."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from typing import Any, NamedTuple

import pytest

from openai_codex import (
    AsyncChatgptLoginHandle,
    AsyncCodex,
    AsyncThread,
    AsyncTurnHandle,
    ConfigError,
    EventTimeoutError,
    LoginTimeoutError,
    RequestTimeoutError,
    TurnTimeoutError,
)
from openai_codex._async.client._wait import ready
from openai_codex.testing import FakeAppServer
from openai_codex.types import ModelListParams, ThreadNameUpdatedNotification
from tests.faces_async._outcome import outcomes
from tests.support.bounds import SOON, within
from tests.support.inside import actor_of

LOGIN = {"type": "chatgpt", "loginId": "L", "authUrl": "http://127.0.0.1"}
PATIENCE = 60.0
NO_TIMES = [math.nan, -1, -0.001, -math.inf, True, "5", b"5", Fraction(1, 2), 1j]


class Handles(NamedTuple):
    """One of each kind of thing that can be waited for."""

    codex: AsyncCodex
    thread: AsyncThread
    turn: AsyncTurnHandle
    login: AsyncChatgptLoginHandle


async def handles(codex: AsyncCodex) -> Handles:
    """A client with a thread, a turn that goes on and a login that is open."""
    thread = await codex.thread_start()
    return Handles(codex, thread, await thread.turn("go"), await codex.login_chatgpt())


@pytest.fixture
def server() -> Iterator[FakeAppServer]:
    with FakeAppServer() as server:
        server.on("account/login/start", LOGIN)
        server.on("model/list", {"data": []})
        yield server


Call = Callable[..., Any]

WAITING: dict[str, Call] = {
    "run of a thread": lambda it, **when: it.thread.run("go", **when),
    "turn": lambda it, **when: it.thread.turn("go", **when),
    "run of a turn": lambda it, **when: it.turn.run(**when),
    "interrupt": lambda it, **when: it.turn.interrupt(**when),
    "request": lambda it, **when: it.codex.request(ModelListParams(), **when),
    "review": lambda it, **when: it.codex.review(it.thread.id, "all", **when),
    "run_goal": lambda it, **when: it.codex.run_goal(it.thread.id, "all of it", **when),
    "wait": lambda it, **when: it.login.wait(**when),
    "shell_command": lambda it, **when: it.codex.thread_shell_command(it.thread.id, "true", **when),
}
ITERATING: dict[str, Call] = {
    "stream": lambda it, **when: it.turn.stream(**when),
    "text": lambda it, **when: it.turn.text(**when),
    "items": lambda it, **when: it.turn.items(**when),
    "events": lambda it, **when: it.codex.events(**when),
}
ARGUMENTS = [
    *((verb, "timeout") for verb in WAITING if verb != "shell_command"),
    ("shell_command", "command_timeout"),
    ("run of a thread", "stall_timeout"),
    ("run of a turn", "stall_timeout"),
]


@pytest.mark.parametrize(("verb", "argument"), ARGUMENTS)
async def test_a_verb_refuses_it_and_sends_nothing(server: FakeAppServer, verb: str, argument: str) -> None:
    async with AsyncCodex(server.config()) as codex:
        call = partial(WAITING[verb], await handles(codex))
        before = [request.method for request in server.requests()]
        errors = await outcomes([partial(call, **{argument: value}) for value in NO_TIMES])
        await codex.request(ModelListParams())
        assert [request.method for request in server.requests()] == [*before, "model/list"]
    assert [type(error) for error in errors] == [ConfigError] * len(NO_TIMES)
    assert {error.what for error in errors} == {argument}
    assert "expected a number of seconds, at least 0, or None, got nan" in str(errors[0])


@pytest.mark.parametrize("verb", ITERATING)
async def test_an_iterator_is_refused_when_it_is_made(server: FakeAppServer, verb: str) -> None:
    async with AsyncCodex(server.config()) as codex:
        it = await handles(codex)
        for value in NO_TIMES:
            with pytest.raises(ConfigError, match="timeout"):
                ITERATING[verb](it, timeout=value)


async def test_no_time_at_all_is_a_time(server: FakeAppServer) -> None:
    server.hold("model/list")
    async with AsyncCodex(server.config()) as codex:
        it = await handles(codex)
        events = codex.events(ThreadNameUpdatedNotification, timeout=0)
        found = await outcomes(
            [
                partial(WAITING["request"], it, timeout=0),
                partial(WAITING["wait"], it, timeout=0),
                events.__anext__,
                partial(WAITING["run of a turn"], it, timeout=0),
            ]
        )
    assert [type(each) for each in found] == [
        RequestTimeoutError,
        LoginTimeoutError,
        EventTimeoutError,
        TurnTimeoutError,
    ]


async def test_infinity_means_no_limit(server: FakeAppServer) -> None:
    async with AsyncCodex(server.config()) as codex:
        it = await handles(codex)
        models = await codex.request(ModelListParams(), timeout=math.inf)
        server.turn.message("said")
        server.turn.complete()
        result = await it.turn.run(timeout=math.inf, stall_timeout=math.inf)
    assert models.data == []
    assert result.final_response == "said"


async def test_a_timeout_is_reported_as_it_was_given_with_the_last_event(server: FakeAppServer) -> None:
    async with AsyncCodex(server.config()) as codex:
        thread = await codex.thread_start()
        with pytest.raises(TurnTimeoutError) as whole:
            await thread.run("go", timeout=0.3)
        turn = await thread.turn("go")
        server.turn.delta("a word")
        stream = turn.stream(timeout=0.25)
        with pytest.raises(TurnTimeoutError) as step:
            while True:
                await stream.__anext__()
    error = whole.value
    assert (error.timeout, error.waiting_for, error.last_event) == (0.3, "its end", "turn/started")
    assert error.silence is not None
    assert error.silence <= 0.3 + PATIENCE
    assert (
        f"timed out: its end did not come within 0.3 s; the last event, turn/started, came {error.silence:.1f} s"
        in str(error)
    )
    error = step.value
    assert (error.timeout, error.waiting_for, error.last_event) == (0.25, "its next event", "item/agentMessage/delta")
    assert error.silence is not None
    assert error.silence >= 0.25


STARTING = {
    "run of a thread": ("turn/start", TurnTimeoutError),
    "turn": ("turn/start", RequestTimeoutError),
    "request": ("model/list", RequestTimeoutError),
    "review": ("review/start", RequestTimeoutError),
    "run_goal": ("thread/goal/set", TurnTimeoutError),
}


@pytest.mark.parametrize("verb", STARTING)
@pytest.mark.parametrize("stage", ["start", "resume", "request"])
async def test_a_timeout_covers_the_whole_call(server: FakeAppServer, verb: str, stage: str) -> None:
    method, error = STARTING[verb]
    async with AsyncCodex(server.config(restart=True)) as codex:
        it = Handles(codex, await codex.thread_start(), *[None] * 2)  # type: ignore[arg-type]  # the verbs that start
        if stage == "request":
            server.hold(method)
        else:
            server.hold("initialize" if stage == "start" else "thread/resume")
            server.child.kill()
            assert await ready(actor_of(codex).exited, PATIENCE)
        if (stage, verb) == ("resume", "request"):  # it is about no thread
            await WAITING[verb](it, timeout=PATIENCE)
            return
        with within(SOON), pytest.raises(error) as caught:
            await WAITING[verb](it, timeout=0.3)
        assert caught.value.timeout == pytest.approx(0.3, abs=0.1)
        if error is TurnTimeoutError:
            assert caught.value.timeout == 0.3, "as the caller gave it"
        server.forget()
        server.on("model/list", {"data": []})
        assert (await it.thread.turn("go", timeout=PATIENCE)).id, "the client is as good as before"


async def test_a_timeout_that_no_float_holds_is_no_limit(server: FakeAppServer) -> None:
    async with AsyncCodex(server.config()) as codex:
        await codex.request(ModelListParams(), timeout=10**400)
