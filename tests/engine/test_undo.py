"""Undo requests are repeated until nothing is left to be stopped, and each of them ends once, whatever ends it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from openai_codex._engine import undo
from openai_codex._engine.undo import Undo, Undos


class Thing:
    """Something that is to be stopped."""

    thread_id = "T"

    def __init__(self) -> None:
        self.over = False
        self.request: bytes | None = b"stop"
        self.raises = 0
        self.ends = 0

    def is_over(self) -> bool:
        if self.raises:
            self.raises -= 1
            raise ZeroDivisionError
        return self.over

    def line(self) -> bytes | None:
        return self.request

    def end(self) -> None:
        self.ends += 1
        raise ZeroDivisionError  # of this one, which must not matter


class Clock:
    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(undo, "time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


@pytest.fixture
def posted() -> list[Callable[[], None]]:
    return []


@pytest.fixture
def undos(posted: list[Callable[[], None]]) -> Undos:
    return Undos(posted.append)


@pytest.fixture
def thing(clock: Clock) -> Thing:
    return Thing()


def begin(undos: Undos, thing: Thing) -> Undo:
    begun = Undo(thing)
    undos.add(begun)
    return begun


def due(undos: Undos) -> list[bytes]:
    return list(undos.due())


def state(undo: Undo, thing: Thing) -> tuple[bool, int]:
    return undo.done.is_ready(), thing.ends


def test_without_anything_to_stop_there_is_nothing_to_wait_for(undos: Undos) -> None:
    assert undos.wait_time() is None
    assert due(undos) == []


def test_it_is_sent_at_once_then_ever_less_often(undos: Undos, thing: Thing, clock: Clock) -> None:
    begin(undos, thing)
    assert undos.wait_time() == 0
    waits = []
    for _ in range(8):
        assert due(undos) == [b"stop"]
        assert due(undos) == []
        wait = undos.wait_time()
        assert wait is not None
        waits.append(round(wait, 3))
        clock.now += wait + 0.001
    assert waits == [0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 1.0]


def test_it_ends_when_nothing_is_left_to_be_stopped(undos: Undos, thing: Thing, clock: Clock) -> None:
    begun = begin(undos, thing)
    assert due(undos) == [b"stop"]
    assert state(begun, thing) == (False, 0)
    thing.over = True
    clock.now += 0.1
    assert due(undos) == []
    assert state(begun, thing) == (True, 1)
    assert undos.wait_time() is None
    undos.end()
    assert state(begun, thing) == (True, 1)


def test_a_request_that_cannot_be_sent_at_present_is_asked_for_again(undos: Undos, thing: Thing, clock: Clock) -> None:
    begun = begin(undos, thing)
    thing.request = None
    assert due(undos) == []
    thing.request = b"stop"
    clock.now += 0.1
    assert due(undos) == [b"stop"]
    assert state(begun, thing) == (False, 0)


def test_one_that_fails_is_tried_again_and_holds_up_no_other(undos: Undos, thing: Thing, clock: Clock) -> None:
    thing.raises = 1
    other = Thing()
    begun, _ = begin(undos, thing), begin(undos, other)
    assert due(undos) == [b"stop"]
    clock.now += 0.06
    assert due(undos) == [b"stop", b"stop"]
    assert state(begun, thing) == (False, 0)


@pytest.mark.parametrize("added", ["new", "active"])
def test_the_end_of_the_connection_ends_all_of_them_once(undos: Undos, thing: Thing, added: str) -> None:
    other = Thing()
    begun = [begin(undos, thing), begin(undos, other)]
    if added == "active":
        due(undos)
    undos.end()
    undos.end()
    assert [state(*each) for each in zip(begun, (thing, other), strict=True)] == [(True, 1), (True, 1)]


@pytest.mark.parametrize("request_", [b"stop", None])
@pytest.mark.parametrize("raises", [0, 10**6])
def test_after_ten_minutes_it_is_given_up_with_a_warning(
    undos: Undos,
    thing: Thing,
    clock: Clock,
    posted: list[Callable[[], None]],
    caplog: pytest.LogCaptureFixture,
    *,
    request_: bytes | None,
    raises: int,
) -> None:
    thing.request, thing.raises = request_, raises
    begun = begin(undos, thing)
    due(undos)
    clock.now += 599
    due(undos)
    assert state(begun, thing) == (False, 0)
    clock.now += 2
    assert due(undos) == []
    assert state(begun, thing) == (True, 1)
    assert caplog.records == [], "the writer thread itself logs nothing"
    for log in posted:
        log()
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [
        (logging.WARNING, "codex.stop_given_up thread_id=T")
    ]
    clock.now += 600
    assert due(undos) == []
    assert len(posted) == 1


def test_what_is_over_at_that_moment_is_not_given_up(
    undos: Undos, thing: Thing, clock: Clock, posted: list[Callable[[], None]]
) -> None:
    begun = begin(undos, thing)
    due(undos)
    thing.over = True
    clock.now += 1_000
    assert due(undos) == []
    assert (state(begun, thing), posted) == ((True, 1), [])
