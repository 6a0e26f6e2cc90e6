"""Which requests and answers are the same: a table."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_codex.testing._replay.matching import is_same_answer, is_same_request


def prompt(text: str, **more: Any) -> dict[str, Any]:
    return {"threadId": "T", "input": [{"type": "text", "text": text}], **more}


SAME: dict[str, tuple[Any, Any]] = {
    "equal": (prompt("a"), prompt("a")),
    "null": (prompt("a", model=None), prompt("a")),
    "cwd": (prompt("a", cwd="/then"), prompt("a", cwd="now")),
    "trace": (prompt("a", trace={"traceparent": "1"}), prompt("a", trace={"traceparent": "2"})),
    "path": ({"path": "/then/image.png"}, {"path": "/now/else.png"}),
    "secret": (prompt("my key is *** or ***"), prompt("my key is 1\n2 or 3")),
    "secret in quotes": (prompt('key="***", url=https://***@host'), prompt('key="1", url=https://a:b@host')),
    "secret in a line among lines": (prompt("a\nkey: ***\nb"), prompt("a\nkey: 1\nb")),
    "nothing but a secret": (prompt(" ***\n"), prompt("1")),
    "secret number": ({"code": "***"}, {"code": 7}),
    "hash": (prompt("hash:0123abcd (7 characters)"), prompt("hash:89ef (7 characters)")),
}

DIFFERENT: dict[str, tuple[Any, Any]] = {
    "text": (prompt("a"), prompt("b")),
    "text like a path": (prompt("/a"), prompt("/b")),
    "path and name": ({"path": "/a"}, {"path": "a"}),
    "more": (prompt("a"), prompt("a", model="m")),
    "less": (prompt("a", model="m"), prompt("a")),
    "length": ({"input": [1]}, {"input": [1, 2]}),
    "around a secret": (prompt("my key is ***!"), prompt("my key is 1?")),
    "word in Markdown": (prompt("so ***very*** good"), prompt("so 1very2 good")),
    "line in Markdown": (prompt("a\n***\nb"), prompt("a\n1\nb")),
    "more asterisks": (prompt("a **** b"), prompt("a 1 b")),
    "nothing in place of a secret": (prompt("my key is ***."), prompt("my key is .")),
    "text twice": (prompt("a *** a"), prompt("a ")),
    "no secret": ({"code": "***"}, {}),
    "length of a hash": (prompt("hash:0123abcd (7 characters)"), prompt("hash:0123abcd (8 characters)")),
    "type": ({"a": 1}, {"a": "1"}),
    "flag": ({"a": True}, {"a": False}),
}


@pytest.mark.parametrize("case", SAME.values(), ids=SAME)
def test_what_differs_in_every_run_is_not_compared(case: tuple[Any, Any]) -> None:
    assert is_same_request("turn/start", *case)


@pytest.mark.parametrize("case", DIFFERENT.values(), ids=DIFFERENT)
def test_all_else_is_compared(case: tuple[Any, Any]) -> None:
    assert not is_same_request("turn/start", *case)


PIECES = st.text("a b*\n", max_size=6)


@given(st.lists(PIECES, min_size=1, max_size=4), PIECES.filter(bool))
def test_marks_may_be_any_text_and_nothing_else_may(pieces: list[str], secret: str) -> None:
    # With what no Markdown has around its asterisks.
    recorded, sent = "-***-".join(pieces), f"-{secret}-".join(pieces)
    assert is_same_request("turn/start", prompt(recorded), prompt(sent))
    assert not is_same_request("turn/start", prompt(f"{recorded}."), prompt(f"{sent}?"))


@given(st.text("a-*\n", max_size=12), st.text("a-*\n", max_size=12))
def test_a_pattern_says_the_same(recorded: str, sent: str) -> None:
    marks = r"(?<![*\w])\*\*\*(?![*\w])"
    lines = [[line] if line == "***" else re.split(marks, line) for line in recorded.split("\n")]
    parts = [re.escape(part) for part in re.split("\0", "\n".join("\0".join(line) for line in lines))]
    expected = recorded == sent or recorded.strip() == "***" or re.fullmatch("(?s:.+)".join(parts), sent) is not None
    assert is_same_request("turn/start", prompt(recorded), prompt(sent)) is expected


def test_many_marks_in_a_long_text_take_no_longer_than_reading_it() -> None:
    count = 20_000
    recorded, sent = "a-***-" * count + "!", "a-a-" * count + "?"
    began = time.process_time()
    assert not is_same_request("turn/start", prompt(recorded), prompt(sent))
    assert not is_same_request("turn/start", prompt(f"{recorded} ***"), prompt(f"{sent} 1"))
    assert is_same_request("turn/start", prompt(f"{recorded[:-1]}?"), prompt(sent))
    assert time.process_time() - began < 5.0, "with backtracking it takes hours"


def test_how_clients_introduce_themselves_is_not_compared() -> None:
    assert is_same_request("initialize", {"capabilities": {}}, {"capabilities": {"experimentalApi": True}})


@pytest.mark.parametrize(
    ("recorded", "given", "same"),
    [
        ({"result": {"decision": "accept"}}, {"result": {"decision": "accept"}}, True),
        ({"result": {"decision": "accept"}}, {"result": {"decision": "decline"}}, False),
        ({"result": {"action": "accept", "content": 1}}, {"result": {"action": "accept", "content": 2}}, True),
        ({"result": {"success": True, "contentItems": [1]}}, {"result": {"success": True, "contentItems": []}}, True),
        ({"result": {"success": True}}, {"result": {"success": False}}, False),
        ({"result": {}}, {"error": {"code": 1}}, False),
    ],
)
def test_an_answer_is_compared_as_far_as_it_decides(recorded: Any, given: Any, same: Any) -> None:
    assert is_same_answer(recorded, given) is same
