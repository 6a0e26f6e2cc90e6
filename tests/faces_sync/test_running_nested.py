# Derived from tests/faces_async/test_running_nested.py by `python -m tools.unasync`; do not edit.
"""Calls for a thread in a handler or tool that a turn of it waits for: what would never return is refused at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from openai_codex import (
    ApprovalRequest,
    AppServerConfig,
    Codex,
    ConfigError,
    ExternalMessage,
    Thread,
    TurnHandle,
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
        self.codex: Codex
        self.thread: Thread
        self.turn: TurnHandle
        self.outcomes: list[Any] = []

    def tool(self, act: Callable[[Inside], Awaitable[Any]], name: str = "act") -> AnyTool:
        @tool(name=name)
        def acting() -> str:
            """Act."""
            try:
                self.outcomes.append(act(self))
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


def run(inside: Inside) -> object:
    return inside.thread.run("again")


def run_a_message(inside: Inside) -> object:
    return inside.thread.run(ExternalMessage("monitor", "news"))


def run_by_another_handle(inside: Inside) -> object:
    return inside.codex.thread(inside.thread.id).run("again")


def run_the_turn(inside: Inside) -> object:
    return inside.turn.run()


@pytest.mark.parametrize("act", [run, run_a_message, run_by_another_handle, run_the_turn])
def test_a_tool_cannot_wait_for_its_own_turn(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, inside: Inside, act: Any
) -> None:
    gate = scripted_model.gate()
    scripted_model.queue(reply(call("act"), gate=gate))
    with Codex(codex_config) as codex:
        inside.codex = codex
        inside.thread = codex.thread_start(tools=[inside.tool(act)])
        inside.turn = inside.thread.turn("go")
        gate.open()
        result = inside.turn.run(timeout=PATIENCE)
        assert is_idle(codex)
    assert inside.refusals() == ["run"]
    assert (result.status, result.final_response) == (TurnStatus.completed, "ok")


def test_nor_can_a_handler(codex_config: AppServerConfig, scripted_model: ScriptedModel, inside: Inside) -> None:
    def approve(_: ApprovalRequest) -> bool:
        try:
            inside.outcomes.append(inside.thread.run("again"))
        except ConfigError as error:
            inside.outcomes.append(error)
        return False

    asks = {"cmd": "true", "sandbox_permissions": "require_escalated", "justification": "need it"}
    scripted_model.queue(reply(call("exec_command", asks)))
    with Codex(codex_config, on_approval=approve) as codex:
        inside.thread = codex.thread_start(approval_policy="on-request")
        result = inside.thread.run("go", timeout=PATIENCE)
    assert inside.refusals() == ["run"]
    assert result.final_response == "ok"


def test_a_tool_may_add_to_its_turn_and_run_other_threads(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, inside: Inside
) -> None:
    def add(inside: Inside) -> object:
        other = (inside.codex.thread_start()).run("elsewhere", timeout=PATIENCE)
        inside.turn.steer("more")
        return [(inside.thread.turn("and more")).joined, other.final_response]

    gate = scripted_model.gate()
    scripted_model.when("elsewhere", "from elsewhere")
    scripted_model.queue(reply(call("act"), gate=gate))
    with Codex(codex_config) as codex:
        inside.codex = codex
        inside.thread = codex.thread_start(tools=[inside.tool(add)])
        inside.turn = inside.thread.turn("go")
        gate.open()
        inside.turn.run(timeout=PATIENCE)
        assert is_idle(codex)
    assert inside.outcomes == [[True, "from elsewhere"]]
    assert {"more", "and more"} <= set(scripted_model.requests[-1].user_texts)


def test_two_threads_whose_tools_run_each_other_do_not_wait_for_ever(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, inside: Inside
) -> None:
    def ask_the_other(_: Inside) -> object:
        return (other.run("advise", timeout=PATIENCE)).final_response

    advice = Inside()
    scripted_model.when("advise", reply(call("act")), "advice")
    scripted_model.when("go", reply(call("ask")), "advised")
    with Codex(codex_config) as codex:
        advice.thread = inside.thread = codex.thread_start(tools=[inside.tool(ask_the_other, "ask")])
        other = codex.thread_start(tools=[advice.tool(run)])
        result = inside.thread.run("go", timeout=PATIENCE)
    assert advice.refusals() == ["run"]
    assert inside.outcomes == ["advice"]
    assert result.final_response == "advised"


def test_a_tool_of_a_sub_agent_cannot_wait_for_the_turn_that_it_works_for(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, inside: Inside
) -> None:
    spawns = call("spawn_agent", {"message": "look it up", "fork_context": True}, namespace="multi_agent_v1")
    scripted_model.when("look it up", reply(call("act")), "done")
    with Codex(codex_config) as codex:
        inside.thread = codex.thread_start(tools=[inside.tool(run)])
        gate = scripted_model.gate()
        scripted_model.queue(reply(spawns), reply(gate=gate))
        turn = inside.thread.turn("go")
        scripted_model.wait_for_requests(4)
        gate.open()
        turn.run(timeout=PATIENCE)
    assert inside.refusals() == ["run"]


def test_a_tool_that_has_returned_is_in_nobodys_way(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, inside: Inside
) -> None:
    def nothing(_: Inside) -> None:
        return None

    scripted_model.queue(reply(call("act")), "first", "second")
    with Codex(codex_config) as codex:
        inside.thread = codex.thread_start(tools=[inside.tool(nothing)])
        inside.thread.run("go", timeout=PATIENCE)
        assert (inside.thread.run("again", timeout=PATIENCE)).final_response == "second"
