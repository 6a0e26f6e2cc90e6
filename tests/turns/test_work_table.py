"""The table of work, told what happens in every order that requests, replies and events may have."""

from __future__ import annotations

import itertools
import math
from contextvars import ContextVar, copy_context
from typing import Any

import pytest

from openai_codex import DecodeError, RequestTimeoutError
from openai_codex._engine.reply import CloseReason
from openai_codex._turns import work_table
from openai_codex._turns.work import MOST_ENDED, Work, add_unrequested, within
from tests.support.work import COMPACTION, OTHER, REVIEW, SHELL, T, Table, accepted, changed, turn, waits


@pytest.fixture
def table() -> Table:
    return Table()


# --- a turn, from its request to its end


def test_a_turn_blocks_its_thread_from_its_request_to_its_end(table: Table) -> None:
    assert table.is_free()
    work = table.send(turn())
    assert not table.is_free()
    table.accept(work, accepted("a"))
    assert not table.is_free()
    table.tell_start("a")
    assert not table.is_free()
    assert table.is_free(thread_id=OTHER)
    table.tell_end("b")
    assert not table.is_free()
    table.tell_end("a")
    assert table.is_free()
    assert table.is_empty()


@pytest.mark.parametrize(
    "order", ["accept start end", "start accept end", "start end accept", "accept end", "end accept"]
)
@pytest.mark.parametrize("params", [turn(), REVIEW], ids=["turn", "review"])
def test_it_ends_in_whatever_order_reply_and_events_are_read(table: Table, order: str, params: Any) -> None:
    work = table.send(params)
    is_review = params is REVIEW
    steps = {
        "accept": lambda: table.accept(work, accepted("a")),
        # A review is announced by another id.
        "start": lambda: table.tell_start("child", "a") if is_review else table.tell_start("a"),
        "end": lambda: table.tell_end("a"),
    }
    for step in order.split():
        assert not table.is_free()
        steps[step]()
    assert table.is_free()
    assert table.is_empty()
    assert not work.joined


@pytest.mark.parametrize("order", ["accept start end", "start accept end", "start end accept"])
@pytest.mark.parametrize("params", [COMPACTION, SHELL], ids=["compaction", "shell"])
def test_so_does_work_whose_reply_names_no_turn(table: Table, order: str, params: Any) -> None:
    work = table.send(params)
    steps = {
        "accept": lambda: table.accept(work, object()),
        "start": lambda: table.tell_start("a"),
        "end": lambda: table.tell_end("a"),
    }
    for step in order.split():
        if step != "accept" or not table.is_empty():
            assert not table.is_free()
        steps[step]()
    assert table.is_empty()


def test_a_turn_that_no_request_started_blocks_the_thread(table: Table) -> None:
    table.tell_start("goal")
    assert not table.is_free()
    assert table.is_free(joins=True)
    table.tell_end("goal")
    assert table.is_empty()


def test_other_requests_are_no_work(table: Table) -> None:
    assert table.is_empty()


# --- requests that fail


@pytest.mark.parametrize("error", [RequestTimeoutError("turn/start", 1.0), KeyboardInterrupt()])
def test_a_request_that_was_never_written_leaves_nothing(table: Table, error: BaseException) -> None:
    table.give_up(table.send(turn()), error)
    assert table.is_empty()


def test_a_caller_that_left_is_followed_by_its_turn(table: Table) -> None:
    table.abandon(table.send(turn()))
    assert not table.is_free()
    table.tell_start("a")
    assert not table.is_free()
    table.tell_end("a")
    assert table.is_empty()


@pytest.mark.parametrize("order", ["leave start end", "start leave end"])
@pytest.mark.parametrize("params", [turn(), REVIEW], ids=["turn", "review"])
def test_it_is_followed_to_its_end_and_blocks_no_longer(table: Table, order: str, params: Any) -> None:
    work = table.send(params)
    steps = {
        "leave": lambda: table.abandon(work),
        "start": lambda: table.tell_start("child", "a") if params is REVIEW else table.tell_start("a"),
        "end": lambda: table.tell_end("a"),
    }
    for step in order.split():
        assert not table.is_free()
        steps[step]()
    assert table.is_empty()


def test_a_caller_that_leaves_while_its_turn_is_announced_is_followed_by_it(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = table.send(turn())
    announced: list[Work] = []

    def add(turn: Work, works: list[Work]) -> list[str]:
        table.abandon(work)  # the reader has found that the caller waits, and has not made its entry yet
        announced.append(turn)
        return add_unrequested(turn, works)

    monkeypatch.setattr(work_table, "add_unrequested", add)
    table.tell_start("a")
    assert work.ids == announced[0].ids
    table.tell_end("a")
    assert table.is_empty()


def test_a_turn_that_ends_while_its_caller_leaves_is_over(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    work = table.send(turn())
    table.tell_start("a")
    found = work_table.turn_of

    def find(work: Work, works: list[Work]) -> Work:
        turn = found(work, works)
        table.tell_end("a")  # the caller has found its turn, and has not noted that yet
        return turn

    monkeypatch.setattr(work_table, "turn_of", find)
    table.abandon(work)
    assert table.is_empty()


def test_so_is_a_reply_that_cannot_be_read(table: Table) -> None:
    table.give_up(table.send(turn()), DecodeError("TurnStartResponse", ("turn: missing",)))
    assert not table.is_free()
    table.tell_start("a")
    table.tell_end("a")
    assert table.is_empty()


def test_a_caller_that_left_while_it_joined_a_turn_ends_with_it(table: Table) -> None:
    table.tell_start("a")
    table.abandon(table.send(turn()))
    table.tell_end("a")
    assert table.is_empty()


@pytest.mark.parametrize("params", [turn(), COMPACTION], ids=["turn", "compaction"])
def test_work_that_is_never_announced_does_not_block_for_ever(
    table: Table, params: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = table.send(params)
    table.accept(work, accepted("a"))
    place = table.place(T, joins=False)
    until = table.blocked_until(place)
    assert until is not None
    assert until < math.inf
    monkeypatch.setattr(work_table.time, "monotonic", lambda: until)
    assert table.blocked_until(place) is None
    table.leave(place)
    assert table.is_empty()


def test_a_turn_that_runs_blocks_without_a_limit(table: Table) -> None:
    table.accept(table.send(turn()), accepted("a"))
    table.tell_start("a")
    place = table.place(T, joins=False)
    assert table.blocked_until(place) == math.inf


# --- the end of a thread, and of the runtime


def test_an_unloaded_thread_is_forgotten(table: Table) -> None:
    table.tell_start("a")
    table.tell_start("b", thread_id=OTHER)
    table.forget(T)
    assert table.is_free()
    assert not table.is_free(thread_id=OTHER)


def test_the_end_of_the_runtime_ends_all_work_and_wakes_everyone(table: Table) -> None:
    table.tell_start("a")
    places = [waits(table, joins=joins) for joins in (False, False, True)]
    table.fail(CloseReason("the runtime exited"))
    assert changed(*places) == [True] * 3
    assert table.blocked_until(places[0]) is None


def test_turns_of_others_that_never_end_are_bounded_and_cost_no_turn_of_this_client(table: Table) -> None:
    own = table.send(turn())
    table.accept(own, accepted("a"))
    table.tell_start("a")
    for number in range(6_000):
        table.tell_start(f"u{number}", thread_id=f"thread {number}")
    assert table.count() < 5_000
    assert not table.is_free()
    assert not table.is_free(thread_id="thread 5999")
    table.tell_end("a")
    assert table.is_free()


def test_a_turn_for_a_goal_outlives_those_that_nobody_here_has_caused() -> None:
    works: list[Work] = []
    for number in range(1_000):
        context = copy_context() if number < 10 else None
        add_unrequested(Work("T", ids=frozenset({str(number)}), context=context), works)
    assert len(works) < 100
    assert [each for work in works for each in work.ids][:10] == list("0123456789")
    assert works[-1].ids == {"999"}


def test_whoever_waits_for_a_turn_that_is_forgotten_is_woken(table: Table) -> None:
    table.tell_start("lost")
    place = waits(table, joins=False)
    assert table.blocked_until(place) == math.inf
    names = (name for name in map(str, itertools.count()) if hash(name) % 64 == hash(T) % 64)  # in the same list
    for name in itertools.islice(names, 100):
        table.tell_start(f"turn {name}", thread_id=name)
    assert changed(place) == [True]
    assert table.blocked_until(place) is None


@pytest.mark.parametrize("params", [turn(), REVIEW], ids=["turn", "review"])
def test_a_turn_that_is_announced_before_the_reply_has_one_entry_after_it(table: Table, params: Any) -> None:
    work = table.send(params)
    table.tell_start("child", "a") if params is REVIEW else table.tell_start("a")
    table.accept(work, accepted("a"))
    assert table.count() == 1
    assert table.has(work)
    table.tell_end("a")
    assert table.is_empty()


def test_an_entry_keeps_the_context_of_the_program_and_no_call_of_the_client(table: Table) -> None:
    variable = ContextVar("variable", default="")
    variable.set("of the program")
    before = set(copy_context())
    with within(T):
        work = table.send(turn())
    assert work.context is not None
    assert work.context[variable] == "of the program"
    assert set(work.context) == before


def test_an_entry_does_not_grow_with_the_turns_of_its_thread() -> None:
    table = Table()
    own = table.send(turn())
    other = Work(T, ids=frozenset({"lost"}))
    for number in range(1_000):
        table.tell_start(f"turn-{number}")
        table.tell_end(f"turn-{number}")
        other.note_end(f"turn-{number}")
    assert len(own.ended) == MOST_ENDED
    assert other.ended == (), "it is no request"
    table.accept(own, accepted("turn-999"))
    assert not table.has(own), "its turn has ended before the reply came"
