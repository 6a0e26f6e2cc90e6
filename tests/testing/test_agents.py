"""Sub-agents on the real runtime: both versions of its tools, depth 1 and 2, stored and ephemeral threads."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from openai_codex.testing import (
    ScriptedModel,
    ScriptError,
    Usage,
    fail,
    follow_up,
    reply,
    say,
    spawn,
    stop_agents,
    temporary_home,
    wait,
)
from tests.support.bounds import eventually

from .conftest import Kit
from .raw_client import RawClient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_codex.testing import RecordedRequest

V1, V2 = "mock-model", "gpt-6-luna"
"""A model with the tools of each version."""

Threads = dict[str, Any]


@pytest.fixture(scope="module")
def shared_kit() -> Iterator[Kit]:
    """The runtime of these tests, in which children may spawn children in version 1, too."""
    settings = {"agents": {"max_depth": 2}}
    with ScriptedModel(None) as model, temporary_home(model.url, config=settings) as home, RawClient(home) as client:
        yield Kit(model, home, client)


@pytest.fixture(params=[(V1, False), (V1, True), (V2, False), (V2, True)], ids=["v1", "v1-brief", "v2", "v2-brief"])
def threads(request: pytest.FixtureRequest) -> Threads:
    """What a thread is started with: the model, which decides the version, and whether it is stored."""
    model, ephemeral = request.param
    return {"model": model, "ephemeral": ephemeral}


def go(kit: Kit, threads: Threads) -> str:
    """Run a turn; the last thing that the agent said."""
    thread = kit.client.thread(**threads)
    kit.client.send("turn/start", threadId=thread, input=[{"type": "text", "text": "go"}])
    turn = kit.client.event("turn/completed", threadId=thread)["turn"]
    assert turn["error"] is None
    return str(turn["items"][-1]["text"])


def test_children_get_their_answers_by_task(kit: Kit, threads: Threads) -> None:
    kit.model.when_agent(spawn("Count the files", "List the tests"), wait(), "Both are done", depth=0)
    kit.model.when_agent("3 files", task="Count the files")
    kit.model.when_agent("no tests", task=re.compile("tests"))
    assert go(kit, threads) == "Both are done"
    told = str(kit.model.requests[-1].input)
    assert "3 files" in told
    assert "no tests" in told


def test_who_asks(kit: Kit, threads: Threads) -> None:
    kit.model.when_agent(spawn("Count"), wait(), "Done", depth=0)
    kit.model.when_agent(spawn("Look"), wait(), "3 files", depth=1)
    kit.model.when_agent("a, b and c", depth=2)
    go(kit, threads)
    root, child, grandchild = (
        next(each for each in kit.model.requests if each.agent.depth == depth) for depth in range(3)
    )
    assert [each.agent.task for each in (root, child, grandchild)] == [None, "Count", "Look"]
    paths = ["/root", None, None] if threads["model"] == V1 else ["/root", "/root/count", "/root/count/look"]
    assert [each.agent.path for each in (root, child, grandchild)] == paths
    assert [each.agent.parent_thread_id for each in (child, grandchild)] == [root.thread_id, child.thread_id]
    assert {each.agent.root_turn_id for each in kit.model.requests} == {root.agent.turn_id}
    assert len({each.agent.turn_id for each in kit.model.requests}) == 3


def test_wait_is_repeated_until_all_have_ended(kit: Kit, threads: Threads) -> None:
    quick, slow = kit.model.gate(), kit.model.gate()
    kit.model.when_agent(spawn("quick", "slow"), wait(), "Done", depth=0)
    kit.model.when_agent(say("first", gate=quick), task="quick")
    kit.model.when_agent(say("second", gate=slow), task="slow")
    thread = kit.client.thread(**threads)
    kit.client.send("turn/start", threadId=thread, input=[{"type": "text", "text": "go"}])
    slow.wait_reached()
    until_the_next_wait(kit)
    quick.open()
    until_the_next_wait(kit)
    assert [each.agent.task for each in kit.model.active_requests if each.agent.depth] == ["slow"]
    slow.open()
    assert kit.client.event("turn/completed", threadId=thread)["turn"]["items"][-1]["text"] == "Done"


def until_the_next_wait(kit: Kit) -> None:
    """Read up to the next begin of the runtime's tool that waits."""
    kit.client.until(
        lambda frame: frame.get("method") == "item/started" and frame["params"]["item"].get("tool") == "wait"
    )


def test_a_failed_child_ends_the_wait(kit: Kit, threads: Threads) -> None:
    kit.model.when_agent(spawn("Count"), wait(), "Done", depth=0)
    kit.model.when_agent(fail(500), task="Count")
    assert go(kit, threads) == "Done"


def test_each_turn_of_an_agent_begins_anew(kit: Kit, threads: Threads) -> None:
    kit.model.when_agent(spawn("Count", usage=Usage(7, 0, 0)), wait(), "Done", depth=0)
    kit.model.when_agent("3 files", depth=1)
    thread = kit.client.thread(**threads)
    for _ in range(2):
        assert kit.client.turn(thread, "go")["status"] == "completed"
    children = [each for each in kit.model.requests if each.agent.depth == 1]
    assert [each.agent.task for each in children] == ["Count", "Count"]
    assert len({each.thread_id for each in children}) == 2


def test_more_work_for_a_child(kit: Kit, threads: Threads) -> None:
    kit.model.when_agent(spawn("Count"), wait(), follow_up("Count", "Again"), wait(), "Done", depth=0)
    kit.model.when_agent("3 files", task="Count")
    assert go(kit, threads) == "Done"

    def of_child() -> list[RecordedRequest]:
        return [each for each in kit.model.requests if each.agent.depth == 1]

    # The second wait may see the end of the first work, so the turn may end before the child begins anew.
    assert eventually(lambda: len(of_child()) == 2)
    first, second = of_child()
    assert first.thread_id == second.thread_id
    assert first.agent.turn_id != second.agent.turn_id
    assert "Again" in str(second.input[-1])


def test_children_are_stopped_by_name_or_all(kit: Kit, threads: Threads) -> None:
    kit.model.when_agent(spawn("Count"), wait(), stop_agents("Count"), stop_agents(), "Done", depth=0)
    kit.model.when_agent("3 files", task="Count")
    assert go(kit, threads) == "Done"


@pytest.mark.parametrize("model", [V1, V2])
def test_a_forked_child_knows_the_conversation(kit: Kit, model: str) -> None:
    kit.model.when_agent(spawn("Count", fork=True), wait(), "Done", depth=0)
    kit.model.when_agent("3 files", task="Count")
    # The runtime forks stored threads only.
    assert go(kit, {"model": model, "ephemeral": False}) == "Done"
    [child] = (each for each in kit.model.requests if each.agent.depth == 1)
    assert "go" in child.user_texts


def test_the_feature_gives_any_model_the_second_version() -> None:
    with (
        ScriptedModel(None) as model,
        temporary_home(model.url, features={"multi_agent_v2": True}) as home,
        RawClient(home) as client,
    ):
        model.when_agent(spawn("Count"), wait(), "Done", depth=0)
        model.when_agent("3 files", path="/root/count")
        assert go(Kit(model, home, client), {}) == "Done"


def test_an_agent_without_tools_for_agents_cannot_spawn() -> None:
    with ScriptedModel(None) as model, temporary_home(model.url) as home, RawClient(home) as client:
        model.when_agent(spawn("Count"), wait(), "Done", depth=0)
        model.when_agent(spawn("Look"), depth=1)
        assert go(Kit(model, home, client), {}) == "Done"
        with pytest.raises(ScriptError, match="the agent at depth 1 has no tools for agents"):
            model.assert_drained()
        model.reset()


def test_a_task_that_was_not_spawned_is_refused() -> None:
    with ScriptedModel(None) as model, temporary_home(model.url) as home, RawClient(home) as client:
        model.when_agent(spawn("Count"), follow_up("Cuont", "Again"), depth=0)
        model.when_agent("3 files", depth=1)
        assert client.turn(client.thread(), "go")["status"] == "failed"
        model.wait_for_requests(3)  # the child goes on: its request must not come after `reset`
        with pytest.raises(ScriptError, match=r"no agent was spawned for \['Cuont'\], only for \['Count'\]"):
            model.assert_drained()
        model.reset()


def test_a_wait_needs_an_answer_after_it(kit: Kit) -> None:
    kit.model.when_agent(spawn("Count"), wait(), depth=0)
    kit.model.when_agent("3 files", depth=1)
    assert kit.client.turn(kit.client.thread(), "go")["status"] == "failed"
    with pytest.raises(ScriptError, match="no answer follows it"):
        kit.model.assert_drained()
    kit.model.reset()


def test_bad_arguments() -> None:
    model = ScriptedModel()
    with pytest.raises(ScriptError, match="needs a depth, a task or a path"):
        model.when_agent("Hi")
    with pytest.raises(ScriptError, match="needs at least one answer"):
        model.when_agent(depth=0)
    with pytest.raises(ScriptError, match="at least one task"):
        spawn()
    with pytest.raises(ScriptError, match="timeout=1 is not between 10 and 3600 seconds"):
        wait(timeout=1)


def test_requests_of_other_programs_come_from_the_root(kit: Kit) -> None:
    kit.model.when_agent(reply(), depth=0)
    turn = kit.client.turn(kit.client.thread(), "Hi")
    assert turn["status"] == "completed"
