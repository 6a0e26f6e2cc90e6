"""Each turn has the context variables of the call that has led to it, as long as it runs."""

from __future__ import annotations

from contextvars import ContextVar, copy_context
from types import SimpleNamespace
from typing import Any

import pytest

from openai_codex._notification import Notification
from openai_codex._turns.work import Work, within
from openai_codex.types import ThreadGoalStatus
from tests.support.work import GOAL, OTHER, T, Table, accepted, turn


@pytest.fixture
def table() -> Table:
    return Table()


WHO: ContextVar[str] = ContextVar("who", default="nobody")


def sent_by(table: Table, who: str, params: Any) -> Work:
    context = copy_context()
    context.run(WHO.set, who)
    return context.run(table.send, params)


def starter(table: Table, turn_id: str | None, thread_id: str | None = T) -> str | None:
    context = table.context_of(thread_id, turn_id)
    return None if context is None else context.get(WHO)


@pytest.mark.parametrize("order", ["accept start", "start accept"])
def test_the_context_of_a_turn_is_known_from_its_request_to_its_end(table: Table, order: str) -> None:
    work = sent_by(table, "a", turn())
    steps = {"accept": lambda: table.accept(work, accepted("turn")), "start": lambda: table.tell_start("turn")}
    for step in order.split():
        assert starter(table, "turn") == starter(table, None) == "a"
        steps[step]()
    second = sent_by(table, "b", turn())
    assert starter(table, "turn") == "a"
    table.accept(second, accepted("turn"))
    assert starter(table, "turn") == starter(table, None) == "a"
    assert starter(table, "turn", OTHER) is starter(table, None, None) is None
    table.tell_end("turn")
    assert starter(table, "turn") is starter(table, None) is None


def test_a_call_that_an_exception_kept_from_its_end_does_not_hide_the_context_of_later_ones(table: Table) -> None:
    context = copy_context()
    context.run(lambda: within(T).__enter__())  # its `__exit__` is never called
    context.run(WHO.set, "a")
    context.run(table.send, turn())
    assert starter(table, None) == "a"


def test_a_turn_that_somebody_else_has_started_has_the_context_of_who_joined_it(table: Table) -> None:
    table.tell_start("turn")
    assert starter(table, "turn") is None
    table.accept(sent_by(table, "a", turn()), accepted("turn"))
    assert starter(table, "turn") == "a"


def test_a_turn_for_a_goal_has_the_context_also_if_nobody_has_read_yet_that_the_goal_is_set(table: Table) -> None:
    sent_by(table, "a", GOAL)
    table.tell_start("one")
    table.tell_end("one")
    table.tell_start("two")
    assert starter(table, "two") == "a"
    table.tell_end("two")


def test_a_goal_that_was_not_set_active_gives_no_turn_its_context(table: Table) -> None:
    work = sent_by(table, "a", GOAL)
    table.tell_start("one")
    table.accept(work, SimpleNamespace(goal=SimpleNamespace(status=ThreadGoalStatus.paused)))
    table.tell_end("one")
    table.tell_start("two")
    assert starter(table, "two") is None


def test_every_turn_for_a_goal_has_the_context_of_who_set_it(table: Table) -> None:
    active = SimpleNamespace(goal=SimpleNamespace(status=ThreadGoalStatus.active))
    complete = {"threadId": T, "goal": {"status": "complete"}}
    for cleared in (
        Notification("thread/goal/updated", complete),
        Notification("thread/goal/cleared", {"threadId": T}),
        None,
    ):
        table.accept(sent_by(table, "a", GOAL), active)
        for name in ("one", "two"):
            table.tell_start(name)
            table.goals.put([Notification("thread/goal/updated", {"threadId": T, "goal": {"status": "active"}})])
            assert starter(table, name) == "a"
            table.tell_end(name)
        if cleared is None:
            table.forget(T)
        else:
            table.goals.put([cleared])
        table.tell_start("three")
        assert starter(table, "three") is None
        table.tell_end("three")


def test_a_sub_agent_has_the_context_of_the_turn_that_it_works_for_also_after_that(table: Table) -> None:
    table.accept(sent_by(table, "a", turn()), accepted("parent"))
    table.tell_start("child", "parent", thread_id=OTHER)
    table.tell_start("grandchild", "parent", thread_id="thread-3")
    table.tell_end("parent")
    assert starter(table, "child", OTHER) == starter(table, "grandchild", "thread-3") == "a"
    table.tell_end("child", thread_id=OTHER)
    table.tell_end("grandchild", thread_id="thread-3")
    assert table.is_empty()
