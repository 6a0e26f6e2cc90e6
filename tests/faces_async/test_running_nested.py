"""Calls for a thread in a handler or tool that a turn of it waits for: what would never return is refused at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from openai_codex import (
    ApprovalRequest,
    AppServerConfig,
    AsyncCodex,
    AsyncThread,
    AsyncTurnHandle,
    ConfigError,
    ExternalMessage,
    tool,
)
from openai_codex._tools.declaration import AnyTool
from openai_codex.testing import ScriptedModel, call, reply
from openai_codex.types import TurnStatus
from tests.support.bounds import PATIENCE
from tests.support.inside import is_idle


class Inside:
    """A tool that does something in its own turn, and what came of it."""

    def __init__(self) -> None:
        self.codex: AsyncCodex
        self.thread: AsyncThread
        self.turn: AsyncTurnHandle
        self.outcomes: list[Any] = []

    def tool(self, act: Callable[[Inside], Awaitable[Any]], name: str = "act") -> AnyTool:
        @tool(name=name)
        async def acting() -> str:
            """Act."""
            try:
                self.outcomes.append(await act(self))
            except ConfigError as error:
                self.outcomes.append(error)
            return "done"

        return acting

    def refusals(self) -> list[str]:
        """Return which calls were refused because they could not return."""
        assert all(f"thread {self.thread.id} that cannot end before" in str(each) for each in self.outcomes)
        return [each.what for each in self.outcomes]


@pytest.fixture
def inside() -> Inside:
    return Inside()


async def run(inside: Inside) -> object:
    return await inside.thread.run("again")


async def run_a_message(inside: Inside) -> object:
    return await inside.thread.run(ExternalMessage("monitor", "news"))


async def run_by_another_handle(inside: Inside) -> object:
    return await inside.codex.thread(inside.thread.id).run("again")


async def run_the_turn(inside: Inside) -> object:
    return await inside.turn.run()


@pytest.mark.parametrize("act", [run, run_a_message, run_by_another_handle, run_the_turn])
async def test_a_tool_cannot_wait_for_its_own_turn(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, inside: Inside, act: Any
) -> None:
    gate = scripted_model.gate()
    scripted_model.queue(reply(call("act"), gate=gate))
    async with AsyncCodex(codex_config) as codex:
        inside.codex = codex
        inside.thread = await codex.thread_start(tools=[inside.tool(act)])
        inside.turn = await inside.thread.turn("go")
        gate.open()
        result = await inside.turn.run(timeout=PATIENCE)
        assert is_idle(codex)
    assert inside.refusals() == ["run"]
    assert (result.status, result.final_response) == (TurnStatus.completed, "ok")


async def test_nor_can_a_handler(codex_config: AppServerConfig, scripted_model: ScriptedModel, inside: Inside) -> None:
    async def approve(_: ApprovalRequest) -> bool:
        try:
            inside.outcomes.append(await inside.thread.run("again"))
        except ConfigError as error:
            inside.outcomes.append(error)
        return False

    asks = {"cmd": "true", "sandbox_permissions": "require_escalated", "justification": "need it"}
    scripted_model.queue(reply(call("exec_command", asks)))
    async with AsyncCodex(codex_config, on_approval=approve) as codex:
        inside.thread = await codex.thread_start(approval_policy="on-request")
        result = await inside.thread.run("go", timeout=PATIENCE)
    assert inside.refusals() == ["run"]
    assert result.final_response == "ok"


async def test_a_tool_may_add_to_its_turn_and_run_other_threads(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, inside: Inside
) -> None:
    async def add(inside: Inside) -> object:
        other = await (await inside.codex.thread_start()).run("elsewhere", timeout=PATIENCE)
        await inside.turn.steer("more")
        return [(await inside.thread.turn("and more")).joined, other.final_response]

    gate = scripted_model.gate()
    scripted_model.when("elsewhere", "from elsewhere")
    scripted_model.queue(reply(call("act"), gate=gate))
    async with AsyncCodex(codex_config) as codex:
        inside.codex = codex
        inside.thread = await codex.thread_start(tools=[inside.tool(add)])
        inside.turn = await inside.thread.turn("go")
        gate.open()
        await inside.turn.run(timeout=PATIENCE)
        assert is_idle(codex)
    assert inside.outcomes == [[True, "from elsewhere"]]
    assert {"more", "and more"} <= set(scripted_model.requests[-1].user_texts)


async def test_two_threads_whose_tools_run_each_other_do_not_wait_for_ever(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, inside: Inside
) -> None:
    async def ask_the_other(_: Inside) -> object:
        return (await other.run("advise", timeout=PATIENCE)).final_response

    advice = Inside()
    scripted_model.when("advise", reply(call("act")), "advice")
    scripted_model.when("go", reply(call("ask")), "advised")
    async with AsyncCodex(codex_config) as codex:
        advice.thread = inside.thread = await codex.thread_start(tools=[inside.tool(ask_the_other, "ask")])
        other = await codex.thread_start(tools=[advice.tool(run)])
        result = await inside.thread.run("go", timeout=PATIENCE)
    assert advice.refusals() == ["run"]
    assert inside.outcomes == ["advice"]
    assert result.final_response == "advised"


async def test_a_tool_of_a_sub_agent_cannot_wait_for_the_turn_that_it_works_for(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, inside: Inside
) -> None:
    spawns = call("spawn_agent", {"message": "look it up", "fork_context": True}, namespace="multi_agent_v1")
    scripted_model.when("look it up", reply(call("act")), "done")
    async with AsyncCodex(codex_config) as codex:
        inside.thread = await codex.thread_start(tools=[inside.tool(run)])
        gate = scripted_model.gate()
        scripted_model.queue(reply(spawns), reply(gate=gate))
        turn = await inside.thread.turn("go")
        await scripted_model.received(4)
        gate.open()
        await turn.run(timeout=PATIENCE)
    assert inside.refusals() == ["run"]


async def test_a_tool_that_has_returned_is_in_nobodys_way(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, inside: Inside
) -> None:
    async def nothing(_: Inside) -> None:
        return None

    scripted_model.queue(reply(call("act")), "first", "second")
    async with AsyncCodex(codex_config) as codex:
        inside.thread = await codex.thread_start(tools=[inside.tool(nothing)])
        await inside.thread.run("go", timeout=PATIENCE)
        assert (await inside.thread.run("again", timeout=PATIENCE)).final_response == "second"
