# Derived from tests/faces_async/verbs/test_requests.py by `python -m tools.unasync`; do not edit.
"""Requests by the name of their method, as programs without the types of the protocol send them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from openai_codex import Codex, CodexRpcError, ConfigError, InvalidRequestError, Thread
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


def test_requests_by_name_are_those_of_their_types(codex_home: QuietHome, scripted_model: ScriptedModel) -> None:
    scripted_model.say("Hello")
    with Codex(codex_home.config()) as codex:
        started = codex.request("thread/start", {"sandbox": "read-only"}, response_model=ThreadStartResponse)
        thread = codex.thread(started.thread.id)
        assert (thread.run("Hi", timeout=PATIENCE)).final_response == "Hello"
        for params in ({"threadId": thread.id, "includeTurns": True}, {"thread_id": thread.id, "include_turns": True}):
            read = codex.request("thread/read", params)
            assert type(read) is ThreadReadResponse
            assert read == thread.read(include_turns=True)
        loaded = codex.request("thread/loaded/list", response_model=ThreadLoadedListResponse)
        assert loaded.data == [thread.id]
        with pytest.raises(InvalidRequestError):
            codex.request("thread/read", {"threadId": "no id"})


def test_the_private_client_of_the_published_sdk_sends_them_too(
    codex_home: QuietHome, scripted_model: ScriptedModel
) -> None:
    with Codex(codex_home.config()) as codex:
        private: Any = codex._client  # noqa: SLF001  what programs do
        started = private.request("thread/start", {}, response_model=ThreadStartResponse)
        for client in (private, codex):
            scripted_model.say("Hello")
            thread = Thread(client, started.thread.id)  # type: ignore[arg-type]  # as programs write it
            assert (thread.run("Hi", timeout=PATIENCE)).final_response == "Hello"


def test_a_request_by_name_is_typed_by_its_method_or_by_a_class(server: FakeAppServer) -> None:
    with Codex(server.config()) as codex:
        assert codex.request("model/list") == ModelListResponse(data=[], next_cursor=None)
        assert codex.request("model/list", {}, response_model=ModelListResponse) == codex.models()
        assert codex.request(ModelListParams(), response_model=ModelListResponse) == codex.models()
        page = codex.request("model/list", None, response_model=Page)
        assert page.fields == {"data": [], "nextCursor": None}


def test_what_the_method_does_not_know_is_sent_as_it_is(server: FakeAppServer) -> None:
    server.on("new/method", {"anything": [1]})
    with Codex(server.config()) as codex:
        codex.request("model/list", {"limit": 1, "cursor": None, "includeHidden": True, "newer": {"a": 1}})
        assert server.requests("model/list")[-1].params == {
            "limit": 1,
            "cursor": None,
            "includeHidden": True,
            "newer": {"a": 1},
        }
        assert codex.request("new/method", {"a": {"b_c": 1}}) == {"anything": [1]}
        assert (codex.request("new/method", {}, response_model=Page)).fields == {"anything": [1]}
        assert codex.request("new/method") == {"anything": [1]}
        assert [request.params for request in server.requests("new/method")] == [{"a": {"b_c": 1}}, {}, {}]
        with pytest.raises(CodexRpcError):
            codex.request("no/method", {})


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
def test_params_that_do_not_match_are_refused_before_anything_is_sent(
    server: FakeAppServer, method: str, params: Any, problem: str
) -> None:
    with Codex(server.config()) as codex:
        with pytest.raises(ConfigError, match=problem):
            codex.request(method, params)
        codex.models()
        assert not server.requests(method)


def test_a_result_may_be_of_a_union(server: FakeAppServer) -> None:
    server.on("account/login/start", {"type": "chatgpt", "loginId": "L", "authUrl": "http://127.0.0.1"})
    with Codex(server.config()) as codex:
        made: Any = LoginAccountResponse  # type checkers see a union
        login = codex.request("account/login/start", {"type": "chatgpt"}, response_model=made)
        assert login.login_id == "L"
