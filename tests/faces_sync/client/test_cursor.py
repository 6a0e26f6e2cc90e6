# Derived from tests/faces_async/client/test_cursor.py by `python -m tools.unasync`; do not edit.
"""Streams of one handle that share its position in the turn, and a consumer that is interrupted while it takes events."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from openai_codex import Codex, TurnHandle
from openai_codex._sync.client.cursor import Cursor
from openai_codex.testing import FakeAppServer
from openai_codex.types import ModelListParams
from tests.faces_sync._wait import together
from tests.support.bounds import PATIENCE, within

ROUNDS = 20


@pytest.fixture
def server() -> Iterator[FakeAppServer]:
    with FakeAppServer() as server:
        server.on("model/list", {"data": [], "nextCursor": None})
        yield server


def all_read(codex: Codex) -> None:
    """Return when the client has read all that was said until now."""
    codex.request(ModelListParams(), timeout=PATIENCE)


def test_a_stream_that_is_closed_while_its_step_begins_to_wait_does_not_wait(
    server: FakeAppServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Codex(server.config()) as codex:
        turn = (codex.thread_start()).turn("go")
        server.turn.started()
        all_read(codex)
        stream = turn.text(timeout=PATIENCE)

        def close_at_this_look() -> bool:  # as another thread does that finds no waiter to wake
            monkeypatch.setattr(stream, "_closed", True)
            return True

        monkeypatch.setattr(stream, "_is_closed", close_at_this_look)
        with within(PATIENCE / 2):
            assert [piece for piece in stream] == []


def test_two_streams_of_one_handle_share_its_events_and_lose_none(server: FakeAppServer) -> None:
    read: list[str] = []

    def consume(codex: Codex, turn: TurnHandle) -> None:
        for event in turn.stream(timeout=PATIENCE):
            read.append(event.method)
            all_read(codex)  # the other one has its turn

    def tell(codex: Codex) -> None:
        for _ in range(ROUNDS):
            server.turn.delta("word ", times=5)
            all_read(codex)
        server.turn.complete()

    with Codex(server.config()) as codex:
        turn = (codex.thread_start()).turn("Hi")
        together([partial(consume, codex, turn), partial(consume, codex, turn), partial(tell, codex)])
    assert read.count("item/agentMessage/delta") == 5 * ROUNDS
    assert read.count("turn/completed") == 1


def test_a_consumer_that_is_interrupted_while_it_takes_events_loses_none(
    server: FakeAppServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Codex(server.config()) as codex:
        turn = (codex.thread_start()).turn("Hi")
        server.turn.delta("word ", times=3)
        server.turn.complete()
        all_read(codex)
        stream = turn.stream(timeout=PATIENCE)
        with monkeypatch.context() as patch:
            patch.setattr(Cursor, "_log_completed", interrupt)
            with pytest.raises(KeyboardInterrupt):
                stream.__next__()
        methods = [event.method for event in stream]
    assert methods[-1] == "turn/completed"
    assert methods.count("item/agentMessage/delta") == 3


def interrupt(*_: object) -> None:
    """What Ctrl-C does, at a moment of our choice."""
    raise KeyboardInterrupt
