"""More events than the consumer reads: memory is bounded, text is merged and never lost, and losses are counted and logged."""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from openai_codex import AsyncCodex, AsyncThread, TransportClosedError
from openai_codex._engine.backlog import BOUND, LONG
from openai_codex.testing import FakeAppServer
from openai_codex.types import AgentMessageDeltaNotification, ModelListParams
from tests.support.bounds import PATIENCE

pytestmark = pytest.mark.slow

NO_MODELS: dict[str, object] = {"data": [], "nextCursor": None}
MANY = 200_000
ROUNDS = 20
MEGABYTE = 1 << 20

# What so many notifications may add to the memory of this process. To keep them all takes 80 to 140 megabytes; a turn's
# text and a thousand or two of its events, or the ten thousand of a subscription, take about ten.
BOUNDED = 40 * MEGABYTE


class Memory:
    """How much more of the machine's memory this process has than at the beginning, in bytes."""

    def __init__(self) -> None:
        gc.collect()
        self._before = _resident()
        self.most = 0

    def look(self) -> None:
        """Remember the most that there was."""
        self.most = max(self.most, _resident() - self._before)


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture
def server() -> Iterator[FakeAppServer]:
    with FakeAppServer() as server:
        server.on("model/list", NO_MODELS)
        yield server


def told(caplog: pytest.LogCaptureFixture, event: str) -> dict[str, object]:
    """The keys of the one log line of that name."""
    logged = [vars(record)["codex"] for record in caplog.records if record.name.startswith("openai_codex")]
    [fields] = [fields for fields in logged if fields["event"] == event]
    return cast("dict[str, object]", fields)


async def all_read(codex: AsyncCodex) -> None:
    """Return when the client has read all that was said until now."""
    await codex.request(ModelListParams(), timeout=PATIENCE)


async def test_events_without_a_subscription_are_not_kept(server: FakeAppServer) -> None:
    async with AsyncCodex(server.config()) as codex:
        await all_read(codex)
        memory = Memory()
        for _ in range(ROUNDS):
            server.notify("warning", {"message": "x" * 100}, times=MANY // ROUNDS)
            await all_read(codex)
            memory.look()
        health = codex.health()
    assert memory.most < BOUNDED
    assert (health.unread, health.merged, health.dropped) == (0, 0, 0)


async def test_a_handle_that_is_never_streamed_costs_its_text(
    server: FakeAppServer, caplog: pytest.LogCaptureFixture
) -> None:
    words = [f"{number} " * 10 for number in range(ROUNDS)]
    with caplog.at_level(logging.INFO, "openai_codex.turn"):
        async with AsyncCodex(server.config()) as codex:
            turn = await (await codex.thread_start()).turn("Hi")
            memory = Memory()
            for word in words:
                server.turn.delta(word, times=MANY // ROUNDS)
                await all_read(codex)
                memory.look()
                assert codex.health().unread <= 2 * BOUND
            server.turn.complete()
            events = [event async for event in turn.stream(timeout=PATIENCE)]
            merged = codex.health().merged
    deltas = [each.payload for each in events if isinstance(each.payload, AgentMessageDeltaNotification)]
    assert memory.most < BOUNDED
    assert "".join(each.delta for each in deltas) == "".join(word * (MANY // ROUNDS) for word in words)
    assert max(len(each.delta) for each in deltas) < 2 * LONG, "of a text without end no piece is copied for ever"
    assert merged == MANY - len(deltas) > 0
    assert told(caplog, "codex.turn_completed")["deltas_merged"] == merged


async def test_a_handle_that_is_dropped_costs_nothing(server: FakeAppServer) -> None:
    async with AsyncCodex(server.config()) as codex:
        turn = await (await codex.thread_start()).turn("Hi")
        server.turn.delta("word ", times=1_000)
        await all_read(codex)
        assert codex.health().unread > 0
        del turn
        gc.collect()
        server.turn.delta("word ", times=1_000)
        await all_read(codex)
        assert codex.health().unread == 0


async def test_a_consumer_a_thousand_times_slower_than_the_model_gets_all_of_its_text(server: FakeAppServer) -> None:
    steps = MANY // 1_000
    async with AsyncCodex(server.config()) as codex:
        turn = await (await codex.thread_start()).turn("Hi")
        memory = Memory()
        text = turn.text(timeout=PATIENCE)
        pieces = []
        for number in range(steps):
            server.turn.delta(f"{number} ", times=1_000)
            await all_read(codex)
            pieces.append(await text.__anext__())
            memory.look()
        server.turn.message()
        server.turn.complete()
        pieces += [piece async for piece in text]
        result = await turn.run(timeout=PATIENCE)
        health = codex.health()
    assert memory.most < BOUNDED
    assert "".join(pieces) == result.final_response == "".join(f"{number} " * 1_000 for number in range(steps))
    assert health.merged == MANY - len(pieces)


async def test_unread_events_are_dropped_for_newer_ones(
    server: FakeAppServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with AsyncCodex(server.config()) as codex:
        events = codex.events(timeout=PATIENCE)
        memory = Memory()
        for number in range(ROUNDS):
            server.notify("warning", {"message": str(number), "path": "x" * 100}, times=MANY // ROUNDS)
            await all_read(codex)
            memory.look()
            assert codex.health().unread <= 10_000
        kept = codex.health().unread
        read = [await events.__anext__() for _ in range(kept)]
        health = codex.health()
    assert memory.most < BOUNDED
    assert {event.params["message"] for event in read} == {str(ROUNDS - 1)}
    assert events.dropped == health.dropped == MANY - kept > 0
    assert told(caplog, "codex.events_dropped")["count"] == MANY - kept


async def test_internal_listeners_count_no_losses(server: FakeAppServer) -> None:
    async with AsyncCodex(server.config()) as codex:
        thread = await codex.thread_start()
        item = {"type": "plan", "id": "p", "text": ""}
        started = {"threadId": thread.id, "turnId": "U", "item": item, "startedAtMs": 1}
        server.notify("item/started", started, times=1_000)
        server.notify("account/rateLimits/updated", {"rateLimits": {}}, times=1_000)
        await all_read(codex)
        health = codex.health()
    assert (health.mailboxes, health.unread, health.dropped) == (0, 0, 0)


async def test_an_end_is_never_shed(server: FakeAppServer) -> None:
    async with AsyncCodex(server.config()) as codex:
        threads: list[AsyncThread] = [await codex.thread_start() for _ in range(20)]
        turns = []
        for thread in threads:
            turns.append(await thread.turn("Hi"))
            server.turn.delta("word ", times=MANY // 20)
            server.turn.message()
            server.turn.complete()
        results = [await turn.run(timeout=PATIENCE) for turn in turns]
    assert [result.final_response for result in results] == ["word " * (MANY // 20)] * 20


@pytest.mark.parametrize("line", [b"z" * 99 + b"\n", b"z" * 100], ids=["lines", "one line"])
async def test_stderr_without_end_is_drained_and_its_tail_bounded(server: FakeAppServer, line: bytes) -> None:
    async with AsyncCodex(server.config()) as codex:
        await all_read(codex)
        memory = Memory()
        for _ in range(10):
            server.child.write_stderr(line, times=100_000)
            await all_read(codex)
            memory.look()
        server.child.write_stderr(b"\nlast words\n")
        server.child.exit(7)
        with pytest.raises(TransportClosedError) as caught:
            await all_read(codex)
    tail = caught.value.process.stderr_tail
    assert memory.most < BOUNDED
    assert tail[-1] == "last words"
    assert len(tail) <= 50
    assert set(map(len, tail[:-1])) <= {0, 99, 2_000}
