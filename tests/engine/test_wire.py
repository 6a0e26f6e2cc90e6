"""The wire is pure: bytes in, frames out."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_codex import ConfigError
from openai_codex._engine.wire import (
    LineSplitter,
    Response,
    ServerRequest,
    Skipped,
    decode,
    encode_error,
    encode_notification,
    encode_request,
    encode_result,
)
from openai_codex._notification import Notification


@given(st.lists(st.binary(max_size=20).filter(lambda line: b"\n" not in line)), st.integers(1, 9))
def test_lines_are_the_same_however_the_bytes_are_cut(lines: list[bytes], size: int) -> None:
    stream = b"".join(line + b"\n" for line in lines) + b"half"
    splitter = LineSplitter()
    cut = [line for at in range(0, len(stream), size) for line in splitter.feed(stream[at : at + size])]
    assert cut == lines
    assert splitter.end() == b"half"
    assert splitter.end() == b""


def test_a_reply_is_a_response() -> None:
    assert decode(b'{"id":7,"result":{"a":1}}') == Response(7, {"a": 1})
    assert decode(b'{"id":7,"result":null}') == Response(7, None)
    assert decode(b'{"id":"x","error":{"code":-1,"message":"no"}}') == Response(
        "x", error={"code": -1, "message": "no"}
    )
    assert decode(b'{"id":7,"error":"no"}') == Response(7, error={"message": "no"})


def test_a_method_without_id_is_a_notification() -> None:
    event = decode(b'{"method":"a/b","params":{"x":1},"emittedAtMs":5}')
    assert event == Notification("a/b", {"x": 1})
    assert isinstance(event, Notification)
    assert event.emitted_at_ms == 5
    assert decode(b'{"method":"a/b"}') == Notification("a/b", {})
    assert decode(b'{"method":"a/b","params":[1]}') == Notification("a/b", {"params": [1]})


@pytest.mark.parametrize("request_id", [0, -3, "s"])
def test_a_method_with_an_id_is_a_server_request(request_id: int | str) -> None:
    line = orjson.dumps({"method": "a/b", "id": request_id, "params": {"x": 1}})
    assert decode(line) == ServerRequest(request_id, "a/b", {"x": 1})


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"hello", "not JSON"),
        (b'{"id":1', "not JSON"),
        (b'{"a":"\xff"}', "not JSON"),
        (b"[" * 2000, "not JSON"),
        (b"[1,2]", "not an object: list"),
        (b"null", "not an object: NoneType"),
        (b"{}", "neither"),
        (b'{"id":1}', "neither"),
        (b'{"id":null,"result":1}', "neither"),
        (b'{"method":5}', "neither"),
        (b'{"id":true,"result":1}', "neither"),
    ],
)
def test_a_line_that_is_not_a_frame_is_skipped_with_a_reason(line: bytes, reason: str) -> None:
    skipped = decode(line)
    assert isinstance(skipped, Skipped)
    assert skipped.reason.startswith(reason)
    assert skipped.size == len(line)


@given(st.binary(max_size=60))
def test_no_bytes_make_decode_raise(line: bytes) -> None:
    assert isinstance(decode(line), (Response, Notification, ServerRequest, Skipped))


def test_each_encoder_writes_one_line() -> None:
    assert encode_request(1, "m", {"a": "ü\n"}) == '{"id":1,"method":"m","params":{"a":"ü\\n"}}\n'.encode()
    assert encode_request(1, "m") == b'{"id":1,"method":"m"}\n'
    assert encode_notification("m") == b'{"method":"m"}\n'
    assert encode_result(3, None) == b'{"id":3,"result":null}\n'
    assert encode_error("q", -32601, "no") == b'{"id":"q","error":{"code":-32601,"message":"no"}}\n'


@pytest.mark.parametrize("value", ["\ud83d", 1 << 70, object()])
def test_what_json_cannot_hold_is_refused_before_it_is_sent(value: object) -> None:
    with pytest.raises(ConfigError) as caught:
        encode_request(1, "turn/start", {"text": value})
    assert caught.value.what == "turn/start"
