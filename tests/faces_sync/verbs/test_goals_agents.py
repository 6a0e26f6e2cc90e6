# Derived from tests/faces_async/verbs/test_goals_agents.py by `python -m tools.unasync`; do not edit.
"""A goal is one piece of work: its sub-agents are those of all its turns, and giving it up stops all of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import attrs
import pytest

from openai_codex import Codex, RunResult, Thread, TurnFailedError, TurnTimeoutError
from openai_codex._sync import goal_run
from openai_codex.testing import (
    Gate,
    RecordedRequest,
    ScriptedModel,
    call,
    fail_stream,
    message,
    offline,
    reply,
    say,
    spawn,
    wait,
)
from openai_codex.testing._script import Scripted
from openai_codex.types import TurnStatus
from tests.faces_sync._outcome import outcomes
from tests.support.agents import MODELS, Version
from tests.support.bounds import PATIENCE

versions = pytest.mark.parametrize("version", [1, 2])

REACHED = reply(message("done"), call("update_goal", {"status": "complete"}))


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a caller that gives up wait for the ends of agents as long as a loaded machine needs for them."""
    monkeypatch.setattr(goal_run, "_ABANDON_PATIENCE", PATIENCE)


@attrs.frozen
class Goal:
    """A thread whose goal has two turns. The first one spawns an agent that is silent until the gate is opened."""

    codex: Codex
    thread: Thread
    model: ScriptedModel
    child: Gate
    second: Gate
    """Holds the second turn."""

    def run(self, timeout: float = PATIENCE, **settings: Any) -> RunResult:
        return self.codex.run_goal(self.thread.id, "two parts", timeout=timeout, **settings)

    def let_go(self) -> None:
        self.child.wait_reached(PATIENCE)
        self.second.open()


def is_parent(request: RecordedRequest) -> bool:
    return request.agent.depth == 0


@contextmanager
def goal(version: Version, *second: Scripted) -> Iterator[Goal]:
    with offline(None) as kit:
        model, child, gate = kit.model, kit.model.gate(), kit.model.gate()
        first, *rest = second
        model.when(is_parent, spawn("one"), say("first"), attrs.evolve(first, gate=gate), *rest)
        model.when_agent(say("a part", gate=child), depth=1)
        with Codex(kit.config) as codex:
            thread = codex.thread_start(model=MODELS[version])
            yield Goal(codex, thread, model, child, gate)


def statuses(result: RunResult | None) -> list[TurnStatus | None]:
    assert result is not None
    return [each.status for each in result.agents]


@versions
def test_a_goal_that_is_reached_leaves_its_agents_alone(version: Version) -> None:
    with goal(version, REACHED, say("reached")) as at:
        result, _ = outcomes([at.run, at.let_go])
        assert isinstance(result, RunResult)
        assert statuses(result) == [TurnStatus.in_progress]
        assert [each.agent.depth for each in at.model.active_requests] == [1]
        at.child.open()
        at.model.wait_idle(PATIENCE)


@versions
def test_a_goal_that_is_given_up_stops_the_agents_of_all_its_turns(version: Version) -> None:
    with goal(version, say("never")) as at:
        error, _ = outcomes([partial(at.run, 6), partial(at.child.wait_reached, PATIENCE)])
        assert isinstance(error, TurnTimeoutError)
        assert statuses(error.result) == [TurnStatus.interrupted]
        at.model.wait_idle(PATIENCE)


@versions
def test_a_goal_whose_turn_fails_stops_the_agents_of_all_its_turns(version: Version) -> None:
    with goal(version, fail_stream("context_length_exceeded", "too long")) as at:
        error, _ = outcomes([at.run, at.let_go])
        assert isinstance(error, TurnFailedError)
        assert statuses(error.result) == [TurnStatus.interrupted]
        at.model.wait_idle(PATIENCE)


@versions
def test_the_result_of_a_goal_has_what_its_agents_have_asked_in_vain(version: Version) -> None:
    command = {"cmd": "true", "sandbox_permissions": "require_escalated", "justification": "needed"}
    with offline(None) as kit:
        kit.model.when(is_parent, spawn("one"), wait(), say("first"), REACHED, say("reached"))
        kit.model.when_agent(reply(call("exec_command", command)), say("a part"), depth=1)
        with Codex(kit.config) as codex:
            thread = codex.thread_start(model=MODELS[version], approval_policy="on-request")
            result = codex.run_goal(thread.id, "two parts", timeout=PATIENCE)
    [agent], [declined] = result.agents, result.declined
    assert (declined.kind, declined.thread_id, declined.root_thread_id) == ("missing", agent.thread_id, thread.id)
