# Derived from tests/faces_async/test_turn_agents_seen.py by `python -m tools.unasync`; do not edit.
"""The sub-agents of a turn are visible: on its result, on its handle while it runs, and when they outlive it."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from openai_codex import Agent, Codex, ConfigError, RunResult, TransportClosedError, TurnTimeoutError, tool
from openai_codex.testing import FakeAppServer, call, offline, reply, say
from openai_codex.types import TurnStatus
from tests.support.agents import CHILD_USAGE, Depth, Version, agents
from tests.support.bounds import PATIENCE, eventually

kinds = pytest.mark.parametrize(("version", "depth", "ephemeral"), list(product([1, 2], [1, 2], [False, True])))
versions = pytest.mark.parametrize("version", [1, 2])

Logged = Callable[[str], list[dict[str, Any]]]


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Logged:
    caplog.set_level(logging.INFO, "openai_codex")

    def read(name: str) -> list[dict[str, Any]]:
        facts = [getattr(record, "codex", {}) for record in caplog.records]
        return [each for each in facts if each.get("event") == f"codex.{name}"]

    return read


def children(result: RunResult) -> list[Agent]:
    """Return the agents without the one in between at depth 2, by what they were told, or by their names."""
    deepest = max(each.depth or 0 for each in result.agents)
    found = [each for each in result.agents if each.depth == deepest]
    return sorted(found, key=lambda each: each.prompt or each.name or "")


def tokens(each: Agent) -> int | None:
    return each.usage and each.usage.total_tokens


def check_total(result: RunResult) -> None:
    """Check that the total is the sum. What the parent costs is not certain: notices may make it ask once more."""
    assert result.total_usage is not None
    assert result.turn_usage is not None
    below = sum(tokens(each) or 0 for each in result.agents)
    assert result.total_usage.total_tokens == result.turn_usage.total_tokens + below


@kinds
def test_a_result_has_the_agents_of_its_turn(version: Version, depth: Depth, ephemeral: bool, logged: Logged) -> None:
    with agents("answers", "fails", "answers", version=version, depth=depth) as tree:
        with Codex(tree.config) as codex:
            thread = codex.thread_start(**tree.thread(ephemeral=ephemeral))
            result = thread.run("go", timeout=PATIENCE)
            stored = [each.id for each in thread.agents(page_size=2)]
    assert result.final_response == "parent done"
    check_total(result)
    first, failed, last = children(result)
    assert [each.status for each in (first, failed, last)] == [
        TurnStatus.completed,
        TurnStatus.failed,
        TurnStatus.completed,
    ]
    assert [tokens(each) for each in (first, failed, last)] == [
        CHILD_USAGE.total_tokens,
        None,
        CHILD_USAGE.total_tokens,
    ]
    assert [each.last_message for each in (first, failed, last)] == ["child 0 answers", None, "child 2 answers"]
    assert failed.error is not None
    assert failed.error.message
    names = {1: (None, "child 1"), 2: ("child_1", None)}
    assert (failed.name, failed.prompt) == names[version]
    parents = {None: None, thread.id: 0, **{each.thread_id: each.depth for each in result.agents}}
    assert [parents[each.parent_thread_id] for each in result.agents] == [
        (each.depth or 0) - 1 for each in result.agents
    ]
    assert len(result.agents) == depth + 2
    assert sorted(stored) == ([] if ephemeral else sorted(each.thread_id for each in result.agents))
    ids = sorted(each.turn_id or "" for each in result.agents)
    for name in ("agent_started", "agent_completed"):
        assert eventually(lambda name=name: sorted(each["turn_id"] for each in logged(name)) == ids)  # type: ignore[misc]  # mypy knows no such default
        assert {(each["root_thread_id"], each["root_turn_id"]) for each in logged(name)} == {(thread.id, result.id)}


def test_a_turn_without_agents_has_none() -> None:
    with offline(say("done")) as kit:
        with Codex(kit.config) as codex:
            turn = (codex.thread_start()).turn("go")
            result = turn.run(timeout=PATIENCE)
            assert (turn.agents(), turn.wait_agents(timeout=PATIENCE), result.agents) == ((), (), ())
    assert result.total_usage == result.turn_usage
    assert result.total_usage is not None


@versions
def test_agents_that_outlive_their_turn_are_marked_and_can_be_waited_for(version: Version) -> None:
    with agents("works", version=version, depth=2, parent="leaves") as tree:
        with Codex(tree.config) as codex:
            turn = (codex.thread_start(**tree.thread())).turn("go")
            tree.gate.wait_reached(PATIENCE)
            assert eventually(lambda: [each.depth for each in turn.agents() if each.is_running] == [1, 2])
            tree.parent_gate.open()
            early = turn.run(timeout=PATIENCE)
            assert [each.is_running for each in early.agents] == [True, True]
            assert early.status == TurnStatus.completed
            with pytest.raises(TurnTimeoutError, match="the end of its sub-agents") as caught:
                turn.wait_agents(timeout=0.05)
            assert caught.value.result is not None
            assert [each.is_running for each in caught.value.result.agents] == [True, True]
            tree.gate.open()
            ended = turn.wait_agents(timeout=PATIENCE)
            assert [each.last_message for each in ended] == ["lead done", "child 0 answers"]
            late = turn.run(timeout=PATIENCE)
    assert ended == late.agents
    check_total(early)
    check_total(late)
    assert [tokens(each) for each in children(late)] == [CHILD_USAGE.total_tokens]


def test_who_waits_for_agents_learns_of_the_end_of_the_runtime(logged: Logged) -> None:
    with agents("hangs", parent="leaves") as tree:
        with Codex(tree.config) as codex:
            turn = (codex.thread_start(**tree.thread())).turn("go")
            tree.gate.wait_reached(PATIENCE)
            tree.parent_gate.open()
            turn.run(timeout=PATIENCE)
            pid = codex.health().pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            with pytest.raises(TransportClosedError) as caught:
                turn.wait_agents(timeout=PATIENCE)
            assert caught.value.result is not None
            assert [each.is_running for each in caught.value.result.agents] == [True]
    assert eventually(lambda: logged("agent_completed"))
    [start], [end] = logged("agent_started"), logged("agent_completed")
    assert (start["turn_id"], end["status"]) == (end["turn_id"], "lost")


def test_who_waits_for_agents_learns_that_the_turn_itself_was_lost() -> None:
    with FakeAppServer() as server:
        with Codex(server.config()) as codex:
            turn = (codex.thread_start()).turn("go")
            server.child.kill()
            with pytest.raises(TransportClosedError) as caught:
                turn.wait_agents(timeout=PATIENCE)
    assert caught.value.result is not None
    assert caught.value.result.id == turn.id


def test_a_turn_that_was_not_announced_yet_is_waited_for() -> None:
    with FakeAppServer(announce_turns=False) as server:
        with Codex(server.config()) as codex:
            turn = (codex.thread_start()).turn("go")
            with pytest.raises(TurnTimeoutError):
                turn.wait_agents(timeout=0.05)
            server.turn.started()
            server.turn.complete()
            assert turn.wait_agents(timeout=PATIENCE) == ()


def test_a_tool_of_the_turn_cannot_wait_for_its_end() -> None:
    caught: list[str] = []

    @tool
    def probe() -> str:
        try:
            turn.wait_agents(timeout=PATIENCE)
        except ConfigError as error:
            caught.append(str(error))
        return "ok"

    with offline(None) as kit:
        gate = kit.model.gate()
        kit.model.queue(reply(call("probe", {}), gate=gate), say("done"))
        with Codex(kit.config) as codex:
            turn = (codex.thread_start(tools=[probe])).turn("go")
            gate.open()
            assert (turn.run(timeout=PATIENCE)).final_response == "done"
    assert len(caught) == 1
    assert "wait_agents" in caught[0]


def test_the_timeout_is_checked() -> None:
    with offline(say("done")) as kit:
        with Codex(kit.config) as codex:
            turn = (codex.thread_start()).turn("go")
            with pytest.raises(ConfigError, match="timeout"):
                turn.wait_agents(timeout=-1)
