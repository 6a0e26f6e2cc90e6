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
