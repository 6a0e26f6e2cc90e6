"""Threads on which no turn is to run, with a halt at each instant of a turn's start."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import pytest

from openai_codex._turns.halts import Halts
from openai_codex._turns.work import SHELL, Work
from tests.support.work import T, Table, accepted, turn


class Stop:
    """What stops a turn. It counts how often it was asked."""

    def __init__(self) -> None:
        self.count = 0

    def request(self) -> bool:
        self.count += 1
        return True


class Holder:
    """Who halts a thread."""


def note(table: Table, work: Work) -> None:
    table.accept(work, accepted("a"))
    table.halts.on_start(work)


@pytest.mark.parametrize("instant", range(4))
def test_a_turn_is_stopped_whatever_instant_of_its_start_its_thread_is_halted_at(instant: int) -> None:
    table, stop, holder = Table(), Stop(), Holder()
    works: list[Any] = []
    steps: list[Callable[[], object]] = [
        lambda: works.append(table.send(turn())),
        lambda: setattr(works[0], "stop", weakref.ref(stop)),
        lambda: note(table, works[0]),
    ]
    steps.insert(instant, lambda: table.halts.halt(T, holder))
    for step in steps:
        step()
    assert stop.count >= 1


def test_a_turn_that_starts_while_a_halt_looks_at_the_turns_is_stopped() -> None:
    stop, holder = Stop(), Holder()
    work = Work("T", stop=weakref.ref(stop))

    def look(_thread_id: str) -> list[Work]:
        if looks.pop():
            halts.on_start(work)  # right before this look, which does not find it yet
            return []
        return [work]

    looks, halts = [False, True], Halts(look)
    halts.halt("T", holder)
    assert stop.count == 1


def test_the_halts_of_holders_that_are_gone_are_dropped() -> None:
    halts = Halts(lambda _: [])
    for _ in range(100):
        halts.halt("T", Holder())
    assert len(halts._halted) <= 2  # noqa: SLF001  they must not grow


def test_after_its_release_and_on_other_threads_nothing_is_stopped() -> None:
    stop, holder = Stop(), Holder()
    work, other = Work("T", stop=weakref.ref(stop)), Work("U", stop=weakref.ref(stop))
    works = [other]
    halts = Halts(lambda thread_id: [each for each in works if each.thread_id == thread_id])
    for _ in range(2):
        halts.halt("T", holder)
    halts.on_start(other)
    halts.release("T", holder)
    halts.release("T", holder)
    works.append(work)
    halts.on_start(work)
    assert stop.count == 0


def test_a_thread_is_halted_until_its_last_holder_has_released_it_or_is_gone() -> None:
    stop, first, second = Stop(), Holder(), Holder()
    work = Work("T", stop=weakref.ref(stop))
    works: list[Work] = []
    halts = Halts(lambda _: works)
    for holder in (first, second):
        halts.halt("T", holder)
    works.append(work)
    halts.release("T", first)
    halts.on_start(work)
    assert stop.count == 1
    del second, holder  # a signal handler has raised before it could release the thread
    halts.on_start(work)
    assert stop.count == 1


def test_it_is_quiet_when_no_turn_that_is_held_runs_or_is_about_to_start() -> None:
    stop = Stop()
    held: Any = weakref.ref(stop)
    works: list[Work] = []
    halts = Halts(lambda _: works)
    for work, is_quiet in (
        (Work("T"), False),
        (Work("T", ids=frozenset("a"), stop=held), False),
        (Work("T", ids=frozenset("a")), True),
        (Work("T", given_up=True, stop=held), True),
        (Work("T", SHELL), True),
        (Work("T", expires=0.0, stop=held), True),
    ):
        works[:] = [work]
        assert halts.is_quiet("T") == is_quiet, work
