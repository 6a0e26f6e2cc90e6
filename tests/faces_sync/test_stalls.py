# Derived from tests/faces_async/test_stalls.py by `python -m tools.unasync`; do not edit.
"""Turns that make no progress: given up when nothing happens, and not while somebody here is being waited for."""

from __future__ import annotations

import time

import pytest

from openai_codex import (
    ApprovalRequest,
    AppServerConfig,
    Codex,
    ElicitationRequest,
    TurnStalledError,
    TurnTimeoutError,
    tool,
)
from openai_codex.testing import FakeAppServer, ScriptedModel, call, temporary_home
from openai_codex.types import TurnStatus

# Far shorter than what the silence is, and far longer than what a busy machine takes between two events.
STALL = 2.0


def test_a_silent_turn_is_interrupted(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    scripted_model.hang()
    with Codex(codex_config) as codex:
        thread = codex.thread_start()
        with pytest.raises(TurnStalledError) as caught:
            thread.run("go", stall_timeout=0.5)
        scripted_model.wait_idle()
        after = thread.run("again", stall_timeout=30)
    error = caught.value
    assert (error.thread_id, error.timeout, error.last_event) == (thread.id, 0.5, "item/completed")
    assert error.result is not None
    assert error.result.status == TurnStatus.in_progress
    assert error.process.pid is not None
    assert "no progress for 0.5 s since item/completed" in str(error)
    assert after.final_response == "ok"


def test_a_slow_turn_is_no_stall(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    words = ["word "] * 8
    scripted_model.say(deltas=words, delta_delay=STALL / 4)
    with Codex(codex_config) as codex:
        thread = codex.thread_start()
        began = time.monotonic()
        result = thread.run("go", stall_timeout=STALL)
    assert result.final_response == "".join(words)
    assert time.monotonic() - began > STALL


def test_the_whole_time_counts_too(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    words = ["word "] * 50
    scripted_model.say(deltas=words, delta_delay=0.1)
    with Codex(codex_config) as codex:
        thread = codex.thread_start()
        with pytest.raises(TurnTimeoutError) as caught:
            thread.run("go", timeout=1.0, stall_timeout=30)
    assert not isinstance(caught.value, TurnStalledError)


def test_the_clock_stands_while_an_approval_is_pending(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    def ponder(_: ApprovalRequest) -> bool:
        time.sleep(2 * STALL)  # the silence itself
        return False

    arguments = {"cmd": "true", "sandbox_permissions": "require_escalated", "justification": "x"}
    scripted_model.reply(call("exec_command", arguments))
    scripted_model.say("done")
    with Codex(codex_config, on_approval=ponder) as codex:
        thread = codex.thread_start(approval_policy="on-request")
        result = thread.run("go", stall_timeout=STALL)
    assert result.final_response == "done"


def test_the_clock_stands_while_a_tool_works(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    @tool
    def work() -> str:
        """Work."""
        time.sleep(2 * STALL)  # the silence itself
        return "worked"

    scripted_model.reply(call("work", {}))
    scripted_model.say("done")
    with Codex(codex_config) as codex:
        thread = codex.thread_start(tools=[work])
        result = thread.run("go", stall_timeout=STALL)
    assert result.final_response == "done"


def test_attempts_without_end_are_no_progress() -> None:
    with temporary_home("http://127.0.0.1:9/v1", features={"unbounded_connection_retries": True}) as home:
        with Codex(home.config()) as codex:
            thread = codex.thread_start()
            with pytest.raises(TurnStalledError) as caught:
                thread.run("go", stall_timeout=STALL)
    assert caught.value.last_event != "error"


@pytest.mark.parametrize("where", [{}, {"turnId": None}, {"turnId": "a turn within the turn"}])
def test_the_clock_stands_for_any_question_of_the_thread(where: dict[str, str | None]) -> None:
    def ponder(_: ElicitationRequest) -> None:
        time.sleep(2 * STALL)  # the silence itself
        server.turn.complete()

    question = {
        "serverName": "s",
        "mode": "form",
        "message": "m",
        "requestedSchema": {"type": "object", "properties": {}},
    }
    with FakeAppServer() as server:
        with Codex(server.config(), on_elicitation=ponder) as codex:
            turn = (codex.thread_start()).turn("go")
            server.turn.ask("mcpServer/elicitation/request", **{**question, **where})
            result = turn.run(stall_timeout=STALL)
    assert result.status == TurnStatus.completed


def test_the_clock_stands_while_the_turn_waits_for_a_sub_agent() -> None:
    with FakeAppServer() as server:
        with Codex(server.config()) as codex:
            turn = (codex.thread_start()).turn("go")
            item = {
                "type": "collabAgentToolCall",
                "id": "c",
                "tool": "wait",
                "status": "inProgress",
                "senderThreadId": "T",
                "receiverThreadIds": [],
                "agentsStates": {},
            }
            server.turn.item_started(item)
            with pytest.raises(TurnTimeoutError) as caught:
                turn.run(timeout=2 * STALL, stall_timeout=STALL)
            assert not isinstance(caught.value, TurnStalledError)
