"""The frames of the fake runtime are valid: every payload becomes its protocol type, without unknown members."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest

from openai_codex import _codec as codec
from openai_codex import _protocol as protocol
from openai_codex._codec.base import OpenEnum, Record, record_fields
from openai_codex.testing import frames

if TYPE_CHECKING:
    from collections.abc import Iterator

INFO = {"httpConnectionFailed": {"httpStatusCode": 401}}
NOTIFICATIONS = [
    frames.turn_started("T", "U"),
    frames.turn_completed("T", "U"),
    frames.turn_completed("T", "U", "failed", {"message": "no", "codexErrorInfo": INFO}),
    frames.delta("T", "U", "I", "text"),
    frames.item_started("T", "U", frames.agent_message("I", "")),
    frames.item_completed("T", "U", frames.agent_message("I", "text", "final_answer")),
]
RESULTS = [
    ("initialize", frames.initialize_result()),
    ("thread/start", frames.opened_thread("T", ephemeral=True)),
    ("thread/resume", frames.opened_thread("T")),
    ("thread/fork", frames.opened_thread("T")),
    ("turn/start", {"turn": frames.turn("U")}),
]


def parts(value: object) -> Iterator[object]:
    """Everything that a typed payload is made of."""
    yield value
    if isinstance(value, Record):
        for field in record_fields(type(value)):
            yield from parts(getattr(value, field.name))
    elif isinstance(value, list):
        for each in value:
            yield from parts(each)


def unknown(value: object) -> list[object]:
    """What this version of the protocol has no type or name for."""
    kinds = (protocol.UnknownVariant, protocol.UnknownNotification)
    return [
        part for part in parts(value) if isinstance(part, kinds) or (isinstance(part, OpenEnum) and not part.is_known)
    ]


@pytest.mark.parametrize("line", NOTIFICATIONS, ids=lambda line: orjson.loads(line)["method"])
def test_notifications_fit(line: bytes) -> None:
    frame = orjson.loads(line)
    payload = codec.structure_notification(frame["method"], frame["params"])
    assert isinstance(payload, protocol.ServerNotification)
    assert frame["method"] == payload.METHOD
    assert unknown(payload) == []
    assert frame["emittedAtMs"] == frames.NOW_MS


@pytest.mark.parametrize(("method", "result"), RESULTS, ids=lambda each: each if isinstance(each, str) else "")
def test_results_fit(method: str, result: dict[str, Any]) -> None:
    structured = codec.structure_result(method, result)
    assert isinstance(structured, Record)
    assert unknown(structured) == []


def test_an_odd_payload_would_be_noticed() -> None:
    odd = codec.structure_result("turn/start", {"turn": frames.turn("U", "unheard of")})
    assert len(unknown(odd)) == 1


def test_a_frame_is_one_line() -> None:
    lines = [
        frames.request(0, "m", {"a": "\n"}),
        frames.response("x", None),
        frames.refusal(1, -1, "no"),
        frames.refusal(1, -1, "no", [1]),
    ]
    assert [line.count(b"\n") for line in lines] == [1] * 4
    assert [orjson.loads(line) for line in lines] == [
        {"id": 0, "method": "m", "params": {"a": "\n"}},
        {"id": "x", "result": None},
        {"id": 1, "error": {"code": -1, "message": "no"}},
        {"id": 1, "error": {"code": -1, "message": "no", "data": [1]}},
    ]
