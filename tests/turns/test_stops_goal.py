"""A goal is paused until it is, and whatever ends that hands over the starts and ends of its turns."""

from __future__ import annotations

import json
from collections import deque
from typing import Any

import pytest

from openai_codex._engine.mailbox import Mailbox
from openai_codex._engine.reply import CloseReason
from openai_codex._engine.undo import Undo, Undos
from openai_codex._engine.waiting import Latch
from openai_codex._notification import Notification
from openai_codex._turns.fold import GoalFold
from openai_codex._turns.stops import GoalPause, GoalStop

GOAL = {
    "threadId": "T",
    "objective": "o",
    "status": "paused",
    "tokenBudget": None,
    "tokensUsed": 0,
    "timeUsedSeconds": 0,
    "createdAt": 1,
    "updatedAt": 1,
}
PAUSED = Notification("thread/goal/updated", {"threadId": "T", "goal": GOAL})
STARTED = Notification("turn/started", {"threadId": "T", "turn": {"id": "U", "items": [], "status": "inProgress"}})
COMPLETED = Notification("turn/completed", {"threadId": "T", "turn": {"id": "U", "items": [], "status": "completed"}})
UNREADABLE = Notification("turn/completed", {"threadId": "T", "turn": {"id": "U", "items": 3}})


class Goal:
    def __init__(self) -> None:
        self.box = Mailbox("the turns of thread T")
        self.fold = GoalFold("T")
        self.fresh: deque[Notification] = deque()
        self.ends: list[list[Notification]] = []
        self.stop = GoalStop("T", self.fold, self.box, self.fresh, self.ends.append, on_turn=bool)


@pytest.fixture
def goal() -> Goal:
    return Goal()


def requests(line: bytes) -> list[tuple[str, Any]]:
    return [
        (each["method"], each["params"].get("turnId") or each["params"]["status"])
        for each in map(json.loads, line.splitlines())
    ]


def test_a_goal_is_paused_and_its_turn_interrupted(goal: Goal) -> None:
    assert not goal.stop.is_over()
    assert requests(goal.stop.line()) == [("thread/goal/set", "paused")]
    goal.box.put([STARTED])
    assert not goal.stop.is_over()
    assert requests(goal.stop.line()) == [("thread/goal/set", "paused"), ("turn/interrupt", "U")]
    goal.box.put([PAUSED])
    assert not goal.stop.is_over(), "its turn runs"
    goal.box.put([COMPLETED])
    assert goal.stop.is_over()
    assert goal.ends == []
    goal.stop.end()
    assert goal.ends == [[STARTED, COMPLETED]]
    assert goal.stop.ended.is_ready()


@pytest.mark.parametrize("by", ["who follows it", "another caller"])
def test_who_gives_it_up_learns_of_each_turn_that_is_interrupted(goal: Goal, by: str) -> None:
    turns: list[str] = []
    arguments = (goal.box, goal.fresh, goal.ends.append)
    followed = GoalStop("T", goal.fold, *arguments, on_turn=turns.append)
    stop = followed if by == "who follows it" else GoalPause("T", goal.fold, Latch(), turns.append)
    stop.line()
    assert turns == []
    goal.box.put([STARTED])
    assert not followed.is_over()  # it takes the events
    stop.line()
    assert turns == ["U"]


def test_an_event_that_cannot_be_read_costs_no_other_event(goal: Goal) -> None:
    goal.box.put([STARTED, UNREADABLE, PAUSED])
    assert goal.stop.is_over()
    goal.stop.end()
    assert goal.ends == [[STARTED, UNREADABLE]]


def test_what_its_follower_had_taken_and_not_seen_counts(goal: Goal) -> None:
    goal.fresh.append(STARTED)
    goal.box.put([PAUSED])
    assert not goal.stop.is_over(), "its turn runs"
    goal.box.put([COMPLETED])
    assert goal.stop.is_over()
    goal.stop.end()
    assert goal.ends == [[STARTED, COMPLETED]]


def test_without_a_goal_it_ends_after_some_requests(goal: Goal) -> None:
    for _ in range(24):
        assert not goal.stop.is_over()
        goal.stop.line()
    assert goal.stop.is_over()


@pytest.mark.parametrize("looks", [False, True])
def test_the_end_of_the_connection_hands_over_what_there_is(goal: Goal, looks: bool) -> None:
    undos, undo = Undos(lambda _: None), Undo(goal.stop)
    undos.add(undo)
    goal.box.put([STARTED])
    list(undos.due())
    goal.box.fail(CloseReason("the runtime exited"))
    if looks:
        undo.due_at = 0.0
        list(undos.due())
    undos.end()
    assert goal.ends == [[STARTED]]
    assert undo.done.is_ready()
    assert goal.stop.ended.is_ready()


def test_who_waits_is_woken_though_the_events_are_not_taken(goal: Goal) -> None:
    def fail(_: list[Notification]) -> None:
        raise ZeroDivisionError

    stop = GoalStop("T", goal.fold, goal.box, goal.fresh, fail, on_turn=bool)
    Undo(stop).end()
    assert stop.ended.is_ready()


def test_a_pause_for_another_caller_ends_with_the_goal(goal: Goal) -> None:
    ended = Latch()
    pause = GoalPause("T", goal.fold, ended, bool)
    assert not pause.is_over()
    assert requests(pause.line()) == [("thread/goal/set", "paused")]
    ended.set()
    assert pause.is_over()
    pause.end()
