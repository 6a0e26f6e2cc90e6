"""Invalid bytes and frames of the runtime: counted, logged and skipped, while the connection continues."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from openai_codex import AsyncCodex, DecodeError, TransportClosedError
from openai_codex.testing import FakeAppServer, FakeRequest
from openai_codex.types import (
    ModelListParams,
    ModelListResponse,
    TurnDiffUpdatedNotification,
    TurnStatus,
    UnknownNotification,
)
from tests.faces_async._outcome import outcomes
from tests.support.bounds import PATIENCE
from tests.support.inside import actor_of

pytestmark = pytest.mark.slow

NO_MODELS: dict[str, object] = {"data": [], "nextCursor": None}
MEGABYTE = 1_000_000


@pytest.fixture
def server() -> Iterator[FakeAppServer]:
    with FakeAppServer() as server:
        server.on("model/list", NO_MODELS)
        yield server


@pytest.fixture
def skipped(caplog: pytest.LogCaptureFixture) -> Iterator[list[logging.LogRecord]]:
    """The log lines about lines that were skipped; complete when the client is closed."""
    told: list[logging.LogRecord] = []
    with caplog.at_level(logging.INFO, "openai_codex"):
        caplog.handler.addFilter(lambda record: _keep(record, told))
        yield told


def _keep(record: logging.LogRecord, told: list[logging.LogRecord]) -> bool:
    if record.name == "openai_codex.actor" and vars(record)["codex"]["event"] == "codex.line_skipped":
        told.append(record)
    return True


# --- lines that are no frames


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"thread 'main' panicked at src/main.rs\n", "not JSON"),
        (b'{"method":"warning","params":{"message":"\xff\xfe"}}\n', "not JSON"),
        (b'[{"method":"warning","params":{}}]\n', "not an object: list"),
        (b'{"id":null}\n', "neither a method nor a response"),
    ],
)
async def test_a_line_that_is_not_a_frame_is_skipped(
    server: FakeAppServer, skipped: list[logging.LogRecord], line: bytes, reason: str
) -> None:
    async with AsyncCodex(server.config()) as codex:
        turn = await (await codex.thread_start()).turn("Hi")
        server.turn.delta("before ")
        server.child.write(line)
        server.turn.delta("and after")
        server.turn.complete()
        text = [piece async for piece in turn.text(timeout=PATIENCE)]
        assert (await codex.request(ModelListParams())).data == []
        health = codex.health()
    assert "".join(text) == "before and after"
    assert health.skipped == 1
    [told] = [vars(record)["codex"] for record in skipped]
    assert (told["count"], told["pid"], told["reason"][: len(reason)]) == (1, health.pid, reason)


async def test_half_a_line_at_the_end_is_skipped(server: FakeAppServer, skipped: list[logging.LogRecord]) -> None:
    server.hold("model/list")
    async with AsyncCodex(server.config()) as codex:
        server.child.write(b'{"method":"warning","params":{"mess')
        server.child.exit(3)
        with pytest.raises(TransportClosedError, match="exit code 3"):
            await codex.request(ModelListParams())
        assert codex.health().skipped == 1
    assert [vars(told)["codex"]["reason"] for told in skipped] == ["the output ended within a line"]


async def test_half_an_end_at_the_end_of_the_output_is_no_end(server: FakeAppServer) -> None:
    async with AsyncCodex(server.config()) as codex:
        thread = await codex.thread_start()
        turn = await thread.turn("go")
        head = '{"method":"turn/completed","params":{"threadId":"%s","turn":{"id":"%s","items":[{"a"'
        server.child.write((head % (thread.id, turn.id)).encode())
        server.child.exit(3)
        with pytest.raises(TransportClosedError, match="exit code 3"):
            await turn.run(timeout=PATIENCE)


async def test_endless_noise_is_counted_per_line_and_logged_per_batch(
    server: FakeAppServer, skipped: list[logging.LogRecord]
) -> None:
    async with AsyncCodex(server.config()) as codex:
        server.child.write(b"noise\n", times=100_000)
        assert (await codex.request(ModelListParams())).data == []
        assert codex.health().skipped == 100_000
    assert sum(vars(told)["codex"]["count"] for told in skipped) == 100_000
    assert len(skipped) < 1_000


# --- frames that other output has run into

ANSWER = b'{"id":%d,"result":{"data":[],"nextCursor":null}}'


def write_answer(server: FakeAppServer, line: bytes, then: Callable[[], object] = lambda: None) -> None:
    """Answer the next request with these bytes; ``%d`` stands for its id."""

    def write(request: FakeRequest) -> None:
        request.is_answered = True
        server.child.write(line.replace(b"%d", str(request.id).encode()))
        then()

    server.on("model/list", write)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(b"\xef\xbb\xbf", b"\n", id="byte order mark"),
        pytest.param(b"npm notice ", b"\n", id="notice"),
        pytest.param(b"", b"\x1b[0m\n", id="colours after it"),
        pytest.param(b'{"method":"item/ag', b"\n", id="cut frame"),
        pytest.param(b'{"method":"warning","params":{"message":"x"}}', b"\n", id="another frame"),
    ],
)
async def test_a_reply_in_a_noisy_line_is_delivered(server: FakeAppServer, before: bytes, after: bytes) -> None:
    write_answer(server, before + ANSWER + after)
    async with AsyncCodex(server.config()) as codex:
        assert (await codex.request(ModelListParams(), timeout=PATIENCE)).data == []
        assert codex.health().skipped == 1


async def test_a_reply_without_a_line_end_is_delivered_when_the_output_ends(server: FakeAppServer) -> None:
    write_answer(server, ANSWER, lambda: server.child.exit(3))
    async with AsyncCodex(server.config()) as codex:
        assert (await codex.request(ModelListParams(), timeout=PATIENCE)).data == []


@pytest.mark.parametrize("text", [b"\xff\xfe", b"\\ud83d"], ids=["bytes", "surrogate"])
async def test_a_reply_that_cannot_be_read_fails_its_request(server: FakeAppServer, text: bytes) -> None:
    write_answer(server, b'{"id":%d,"result":{"nextCursor":"' + text + b'"}}\n')
    async with AsyncCodex(server.config()) as codex:
        with pytest.raises(DecodeError, match="response to model/list: not JSON"):
            await codex.request(ModelListParams(), timeout=PATIENCE)
        assert (codex.health().requests_in_flight, codex.health().skipped) == (0, 1)


# --- frames of any size


async def test_a_line_that_is_too_long_fails_its_request_alone(server: FakeAppServer) -> None:
    async with AsyncCodex(server.config(max_line_bytes=1 << 20)) as codex:
        server.on("model/list", {"data": [], "nextCursor": "y" * 4 * MEGABYTE}, times=1)
        with pytest.raises(DecodeError, match="longer than max_line_bytes"):
            await codex.request(ModelListParams(), timeout=PATIENCE)
        server.child.write(b"y" * MEGABYTE, times=20)
        server.child.write(b"\n")
        assert (await codex.request(ModelListParams(), timeout=PATIENCE)).data == []
        assert codex.health().skipped == 2
        assert codex.health().requests_in_flight == 0


async def test_a_turn_whose_acceptance_is_too_long_is_interrupted(server: FakeAppServer) -> None:
    server.on("turn/start", {"turn": {"id": "turn-0", "x": "y" * 4 * MEGABYTE}}, times=1)
    async with AsyncCodex(server.config(max_line_bytes=1 << 20)) as codex:
        thread = await codex.thread_start()
        with pytest.raises(DecodeError, match="longer than max_line_bytes"):
            await thread.turn("Hi")
        # No reply has named it, so it is the turn that the runtime announces next.
        server.notify("turn/started", {"threadId": thread.id, "turn": {"id": "turn-0"}})
        stop, *_ = await server.received("turn/interrupt")
    assert stop.params == {"threadId": thread.id, "turnId": "turn-0"}


@pytest.mark.parametrize("piece", [None, 4096])
async def test_the_time_that_a_reply_takes_is_linear_in_its_size(server: FakeAppServer, piece: int | None) -> None:
    async with AsyncCodex(server.config()) as codex:

        async def reading(size: int) -> float:
            """Fetch so much; return the seconds that the reader has worked for it."""
            server.on("model/list", lambda request: request.reply({"data": [], "nextCursor": "y" * size}, piece=piece))
            before = reader_seconds(codex)
            models = await codex.request(ModelListParams(), timeout=PATIENCE)
            assert models.next_cursor == "y" * size
            return reader_seconds(codex) - before

        small = min([await reading(16 * MEGABYTE) for _ in range(2)])
        large = min([await reading(64 * MEGABYTE) for _ in range(2)])
    assert large < 10 * small, "four times as much, and sixteen times if each piece were joined to those before"


def reader_seconds(codex: AsyncCodex) -> float:
    """How long the reader thread has been on a processor."""
    [reader] = [thread for thread in threading.enumerate() if thread.name == f"codex-reader-{actor_of(codex).pid}"]
    return time.clock_gettime(time.pthread_getcpuclockid(reader.ident or 0))


async def test_a_notification_of_64_megabytes_is_delivered(server: FakeAppServer) -> None:
    async with AsyncCodex(server.config()) as codex:
        turn = await (await codex.thread_start()).turn("Hi")
        where = {"threadId": turn.thread_id, "turnId": turn.id, "itemId": "i"}
        server.child.notify("item/agentMessage/delta", {**where, "delta": "y" * 64 * MEGABYTE}, piece=4096)
        server.turn.complete()
        text = [piece async for piece in turn.text(timeout=PATIENCE)]
    assert list(map(len, text)) == [64 * MEGABYTE]


# --- frames that do not fit their type


async def test_an_invalid_result_is_an_error_of_its_caller_alone(server: FakeAppServer) -> None:
    def begin_and_end(request: FakeRequest) -> None:
        request.proceed()
        server.turn.complete()

    odd = {"data": "no list", "nextCursor": None}
    server.on("model/list", lambda request: odd if request.params["cursor"] == "odd" else NO_MODELS)
    async with AsyncCodex(server.config()) as codex:
        server.on("turn/start", begin_and_end)
        fine, alone = (partial(codex.request, ModelListParams(cursor=cursor)) for cursor in ("fine", "odd"))
        run = partial((await codex.thread_start()).run, "Hi")
        before, error, after, result = await outcomes([fine, alone, fine, run])
        assert codex.health().alive
    assert isinstance(error, DecodeError)
    assert (error.type_name, error.raw) == ("ModelListResponse", odd)
    assert before == after == ModelListResponse(data=[], next_cursor=None)
    assert result.status == TurnStatus.completed


async def test_a_turn_whose_acceptance_does_not_fit_is_interrupted(server: FakeAppServer) -> None:
    odd = {"turn": {"id": "turn-0", "status": 5}}
    server.on("turn/start", odd, times=1)
    async with AsyncCodex(server.config()) as codex:
        thread = await codex.thread_start()
        with pytest.raises(DecodeError) as caught:
            await thread.turn("Hi")
        stop, *_ = await server.received("turn/interrupt")
        assert (await thread.turn("Hi again")).id == "turn-1"
    assert caught.value.raw == odd
    assert stop.params == {"threadId": thread.id, "turnId": ""}


async def test_a_notification_that_does_not_fit_is_kept_as_it_came(
    server: FakeAppServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with AsyncCodex(server.config()) as codex:
        turn = await (await codex.thread_start()).turn("Hi")
        for diff in (5, "+x"):
            server.turn.notify("turn/diff/updated", diff=diff)
        server.turn.complete()
        payloads = [event.payload async for event in turn.stream(timeout=PATIENCE)]
    _, odd, fine, _ = payloads
    assert odd == UnknownNotification("turn/diff/updated", {"threadId": turn.thread_id, "turnId": turn.id, "diff": 5})
    assert isinstance(fine, TurnDiffUpdatedNotification)
    assert [vars(record)["codex"]["event"] for record in caplog.records] == ["codex.payload_misfit"]


async def test_an_end_of_a_turn_that_does_not_fit_ends_its_stream_and_fails_its_run(server: FakeAppServer) -> None:
    async with AsyncCodex(server.config()) as codex:
        turn = await (await codex.thread_start()).turn("Hi")
        server.turn.message("all of it")
        server.turn.notify("turn/completed", turn={"id": turn.id, "items": [], "status": 5})
        methods = [event.method async for event in turn.stream(timeout=PATIENCE)]
        for _ in range(2):
            with pytest.raises(DecodeError, match="status"):
                await turn.run(timeout=PATIENCE)
    assert methods == ["turn/started", "item/completed", "turn/completed"]
