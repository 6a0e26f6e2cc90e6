"""The low-level client, as programs for the published SDK use it: by ``codex._client``, or made by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from openai_codex import AsyncCodex, AsyncThread, ConfigError
from openai_codex._async.low_level import AsyncCodexClient
from openai_codex.testing import FakeAppServer, FakeRequest, QuietHome, ScriptedModel
from openai_codex.types import (
    ThreadForkResponse,
    ThreadListResponse,
    ThreadReadResponse,
    ThreadResumeResponse,
    ThreadStartParams,
    ThreadStartResponse,
)
from tests.support.bounds import PATIENCE, eventually

ASKED = {"threadId": "T", "turnId": "U", "itemId": "I", "startedAtMs": 1, "command": "ls", "cwd": "/"}


@pytest.fixture
def server() -> Iterator[FakeAppServer]:
    with FakeAppServer() as server:
        yield server


async def test_its_methods_send_one_request_each(codex_home: QuietHome, scripted_model: ScriptedModel) -> None:
    scripted_model.say("Hello")
    async with AsyncCodex(codex_home.config()) as codex:
        private: Any = codex._client  # noqa: SLF001  what programs do
        started = await private.thread_start({"sandbox": "read-only"})
        assert type(started) is ThreadStartResponse
        assert started.model == "mock-model"
        thread_id = started.thread.id
        await AsyncThread(private, thread_id).run("Hi", timeout=PATIENCE)
        read = await private.thread_read(thread_id, include_turns=True)
        assert type(read) is ThreadReadResponse
        assert read == await private.thread_read(thread_id, True)
        assert len(read.thread.turns) == 1
        assert type(await private.thread_list({"limit": 1})) is ThreadListResponse
        assert type(await private.thread_list()) is ThreadListResponse
        assert type(await private.thread_resume(thread_id, {"model": "mock-model"})) is ThreadResumeResponse
        forked = await private.thread_fork(thread_id, params={"excludeTurns": True})
        assert type(forked) is ThreadForkResponse
        assert (await private.thread_start(ThreadStartParams(ephemeral=True))).thread.ephemeral is True
        await private.thread_set_name(thread_id, "A name")
        assert (await private.thread_read(thread_id)).thread.name == "A name"
        assert (await private.model_list(include_hidden=True)).data
        assert (await private.account_read()).account is None
        assert private._proc.pid == codex.health().pid  # noqa: SLF001  likewise
        assert all(type(line) is str for line in private._stderr_lines)  # noqa: SLF001  likewise


async def test_input_is_a_text_an_item_or_a_list(server: FakeAppServer) -> None:
    text = {"type": "text", "text": "Hi"}
    async with AsyncCodex(server.config()) as codex:
        private: Any = codex._client  # noqa: SLF001  what programs do
        thread_id = (await private.thread_start()).thread.id
        for number, items in enumerate(("Hi", text, [text])):
            await private.turn_start(thread_id, items, {"effort": "low"})
            sent = server.requests("turn/start")[number].params
            assert sent == {"threadId": thread_id, "input": [text], "effort": "low"}
            server.turn.complete()


async def test_a_handler_of_a_program_answers_requests(server: FakeAppServer) -> None:
    asked: list[Any] = []

    def answer(method: str, params: Any) -> dict[str, Any]:
        asked.append((method, params["itemId"]))
        return {"decision": "accept"}

    method = "item/commandExecution/requestApproval"
    async with AsyncCodex(server.config()) as codex:
        await codex.thread_start()
        private: Any = codex._client  # noqa: SLF001  what programs do
        private._sync._approval_handler = answer  # noqa: SLF001  likewise
        assert (await server.ask(method, ASKED).answered(PATIENCE))["result"] == {"decision": "accept"}
        private._approval_handler = lambda *_: {"nothing": 1}  # noqa: SLF001  likewise
        assert (await server.ask(method, ASKED).answered(PATIENCE))["result"] == {"decision": "decline"}
        with pytest.raises(AttributeError, match="'cwd' that can be set"):
            private.cwd = "/"
        with pytest.raises(AttributeError, match=r"has no 'next_turn_notification' here: codex\.events"):
            private.next_turn_notification("U")
    assert asked == [(method, "I")]


def _raise(*_: Any) -> dict[str, Any]:
    raise KeyError("x")


WRONG_ANSWERS: list[Any] = [
    _raise,
    lambda *_: None,
    lambda *_: {},
    lambda *_: True,
    lambda *_: "accept",
    lambda *_: {"decision": True},
    lambda *_: {"decision": None},
    lambda *_: {"decision": "Accept"},
    lambda *_: {"decision": "approved"},
    lambda *_: {"decision": {"new": {}}},
]


@pytest.mark.parametrize(
    "handler", [5, None, "accept", lambda _: {"decision": "accept"}], ids=["int", "none", "str", "one"]
)
async def test_what_cannot_answer_is_refused_at_once(server: FakeAppServer, handler: Any) -> None:
    async with AsyncCodex(server.config()) as codex:
        private: Any = codex._client  # noqa: SLF001  what programs do
        with pytest.raises(ConfigError, match="approval_handler: expected"):
            private._approval_handler = handler  # noqa: SLF001  likewise


@pytest.mark.parametrize(
    ("given", "params"), [(({"model": "a"}, {"model": "b"}), None), (({"model": "a"},), {"model": "b"})]
)
async def test_params_that_are_given_twice_are_refused(server: FakeAppServer, given: Any, params: Any) -> None:
    async with AsyncCodex(server.config()) as codex:
        private: Any = codex._client  # noqa: SLF001  what programs do
        with pytest.raises(TypeError, match="thread_start takes params, got 2 values"):
            await private.thread_start(*given, params=params)
    assert server.request_count("thread/start") == 0


async def test_a_wrong_answer_of_a_handler_declines_and_is_logged(
    server: FakeAppServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with AsyncCodex(server.config()) as codex:
        await codex.thread_start()
        private: Any = codex._client  # noqa: SLF001  what programs do
        for handler in WRONG_ANSWERS:
            private._approval_handler = handler  # noqa: SLF001  likewise
            for method in ("item/commandExecution/requestApproval", "item/fileChange/requestApproval"):
                answer = await server.ask(method, ASKED).answered(PATIENCE)
                assert answer["result"] == {"decision": "decline"}
        # Each is logged after its answer is sent.
        assert eventually(lambda: caplog.text.count("codex.handler_failed method=item/") == 2 * len(WRONG_ANSWERS))


async def test_a_client_that_a_program_makes_is_started_and_has_threads(server: FakeAppServer) -> None:
    def complete(request: FakeRequest) -> None:
        request.proceed()
        server.turn.complete()

    server.on("turn/start", complete)
    client: Any = AsyncCodexClient(server.config(), approval_handler=lambda *_: {"decision": "accept"})
    with pytest.raises(ConfigError, match="call start"):
        await client.thread_start()
    await client.close()
    await client.start()
    await client.start()
    try:
        assert (await client.initialize()).userAgent
        started = await client.thread_start({})
        assert (await AsyncThread(client, started.thread.id).run("Hi")).status.value == "completed"
        server.on("thread/name/set", {})
        server.refuse("thread/name/set", -32001, "busy", times=1)
        renaming = {"threadId": started.thread.id, "name": "A name"}
        await client.request_with_retry_on_overload("thread/name/set", renaming, max_attempts=2, initial_delay_s=0.01)
        assert len(server.requests("thread/name/set")) == 2
        answer = await server.ask("item/commandExecution/requestApproval", ASKED).answered(PATIENCE)
        assert answer["result"] == {"decision": "accept"}
    finally:
        await client.close()
    async with AsyncCodexClient(server.config()) as other:
        assert (await other.thread_start()).thread.id


async def test_notifications_come_one_by_one(codex_home: QuietHome, scripted_model: ScriptedModel) -> None:
    scripted_model.say("Hello")
    async with AsyncCodex(codex_home.config()) as codex:
        private: Any = codex._client  # noqa: SLF001  what programs do
        thread = await codex.thread_start()
        events = codex.events()
        private.__dict__["_events"] = events  # so that none is missed
        await thread.run("Hi", timeout=PATIENCE)
        seen = [await private.next_notification()]
        while seen[-1].method != "turn/completed":
            seen.append(await private.next_notification())
        assert "item/completed" in [each.method for each in seen]


@pytest.mark.parametrize("client", [3, None, "x", object()])
def test_a_handle_needs_a_client(client: Any) -> None:
    with pytest.raises(ConfigError, match="client: expected a client"):
        AsyncThread(client, "T")


@pytest.mark.parametrize("thread_id", [3, None, object()])
async def test_a_handle_needs_an_id(server: FakeAppServer, thread_id: Any) -> None:
    async with AsyncCodex(server.config()) as codex:
        with pytest.raises(ConfigError, match="id: expected a str"):
            AsyncThread(codex, thread_id)  # type: ignore[arg-type]  # as programs give the client


async def test_a_field_that_is_given_under_both_of_its_names_is_refused(server: FakeAppServer) -> None:
    async with AsyncCodex(server.config()) as codex:
        for params in ({"threadId": "A", "thread_id": "B"}, {"thread_id": "B", "threadId": "A"}):
            with pytest.raises(ConfigError, match="threadId is given twice"):
                await codex.request("thread/read", params)
    assert server.request_count("thread/read") == 0
