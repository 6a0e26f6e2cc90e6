"""The table of work: shell commands, compactions, reviews and goals, beside turns and in their place."""

from __future__ import annotations

import attrs
import pytest

from openai_codex.types import (
    ThreadGoalStatus,
)
from tests.support.work import COMPACTION, GOAL, REVIEW, SHELL, T, Table, accepted, turn


@pytest.fixture
def table() -> Table:
    return Table()


# --- shell commands, and work that replaces other work


def test_shell_commands_share_a_turn(table: Table) -> None:
    for work in [table.send(SHELL), table.send(SHELL)]:
        table.accept(work, object())
    table.tell_start("a")
    assert not table.is_free()
    table.tell_end("a")
    assert table.is_empty()


def test_a_shell_command_in_a_turn_is_a_part_of_it(table: Table) -> None:
    table.accept(table.send(turn()), accepted("a"))
    shell = table.send(SHELL)
    table.tell_start("a")
    table.accept(shell, object())
    table.tell_end("a")
    assert table.is_empty()


def test_a_compaction_that_replaces_a_turn_outlives_it(table: Table) -> None:
    table.tell_start("a")
    table.accept(table.send(COMPACTION), object())
    table.tell_end("a")
    assert not table.is_free()
    table.tell_start("b")
    assert not table.is_free(joins=True)
    table.tell_end("b")
    assert table.is_empty()


def test_a_turn_and_a_compaction_sent_at_once_are_told_apart(table: Table) -> None:
    first, second = table.send(turn()), table.send(COMPACTION)
    table.tell_start("a")
    table.accept(first, accepted("a"))
    table.accept(second, object())
    table.tell_end("a")
    assert not table.is_free()
    table.tell_start("b")
    table.tell_end("b")
    assert table.is_empty()


def test_of_two_turns_that_are_to_be_stopped_neither_spares_the_other(table: Table) -> None:
    first, second = table.send(REVIEW), table.send(REVIEW)
    table.accept(first, accepted("a"))
    table.accept(second, accepted("b"))
    assert not table.is_alone(first, "a")
    second.is_unwanted = True
    assert table.is_alone(first, "a")


# --- goals


@attrs.frozen
class Set:
    """The reply to a request that sets a goal."""

    @attrs.frozen
    class Goal:
        status: ThreadGoalStatus

    goal: Goal


def test_a_goal_that_is_set_starts_a_turn(table: Table) -> None:
    table.accept(table.send(GOAL), Set(Set.Goal(ThreadGoalStatus.active)))
    assert not table.is_free()
    table.tell_start("a")
    assert table.is_free(joins=True)
    assert not table.is_free()
    table.tell_end("a")
    assert table.is_empty()


def test_a_goal_that_is_paused_starts_none(table: Table) -> None:
    table.accept(table.send(GOAL), Set(Set.Goal(ThreadGoalStatus.paused)))
    assert table.is_empty()


def test_a_goal_that_is_set_during_a_turn_adds_nothing_to_it(table: Table) -> None:
    table.tell_start("a")
    table.accept(table.send(GOAL), Set(Set.Goal(ThreadGoalStatus.active)))
    table.tell_end("a")
    assert table.is_empty()


def test_a_thread_is_reviewed_until_that_has_ended(table: Table) -> None:
    table.accept(table.send(turn()), accepted("a"))
    assert not table.is_reviewed(T)
    table.accept(table.send(REVIEW), accepted("b"))
    table.tell_end("a")
    assert table.is_reviewed(T)
    table.tell_end("b")
    assert not table.is_reviewed(T)
