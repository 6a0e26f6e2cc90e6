"""A request of a sub-agent says which sub-agent asks, and for which turn of the program."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from openai_codex import AsyncCodex, CommandApproval, ToolContext, tool
from openai_codex.testing import call, offline, reply, say
from tests.support.agents import Depth, Version, agents
from tests.support.bounds import PATIENCE

kinds = pytest.mark.parametrize(("version", "depth"), [(1, 2), (2, 1), (2, 2)])


def origin(asked: Any) -> tuple[Any, ...]:
    names = ("root_thread_id", "root_turn_id", "agent_name", "agent_depth")
    return tuple(getattr(asked, name) for name in names)


def names(version: Version) -> list[str | None]:
    return ["child_0", "child_1"] if version == 2 else [None, None]


@kinds
async def test_approvals_of_children(version: Version, depth: Depth) -> None:
    seen: list[CommandApproval] = []

    def approve(request: CommandApproval) -> bool:
        seen.append(request)
        return True

    with agents("asks", "asks", version=version, depth=depth) as tree:
        async with AsyncCodex(tree.config, on_approval=approve) as codex:
            thread = await codex.thread_start(**tree.thread())
            result = await thread.run("go", timeout=PATIENCE)
    assert sorted(map(origin, seen), key=str) == [(thread.id, result.id, name, depth) for name in names(version)]
    depths = {each.thread_id: each.depth for each in result.agents}
    assert [depths[each.thread_id] for each in seen] == [depth, depth]


async def test_calls_of_tools_by_children_and_by_the_parent(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "openai_codex.handlers")
    seen: dict[str, ToolContext] = {}

    @tool
    def probe(child: str, context: ToolContext) -> str:
        seen[child] = context
        raise ValueError(child)

    with agents("calls", version=2) as tree:
        async with AsyncCodex(tree.config) as codex:
            thread = await codex.thread_start(**tree.thread(), tools=[probe])
            result = await thread.run("go", timeout=PATIENCE)
    expected = (thread.id, result.id, "child_0", 1)
    assert origin(seen["child 0"]) == expected
    [failed] = [record for record in caplog.records if record.getMessage().startswith("codex.handler_failed")]
    fields = getattr(failed, "codex", {})
    assert tuple(fields[each] for each in ("root_thread_id", "root_turn_id", "agent_name", "agent_depth")) == expected


async def test_what_the_turn_of_the_program_asks_names_no_agent() -> None:
    seen: list[ToolContext] = []

    @tool
    def probe(context: ToolContext) -> str:
        seen.append(context)
        return "ok"

    with offline(None) as kit:
        kit.model.queue(reply(call("probe", {})), say("done"))
        async with AsyncCodex(kit.config) as codex:
            await (await codex.thread_start(tools=[probe])).run("go", timeout=PATIENCE)
    assert [origin(each) for each in seen] == [(None,) * 4]


@kinds
async def test_what_children_ask_and_the_client_declines_is_in_the_result(version: Version, depth: Depth) -> None:
    with agents("asks", "asks", version=version, depth=depth) as tree:
        async with AsyncCodex(tree.config) as codex:
            thread = await codex.thread_start(**tree.thread())
            result = await thread.run("go", timeout=PATIENCE)
    assert sorted(map(origin, result.declined), key=str) == [
        (thread.id, result.id, name, depth) for name in names(version)
    ]
    assert {each.kind for each in result.declined} == {"missing"}
    depths = {each.thread_id: each.depth for each in result.agents}
    assert [depths[each.thread_id or ""] for each in result.declined] == [depth, depth]


@pytest.mark.parametrize("version", [1, 2])
async def test_a_tool_that_fails_for_a_child_is_in_the_result_of_its_own_turn_only(version: Version) -> None:
    @tool
    def probe(child: str) -> str:
        raise ValueError(child)

    with agents("calls", version=version) as tree:
        async with AsyncCodex(tree.config) as codex:
            thread = await codex.thread_start(**tree.thread(), tools=[probe])
            first = await thread.run("go", timeout=PATIENCE)
            second = await thread.run("again", timeout=PATIENCE)
    for result in (first, second):
        [declined] = result.declined
        assert (declined.kind, declined.tool, declined.reason) == ("raised", "probe", "ValueError: child 0")
        assert origin(declined)[:2] == (thread.id, result.id)


@pytest.mark.parametrize("version", [1, 2])
async def test_a_child_that_outlives_its_parent_is_in_a_later_result(version: Version) -> None:
    with agents("hangs", "asks", version=version, parent="leaves") as tree:
        tree.parent_gate.open()
        async with AsyncCodex(tree.config) as codex:
            turn = await (await codex.thread_start(**tree.thread())).turn("go")
            await turn.run(timeout=PATIENCE)
            await tree.gate.reached(PATIENCE)
            tree.gate.open()
            await turn.wait_agents(timeout=PATIENCE)
            declined = (await turn.run(timeout=PATIENCE)).declined
    assert [(each.kind, each.root_turn_id) for each in declined] == [("missing", turn.id)]
