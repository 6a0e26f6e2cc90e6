"""Anything at all between valid replies, through a real pipe: every request is answered, the client's and the runtime's."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import partial
from typing import Any

import orjson
import pytest

from openai_codex import AsyncCodex
from openai_codex._protocol.methods import NOTIFICATIONS, SERVER_REQUESTS
from openai_codex.testing import FakeAppServer, FakeAsk, FakeRequest
from openai_codex.types import ModelListParams
from tests.faces_async._wait import together
from tests.support.bounds import PATIENCE

pytestmark = pytest.mark.slow

CALLERS = 8
ROUNDS = 12

NAMES = ("threadId", "turnId", "itemId", "callId", "loginId", "requestId", "delta", "item", "turn", "message", "x")
NOTIFIED = [*NOTIFICATIONS, "brand/new", ""]
ASKED = [*SERVER_REQUESTS, "brand/new"]
# No request of the client has one of these, and no request of the runtime that is counted here.
STRAY_IDS: list[Any] = [0, -1, 1 << 40, "1", "", None, True, False, 1.0, [1], {"id": 1}]


class Noise:
    """What a runtime gone mad may write; the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self._kinds = (self._bytes, self._half_a_frame, self._value, self._reply, self._refusal, self._event, self._ask)

    def line(self) -> bytes:
        """One line, which may be a frame."""
        return self.chance.choice(self._kinds)() + b"\n"

    def params(self) -> dict[str, Any]:
        """Some members that payloads have, of any type; texts among them may name the thread and the turn of the test."""
        names = self.chance.sample(NAMES, self.chance.randrange(len(NAMES)))
        return {name: self.chance.choice((self.json, lambda: self.json(3)))() for name in names}

    def json(self, depth: int = 1) -> Any:
        """Any JSON value."""
        plain = (None, True, -7, 1 << 60, 0.5, "", "ü\u2028", "thread-1", "turn-1", "item")
        kind = self.chance.randrange(4) if depth else 0
        if kind == 1:
            return [self.json(depth - 1) for _ in range(3)]
        if kind == 2:
            return {name: self.json(depth - 1) for name in self.chance.sample(("id", "status", "items", "a"), 2)}
        return self.chance.choice(plain)

    def _bytes(self) -> bytes:
        return self.chance.randbytes(self.chance.randrange(100)).replace(b"\n", b"")

    def _half_a_frame(self) -> bytes:
        event = self._event()
        return event[: self.chance.randrange(len(event))]

    def _value(self) -> bytes:
        return orjson.dumps(self.json(3))

    def _reply(self) -> bytes:
        return orjson.dumps({"id": self.chance.choice(STRAY_IDS), "result": self.json()})

    def _refusal(self) -> bytes:
        return orjson.dumps({"id": self.chance.choice(STRAY_IDS), "error": self.json()})

    def _event(self) -> bytes:
        return orjson.dumps({"method": self.chance.choice(NOTIFIED), "params": self._any_params(), "emittedAtMs": None})

    def _ask(self) -> bytes:
        frame = {"method": self.chance.choice(ASKED), "params": self._any_params()}
        return orjson.dumps({**frame, "id": self.chance.choice([-1, -2, "a", None, 0.5, {}])})

    def _any_params(self) -> Any:
        return self.chance.choice((self.params, self.params, self.json))()


@pytest.fixture
def server() -> Iterator[FakeAppServer]:
    with FakeAppServer() as server:
        yield server


@pytest.mark.parametrize("seed", range(4))
async def test_every_request_is_answered_whatever_comes_in_between(server: FakeAppServer, seed: int) -> None:
    noise = Noise(seed)
    asked: list[FakeAsk] = []

    def answer(request: FakeRequest) -> None:
        for _ in range(noise.chance.randrange(30)):
            request.child.write(noise.line(), piece=noise.chance.choice((None, 3)))
        # Of no thread, so that no end of a turn in the noise takes it back.
        params = {**noise.params(), "threadId": noise.chance.choice((None, 5, {}, ["thread-1"]))}
        asked.append(request.child.ask(noise.chance.choice(ASKED), params))
        request.reply({"data": [], "nextCursor": request.params["cursor"]}, piece=noise.chance.choice((None, 7)))

    server.on("model/list", answer)
    async with AsyncCodex(server.config(), on_approval=lambda _: True, on_user_input=lambda _: None) as codex:
        everything = codex.events(limit=50, timeout=PATIENCE)
        thread = await codex.thread_start()
        turn = await thread.turn("Hi")

        async def call(name: str) -> list[str | None]:
            names = [f"{name}{number}" for number in range(ROUNDS)]
            return [(await codex.request(ModelListParams(cursor=name), timeout=PATIENCE)).next_cursor for name in names]

        names = [f"{name}-" for name in range(CALLERS)]
        told = await together([partial(call, name) for name in names])
        answers = [await ask.answered(PATIENCE) for ask in asked]
        server.child.notify("noise/over")
        async for event in everything:
            assert event.payload is not None
            if event.method == "noise/over":
                break
        server.turn.complete()
        events = [event.payload async for event in turn.stream(timeout=PATIENCE)]
        health = codex.health()
    assert told == [[f"{name}{n}" for n in range(ROUNDS)] for name in names]
    assert len(answers) == CALLERS * ROUNDS
    assert all(("result" in each) != ("error" in each) for each in answers)
    assert None not in events
    assert (health.requests_in_flight, health.alive) == (0, True)
    assert min(health.skipped, health.late) > 0
