"""The selection of answers, tested with values alone."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from openai_codex import ConfigError
from openai_codex.testing import RecordedRequest, ScriptError, call, fail, say
from openai_codex.testing._script import Script, resolve


def request(text: str, thread: str = "t1") -> RecordedRequest:
    content = [{"type": "input_text", "text": text}]
    body = {"input": [{"type": "message", "role": "user", "content": content}]}
    return RecordedRequest("POST", "/v1/responses", {"thread-id": thread}, json.dumps(body).encode())


def test_routes_come_before_the_queue_and_the_queue_before_the_default() -> None:
    script = Script("default")
    script.queue(("first", "second"))
    script.route("b", ("routed",))
    assert [script.choose(request(text)) for text in "abac"] == ["first", "routed", "second", "default"]


def test_what_a_route_matches() -> None:
    script = Script("none")
    script.route("thread 1", ("exact",))
    script.route(re.compile(r"thread \d+"), ("pattern",))
    script.route(lambda request: request.thread_id == "t9", ("function",))
    assert script.choose(request("thread 1")) == "exact"
    assert script.choose(request("my thread 12")) == "pattern"
    assert script.choose(request("else", thread="t9")) == "function"
    assert script.choose(request("else")) == "none"


def test_each_thread_gets_the_answers_of_a_route_in_order() -> None:
    script = Script(None)
    script.route("q", ("one", "two"))
    assert [script.choose(request("q", thread)) for thread in ("a", "b", "a", "b", "a")] == [
        "one",
        "one",
        "two",
        "two",
        "two",
    ]
    assert script.unused() == ()


def test_unused_answers_are_listed() -> None:
    script = Script("default")
    script.queue(("queued",))
    script.route("q", ("one", "two"))
    script.choose(request("q"))
    assert script.unused() == ("unused answer, queue: 'queued'", "unused answer, when('q'): 'two'")


def test_without_a_default_an_unexpected_request_is_an_error() -> None:
    with pytest.raises(ScriptError, match="no answer is scripted for the user text 'Hi'"):
        Script(None).choose(request("Hi"))


def test_a_route_needs_an_answer() -> None:
    with pytest.raises(ScriptError, match="needs at least one answer"):
        Script(None).route("q", ())


def test_functions_of_the_request_may_return_text() -> None:
    assert resolve(lambda request: request.last_user_text.upper(), request("abc")) == say("ABC")
    assert resolve(fail(500), request("abc")) == fail(500)


def test_the_parts_of_a_request() -> None:
    body = {
        "model": "m",
        "tools": [{"name": "t"}],
        "input": [
            {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "rules"}]},
            {"type": "message", "role": "user", "content": "plain"},
            {
                "type": "message",
                "role": "user",
                "content": [{"type": "input_text", "text": "Hi"}, {"type": "input_image", "image_url": "data:,x"}],
            },
            {"type": "function_call_output", "call_id": "c1", "output": "out"},
            {"type": "custom_tool_call_output", "call_id": "c2", "output": "done"},
        ],
    }
    recorded = RecordedRequest("POST", "/v1/responses", {}, json.dumps(body).encode())
    assert recorded.model == "m"
    assert recorded.tools == [{"name": "t"}]
    assert recorded.developer_texts == ["rules"]
    assert recorded.user_texts == ["plain", "Hi"]
    assert recorded.last_user_text == "Hi"
    assert recorded.images == ["data:,x"]
    assert recorded.function_outputs == {"c1": "out", "c2": "done"}
    assert len(recorded.input) == 5
    empty = RecordedRequest("GET", "/v1/models", {}, b"")
    assert (empty.json, empty.last_user_text, empty.thread_id) == ({}, "", None)


def test_secrets_are_masked_in_the_repr_and_kept_in_the_record() -> None:
    headers = {"authorization": "Bearer hush", "cookie": "hush", "x-api-key": "hush", "x-oai-attestation": "hush"}
    recorded = RecordedRequest("POST", "/v1/responses?key=hush", {**headers, "accept": "all"}, b"hush")
    assert "hush" not in repr(recorded)
    assert "'accept': 'all'" in repr(recorded)
    assert recorded.headers["authorization"] == "Bearer hush"


@pytest.mark.parametrize("answer", [call("look"), None, 3], ids=["call", "none", "number"])
def test_what_is_no_answer_is_refused_where_it_is_given(answer: Any) -> None:
    script = Script(None)
    for give in (script.queue, lambda answers: script.route("q", answers)):
        with pytest.raises(
            ConfigError, match=r"expected an answer, such as reply\(call\(\.\.\.\)\), a text, or a function"
        ):
            give((answer,))
    assert not script.unused()
    with pytest.raises(ConfigError, match="expected an answer"):
        resolve(lambda _: answer, request("q"))
