# Derived from tests/faces_async/verbs/test_goals_agents_given_up.py by `python -m tools.unasync`; do not edit.
"""A goal that is given up at any instant, or whose thread is closed, leaves no sub-agent behind."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from openai_codex import Codex, ConfigError, RunResult, TurnStalledError, TurnTimeoutError
from openai_codex._sync import goal_run
from openai_codex._turns.options import AgentsLike
from openai_codex.testing import FakeAppServer, FakeTurn, offline, say, spawn
from openai_codex.types import TurnStatus
from tests.faces_sync._outcome import at_some_pace, outcomes
from tests.faces_sync.verbs.test_goals_agents import REACHED, goal, is_parent, statuses
from tests.support.agents import MODELS, Version
from tests.support.bounds import PATIENCE, STARTED, eventually
from tests.support.fake_agents import Child
from tests.support.inside import trees_of

versions = pytest.mark.parametrize("version", [1, 2])

SET = "thread/goal/set"


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a caller that gives up wait for the ends of agents as long as a loaded machine needs for them."""
    monkeypatch.setattr(goal_run, "_ABANDON_PATIENCE", PATIENCE)


@pytest.fixture
def server() -> Iterator[FakeAppServer]:
    with FakeAppServer() as server:
        yield server


def report(server: FakeAppServer, thread_id: str, status: str) -> None:
    """Have the runtime report the goal."""
    counts = {"tokenBudget": None, "tokensUsed": 0, "timeUsedSeconds": 0, "createdAt": 1, "updatedAt": 1}
    goal = {"threadId": thread_id, "objective": "o", "status": status, **counts}
    server.notify("thread/goal/updated", {"threadId": thread_id, "goal": goal, "turnId": None})


@pytest.mark.parametrize("agents", [None, "keep"])
def test_a_turn_that_its_follower_has_not_seen_is_stopped_with_its_sub_agents(
    server: FakeAppServer, agents: AgentsLike | None
) -> None:
    """The request that sets the goal has no reply, so who gives it up has seen no turn; the runtime starts one then."""
    turns: list[FakeTurn] = []
    children: list[Child] = []

    def set_goal(request: Any) -> None:
        if not turns:
            turns.append(server.child.turn(request.params["threadId"], "unseen"))
            turns[0].started()
            children.append(Child(server, root=turns[0]))

    def interrupt(request: Any) -> None:
        request.proceed()
        thread_id = request.params["threadId"]
        if thread_id == children[0].thread_id:
            children[0].end()
        elif agents == "keep" or children[0].interrupts():  # else it waits for its sub-agent
            turns[0].complete("interrupted")
            report(server, thread_id, "paused")

    server.on(SET, set_goal)
    server.hold(SET, times=1)
    server.on("turn/interrupt", interrupt)
    with Codex(server.config()) as codex:
        thread = codex.thread_start()
        with pytest.raises(TurnTimeoutError):
            codex.run_goal(thread.id, "o", agents=agents, timeout=STARTED)
        assert turns[0].is_over
        assert trees_of(codex).is_quiet("unseen") is (agents is None)
        assert bool(children[0].interrupts()) is (agents is None)


@versions
def test_closing_its_thread_stops_the_agents_of_all_its_turns(version: Version) -> None:
    with goal(version, say("never")) as at:

        def close() -> None:
            at.child.wait_reached(PATIENCE)
            at.second.wait_reached(PATIENCE)
            at.thread.close()
            assert at.codex.health().turns == ()
            assert not any(trees_of(at.codex).of_thread(at.thread.id))

        result, _ = outcomes([at.run, close])
        assert isinstance(result, RunResult)
        at.model.wait_idle(PATIENCE)
        # As of the end of the call, which may come before that of the agent.
        assert set(statuses(result)) <= {TurnStatus.interrupted, TurnStatus.in_progress}


@versions
def test_a_goal_that_is_reached_may_stop_its_agents(version: Version) -> None:
    with goal(version, REACHED, say("reached")) as at:
        result, _ = outcomes([partial(at.run, agents="stop"), at.let_go])
        assert isinstance(result, RunResult)
        assert statuses(result) == [TurnStatus.interrupted]
        at.model.wait_idle(PATIENCE)


@versions
def test_a_goal_that_is_given_up_may_keep_its_agents(version: Version) -> None:
    with goal(version, say("never")) as at:
        error, _ = outcomes([partial(at.run, timeout=6, agents="keep"), partial(at.child.wait_reached, PATIENCE)])
        assert isinstance(error, TurnTimeoutError)
        assert statuses(error.result) == [TurnStatus.in_progress]
        assert eventually(lambda: [each.agent.depth for each in at.model.active_requests] == [1])


@versions
def test_a_goal_that_makes_no_progress_is_given_up_and_names_the_silent_agent(version: Version) -> None:
    with goal(version, say("never")) as at:
        error, _ = outcomes([partial(at.run, stall_timeout=STARTED), partial(at.child.wait_reached, PATIENCE)])
        assert isinstance(error, TurnStalledError)
        assert statuses(error.result) == [TurnStatus.interrupted]
        assert error.result is not None
        assert [each.thread_id for each in error.result.agents] == [error.agent]
        at.model.wait_idle(PATIENCE)


@versions
def test_what_an_agent_of_an_earlier_turn_does_is_progress_of_the_goal(version: Version) -> None:
    def trial(pace: float) -> None:
        with offline(None) as kit:
            kit.model.when(is_parent, spawn("one"), say("first"), say("never", gate=kit.model.gate()))
            kit.model.when_agent(say(deltas=["word "] * 20, delta_delay=0.1 * pace), depth=1)
            with Codex(kit.config) as codex:
                thread = codex.thread_start(model=MODELS[version])
                with pytest.raises(TurnStalledError) as caught:
                    codex.run_goal(thread.id, "two parts", stall_timeout=1.5 * pace, timeout=PATIENCE)
        assert statuses(caught.value.result) == [TurnStatus.completed]
        assert caught.value.agent is None

    at_some_pace(trial, AssertionError)


@pytest.mark.parametrize("settings", [{"agents": "perhaps"}, {"stall_timeout": -1}])
def test_the_arguments_are_checked_before_anything_is_sent(server: FakeAppServer, settings: dict[str, Any]) -> None:
    with Codex(server.config()) as codex:
        with pytest.raises(ConfigError, match=next(iter(settings))):
            codex.run_goal("T", "o", **settings)
        assert server.request_count(SET) == 0
