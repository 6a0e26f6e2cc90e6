"""Cassettes: what is written of a provider's answers, and what a runtime gets that asks something else."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from pathlib import Path
from typing import Any

import pytest

from openai_codex import Codex, ConfigError, TurnFailedError
from openai_codex.testing import ScriptedModel, ScriptError, fail, say, temporary_home
from openai_codex.testing._cassette.questions import Question, question_of
from openai_codex.testing._cassette.tape import is_whole, read_tape
from openai_codex.testing._cassette.upstream import Upstream, UpstreamError, upstream_of
from openai_codex.testing._http import HttpRequest, LoopbackServer
from openai_codex.testing._recorded import RecordedRequest

KEY = "sk-proj-0123456789abcdefghijklmnopqrstuvwxyz"
ONE, TWO = "01a21781-da93-7d42-8bdd-318f2c665216", "01a21781-db89-7bb1-911e-31c8c7d882a1"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cassette.jsonl"


def run(url: str, *prompts: str, **provider: Any) -> list[str | None]:
    """Run prompts on one thread of a new home."""
    with temporary_home(url, provider=provider) as home, Codex(home.config(env={"MOCK_KEY": KEY})) as codex:
        thread = codex.thread_start()
        return [thread.run(prompt).final_response for prompt in prompts]


def test_no_secret_of_a_request_is_written(path: Path) -> None:
    path.touch(mode=0o644)
    path.chmod(0o644)  # an earlier one that others may read
    with ScriptedModel("fine") as upstream, ScriptedModel.record(upstream.url, path) as model:
        assert run(model.url, f"I have {KEY}", env_key="MOCK_KEY") == ["fine"]
        [request] = upstream.requests
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert KEY in request.body.decode()
    written = path.read_text()
    assert (KEY in written, "uthorization" in written, "I have ***" in written) == (False, False, True)
    assert path.stat().st_mode & 0o777 == 0o600
    header, exchange = map(json.loads, written.splitlines())
    assert header["cassette"] == 1
    assert (exchange["status"], exchange["headers"], exchange["end"]) == (
        200,
        {"content-type": "text/event-stream"},
        "complete",
    )
    # Event by event.
    assert {chunk.partition(":")[0] for chunk in exchange["chunks"]} == {"event"}
    assert [chunk.count("\n\n") for chunk in exchange["chunks"]] == [1] * len(exchange["chunks"])
    with ScriptedModel.replay(path) as model:
        assert run(model.url, f"I have {KEY}") == ["fine"]


def test_an_answer_after_whose_last_event_the_connection_stays_open_is_whole(path: Path) -> None:
    async def respond(_: HttpRequest, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        writer.writelines(event.encode() for event in say("fine").events("1"))
        await asyncio.Event().wait()

    provider = LoopbackServer(respond)
    provider.start()
    with contextlib.closing(provider), ScriptedModel.record(f"http://127.0.0.1:{provider.port}/v1", path) as model:
        assert run(model.url, "go") == ["fine"]
    [exchange] = map(json.loads, path.read_text().splitlines()[1:])
    assert exchange["end"] == "complete"


@pytest.mark.parametrize(
    ("chunks", "whole"),
    [
        ([], False),
        (["event: response.created\ndata: {}\n\n"], False),
        (['event: response.output_text.delta\ndata: {"delta":"event: response.completed\\n"}\n\n'], False),
        (["event: response.completed\ndata: {"], False),
        (["event: response.completed\ndata: {}\n\n"], True),
        (["event:response.failed\ndata: {}\n\n"], True),
        (['data: {"type":"response.incomplete"}\n\n'], True),
    ],
)
def test_an_answer_is_whole_after_its_last_event(chunks: list[str], *, whole: bool) -> None:
    assert is_whole(chunks) is whole


def test_a_request_that_is_not_in_the_cassette_fails_and_goes_nowhere(path: Path) -> None:
    with ScriptedModel("fine") as upstream:
        with ScriptedModel.record(upstream.url, path) as model:
            run(model.url, "one", "two")
        with pytest.raises(ScriptError) as reported, ScriptedModel.replay(path) as model:
            assert run(model.url, "one") == ["fine"]
            with pytest.raises(TurnFailedError) as caught:
                run(model.url, "three")
        assert upstream.request_count == 2
    assert '"three"' in str(caught.value)
    assert '"two"' in str(caught.value).partition("expected next:")[2]
    assert str(path) in str(reported.value)


def test_equal_requests_get_their_answers_in_order(path: Path) -> None:
    with ScriptedModel() as upstream, ScriptedModel.record(upstream.url, path) as model:
        upstream.queue(fail(500, "busy", headers={"retry-after": "0"}), "fine")
        assert run(model.url, "go", request_max_retries=1) == ["fine"]
    exchanges = [json.loads(line) for line in path.read_text().splitlines()[1:]]
    assert [(each["status"], each["headers"].get("retry-after")) for each in exchanges] == [(500, "0"), (200, None)]
    with ScriptedModel.replay(path) as model:
        assert run(model.url, "go", request_max_retries=1) == ["fine"]


def test_a_provider_that_is_not_there_is_reported(path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with (
        pytest.raises(ScriptError, match="request 1: 127"),
        ScriptedModel.record(f"http://127.0.0.1:{port}/v1", path) as model,
        pytest.raises(TurnFailedError, match="502"),
    ):
        run(model.url, "go")
    assert len(path.read_text().splitlines()) == 1


@pytest.mark.parametrize(
    "url", ["", "ftp://host/v1", "http://", "host/v1", "http://a:b@host/v1", "http://host/v1?key=1"]
)
def test_a_url_that_is_none_is_refused(url: str, path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        ScriptedModel.record(url, path)
    assert caught.value.what == "upstream_url"
    assert not path.exists()


HEADER = '{"cassette":1}\n'
EXCHANGE: dict[str, Any] = {
    "number": 1,
    "question": {"method": "GET", "path": "/models", "model": None, "items": [], "ids": []},
    "status": 200,
    "headers": {},
    "chunks": ["{}"],
    "end": "complete",
}
WRONG = [
    *(json.dumps({**EXCHANGE, name: wrong}) for name in EXCHANGE for wrong in (None, [1])),
    *(json.dumps({**EXCHANGE, "question": {**EXCHANGE["question"], name: 1}}) for name in EXCHANGE["question"]),
    json.dumps({**EXCHANGE, "more": 1}),
    "[]",
    "{",
]


@pytest.mark.parametrize("line", WRONG)
def test_a_line_that_is_no_exchange_is_refused_by_its_number(line: str, path: Path) -> None:
    path.write_text(f"{HEADER}{json.dumps(EXCHANGE)}\n{line}\n")
    with pytest.raises(ConfigError, match="is not a cassette: line 3: "):
        ScriptedModel.replay(path)


def test_a_last_line_that_is_not_whole_is_left_out(path: Path) -> None:
    line = json.dumps(EXCHANGE)
    path.write_text(f"{HEADER}{line}\n{line[:40]}")
    assert [each.number for each in read_tape(path)] == [1]


def test_an_empty_file_is_said_to_be_empty(path: Path) -> None:
    path.touch()
    with pytest.raises(ConfigError, match="it is empty"):
        ScriptedModel.replay(path)


@pytest.mark.parametrize(
    "content", ["", "no", "{}", '{"cassette":2}', '{"cassette":1}\n{"number":1}\n', '{"journal":1}']
)
def test_a_file_that_is_no_cassette_is_refused(content: str, path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        ScriptedModel.replay(path)
    path.write_text(content)
    with pytest.raises(ConfigError) as caught:
        ScriptedModel.replay(path)
    assert str(path) in str(caught.value)
    with pytest.raises(ConfigError, match="cannot be written"):
        ScriptedModel.record("http://host/v1", path / "below")


def test_a_cassette_is_used_once(path: Path) -> None:
    cassette = ScriptedModel.record("http://127.0.0.1:9/v1", path)
    with pytest.raises(ScriptError, match="not started"):
        _ = cassette.url
    with cassette:
        assert cassette.url.startswith("http://127.0.0.1:")
    with pytest.raises(ScriptError, match="only once"), cassette:
        pass


# -- what a request asks -------------------------------------------------------------------------------------------------


def asked(*items: Any, **body: Any) -> Question:
    raw = json.dumps({"input": items, "model": "m", **body}).encode()
    return question_of(RecordedRequest("POST", "/v1/responses", {}, raw), "/responses")


def user(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}], **more}


def output(call_id: str, text: str) -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": call_id, "output": text}


CONTEXT = "<environment_context>\n  <cwd>/a</cwd>\n</environment_context>"
PROJECT = {"type": "input_text", "text": "# AGENTS.md instructions\n\n<INSTRUCTIONS>\nbe brief\n</INSTRUCTIONS>"}
MODEL = {**user("fine"), "role": "assistant"}
CALL = {"type": "function_call", "name": "f", "arguments": "{}", "call_id": "c"}

SAME = {
    "ids": ([user("hi", id="1")], [user("hi", id="2")]),
    "context": ([user(CONTEXT), user("hi")], [user("hi")]),
    "context of a later turn": ([user("hi"), MODEL, user(CONTEXT), user("ho")], [user("hi"), MODEL, user("ho")]),
    "two contexts": ([user("hi", content=[PROJECT, *user(CONTEXT)["content"]]), user("hi")], [user("hi")]),
    "notice": ([user("<turn_aborted>\nby you\n</turn_aborted>"), user("hi")], [user("hi")]),
    "developer": ([{**user("be brief"), "role": "developer"}, user("hi")], [user("hi")]),
    "reasoning": ([user("hi"), {"type": "reasoning", "summary": []}], [user("hi")]),
    "output": ([CALL, output("c", "0.1 s")], [CALL, output("c", "0.2 s")]),
    "ids that the runtime has told": (
        [{**CALL, "call_id": ONE}, user(f"go on with {ONE}")],
        [{**CALL, "call_id": TWO}, user(f"go on with {TWO}")],
    ),
}
DIFFERENT = {
    "text": ([user("hi")], [user("ho")]),
    "role": ([user("hi")], [{**user("hi"), "role": "assistant"}]),
    "more": ([user("hi")], [user("hi"), user("hi")]),
    "call": ([CALL], [{**CALL, "arguments": "{1}"}]),
    "answered": ([CALL], [CALL, output("c", "")]),
    "id in a prompt": ([user(f"job {ONE}")], [user(f"job {TWO}")]),
    "id in a prompt, and in the answer": (
        [user(f"job {ONE}"), {**user(ONE), "role": "assistant"}],
        [user(f"job {TWO}"), {**user(TWO), "role": "assistant"}],
    ),
    "secret in a prompt": ([user(f"I have {KEY}")], [user(f"I have {KEY}x")]),
    "prompt like a heading": ([user("# AGENTS.md: what is it?")], [user("# AGENTS.md: who reads it?")]),
    "prompt like context": ([user(CONTEXT)], [user(CONTEXT.replace("/a", "/b"))]),
    "prompt that begins like context": ([user("<permissions one"), MODEL], [user("<permissions two"), MODEL]),
    "prompt like context, and more": ([user(f"{CONTEXT} 1"), user("hi")], [user(f"{CONTEXT} 2"), user("hi")]),
    "image": ([user("hi")], [user("hi", content=[{"type": "input_image", "image_url": "data:"}])]),
}


@pytest.mark.parametrize("pair", SAME.values(), ids=SAME)
def test_what_the_runtime_makes_anew_is_not_compared(pair: tuple[list[Any], list[Any]]) -> None:
    assert asked(*pair[0], tools=[1], instructions="a") == asked(*pair[1])


@pytest.mark.parametrize("pair", DIFFERENT.values(), ids=DIFFERENT)
def test_the_conversation_is_compared(pair: tuple[list[Any], list[Any]]) -> None:
    assert asked(*pair[0]) != asked(*pair[1])


def test_the_model_is_compared() -> None:
    assert asked(model="a") != asked(model="b")


def test_ids_of_the_runtime_are_put_into_the_answers() -> None:
    before, now = asked(CALL, output("c", f"agent {ONE}")), asked(CALL, output("c", f"agent {TWO}"))
    assert before.new_ids(now) == {ONE: TWO}
    assert before.new_ids(asked(CALL, output("c", "none"))) == {}


# -- the connection to the provider --------------------------------------------------------------------------------------

HEAD = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nX-Name: value\r\n"

BODIES = {
    "chunked": (b"Transfer-Encoding: chunked\r\n\r\n4;x=y\r\nab\r\n\r\n2\r\ncd\r\n0\r\n\r\n", b"ab\r\ncd"),
    "length": (b"Content-Length: 3\r\n\r\nabcd", b"abc"),
    "no length": (b"\r\nabc", b"abc"),
    "empty": (b"Content-Length: 0\r\n\r\n", b""),
}
BROKEN = {
    "chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nab",
    "size": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\nab",
    "length": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
    "head": b"HTTP/1.1 200 OK\r\nContent",
    "no http": b"hello\r\n\r\n",
    "nothing": b"",
}


async def fetched(raw: bytes) -> tuple[bytes, bytes, dict[str, str]]:
    """Send a request to a server that answers so; return what it got, and the body and headers of the answer."""
    got: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        got.append(await reader.readuntil(b"\r\n\r\n") + await reader.readexactly(4))
        writer.write(raw)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        upstream = upstream_of(f"http://127.0.0.1:{port}/base/")
        request = HttpRequest("POST", "/v1/x", {"host": "me", "accept-encoding": "gzip", "authorization": "k"}, b"body")
        async with upstream.send(request, "/x?y") as answer:
            body = b"".join([piece async for piece in answer.body])
    return got[0], body, answer.headers


@pytest.mark.parametrize("case", BODIES.values(), ids=BODIES)
async def test_an_answer_of_each_form_is_read(case: tuple[bytes, bytes]) -> None:
    got, body, headers = await fetched(HEAD + case[0])
    assert (body, headers["x-name"]) == (case[1], "value")
    assert got.startswith(b"POST /base/x?y HTTP/1.1\r\n")
    assert got.endswith(b"\r\n\r\nbody")
    assert (b"host: me" in got, b"gzip" in got, b"authorization: k" in got) == (False, False, True)


@pytest.mark.parametrize("raw", BROKEN.values(), ids=BROKEN)
async def test_an_answer_that_is_not_whole_is_an_error(raw: bytes) -> None:
    with pytest.raises(UpstreamError):
        await fetched(raw)


def test_a_url_names_where_requests_go() -> None:
    assert upstream_of("https://host/v1/") == Upstream("host", 443, True, "/v1")
    assert upstream_of("http://[::1]:80") == Upstream("::1", 80, False, "")
