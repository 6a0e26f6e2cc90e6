# Derived from tests/faces_async/test_stream_agents.py by `python -m tools.unasync`; do not edit.
"""A stream of a turn is clean of its sub-agents' events, or has all of them, each with its sub-agent."""

from __future__ import annotations

import copy
import pickle
from functools import partial

import pytest

from openai_codex import (
    Agent,
    AgentNotification,
    Codex,
    ConfigError,
    Notification,
    RunResult,
    Thread,
    TurnTimeoutError,
)
from openai_codex._sync.client import agent_stops, cursor
from openai_codex.testing import offline, say
from tests.faces_sync._wait import together
from tests.support.agents import CHILD_USAGE, Depth, Tree, Version, agents
from tests.support.bounds import PATIENCE, eventually

kinds = pytest.mark.parametrize(("version", "depth"), [(1, 1), (1, 2), (2, 1), (2, 2)])


def methods_of(events: list[Notification], thread_id: str) -> list[str]:
    return [event.method for event in events if event.thread_id == thread_id]


@kinds
def test_the_events_of_sub_agents_are_in_the_stream_if_they_are_wanted(version: Version, depth: Depth) -> None:
    with agents("talks", "fails", version=version, depth=depth) as tree:
        with Codex(tree.config) as codex:
            turn = (codex.thread_start(**tree.thread(ephemeral=depth == 2))).turn("go")
            seen = [event for event in turn.stream(agents=True, timeout=PATIENCE)]
            result = turn.run(timeout=PATIENCE)
    assert seen[-1].method == "turn/completed"
    assert {event.thread_id for event in seen} == {turn.thread_id, *(each.thread_id for each in result.agents)}
    for event in seen:
        agent = event.agent
        assert isinstance(event, AgentNotification) == (event.thread_id != turn.thread_id) == (agent is not None)
        assert agent is None or (agent.thread_id, agent.turn_id) == (event.thread_id, event.turn_id)
    for agent in result.agents:
        methods = methods_of(seen, agent.thread_id)
        assert (methods[0], methods[-1]) == ("turn/started", "turn/completed")
        assert "item/completed" in methods or agent.error is not None
    spoken = "".join(
        event.params["delta"] for event in seen if event.agent and event.method == "item/agentMessage/delta"
    )
    assert "child 0 " * 20 in spoken
    assert result.final_response == "parent done"
    assert not any("child" in getattr(item, "text", "") for item in result.items)


@pytest.mark.parametrize("kind", ["stream", "text", "items", "run"])
def test_everything_else_is_clean_of_them(kind: str) -> None:
    with agents("talks", "answers", version=2, depth=1) as tree:
        with Codex(tree.config) as codex:
            turn = (codex.thread_start(**tree.thread())).turn("go")
            if kind == "stream":
                seen = [event for event in turn.stream(timeout=PATIENCE)]
                assert {event.thread_id for event in seen} == {turn.thread_id}
                assert {event.agent for event in seen} == {None}
            if kind == "text":
                assert "".join([text for text in turn.text(timeout=PATIENCE)]) == "parent done"
            if kind == "items":
                items = [item.id for item in turn.items(timeout=PATIENCE)]  # type: ignore[union-attr]
                assert items == [item.id for item in (turn.run(timeout=PATIENCE)).items]  # type: ignore[union-attr]
            result = turn.run(timeout=PATIENCE)
    assert result.final_response == "parent done"
    assert len(result.agents) == 2


def test_a_stream_without_them_after_one_with_them() -> None:
    with agents("talks", "hangs") as tree:
        with Codex(tree.config) as codex:
            turn = (codex.thread_start(**tree.thread())).turn("go")
            for event in turn.stream(agents=True, timeout=PATIENCE):
                if event.agent is not None and event.method == "item/agentMessage/delta":
                    break
            assert codex.health().turns[0].last_event is not None
            tree.gate.open()
            rest = [event for event in turn.stream(timeout=PATIENCE)]
    assert {event.thread_id for event in rest} == {turn.thread_id}
    assert rest[-1].method == "turn/completed"


def test_an_event_of_a_sub_agent_is_a_value() -> None:
    with agents("answers", version=2) as tree:
        with Codex(tree.config) as codex:
            turn = (codex.thread_start(**tree.thread())).turn("go")
            seen = [event for event in turn.stream(agents=True, timeout=PATIENCE) if event.agent is not None]
    event = seen[0]
    for again in (copy.copy(event), pickle.loads(pickle.dumps(event))):  # noqa: S301  what was pickled here
        assert (again, again.agent) == (event, event.agent)
        assert isinstance(again.payload, type(event.payload))
    assert event == Notification(event.method, event.params)


def test_the_argument_is_checked() -> None:
    with offline(say("done")) as kit:
        with Codex(kit.config) as codex:
            turn = (codex.thread_start()).turn("go")
            with pytest.raises(ConfigError, match="agents"):
                turn.stream(agents=1)  # type: ignore[arg-type]


@pytest.mark.parametrize("version", [1, 2])
def test_eight_parents_with_three_sub_agents_each(version: Version) -> None:
    with agents("answers", "works", "fails", version=version) as tree:
        tree.gate.open()
        with Codex(tree.config) as codex:
            threads = [codex.thread_start(**tree.thread(ephemeral=number % 2 == 0)) for number in range(8)]
            results = together([partial(watched, thread, tree, agents=True) for thread in threads])
            tree.model.wait_idle(PATIENCE)
    assert tree.left() == []
    ids = [each.thread_id for result in results for each in result.agents]
    assert len(ids) == len(set(ids)) == 24


@pytest.mark.parametrize("version", [1, 2])
def test_eight_parents_of_which_three_are_given_up(version: Version, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (agent_stops, cursor):  # on a busy machine 24 agents may take longer to stop than a caller waits
        monkeypatch.setattr(module, "ABANDON_PATIENCE", PATIENCE)
    with agents("answers", "hangs", "fails", version=version) as tree:
        with Codex(tree.config) as codex:
            threads = [codex.thread_start(**tree.thread(ephemeral=number % 2 == 0)) for number in range(8)]
            kept = [partial(agents_of, thread, tree, agents=number < 2) for number, thread in enumerate(threads[3:])]
            found = together([partial(give_up, threads[:3], tree), *kept])
            tree.model.wait_idle(PATIENCE)
            assert codex.health().turns == ()
    assert len({each.thread_id for part in found for each in part}) == 24
    assert not any(each.is_running for part in found for each in part)


def give_up(threads: list[Thread], tree: Tree) -> list[Agent]:
    """Give up three turns in three ways when all eight have a child that hangs, and let the other five go on."""
    turns = [thread.turn("go") for thread in threads]
    tree.gate.wait_reached(PATIENCE, count=8)
    assert eventually(lambda: all(len(turn.agents()) == len(tree.tasks) for turn in turns)), (
        "the spawns are several items"
    )
    turns[0].interrupt(timeout=PATIENCE)
    with pytest.raises(TurnTimeoutError):
        turns[1].run(timeout=0)
    threads[2].close()
    assert eventually(lambda: tree.left() == ["child 1"] * 5)
    tree.gate.open()
    return [each for turn in turns for each in turn.agents()]


def agents_of(thread: Thread, tree: Tree, *, agents: bool) -> list[Agent]:
    return list((watched(thread, tree, agents=agents)).agents)


def watched(thread: Thread, tree: Tree, *, agents: bool) -> RunResult:
    """Run one turn through a stream, and check that it has its own sub-agents only, with what they have cost."""
    turn = thread.turn("go")
    seen = [event for event in turn.stream(agents=agents, timeout=PATIENCE)]
    result = turn.run(timeout=PATIENCE)
    others = {each.thread_id for each in result.agents} if agents else set[str]()
    assert {event.thread_id for event in seen} == {thread.id, *others}
    names = [each.prompt or (each.name or "").replace("_", " ") for each in result.agents]
    assert sorted(names) == list(tree.tasks)
    assert result.turn_usage is not None
    assert result.total_usage is not None
    below = result.total_usage.total_tokens - result.turn_usage.total_tokens
    assert below == CHILD_USAGE.total_tokens * (len(tree.tasks) - 1)
    return result
