"""The events of items and replies, tested with values alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from openai_codex import ConfigError
from openai_codex.testing import (
    Gate,
    ScriptError,
    Usage,
    call,
    custom_call,
    fail,
    fail_stream,
    message,
    raw_item,
    reasoning,
    reply,
    say,
    truncate,
)


@pytest.mark.parametrize("text", ["Hello big world", "  indented\n\ttext ", " ", "", "one"])
def test_words_join_to_the_text(text: str) -> None:
    assert message(text).text == text


def test_a_message_is_streamed_word_by_word() -> None:
    assert message("Hello big  world").deltas == ("Hello", " big", "  world")


@pytest.mark.parametrize(("chunks", "expected"), [(1, ("abcde",)), (2, ("ab", "cde")), (5, tuple("abcde"))])
def test_a_message_in_chunks(chunks: int, expected: tuple[str, ...]) -> None:
    assert message("abcde", chunks=chunks).deltas == expected


@pytest.mark.parametrize("chunks", [0, 6])
def test_impossible_chunks_are_refused(chunks: int) -> None:
    with pytest.raises(ScriptError, match="5 characters"):
        message("abcde", chunks=chunks)


def test_deltas_and_text_exclude_each_other() -> None:
    with pytest.raises(ScriptError, match="either"):
        message("a", deltas=["a"])


def test_a_reply_names_its_ids_after_the_request() -> None:
    events = [event.data for event in reply(message("Hi"), call("f", {"a": 1})).events("x_1")]
    assert [event["type"].removeprefix("response.") for event in events] == [
        "created",
        "output_item.added",
        "output_text.delta",
        "output_item.done",
        "output_item.done",
        "completed",
    ]
    assert events[3]["item"]["id"] == "msg_x_1_0"
    assert events[4]["item"]["call_id"] == "call_x_1_1"
    assert json.loads(events[4]["item"]["arguments"]) == {"a": 1}


def test_items_keep_what_they_are_given() -> None:
    assert call("f", "not json", call_id="c", namespace="n").arguments == "not json"
    assert custom_call("apply_patch", "text", call_id="c").input == "text"
    assert reasoning("a", "b", text=["c"]).summary == ("a", "b")
    done = next(raw_item({"type": "other"}).events(3, "x"))
    assert done.data == {"type": "response.output_item.done", "output_index": 3, "item": {"type": "other"}}


def test_usage_adds_up() -> None:
    assert Usage(input_tokens=7, output_tokens=3).to_wire()["total_tokens"] == 10


@pytest.mark.parametrize(("end", "kind"), [(fail_stream("c"), "failed"), (reply(incomplete="max"), "incomplete")])
def test_streams_that_end_badly(end: object, kind: str) -> None:
    assert hasattr(end, "events")
    assert [event.data["type"] for event in end.events("x")][-1] == f"response.{kind}"


def test_what_can_never_happen_is_refused_at_once() -> None:
    with pytest.raises(ScriptError, match="hold_after=3 can never happen: the reply has 2 deltas"):
        say("two words", gate=Gate(), hold_after=3)
    with pytest.raises(ScriptError, match="needs a gate"):
        say("two words", hold_after=1)
    with pytest.raises(ScriptError, match="cut_after"):
        truncate("two words", after=3)


def test_bodies_of_failures() -> None:
    assert json.loads(fail(429, code="insufficient_quota").body)["error"]["code"] == "insufficient_quota"
    assert [fail(500, body).body for body in ("text", b"bytes", {"a": 1})] == [b"text", b"bytes", b'{"a":1}']


@pytest.mark.parametrize("build", [reply, lambda wrong: reply(message("a"), wrong), say])
@pytest.mark.parametrize("wrong", [5, {"type": "message"}])
def test_what_is_no_item_is_refused_at_once(build: Callable[[Any], object], wrong: Any) -> None:
    with pytest.raises(ConfigError, match=r"item, such as|a str"):
        build(wrong)


def test_a_text_alone_is_no_item() -> None:
    wrong: Any = "text"
    with pytest.raises(ConfigError, match="item, such as"):
        reply(wrong)
