"""Which requests and answers are the same: a table."""

from __future__ import annotations

from typing import Any

import pytest

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
