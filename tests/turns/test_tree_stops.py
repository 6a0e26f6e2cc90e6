"""How the sub-agents of a turn are stopped, against an actor that only notes what it is asked for."""

from __future__ import annotations

import json
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

import pytest

from openai_codex import OutputError, RunResult, TurnFailedError, TurnInterruptedError
from openai_codex._engine.undo import Undo
from openai_codex._notification import Notification
from openai_codex._turns.tree_stops import ends_agents, stop_agents, stop_thread
from openai_codex._turns.trees import Trees
from openai_codex.types import TurnStatus

RESULT = RunResult("R", TurnStatus.failed, thread_id="T")


class Actor:
    def __init__(self) -> None:
        self.undone: list[Any] = []
        self.withdrawn: list[tuple[str, str | None]] = []
        places = [(thread, turn) for thread in "TKGM" for turn in (thread.lower(), "other", None)]
        asked = [SimpleNamespace(thread_id=thread, turn_id=turn) for thread, turn in places]
        for each in asked:
            each.withdraw = partial(self.withdrawn.append, (each.thread_id, each.turn_id))
        self.server_requests = SimpleNamespace(pending=lambda: asked)

    def undo(self, undo: Undo) -> None:
        self.undone.append(undo.stop)


def started(thread: str, turn: str, root: str) -> Notification:
    return Notification("turn/started", {"threadId": thread, "turn": {"id": turn, "rootTurnId": root}})


def ended(thread: str, turn: str) -> Notification:
    return Notification("turn/completed", {"threadId": thread, "turn": {"id": turn}})


def test_all_turns_of_the_tree_are_stopped_each_once_and_what_they_ask_is_withdrawn() -> None:
    trees, actor = Trees(), Actor()
    trees.put([started("T", "R", "R"), started("K", "k", "R"), started("U", "S", "S"), started("L", "l", "S")])
    for _ in range(2):
        stop_agents(trees, cast("Any", actor), "R")
    trees.put([ended("T", "R"), started("G", "g", "R"), started("M", "m", "S")])
    assert actor.withdrawn == [(thread, turn) for thread in "KG" for turn in (thread.lower(), "other", None)]
    sent = [json.loads(stop.line())["params"] for stop in actor.undone]
    assert sent == [{"threadId": "K", "turnId": "k"}, {"threadId": "G", "turnId": "g"}]


def test_a_turn_is_interrupted_until_it_is_over() -> None:
    trees, actor = Trees(), Actor()
    trees.put([started("T", "R", "R"), started("K", "k", "R")])
    stop_agents(trees, cast("Any", actor), "R")
    [stop] = actor.undone
    assert not stop.is_over()
    trees.put([ended("K", "k"), started("K", "l", "R")])
    assert stop.is_over()


def test_a_thread_that_a_sub_agent_works_in_is_stopped_without_the_rest_of_its_tree() -> None:
    trees, actor = Trees(), Actor()
    trees.put([started("T", "R", "R"), started("K", "k", "R"), started("G", "g", "R")])
    ends = stop_thread(trees, cast("Any", actor), "K")
    assert [json.loads(stop.line())["params"] for stop in actor.undone] == [{"threadId": "K", "turnId": "k"}]
    assert [(turn_id, end.is_ready()) for turn_id, end in ends.items()] == [("k", False)]
    trees.put([ended("K", "k")])
    assert ends["k"].is_ready()
    assert not trees.is_quiet("R")


@pytest.mark.parametrize(
    ("error", "stops"),
    [
        (None, False),
        (KeyboardInterrupt(), True),
        (TurnFailedError("no", RESULT), True),
        (TurnInterruptedError(RESULT), False),
        (OutputError("Answer", "", ()), False),
    ],
)
def test_which_ends_of_a_run_stop_agents(error: BaseException | None, stops: bool) -> None:
    assert ends_agents(None, error) is stops
    assert ends_agents("stop", error) is True
    assert ends_agents("keep", error) is False
