"""Requests by the name of their method, as programs without the types of the protocol send them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from openai_codex import AsyncCodex, AsyncThread, CodexRpcError, ConfigError, InvalidRequestError
from openai_codex.testing import FakeAppServer, QuietHome, ScriptedModel
from openai_codex.types import (
    LoginAccountResponse,
    ModelListParams,
    ModelListResponse,
    ThreadLoadedListResponse,
    ThreadReadResponse,
    ThreadStartResponse,
)
from tests.support.bounds import PATIENCE


@pytest.fixture
def server() -> Iterator[FakeAppServer]:
    with FakeAppServer() as server:
        server.on("model/list", {"data": [], "nextCursor": None})
        yield server


class Page:
    """A class of a program, such as a model of pydantic."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self.fields = fields

    @classmethod
    def model_validate(cls, obj: dict[str, Any]) -> Page:
        return cls(obj)


async def test_requests_by_name_are_those_of_their_types(codex_home: QuietHome, scripted_model: ScriptedModel) -> None:
    scripted_model.say("Hello")
    async with AsyncCodex(codex_home.config()) as codex:
        started = await codex.request("thread/start", {"sandbox": "read-only"}, response_model=ThreadStartResponse)
        thread = codex.thread(started.thread.id)
        assert (await thread.run("Hi", timeout=PATIENCE)).final_response == "Hello"
        for params in ({"threadId": thread.id, "includeTurns": True}, {"thread_id": thread.id, "include_turns": True}):
            read = await codex.request("thread/read", params)
            assert type(read) is ThreadReadResponse
            assert read == await thread.read(include_turns=True)
        loaded = await codex.request("thread/loaded/list", response_model=ThreadLoadedListResponse)
        assert loaded.data == [thread.id]
        with pytest.raises(InvalidRequestError):
            await codex.request("thread/read", {"threadId": "no id"})


async def test_the_private_client_of_the_published_sdk_sends_them_too(
    codex_home: QuietHome, scripted_model: ScriptedModel
) -> None:
    async with AsyncCodex(codex_home.config()) as codex:
        private: Any = codex._client  # noqa: SLF001  what programs do
        started = await private.request("thread/start", {}, response_model=ThreadStartResponse)
        for client in (private, codex):
            scripted_model.say("Hello")
            thread = AsyncThread(client, started.thread.id)  # type: ignore[arg-type]  # as programs write it
            assert (await thread.run("Hi", timeout=PATIENCE)).final_response == "Hello"


async def test_a_request_by_name_is_typed_by_its_method_or_by_a_class(server: FakeAppServer) -> None:
    async with AsyncCodex(server.config()) as codex:
        assert await codex.request("model/list") == ModelListResponse(data=[], next_cursor=None)
        assert await codex.request("model/list", {}, response_model=ModelListResponse) == await codex.models()
        assert await codex.request(ModelListParams(), response_model=ModelListResponse) == await codex.models()
        page = await codex.request("model/list", None, response_model=Page)
        assert page.fields == {"data": [], "nextCursor": None}


async def test_what_the_method_does_not_know_is_sent_as_it_is(server: FakeAppServer) -> None:
    server.on("new/method", {"anything": [1]})
    async with AsyncCodex(server.config()) as codex:
        await codex.request("model/list", {"limit": 1, "cursor": None, "includeHidden": True, "newer": {"a": 1}})
        assert server.requests("model/list")[-1].params == {
            "limit": 1,
            "cursor": None,
            "includeHidden": True,
            "newer": {"a": 1},
        }
        assert await codex.request("new/method", {"a": {"b_c": 1}}) == {"anything": [1]}
        assert (await codex.request("new/method", {}, response_model=Page)).fields == {"anything": [1]}
        assert await codex.request("new/method") == {"anything": [1]}
        assert [request.params for request in server.requests("new/method")] == [{"a": {"b_c": 1}}, {}, {}]
        with pytest.raises(CodexRpcError):
            await codex.request("no/method", {})


@pytest.mark.parametrize(
    ("method", "params", "problem"),
    [
        ("thread/read", {}, "params: not those of thread/read: threadId: is missing"),
        ("thread/read", None, "params: not those of thread/read: threadId: is missing"),
        ("thread/read", {"threadId": 5}, "threadId: expected str, found int"),
        ("account/login/start", {"type": "nothing"}, "not those of account/login/start: no LoginAccountParams"),
        ("account/logout", {"a": 1}, "params: account/logout takes none"),
        (" ", None, "method: "),
    ],
)
async def test_params_that_do_not_match_are_refused_before_anything_is_sent(
    server: FakeAppServer, method: str, params: Any, problem: str
) -> None:
    async with AsyncCodex(server.config()) as codex:
        with pytest.raises(ConfigError, match=problem):
            await codex.request(method, params)
        await codex.models()
        assert not server.requests(method)


async def test_a_result_may_be_of_a_union(server: FakeAppServer) -> None:
    server.on("account/login/start", {"type": "chatgpt", "loginId": "L", "authUrl": "http://127.0.0.1"})
    async with AsyncCodex(server.config()) as codex:
        made: Any = LoginAccountResponse  # type checkers see a union
        login = await codex.request("account/login/start", {"type": "chatgpt"}, response_model=made)
        assert login.login_id == "L"
