# Derived from tests/faces_async/test_stream_close.py by `python -m tools.unasync`; do not edit.
"""Iterators that are closed while a step waits: the step ends like the end of the iteration, and nothing is lost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from functools import partial
from typing import Any

import pytest

from openai_codex import AppServerConfig, Codex, TurnHandle
from openai_codex._engine.waiting import Deadline, Latch
from openai_codex._sync.client._wait import ready
from openai_codex.testing import FakeAppServer, ScriptedModel
from tests.faces_sync._wait import together
from tests.support.bounds import PATIENCE
from tests.support.inside import actor_of

STREAMS: list[Callable[[TurnHandle], Any]] = [TurnHandle.stream, TurnHandle.text, TurnHandle.items]


@pytest.fixture
def server() -> Iterator[FakeAppServer]:
    with FakeAppServer() as server:
        yield server


def begin(codex: Codex) -> TurnHandle:
    return (codex.thread_start()).turn("go")


def waiting(codex: Codex, count: int = 1) -> None:
    """Return when so many callers wait."""
    deadline = Deadline(PATIENCE)
    while actor_of(codex).load().waiters < count:
        assert not deadline.passed()
        ready(Latch(), 0.005)


def read(iteration: Any) -> list[Any]:
    return [each for each in iteration]


def close(codex: Codex, iteration: Any, count: int = 1) -> None:
    waiting(codex, count)
    iteration.close()
    iteration.close()


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("timeout", [None, PATIENCE])
def test_a_step_that_waits_ends_when_its_stream_is_closed(
    server: FakeAppServer, stream: Any, timeout: float | None
) -> None:
    with Codex(server.config()) as codex:
        turn = begin(codex)
        events = stream(turn, timeout=timeout)
        together([partial(read, events), partial(close, codex, events)])
        assert read(events) == []
        server.turn.message("the answer")
        server.turn.complete()
        assert (turn.run(timeout=PATIENCE)).final_response == "the answer"
        assert server.request_count("turn/interrupt") == 0


def test_all_steps_of_a_shared_stream_end(server: FakeAppServer) -> None:
    with Codex(server.config()) as codex:
        events = (begin(codex)).text()
        readers = [partial(read, events)] * 3
        assert (together([*readers, partial(close, codex, events, 3)]))[:3] == [[], [], []]


def test_other_consumers_of_the_turn_wait_on(server: FakeAppServer) -> None:
    with Codex(server.config()) as codex:
        turn = begin(codex)
        closed, other = turn.text(), turn.text()

        def close_and_speak() -> None:
            close(codex, closed, 3)
            server.turn.delta("word")
            server.turn.message("word")
            server.turn.complete()

        steps: list[Callable[[], Awaitable[Any]]] = [
            partial(read, closed),
            partial(read, other),
            partial(turn.run, timeout=PATIENCE),
            close_and_speak,
        ]
        ended, words, result, _ = together(steps)
        assert ended == []
        assert "".join(words) in {"word", ""}  # `run` shares the position of the streams
        assert result.final_response == "word"


def test_events_end_when_they_are_closed(server: FakeAppServer) -> None:
    with Codex(server.config()) as codex:
        events = codex.events()
        together([partial(read, events), partial(close, codex, events)])
        assert read(events) == []


def test_a_listing_ends_when_it_is_closed(server: FakeAppServer) -> None:
    with Codex(server.config()) as codex:
        pages = codex.threads()
        pages.close()
        assert read(pages) == []
        assert server.request_count("thread/list") == 0


def test_contextlib_closes_every_iteration_and_the_client(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    with closing(Codex(codex_config)) as codex:
        thread = codex.thread_start()
        for iterate in STREAMS:
            with closing(iterate(thread.turn("go"))) as entries:
                assert read(entries)
        for iteration in (codex.events(), codex.threads(), thread.turns(), thread.items()):
            with closing(iteration) as entries:
                pass
            assert read(entries) == []
    assert actor_of(codex).exited.is_ready()
