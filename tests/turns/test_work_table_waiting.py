"""The table of work: calls that wait for a thread, calls that join its turn, and calls within others."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from openai_codex import ConfigError
from openai_codex._turns.work import current_call, within
from openai_codex.types import (
    TurnStartParams,
)
from tests.support.work import COMPACTION, OTHER, REVIEW, SHELL, T, Table, accepted, changed, turn, waits


@pytest.fixture
def table() -> Table:
    return Table()


# --- calls that wait


def test_calls_go_on_in_their_order(table: Table) -> None:
    table.tell_start("a")
    first, second, third = (waits(table, joins=False) for _ in range(3))
    table.tell_end("a")
    assert changed(first, second, third) == [True, False, False]
    assert [table.blocked_until(place) is None for place in (first, second, third)] == [True, False, False]
    table.leave(second)  # gives up
    work = table.admit(first, turn(), 60)
    assert work is not None
    table.accept(work, accepted("b"))
    table.leave(first)
    assert table.blocked_until(third) is not None
    table.tell_end("b")
    assert changed(third) == [True]
    assert table.blocked_until(third) is None


def test_what_was_admitted_and_never_sent_goes_with_its_call(table: Table) -> None:
    first, second = (waits(table, joins=False) for _ in range(2))
    assert table.admit(first, turn(), 60) is not None
    table.leave(first)
    assert table.blocked_until(second) is None


def test_a_call_is_over_when_its_block_is_left_without_the_end_of_it(table: Table) -> None:
    block = within(T)
    block.__enter__()
    with pytest.raises(ConfigError):
        table.check_outside(T, "run")
    del block
    table.check_outside(T, "run")


def test_a_call_that_is_gone_without_leaving_blocks_nobody(table: Table) -> None:
    first, second = (table.place(T, joins=False) for _ in range(2))
    assert table.blocked_until(second) is not None
    del first
    gc.collect()
    assert table.blocked_until(second) is None


def test_a_call_that_joins_waits_for_a_request_until_its_turn_is_known(table: Table) -> None:
    work = table.send(turn())
    place = waits(table, joins=True)
    assert table.admit(place, turn(), 60) is None
    table.accept(work, accepted("a"))
    assert changed(place) == [True]
    joined = table.admit(place, turn(), 60)
    assert joined is not None
    table.accept(joined, accepted("a"))
    assert joined.joined
    table.tell_end("a")
    assert table.is_empty() is False  # the place
    table.leave(place)
    assert table.is_empty()


@pytest.mark.parametrize("params", [COMPACTION, REVIEW, SHELL], ids=["compaction", "review", "shell"])
def test_it_waits_for_work_that_takes_no_input(table: Table, params: Any) -> None:
    table.accept(table.send(params), accepted("a"))
    assert not table.is_free(joins=True)
    table.tell_start("child", "a")
    assert not table.is_free(joins=True)
    table.tell_end("a")
    assert table.is_free(joins=True)


def test_a_call_that_joins_overtakes_those_that_wait(table: Table) -> None:
    table.tell_start("a")
    waiting = table.place(T, joins=False)
    assert table.is_free(joins=True)
    assert table.blocked_until(waiting) is not None


def test_a_turn_that_ended_before_the_input_arrived_was_not_joined(table: Table) -> None:
    table.tell_start("a")
    work = table.send(turn())
    table.tell_end("a")
    table.accept(work, accepted("b"))
    assert not work.joined


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"model": "other"}, "model"),
        ({"output_schema": {"type": "string"}}, "output_type or output_schema"),
        ({"turn_trigger": "x", "service_tier_for_turn": "fast"}, "turn_service_tier, source"),
        ({"model": "m", "effort": "low"}, "effort"),
    ],
)
def test_settings_that_cannot_hold_for_the_running_turn_are_refused(
    table: Table, settings: dict[str, Any], named: str
) -> None:
    table.accept(table.send(turn(model="m")), accepted("a"))
    table.tell_start("a")
    before = table.count()
    with pytest.raises(ConfigError) as caught:
        table.admit(table.place(T, joins=True), turn(**settings), 60)
    assert sorted(caught.value.what.split(", ")) == sorted(named.split(", "))
    assert table.count() == before


def test_settings_that_the_running_turn_has_are_accepted(table: Table) -> None:
    table.accept(table.send(turn(model="m", output_schema={"type": "object"})), accepted("a"))
    table.tell_start("a")
    params = turn("more", model="m", output_schema={"type": "object"})
    assert table.admit(table.place(T, joins=True), params, 60) is not None


# --- calls within others


def refused(table: Table, thread_id: str = T) -> bool:
    try:
        table.check_outside(thread_id, "run")
    except ConfigError:
        return True
    return False


def test_a_tool_cannot_wait_for_its_own_turn(table: Table) -> None:
    over = False
    with within(T, lambda: not over):
        assert refused(table)
        assert not refused(table, OTHER)
        over = True
        assert not refused(table)
    assert current_call() is None
    assert not refused(table)


def test_nor_for_one_that_waits_for_its_own_turn(table: Table) -> None:
    with within(T, lambda: True):  # a tool of T runs a turn of OTHER
        work = table.begin(TurnStartParams(thread_id=OTHER, input=[]), 60)
    assert work is not None
    table.accept(work, accepted("b"))
    table.tell_start("b", thread_id=OTHER)
    with within(OTHER):  # and that turn calls a tool
        assert refused(table)
        assert refused(table, OTHER)
    table.tell_end("b", thread_id=OTHER)
    with within(OTHER):
        assert not refused(table)


def test_nor_for_the_turn_that_its_sub_agent_works_for(table: Table) -> None:
    table.tell_start("parent")
    table.tell_start("child", "parent", thread_id=OTHER)
    with within(OTHER):
        assert refused(table)
    table.tell_end("child", thread_id=OTHER)
    assert not table.is_free()
    with within(OTHER):
        assert not refused(table)


def test_a_nested_call_does_not_wait_for_the_request_that_it_suspends(table: Table) -> None:
    table.send(turn())
    assert not table.is_free(joins=True)
    with within(T):  # a signal handler, say
        assert table.admit(table.place(T, joins=True), turn(), 60) is not None


def test_nor_for_work_that_takes_no_input(table: Table) -> None:
    table.send(COMPACTION)
    with within(T), pytest.raises(ConfigError, match="cannot end before"):
        table.admit(table.place(T, joins=True), turn(), 60)
