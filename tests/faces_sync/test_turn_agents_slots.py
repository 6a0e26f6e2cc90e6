# Derived from tests/faces_async/test_turn_agents_slots.py by `python -m tools.unasync`; do not edit.
"""How many sub-agents a thread may have: with models that do not name theirs, one that has ended keeps its slot."""

from __future__ import annotations

import pytest

from openai_codex import Codex, RunResult, Thread
from tests.support.agents import Version, agents
from tests.support.bounds import PATIENCE, eventually


def run(thread: Thread) -> RunResult:
    result = thread.run("go", timeout=PATIENCE)
    assert result.final_response == "parent done"
    assert not any(each.is_running for each in result.agents)
    return result


@pytest.mark.parametrize(
    ("version", "limit", "spawned"), [(1, None, [4, 2, 0]), (1, 10, [4, 4, 2]), (2, None, [3, 3, 3])]
)
def test_ended_sub_agents_count_in_version_1_only(version: Version, limit: int | None, spawned: list[int]) -> None:
    count = 4 if version == 1 else 3
    with agents(*["answers"] * count, version=version, limit=limit) as tree:  # type: ignore[list-item]  # it is a literal
        with Codex(tree.config) as codex:
            thread = codex.thread_start(**tree.thread())
            assert [len((run(thread)).agents) for _ in spawned] == spawned
            another = codex.thread_start(**tree.thread())
            assert len((run(another)).agents) == spawned[0]


def test_sub_agents_that_were_stopped_keep_their_slots_as_well() -> None:
    with agents("hangs", "hangs", "hangs", "hangs", limit=None) as tree:
        with Codex(tree.config) as codex:
            thread = codex.thread_start(**tree.thread())
            for spawned, all_told in ((4, 4), (2, 6)):
                turn = thread.turn("go")
                tree.gate.wait_reached(PATIENCE, count=all_told)
                assert eventually(lambda: len(turn.agents()) == spawned)  # noqa: B023  it is called in this step only
                turn.interrupt(timeout=PATIENCE)
            tree.model.wait_idle(PATIENCE)


@pytest.mark.parametrize(("limit", "most"), [(None, 3), (2, 2)])
def test_how_many_may_work_at_the_same_time_in_version_2(limit: int | None, most: int) -> None:
    with agents("hangs", "hangs", "hangs", "hangs", version=2, limit=limit) as tree:
        with Codex(tree.config) as codex:
            turn = (codex.thread_start(**tree.thread())).turn("go")
            for event in turn.stream(timeout=PATIENCE):
                if event.method == "item/started" and event.params["item"].get("tool") == "wait":
                    break
            assert len(turn.agents()) == most
            turn.interrupt(timeout=PATIENCE)
