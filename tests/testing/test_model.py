"""The scripted model as an HTTP server: bad clients, many clients, and nothing left after its close."""

from __future__ import annotations

import asyncio
import http.client
import inspect
import json
import socket
import sys
import threading
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from openai_codex.testing import ScriptedModel, ScriptError, WaitTimeoutError, _http, fail, hang, say
from tests.support.bounds import PATIENCE, SOON, eventually

if TYPE_CHECKING:
    from openai_codex.testing import Answer, RecordedRequest

ASK = b'{"input":[{"role":"user","content":"Hi"}]}'


def address(model: ScriptedModel) -> tuple[str, int]:
    parts = urlsplit(model.url)
    assert parts.hostname is not None
    assert parts.port is not None
    return parts.hostname, parts.port


def ask(model: ScriptedModel, body: bytes = ASK) -> tuple[int, bytes]:
    """Send one request to the model; return the status and the whole body."""
    with closing(http.client.HTTPConnection(*address(model), timeout=PATIENCE)) as connection:
        connection.request("POST", "/v1/responses", body)
        response = connection.getresponse()
        return response.status, response.read()


def send(model: ScriptedModel, data: bytes) -> socket.socket:
    """Connect and send some bytes."""
    connection = socket.create_connection(address(model), timeout=PATIENCE)
    connection.sendall(data)
    return connection


def post(body: bytes = ASK) -> bytes:
    return b"POST /v1/responses HTTP/1.1\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


def receive_all(connection: socket.socket) -> bytes:
    with connection:
        return b"".join(iter(lambda: connection.recv(65536), b""))


def text_of(stream: bytes) -> str:
    events = (json.loads(line[6:]) for line in stream.decode().splitlines() if line.startswith("data: "))
    return "".join(event["delta"] for event in events if event["type"].endswith("text.delta"))


def test_a_reply_is_a_stream_of_events(model: ScriptedModel) -> None:
    model.say("Hello world")
    status, stream = ask(model)
    assert status == 200
    assert text_of(stream) == "Hello world"
    assert stream.endswith(b"\n\n")
    assert text_of(ask(model)[1]) == "ok"


def test_every_kind_of_answer_can_be_queued(model: ScriptedModel) -> None:
    model.queue("text", say("reply"), lambda request: f"{request.last_user_text} to you")
    model.fail(418, "teapot", headers={"Content-Type": "text/plain", "Retry-After": "7"})
    assert [text_of(ask(model)[1]) for _ in range(3)] == ["text", "reply", "Hi to you"]
    assert ask(model) == (418, b"teapot")
    model.assert_drained()


def test_methods_have_the_signature_of_what_they_queue() -> None:
    names = ("say", "reply", "call", "custom_call", "fail", "fail_stream", "truncate", "hang")
    assert all(str(inspect.signature(getattr(ScriptedModel, name))).startswith("(self, /") for name in names)
    assert "hold_after" in inspect.signature(ScriptedModel().say).parameters


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET /v1/models?client_version=1 HTTP/1.1\r\n\r\n", 200),
        (b"GET /v1/else HTTP/1.1\r\n\r\n", 404),
        (b"nonsense\r\n\r\n", 400),
        (b"POST /v1/responses HTTP/1.1\r\nContent-Length: many\r\n\r\n", 400),
        (b"POST /v1/responses HTTP/1.1\r\nContent-Length: 999999999999\r\n\r\n", 413),
        (b"POST /v1/responses HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
        (b"POST /v1/responses HTTP/1.1\r\nContent-Encoding: zstd\r\nContent-Length: 1\r\n\r\n.", 415),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * _http.MAX_HEAD + b"\r\n\r\n", 431),
    ],
)
def test_other_requests(model: ScriptedModel, request_bytes: bytes, status: int) -> None:
    answer = receive_all(send(model, request_bytes))
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert model.request_count == 0


def test_other_requests_are_recorded_separately(model: ScriptedModel) -> None:
    receive_all(send(model, b"GET /v1/models HTTP/1.1\r\nX-A: 1\r\nX-A: 2\r\n\r\n"))
    assert [(request.path, request.headers["x-a"]) for request in model.other_requests] == [("/v1/models", "1, 2")]
    assert model.requests == []


def test_only_the_newest_requests_are_kept() -> None:
    with ScriptedModel(record_limit=2) as model:
        for number in range(3):
            ask(model, b'{"input":[{"role":"user","content":"%d"}]}' % number)
        assert model.request_count == 3
        assert [request.last_user_text for request in model.wait_for_requests(3)] == ["1", "2"]


def test_waits_are_bounded(model: ScriptedModel) -> None:
    with pytest.raises(WaitTimeoutError, match=r"expected 1 request\(s\) within 0.01 s, got 0"):
        model.wait_for_requests(1, 0.01)
    model.wait_idle(0.01)


def test_delays(model: ScriptedModel) -> None:
    model.say(chunks=3, text="abc", delay=0.1, delta_delay=0.05)
    model.fail(delay=0.1)
    started = time.monotonic()
    assert text_of(ask(model)[1]) == "abc"
    assert time.monotonic() - started >= 0.25
    ask(model)
    assert time.monotonic() - started >= 0.35


def test_a_disconnected_client_is_noticed(model: ScriptedModel) -> None:
    model.hang()
    connection = send(model, post())
    model.wait_for_requests(1)
    assert model.active_count == 1
    connection.close()
    model.wait_idle()
    assert model.abandoned_count == 1


def test_an_error_in_the_script_fails_the_request_and_the_test() -> None:
    def broken(request: RecordedRequest) -> str:
        raise KeyError(request.method)

    model = ScriptedModel(default=None).start()
    model.queue(broken)
    status, body = ask(model)
    assert status == 400
    assert b"KeyError" in body
    assert b"no answer is scripted" in ask(model)[1]
    with pytest.raises(ScriptError, match="KeyError: 'POST'") as raised:
        model.__exit__(None, None, None)
    assert len(raised.value.problems) == 3


def test_the_error_of_the_test_itself_is_not_replaced() -> None:
    model = ScriptedModel(default=None).start()
    ask(model)
    model.__exit__(ZeroDivisionError, ZeroDivisionError(), None)


def test_a_shared_model_can_be_reset(model: ScriptedModel) -> None:
    model.when("Hi", "routed")
    ask(model)
    model.queue("queued")
    model.reset()
    assert (model.requests, model.request_count) == ([], 0)
    assert text_of(ask(model)[1]) == "ok"
    model.assert_drained()


def test_unused_replies_are_named(model: ScriptedModel) -> None:
    model.say("never")
    with pytest.raises(ScriptError, match="unused answer, queue: Reply"):
        model.assert_drained()


def test_a_model_can_be_started_only_once() -> None:
    model = ScriptedModel()
    with pytest.raises(ScriptError, match="not started"):
        _ = model.url
    model.close()
    with model:
        pass
    model.close()
    with pytest.raises(ScriptError, match="only once"):
        model.start()
    with pytest.raises(ConnectionRefusedError):
        ask(model)


def clients_that_hang(model: ScriptedModel, clients: ExitStack) -> None:
    """One client of each kind that keeps a server busy."""
    mute, unfinished, unanswered, held, deaf = b"", b"POST /v1/resp", post(b'"hang"'), post(b'"held"'), post(b'"much"')
    for data in (mute, unfinished, unanswered, held, deaf):
        clients.enter_context(send(model, data))


def open_files() -> set[Path]:
    return set(Path("/proc/self/fd").iterdir())


@pytest.mark.skipif(sys.platform != "linux", reason="counts open files in /proc")
def test_nothing_is_left_behind() -> None:
    files, threads = open_files(), set(threading.enumerate())
    model = ScriptedModel()
    gate = model.gate()
    much = say(deltas=["x" * 1000] * 20_000)
    answers: dict[object, Answer] = {"hang": hang(), "held": say("Hello", gate=gate), "much": much}
    model.when(lambda _: True, lambda request: answers[request.json])
    with ExitStack() as clients:
        model.start()
        clients_that_hang(model, clients)
        model.wait_for_requests(3, PATIENCE)
        gate.wait_reached(PATIENCE)
        started = time.monotonic()
        model.close()
        assert time.monotonic() - started < SOON
        assert eventually(lambda: set(threading.enumerate()) == threads)
        with pytest.raises(ConnectionRefusedError):
            ask(model)
    assert eventually(lambda: open_files() == files), open_files() ^ files


def test_a_blocking_function_is_reported_after_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openai_codex.testing._http._STOP_TIMEOUT", 0.2)
    entered, go_on = threading.Event(), threading.Event()

    def blocking(_: RecordedRequest) -> str:
        entered.set()
        go_on.wait(PATIENCE)
        return "late"

    model = ScriptedModel(blocking).start()
    with send(model, post()):
        assert entered.wait(PATIENCE)
        with pytest.raises(ScriptError, match="a function of the script blocks it"):
            model.close()
        go_on.set()
    monkeypatch.undo()
    model.close()


async def ask_async(model: ScriptedModel, number: int) -> str:
    reader, writer = await asyncio.open_connection(*address(model))
    writer.write(post(b'{"input":[{"role":"user","content":"%d"}]}' % number))
    stream = await reader.read()
    writer.close()
    await writer.wait_closed()
    return text_of(stream)


async def ask_many(model: ScriptedModel, count: int) -> list[str]:
    gate = model.gate()
    model.when(
        lambda _: True,
        lambda request: say(f"answer {request.last_user_text} of many", gate=gate, hold_after=1, delta_delay=0.01),
    )
    asking = asyncio.gather(*(ask_async(model, number) for number in range(count)))
    await model.received(count, PATIENCE)
    await gate.reached(PATIENCE, count=count)
    assert model.active_count == count
    gate.open()
    answers = await asyncio.wait_for(asking, PATIENCE)
    await model.idle(PATIENCE)
    return answers


def test_many_slow_streams_at_once(model: ScriptedModel) -> None:
    answers = asyncio.run(ask_many(model, 300))
    assert answers == [f"answer {number} of many" for number in range(300)]
    assert model.abandoned_count == 0


def test_failures_are_values() -> None:
    assert fail(503, "x") == fail(503, b"x")
