"""A turn whose id the client does not know yet when it is given up: its sub-agents are stopped once it is known."""

from __future__ import annotations

from typing import Any

import pytest

from openai_codex._engine.undo import Undo
from openai_codex._turns.tree_stops import AgentStop
from tests.turns.test_stops import World, event


def child(method: str, name: str, root: str) -> dict[str, Any]:
    return {"method": method, "params": {"threadId": name, "turn": {"id": f"turn of {name}", "rootTurnId": root}}}


def stopped(world: World) -> list[str]:
    return [each.stop.thread_id for each in world.undone if isinstance(each.stop, AgentStop)]


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize("is_announced", [False, True])
def test_the_sub_agents_of_a_turn_that_is_named_late_are_stopped(world: World, is_announced: bool) -> None:
    world.begin()
    world.leave()
    assert world.interrupts() in {"", None}
    if is_announced:
        world.say(event("turn/started", "U"), child("turn/started", "K", "U"))
    else:
        world.say(event("turn/started", "U"))
        world.answer("U")
        world.say(child("turn/started", "K", "U"))
    assert world.interrupts() == "U"
    assert stopped(world) == ["K"]
    world.say(child("turn/started", "L", "U"), child("turn/started", "M", "another"))
    assert stopped(world) == ["K", "L"]


def test_those_of_a_turn_that_has_ended_before_it_was_named_are_stopped(world: World) -> None:
    world.begin()
    world.leave()
    world.say(event("turn/started", "U"), child("turn/started", "K", "U"), event("turn/completed", "U"))
    assert stopped(world) == []
    assert world.stop.is_over()
    Undo(world.stop).end()
    assert stopped(world) == ["K"]


def test_those_of_a_turn_that_was_announced_with_another_id_are_stopped(world: World) -> None:
    world.begin()
    world.say(event("turn/started", "X", "R"))
    world.answer("R")
    world.say(child("turn/started", "K", "R"))
    assert world.stop.request()
    assert stopped(world) == ["K"]


def test_a_turn_that_is_stopped_without_its_sub_agents_leaves_them_alone(world: World) -> None:
    world.begin()
    world.say(event("turn/started", "U"))
    world.answer("U")
    world.say(child("turn/started", "K", "U"))
    assert world.stop.request(agents=False)
    assert world.interrupts() is not None
    world.say(event("turn/completed", "U"))
    Undo(world.stop).end()
    assert stopped(world) == []
    world.stop.stop_agents()
    assert stopped(world) == ["K"]
