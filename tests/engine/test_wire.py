"""The wire is pure: bytes in, frames out."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from openai_codex import ConfigError
from openai_codex._engine.wire import (
    LineSplitter,
    LongLine,
    Response,
    ServerRequest,
    Skipped,
    decode,
    decode_all,
    encode_error,
    encode_notification,
    encode_request,
    encode_result,
)
from openai_codex._notification import Notification, UnreadableNotification


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


ANSWER, EVENT = Response(1, {"a": {"id": 2, "result": 3}}), Notification("a/b", {})
A, E = b'{"id":1,"result":{"a":{"id":2,"result":3}}}', b'{"method":"a/b","params":{}}'


@pytest.mark.parametrize(
    ("line", "frames"),
    [
        pytest.param(b"\xef\xbb\xbf" + A, [ANSWER], id="byte order mark"),
        pytest.param(b"npm notice " + A, [ANSWER], id="notice"),
        pytest.param(b"50 %\r100 %\r" + A + b"\r", [ANSWER], id="progress"),
        pytest.param(b"\x1b[31mwarn " + A + b"\x1b[0m", [ANSWER], id="colours"),
        pytest.param(b"\0\xff{" + A, [ANSWER], id="bytes that are not text"),
        pytest.param(b'WARN {"level":3} {x} ' + A, [ANSWER], id="objects that are not frames"),
        pytest.param(A + b" npm notice", [ANSWER], id="noise after it"),
        pytest.param(E + A, [EVENT, ANSWER], id="two without a line end"),
        pytest.param(b"x" + E + b"y" + A + b"z", [EVENT, ANSWER], id="between and around"),
        pytest.param(b'{"method":"item/agent' + A, [ANSWER], id="cut frame before it"),
        pytest.param(b'{"method":"a","params":{"id":3,"result":1},}', [], id="part of a broken frame"),
        pytest.param(b'{"method":"a","params":NaN}', [], id="not JSON as a whole"),
        pytest.param(b'x{"method":"a","params":NaN}' + A, [ANSWER], id="not JSON, then a frame"),
        pytest.param(b'x{"id":1,"result":"\xff"}', [], id="a frame with bytes that are not text"),
        pytest.param(b'x{"id":' + b"[" * 5000 + A, [ANSWER], id="nesting"),
    ],
)
def test_frames_are_found_in_a_noisy_line(line: bytes, frames: list[object]) -> None:
    skipped = decode(line)
    assert isinstance(skipped, Skipped)
    assert list(skipped.frames) == frames
    assert skipped.size == len(line)


def test_the_search_in_a_noisy_line_is_bounded() -> None:
    skipped = decode(b'{"id":[' * 200_000 + A)
    assert isinstance(skipped, Skipped)
    assert skipped.frames == ()


@pytest.mark.parametrize(
    ("line", "request_id"),
    [
        (b'{"id":7,"result":{"x":"\xff"}}', 7),
        (b'npm {"id": 7 , "error" : {"message":"\xff"}}', 7),
        (b'{"id":7,"method":"m","params":"\xff"}', None),
        (b'{"id":"7","result":"\xff"}', None),
    ],
)
def test_the_request_of_an_unreadable_response_is_known(line: bytes, request_id: int | None) -> None:
    skipped = decode(line)
    assert isinstance(skipped, Skipped)
    assert skipped.request_id == request_id


TURN_END = b'{"method":"turn/completed","params":{"threadId":"T","turn":{"id":"U","items":[{"type":"x","text":"'
LOGIN_END = b'{"method":"account/login/completed","params":{"loginId":"L","success":true,"error":"'
CALL = b'{"method":"item/tool/call","id":0,"params":{"threadId":"T","turnId":"U","arguments":{"a":"'


@pytest.mark.parametrize("before", [b"", b"npm notice "])
@pytest.mark.parametrize(
    ("line", "kind", "params"),
    [
        (TURN_END, UnreadableNotification, {"threadId": "T", "turn": {"id": "U", "items": [{"type": "x"}]}}),
        (LOGIN_END, UnreadableNotification, {"loginId": "L", "success": True}),
        (CALL, ServerRequest, {"threadId": "T", "turnId": "U"}),
        (b'{"id":"x","method":"unheard/of","params":["', ServerRequest, {}),
        (b'{"method":"turn/completed","params":{"threadId":"T","turn":{"id":"', None, None),
        (b'{"method":"item/completed","params":{"threadId":"T","turnId":"U","item":{"a":"', None, None),
        (b'{"id":7,"result":{"method":"turn/completed","x":"', None, None),
        (b'{"method":"item/tool/call","id":true,"params":{"a":"', None, None),
    ],
)
@pytest.mark.parametrize("is_long", [False, True])
def test_what_somebody_waits_for_is_known_by_the_head_of_a_line(
    line: bytes, kind: type | None, params: object, before: bytes, *, is_long: bool
) -> None:
    whole = before + line + (b"x" * 5_000 if is_long else b'\xff"}}}\n')
    [cut] = LineSplitter(limit=2_000).feed(whole)
    skipped = decode(cut)
    assert isinstance(skipped, Skipped)
    assert skipped.frames == ()
    head = skipped.head
    assert (None if head is None else type(head)) == kind
    assert (None if head is None else head.params) == params
    if isinstance(head, ServerRequest):
        assert head.problem == skipped.reason
    elif head is not None:
        assert head.reason == skipped.reason


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_a_line_that_is_too_long_is_dropped_and_the_next_one_is_not(size: int) -> None:
    stream = b"short\n" + b'{"id":7,"result":"' + b"x" * 300 + b'"}\n' + b"y" * 100 + b"\nlast"
    splitter = LineSplitter(limit=100)
    lines = [line for at in range(0, len(stream), size) for line in splitter.feed(stream[at : at + size])]
    assert [len(line) <= 1024 for line in lines] == [True] * 3 or size == 1000
    if size < 100:  # within one chunk the limit is not checked: a chunk is small
        assert [line for line in lines if not isinstance(line, LongLine)] == [b"short", b"y" * 100]
        skipped = decode(lines[1])
        assert isinstance(skipped, Skipped)
        assert (skipped.reason, skipped.request_id) == ("the line is longer than max_line_bytes", 7)
    assert splitter.end() == b"last"


def test_a_long_line_is_known_before_it_ends() -> None:
    splitter = LineSplitter(limit=100)
    head = b'{"id":7,"result":"'
    assert [type(line) for line in splitter.feed(head + b"x" * 200)] == [LongLine]
    assert [splitter.feed(b"x" * 1000) for _ in range(100)] == [[]] * 100
    assert splitter.feed(b'"}\nnext\n') == [b"next"]


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


LINES = st.one_of(
    st.dictionaries(
        st.sampled_from(["id", "method", "params", "result", "error"]),
        st.one_of(st.none(), st.integers(0, 9), st.text(max_size=3), st.just({}), st.just([])),
    ).map(orjson.dumps),
    st.binary(max_size=40).filter(lambda line: b"\n" not in line),
    st.sampled_from(
        [b"", b" \t", b"{}", b"[1", b"2]", b'{"a":[{}', b"{}]}", b"{},{}", b"1,2", b'{"a":1', b'"b":2}', b"\xff", b"0"]
    ),
)


@given(st.lists(LINES, max_size=8))
@example([b'{"a":[{}', b"{}]}", b"{},{}"])  # together they are three objects, each for itself none
@example([b"[1", b"2]", b"{},{}"])
def test_lines_that_are_decoded_together_are_what_each_is_for_itself(lines: list[bytes]) -> None:
    alone = [decode(line) for line in lines if line and not line.isspace()]
    assert decode_all(lines) == alone


def test_lines_that_are_too_long_or_long_are_decoded_for_themselves() -> None:
    notification = b'{"method":"x","params":{"text":"%b"}}' % (b"y" * (1 << 20))
    lines = [notification, b'{"method":"y"}', LongLine(b'{"method":"z","pa')]
    first, second, third = decode_all(lines)
    assert isinstance(first, Notification)
    assert second == Notification("y", {})
    assert isinstance(third, Skipped)
    assert third.reason == "the line is longer than max_line_bytes"
    assert decode_all([]) == []
