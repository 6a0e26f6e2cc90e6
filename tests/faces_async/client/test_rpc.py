"""A runtime that says nothing, reads nothing or is too busy: callers give up in time or try again, and go on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from typing import Any

import pytest

from openai_codex import (
    AsyncCodex,
    RequestTimeoutError,
    RetryLimitExceededError,
    ServerBusyError,
    TurnTimeoutError,
)
from openai_codex._async.client import rpc
from openai_codex._async.client.rpc import _AGAIN as AGAIN
from openai_codex._async.client.rpc import _ATTEMPTS as ATTEMPTS
from openai_codex._engine import router
from openai_codex._protocol import ClientRequest
from openai_codex._runtime.backoff import Backoff
from openai_codex.testing import FakeAppServer, FakeChild, FakeRequest
from openai_codex.types import (
    ChatgptAuthTokensRefreshParams,
    ChatgptAuthTokensRefreshResponse,
    ModelListParams,
    ThreadArchiveParams,
    ThreadListParams,
    ThreadLoadedListParams,
    ThreadStartParams,
    TurnStartParams,
)
from tests.faces_async._outcome import Operation, outcomes
from tests.support.bounds import PATIENCE, SOON, STARTED, eventually

NOTHING: dict[str, object] = {"data": [], "nextCursor": None}
BIG = "x" * 1_000_000


@pytest.fixture
def server() -> Iterator[FakeAppServer]:
    with FakeAppServer() as server:
        for method in ("model/list", "thread/list", "thread/loaded/list"):
            server.on(method, NOTHING)
        yield server


# --- it never answers


async def test_a_request_that_is_not_answered_times_out_by_name_and_its_late_reply_is_dropped(
    server: FakeAppServer,
) -> None:
    server.hold("model/list", times=2)
    config = server.config(request_timeout=STARTED + 1)
    async with AsyncCodex(config) as codex:
        asked = [partial(codex.request, ModelListParams()), partial(codex.request, ModelListParams(), timeout=STARTED)]
        errors = await outcomes(asked)
        for held in await server.received("model/list", 2):
            held.reply({"data": "whatever", "nextCursor": None})
        models = await codex.request(ModelListParams(), timeout=PATIENCE)
        health = codex.health()
    assert [type(error) for error in errors] == [RequestTimeoutError] * 2
    assert [(error.method, error.timeout) for error in errors] == [
        ("model/list", STARTED + 1),
        ("model/list", STARTED),
    ]
    assert models.data == []
    assert (health.late, health.requests_in_flight, health.alive) == (2, 0, True)


async def test_a_turn_that_is_accepted_too_late_is_stopped_and_disturbs_no_other(server: FakeAppServer) -> None:
    server.hold("turn/start", times=1)
    server.hold("turn/interrupt", times=1)
    async with AsyncCodex(server.config()) as codex:
        thread = await codex.thread_start()
        with pytest.raises(TurnTimeoutError):
            await thread.run("Hi", timeout=STARTED)
        [start], [stop, *_] = await server.received("turn/start"), await server.received("turn/interrupt")
        start.proceed()
        server.turn.delta("too late")
        stop.proceed()
        turn = await thread.turn("Hi again")
        server.turn.message("in time")
        server.turn.complete()
        result = await turn.run(timeout=PATIENCE)
        health = codex.health()
    assert (result.id, result.final_response) == ("turn-2", "in time")
    assert health.late == 1


async def test_requests_that_are_not_answered_make_room_for_others(
    server: FakeAppServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(router, "_LEASE", 0.1)
    server.hold("model/list")
    async with AsyncCodex(server.config(max_in_flight=2)) as codex:
        mute: Operation = partial(codex.request, ModelListParams(), timeout=0.2)
        errors = await outcomes([mute] * 30)
        assert (await codex.request(ThreadLoadedListParams(), timeout=PATIENCE)).data == []
        assert eventually(lambda: codex.health().requests_in_flight == codex.health().requests_queued == 0)
    assert [type(error) for error in errors] == [RequestTimeoutError] * 30


# --- it reads nothing


def be_deaf_to_all_but_kill(child: FakeChild) -> None:
    child.ignore_sigterm()
    child.stop_reading()


@pytest.mark.parametrize("stop_reading", [FakeChild.stop_reading, be_deaf_to_all_but_kill])
async def test_callers_of_a_runtime_that_reads_nothing_give_up_in_time_and_closing_works(
    server: FakeAppServer, stop_reading: object
) -> None:
    assert callable(stop_reading)
    async with AsyncCodex(server.config(shutdown_timeout=1)) as codex:
        thread = await codex.thread_start()
        stop_reading(server.child)
        began = time.monotonic()
        ask: Operation = partial(codex.request, ModelListParams(cursor=BIG), timeout=0.2)
        errors = await outcomes(
            [*[ask] * 8, partial(thread.turn, BIG, timeout=0.2), partial(thread.run, BIG, timeout=0.2)]
        )
        assert time.monotonic() - began < SOON
        began = time.monotonic()
    assert time.monotonic() - began < SOON
    assert [type(error) for error in errors] == [RequestTimeoutError] * 9 + [TurnTimeoutError]
    await server.child.gone()


async def test_what_was_given_up_before_it_was_written_is_never_sent(server: FakeAppServer) -> None:
    async with AsyncCodex(server.config()) as codex:
        thread = await codex.thread_start()
        server.child.stop_reading()
        with pytest.raises(RequestTimeoutError):
            await codex.request(ModelListParams(cursor=BIG), timeout=STARTED)
        for _ in range(20):
            with pytest.raises(RequestTimeoutError):
                await codex.request(ThreadListParams(cursor=BIG), timeout=0.01)
        with pytest.raises(RequestTimeoutError):
            await thread.turn(BIG, timeout=0.1)
        server.child.resume_reading()
        assert (await codex.request(ThreadLoadedListParams(), timeout=PATIENCE)).data == []
        health = codex.health()
    sent = [request.method for request in server.requests()]
    assert sent[-3:] == ["thread/start", "model/list", "thread/loaded/list"], "the first was half written already"
    assert health.late == 1


# --- it is too busy


@pytest.mark.parametrize("params", [ModelListParams(), ThreadListParams(), ThreadLoadedListParams()])
async def test_a_request_that_only_looks_is_sent_again_with_back_off(
    server: FakeAppServer, params: ClientRequest[Any]
) -> None:
    arrivals: list[float] = []

    def refuse(request: FakeRequest) -> None:
        arrivals.append(time.monotonic())
        request.refuse(-32001, "Server overloaded; retry later.")

    def answer(_: FakeRequest) -> object:
        arrivals.append(time.monotonic())
        return NOTHING

    server.on(params.METHOD, answer)
    server.on(params.METHOD, refuse, times=3)
    async with AsyncCodex(server.config()) as codex:
        result = await codex.request(params, timeout=PATIENCE)
    assert result.data == []
    waits = [later - earlier for earlier, later in pairwise(arrivals)]
    shortest = [0.8 * AGAIN.initial * 2**number for number in range(3)]  # up to a fifth less by chance
    assert all(wait >= least for wait, least in zip(waits, shortest, strict=True))


async def test_a_request_that_only_looks_is_given_up_after_some_attempts(
    server: FakeAppServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rpc, "_AGAIN", Backoff(0.001, 2.0))
    server.refuse("model/list")
    async with AsyncCodex(server.config()) as codex:
        with pytest.raises(RetryLimitExceededError) as caught:
            await codex.request(ModelListParams(), timeout=PATIENCE)
    assert (caught.value.method, caught.value.code) == ("model/list", -32001)
    assert type(caught.value.__cause__) is ServerBusyError
    assert server.request_count("model/list") == ATTEMPTS


async def test_attempts_end_with_the_time_of_their_caller(server: FakeAppServer) -> None:
    server.refuse("model/list")
    async with AsyncCodex(server.config()) as codex:
        with pytest.raises((RetryLimitExceededError, RequestTimeoutError)):
            await codex.request(ModelListParams(), timeout=0.3)
    assert server.request_count("model/list") <= 4


@pytest.mark.parametrize(
    "params",
    [TurnStartParams(thread_id="T", input=[]), ThreadStartParams(), ThreadArchiveParams(thread_id="T")],
)
async def test_a_request_that_does_something_is_refused_at_once(
    server: FakeAppServer, params: ClientRequest[object]
) -> None:
    server.refuse(params.METHOD)
    async with AsyncCodex(server.config()) as codex:
        with pytest.raises(ServerBusyError) as caught:
            await codex.request(params, timeout=PATIENCE)
    assert type(caught.value) is ServerBusyError
    assert server.request_count(params.METHOD) == 1


# --- somebody here is slow


async def test_the_end_of_a_login_takes_back_no_question_of_the_runtime(server: FakeAppServer) -> None:
    async def refresh(_: object) -> ChatgptAuthTokensRefreshResponse:
        await codex.request(ModelListParams(), timeout=PATIENCE)
        return ChatgptAuthTokensRefreshResponse(access_token="a", chatgpt_account_id="b")  # noqa: S106  no secret

    server.hold("model/list")
    async with AsyncCodex(server.config(), on_token_refresh=refresh) as codex:
        asked = server.ask(ChatgptAuthTokensRefreshParams.METHOD, {"reason": "unauthorized"})
        [held] = await server.received("model/list")
        server.notify("account/login/completed", {"loginId": None, "success": True})
        await codex.request(ThreadLoadedListParams(), timeout=PATIENCE)
        held.reply(NOTHING)
        answer = await asked.answered()
    assert answer["result"]["accessToken"] == "a"
