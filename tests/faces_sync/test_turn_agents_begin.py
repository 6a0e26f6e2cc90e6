# Derived from tests/faces_async/test_turn_agents_begin.py by `python -m tools.unasync`; do not edit.
"""A sub-agent that was spawned and has not begun: it is interrupted before it begins, and waited for until it is over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from openai_codex import Codex, TurnTimeoutError
from openai_codex.testing import FakeAppServer
from openai_codex.types import TurnStatus
from tests.support.agents import Version, agents
from tests.support.bounds import PATIENCE, eventually
from tests.support.fake_agents import INTERRUPT, Child
from tests.support.inside import is_ended, trees_of

versions = pytest.mark.parametrize("version", [1, 2])


@pytest.fixture
def server() -> Iterator[FakeAppServer]:
    with FakeAppServer() as server:
        yield server


def test_it_is_interrupted_at_once_and_the_interrupt_returns_when_it_is_over(server: FakeAppServer) -> None:
    children: list[Child] = []

    def interrupt(request: Any) -> None:
        request.proceed()
        [child] = children
        if request.params["threadId"] == child.thread_id and len(child.interrupts()) == 1:
            child.begin()
            child.end()

    server.on(INTERRUPT, interrupt)
    with Codex(server.config()) as codex:
        turn = (codex.thread_start()).turn("go")
        children.append(Child(server, begins=False))
        assert eventually(turn.agents)
        turn.interrupt(timeout=PATIENCE)
        assert [each.is_running for each in turn.agents()] == [False]
        assert children[0].interrupts()[0] == ""


def test_who_stops_it_is_told_if_it_does_not_begin_in_time(server: FakeAppServer) -> None:
    with Codex(server.config()) as codex:
        turn = (codex.thread_start()).turn("go")
        child = Child(server, begins=False)
        assert eventually(turn.agents)
        with pytest.raises(TurnTimeoutError):
            turn.interrupt(timeout=0.1)
        assert eventually(lambda: is_ended(turn))
        with pytest.raises(TurnTimeoutError) as caught:
            turn.interrupt(timeout=0.1)
        assert caught.value.waiting_for == "the end of its sub-agents"
        child.begin()
        assert eventually(lambda: child.turn_id in child.interrupts())
        child.end()
        turn.interrupt(timeout=PATIENCE)


def test_it_is_over_when_its_thread_is_unloaded(server: FakeAppServer) -> None:
    with Codex(server.config()) as codex:
        turn = (codex.thread_start()).turn("go")
        child = Child(server, begins=False)
        server.turn.complete()
        with pytest.raises(TurnTimeoutError):
            turn.wait_agents(timeout=0.05)
        server.notify("thread/archived", {"threadId": child.thread_id})
        [agent] = turn.wait_agents(timeout=PATIENCE)
        assert agent.status == TurnStatus.interrupted


def test_it_is_over_when_its_thread_was_unloaded_before_the_client_knew_of_it(server: FakeAppServer) -> None:
    with Codex(server.config()) as codex:
        turn = (codex.thread_start()).turn("go")
        server.notify("thread/closed", {"threadId": "kid"})
        Child(server, begins=False)
        server.turn.complete()
        [agent] = turn.wait_agents(timeout=PATIENCE)
        assert agent.status == TurnStatus.interrupted


@versions
def test_those_of_a_thread_that_is_archived_are_over(version: Version) -> None:
    with agents("hangs", version=version, depth=2) as tree:
        with Codex(tree.config) as codex:
            turn = (codex.thread_start(**tree.thread())).turn("go")
            tree.gate.wait_reached(PATIENCE)
            codex.thread_archive(turn.thread_id)
            ended = turn.wait_agents(timeout=PATIENCE)
            assert [each.status for each in ended] == [TurnStatus.interrupted] * 2
            assert eventually(lambda: codex.health().agents == 0)
            tree.model.wait_idle(PATIENCE)


@versions
def test_an_interrupt_at_the_item_of_the_spawn(version: Version) -> None:
    with agents("hangs", "hangs", version=version) as tree:
        with Codex(tree.config) as codex:
            for _ in range(4):
                turn = (codex.thread_start(**tree.thread(ephemeral=True))).turn("go")
                for event in turn.stream(timeout=PATIENCE):
                    if event.method == "item/completed" and turn.agents():
                        break
                turn.interrupt(timeout=PATIENCE)
                assert not any(each.is_running for each in turn.agents())
                assert trees_of(codex).is_quiet(turn.id)
            tree.model.wait_idle(PATIENCE)
