"""The span of a turn ends exactly once, whatever ends the turn and whoever reads it or does not."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from openai_codex import AppServerConfig, AsyncCodex, CodexError, TransportClosedError
from openai_codex.testing import FakeAppServer, QuietHome, ScriptedModel, call, hang, reply
from openai_codex.testing import frames as kit
from openai_codex.types import UncommittedChangesReviewTarget
from tests.faces_async.test_turn_ends import BY, BY_THE_CLIENT, READERS, all_read
from tests.support.bounds import PATIENCE
from tests.support.inside import actor_of
from tests.support.tracing import Recorder, attributes, recorded

ERRORS: dict[str, set[str | None]] = {
    "completed": {None},
    "failed": {"other", "failed"},
    "interrupted": {"interrupted"},
    "undecodable": {"lost", "DecodeError"},
    "killed": {"lost"},
    "closed": {"closed"},
}
BY_CLIENT: dict[str, set[str | None]] = {
    "timed out": {"TurnTimeoutError"},
    "stalled": {"TurnStalledError"},
    "interrupted": {"interrupted"},
    "left by an exception": {"interrupted", "LeavingError"},
    "left at the end": {None},
    "left with its end unread": {None},
    "undecodable": {None},
}


@pytest.fixture
def server() -> Iterator[FakeAppServer]:
    with FakeAppServer() as server:
        server.on("model/list", {"data": [], "nextCursor": None})
        yield server


@pytest.fixture
def spans() -> Iterator[Recorder]:
    with recorded() as recorder:
        yield recorder


def errors(spans: Recorder) -> list[str | None]:
    spans.check()
    return [attributes(each).get("error.type") for each in spans.turns()]


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.__name__)
@pytest.mark.parametrize("by", BY)
async def test_a_span_has_one_end_whoever_reads_the_turn(
    server: FakeAppServer, by: str, reader: Callable[..., Any], spans: Recorder
) -> None:
    async with AsyncCodex(server.config(otel=True)) as codex:
        turn = await (await codex.thread_start()).turn("go")
        await reader(turn, partial(BY[by][0], codex, server))
    (error,) = errors(spans)
    assert error in ERRORS[by]


@pytest.mark.parametrize("by", BY)
async def test_a_span_has_one_end_if_the_handle_is_dropped(server: FakeAppServer, by: str, spans: Recorder) -> None:
    async with AsyncCodex(server.config(otel=True)) as codex:
        turn = await (await codex.thread_start()).turn("go")
        del turn
        gc.collect()
        await BY[by][0](codex, server)
    (error,) = errors(spans)
    assert error in ERRORS[by]


@pytest.mark.parametrize("by", ["completed", "failed", "killed"])
async def test_a_span_has_one_end_if_that_comes_with_the_reply(server: FakeAppServer, by: str, spans: Recorder) -> None:
    def start(request: Any) -> None:
        request.proceed()
        turn = server.turn
        {"completed": turn.complete, "failed": partial(turn.fail, "no"), "killed": request.child.kill}[by]()

    server.on("turn/start", start)
    async with AsyncCodex(server.config(otel=True)) as codex:
        thread = await codex.thread_start()
        with suppress(TransportClosedError):  # the reply may be lost, too
            await thread.turn("go")
            await all_read(codex)
    (error,) = errors(spans)
    assert error in ERRORS[by] | {"TransportClosedError"}


@pytest.mark.parametrize("how", BY_THE_CLIENT)
async def test_a_turn_that_the_client_ends_has_a_span_with_one_end(
    server: FakeAppServer, how: str, spans: Recorder
) -> None:
    async with AsyncCodex(server.config(otel=True)) as codex:
        await BY_THE_CLIENT[how][0](await codex.thread_start(), server)
    (error,) = errors(spans)
    assert error in BY_CLIENT[how]


async def test_a_request_without_a_reply_has_a_span_with_one_end(server: FakeAppServer, spans: Recorder) -> None:
    server.on("turn/start", lambda _request: None)
    async with AsyncCodex(server.config(otel=True)) as codex:
        thread = await codex.thread_start()
        with pytest.raises(CodexError) as caught:
            await thread.turn("go", timeout=0.2)
    assert errors(spans) == [type(caught.value).__name__]


async def test_an_input_that_joins_a_turn_has_no_span(server: FakeAppServer, spans: Recorder) -> None:
    async with AsyncCodex(server.config(otel=True)) as codex:
        thread = await codex.thread_start()
        handles = [await thread.turn("go"), await thread.turn("and this")]
        server.turn.complete()
        for handle in handles:
            await handle.run(timeout=PATIENCE)
    assert errors(spans) == [None]


async def test_a_review_is_one_span(server: FakeAppServer, spans: Recorder) -> None:
    def start(request: Any) -> None:
        turn = request.child.turn(request.params["threadId"], "review")
        request.reply({"turn": kit.turn("review"), "reviewThreadId": request.params["threadId"]})
        turn.started()
        turn.complete()

    server.on("review/start", start)
    async with AsyncCodex(server.config(otel=True)) as codex:
        thread = await codex.thread_start()
        turn = await codex.review(thread.id, UncommittedChangesReviewTarget())
        await turn.run(timeout=PATIENCE)
    assert errors(spans) == [None]


async def test_a_tool_that_is_under_way_ends_with_its_turn(
    codex_home: QuietHome, scripted_model: ScriptedModel, spans: Recorder
) -> None:
    scripted_model.queue(reply(call("exec_command", {"cmd": "sleep 600", "yield_time_ms": 30_000})))
    async with AsyncCodex(codex_home.config(otel=True)) as codex:
        thread = await codex.thread_start(approval_policy="never", sandbox="full-access")
        turn = await thread.turn("go")
        async with turn.stream(timeout=PATIENCE) as stream:
            async for event in stream:
                if event.method == "item/started" and event.params["item"]["type"] == "commandExecution":
                    break
        await turn.interrupt(timeout=PATIENCE)
    assert errors(spans) == ["interrupted"]
    (command,) = spans.below(spans.turn(), 1)
    assert attributes(command)["error.type"] in {"interrupted", "failed"}


async def test_the_next_runtime_is_another_generation(
    codex_home: QuietHome, scripted_model: ScriptedModel, spans: Recorder
) -> None:
    scripted_model.queue(hang())
    config: AppServerConfig = codex_home.config(otel=True, restart=True)
    async with AsyncCodex(config) as codex:
        thread = await codex.thread_start(ephemeral=False)
        turn = await thread.turn("go")
        await scripted_model.received(1, PATIENCE)
        actor_of(codex).transport.kill()
        with pytest.raises(TransportClosedError):
            await turn.run(timeout=PATIENCE)
        await (await codex.thread_start()).run("go", timeout=PATIENCE)
    spans.check()
    found = [attributes(each) for each in spans.turns()]
    assert {each["codex.generation"]: each.get("error.type") for each in found} == {1: "lost", 2: None}
    assert len(found) == 2


async def test_a_client_that_is_dropped_ends_its_spans(server: FakeAppServer, spans: Recorder) -> None:
    codex = AsyncCodex(server.config(otel=True))
    turn = await (await codex.thread_start()).turn("go")
    del turn, codex
    gc.collect()
    spans.check()
    assert [attributes(each)["error.type"] for each in spans.turns()] == ["lost"]
