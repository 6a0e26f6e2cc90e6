"""The trees of agents that other tests start behave as they say."""

from __future__ import annotations

from typing import Literal

import pytest

from openai_codex import Codex, RuntimeRequest, TurnFailedError, tool
from openai_codex.types import ThreadTokenUsageUpdatedNotification, TurnCompletedNotification, TurnStatus
from tests.support.agents import LEAD, MODELS, Tree, Version, agents
from tests.support.bounds import PATIENCE

Depth = Literal[1, 2]

versions = pytest.mark.parametrize("version", list(MODELS))
depths = pytest.mark.parametrize("depth", [1, 2])
storage = pytest.mark.parametrize("ephemeral", [False, True], ids=["stored", "ephemeral"])


def final_response(tree: Tree, codex: Codex, *, ephemeral: bool = False) -> str | None:
    return codex.thread_start(**tree.thread(ephemeral=ephemeral)).run("go", timeout=PATIENCE).final_response


@versions
@depths
@storage
def test_children_answer_fail_and_talk(version: Version, depth: Depth, ephemeral: bool) -> None:
    with agents("answers", "fails", "talks", version=version, depth=depth) as tree, Codex(tree.config) as codex:
        ended = codex.events(TurnCompletedNotification, timeout=PATIENCE)
        assert final_response(tree, codex, ephemeral=ephemeral) == "parent done"
        seen = [next(ended).payload for _ in range(3 + depth)]
        tree.model.wait_idle(PATIENCE)
    statuses = [each.turn.status for each in seen if isinstance(each, TurnCompletedNotification)]
    assert sorted(statuses) == [*[TurnStatus.completed] * (2 + depth), TurnStatus.failed]
    depths = {each.agent.task: each.agent.depth for each in tree.model.requests}
    assert [depths[task] for task in tree.tasks] == [depth] * 3


@versions
@depths
@storage
def test_children_are_held_until_the_gate_is_opened(version: Version, depth: Depth, ephemeral: bool) -> None:
    with agents("works", "hangs", version=version, depth=depth) as tree, Codex(tree.config) as codex:
        turn = codex.thread_start(**tree.thread(ephemeral=ephemeral)).turn("go")
        tree.gate.wait_reached(PATIENCE, count=2)
        assert set(tree.left()) >= {"child 0", "child 1"}
        tree.gate.open()
        assert turn.run(timeout=PATIENCE).final_response == "parent done"
        tree.model.wait_idle(PATIENCE)
        assert tree.left() == []


@versions
@depths
def test_what_a_tree_costs(version: Version, depth: Depth) -> None:
    with agents("answers", "fails", "works", version=version, depth=depth) as tree, Codex(tree.config) as codex:
        tree.gate.open()
        reports = codex.events(ThreadTokenUsageUpdatedNotification, timeout=PATIENCE)
        assert final_response(tree, codex) == "parent done"
        totals: dict[str, int] = {}
        while sum(totals.values()) != tree.total_tokens(answered=2):
            report = next(reports).payload
            assert isinstance(report, ThreadTokenUsageUpdatedNotification)
            totals[report.thread_id] = report.token_usage.total.total_tokens


@versions
@depths
def test_a_child_outlives_the_parent(version: Version, depth: Depth) -> None:
    with agents("works", version=version, depth=depth, parent="leaves") as tree, Codex(tree.config) as codex:
        turn = codex.thread_start(**tree.thread()).turn("go")
        tree.gate.wait_reached(PATIENCE)
        tree.parent_gate.open()
        assert turn.run(timeout=PATIENCE).final_response == "parent done"
        assert "child 0" in tree.left()
        tree.gate.open()
        tree.model.wait_idle(PATIENCE)


@versions
@depths
def test_the_spawn_is_held(version: Version, depth: Depth) -> None:
    with agents("answers", version=version, depth=depth, hold_spawn=True) as tree, Codex(tree.config) as codex:
        turn = codex.thread_start(**tree.thread()).turn("go")
        tree.spawn_gate.wait_reached(PATIENCE)
        assert "child 0" not in {each.agent.task for each in tree.model.requests}
        tree.spawn_gate.open()
        assert turn.run(timeout=PATIENCE).final_response == "parent done"


@versions
def test_a_parent_fails(version: Version) -> None:
    with agents("hangs", version=version, parent="fails") as tree, Codex(tree.config) as codex:
        turn = codex.thread_start(**tree.thread()).turn("go")
        tree.gate.wait_reached(PATIENCE)
        tree.parent_gate.open()
        with pytest.raises(TurnFailedError):
            turn.run(timeout=PATIENCE)


@versions
@depths
@storage
def test_a_child_asks(version: Version, depth: Depth, ephemeral: bool) -> None:
    asked: list[RuntimeRequest] = []

    def approve(request: RuntimeRequest) -> bool:
        asked.append(request)
        return True

    with (
        agents("asks", version=version, depth=depth) as tree,
        Codex(tree.config, on_approval=approve) as codex,
    ):
        assert final_response(tree, codex, ephemeral=ephemeral) == "parent done"
        child = next(each for each in tree.model.requests if each.agent.task == "child 0")
        assert [each.thread_id for each in asked] == [child.thread_id]
        assert (tree.home.workspace / "child-0").exists()


@versions
@depths
def test_a_child_calls_a_tool(version: Version, depth: Depth) -> None:
    called: list[str] = []

    @tool
    def probe(child: str) -> str:
        """Note who calls."""
        called.append(child)
        return "noted"

    with agents("calls", version=version, depth=depth) as tree, Codex(tree.config) as codex:
        thread = codex.thread_start(**tree.thread(), tools=[probe])
        assert thread.run("go", timeout=PATIENCE).final_response == "parent done"
    assert called == ["child 0"]


@versions
def test_the_child_in_between_has_a_task(version: Version) -> None:
    with agents("answers", version=version, depth=2) as tree, Codex(tree.config) as codex:
        final_response(tree, codex)
    assert {each.agent.task for each in tree.model.requests} == {None, LEAD, "child 0"}
