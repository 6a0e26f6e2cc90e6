# Derived from tests/faces_async/test_codex_timeouts.py by `python -m tools.unasync`; do not edit.
"""What is no time to wait is refused by name before anything is sent; 0, infinity and ``None`` are times to wait."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from typing import Any, NamedTuple

import pytest

from openai_codex import (
    ChatgptLoginHandle,
    Codex,
    ConfigError,
    EventTimeoutError,
    LoginTimeoutError,
    RequestTimeoutError,
    Thread,
    TurnHandle,
    TurnTimeoutError,
)
from openai_codex._sync.client._wait import ready
from openai_codex.testing import FakeAppServer
from openai_codex.types import ModelListParams, ThreadNameUpdatedNotification
from tests.faces_sync._outcome import outcomes
from tests.support.bounds import SOON, within
from tests.support.inside import actor_of

LOGIN = {"type": "chatgpt", "loginId": "L", "authUrl": "http://127.0.0.1"}
PATIENCE = 60.0
NO_TIMES = [math.nan, -1, -0.001, -math.inf, True, "5", b"5", Fraction(1, 2), 1j]


class Handles(NamedTuple):
    """One of each kind of thing that can be waited for."""

    codex: Codex
    thread: Thread
    turn: TurnHandle
    login: ChatgptLoginHandle


def handles(codex: Codex) -> Handles:
    """A client with a thread, a turn that goes on and a login that is open."""
    thread = codex.thread_start()
    return Handles(codex, thread, thread.turn("go"), codex.login_chatgpt())


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
def test_a_verb_refuses_it_and_sends_nothing(server: FakeAppServer, verb: str, argument: str) -> None:
    with Codex(server.config()) as codex:
        call = partial(WAITING[verb], handles(codex))
        before = [request.method for request in server.requests()]
        errors = outcomes([partial(call, **{argument: value}) for value in NO_TIMES])
        codex.request(ModelListParams())
        assert [request.method for request in server.requests()] == [*before, "model/list"]
    assert [type(error) for error in errors] == [ConfigError] * len(NO_TIMES)
    assert {error.what for error in errors} == {argument}
    assert "expected a number of seconds, at least 0, or None, got nan" in str(errors[0])


@pytest.mark.parametrize("verb", ITERATING)
def test_an_iterator_is_refused_when_it_is_made(server: FakeAppServer, verb: str) -> None:
    with Codex(server.config()) as codex:
        it = handles(codex)
        for value in NO_TIMES:
            with pytest.raises(ConfigError, match="timeout"):
                ITERATING[verb](it, timeout=value)


def test_no_time_at_all_is_a_time(server: FakeAppServer) -> None:
    server.hold("model/list")
    with Codex(server.config()) as codex:
        it = handles(codex)
        events = codex.events(ThreadNameUpdatedNotification, timeout=0)
        found = outcomes(
            [
                partial(WAITING["request"], it, timeout=0),
                partial(WAITING["wait"], it, timeout=0),
                events.__next__,
                partial(WAITING["run of a turn"], it, timeout=0),
            ]
        )
    assert [type(each) for each in found] == [
        RequestTimeoutError,
        LoginTimeoutError,
        EventTimeoutError,
        TurnTimeoutError,
    ]


def test_infinity_means_no_limit(server: FakeAppServer) -> None:
    with Codex(server.config()) as codex:
        it = handles(codex)
        models = codex.request(ModelListParams(), timeout=math.inf)
        server.turn.message("said")
        server.turn.complete()
        result = it.turn.run(timeout=math.inf, stall_timeout=math.inf)
    assert models.data == []
    assert result.final_response == "said"


def test_a_timeout_is_reported_as_it_was_given_with_the_last_event(server: FakeAppServer) -> None:
    with Codex(server.config()) as codex:
        thread = codex.thread_start()
        with pytest.raises(TurnTimeoutError) as whole:
            thread.run("go", timeout=0.3)
        turn = thread.turn("go")
        server.turn.delta("a word")
        stream = turn.stream(timeout=0.25)
        with pytest.raises(TurnTimeoutError) as step:
            while True:
                stream.__next__()
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
def test_a_timeout_covers_the_whole_call(server: FakeAppServer, verb: str, stage: str) -> None:
    method, error = STARTING[verb]
    with Codex(server.config(restart=True)) as codex:
        it = Handles(codex, codex.thread_start(), *[None] * 2)  # type: ignore[arg-type]  # the verbs that start
        if stage == "request":
            server.hold(method)
        else:
            server.hold("initialize" if stage == "start" else "thread/resume")
            server.child.kill()
            assert ready(actor_of(codex).exited, PATIENCE)
        if (stage, verb) == ("resume", "request"):  # it is about no thread
            WAITING[verb](it, timeout=PATIENCE)
            return
        with within(SOON), pytest.raises(error) as caught:
            WAITING[verb](it, timeout=0.3)
        assert caught.value.timeout == pytest.approx(0.3, abs=0.1)
        if error is TurnTimeoutError:
            assert caught.value.timeout == 0.3, "as the caller gave it"
        server.forget()
        server.on("model/list", {"data": []})
        assert (it.thread.turn("go", timeout=PATIENCE)).id, "the client is as good as before"


def test_a_timeout_that_no_float_holds_is_no_limit(server: FakeAppServer) -> None:
    with Codex(server.config()) as codex:
        codex.request(ModelListParams(), timeout=10**400)
