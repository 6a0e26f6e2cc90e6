"""A goal as one logical turn."""

from __future__ import annotations

import pytest

from openai_codex import AppServerConfig, AsyncCodex, InvalidRequestError, TurnFailedError, TurnTimeoutError
from openai_codex.testing import ScriptedModel, call, message, reply, say
from openai_codex.types import AgentMessageThreadItem, TurnStatus


async def test_a_goal_is_worked_on_turn_after_turn_until_it_is_reached(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.say("working on it")
    scripted_model.queue(reply(message("still"), call("update_goal", {"status": "complete"})), say("reached"))
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start()
        result = await codex.run_goal(thread.id, "count to three", timeout=30)
        goal = await codex.thread_goal(thread.id)
    texts = [item.text for item in result.items if isinstance(item, AgentMessageThreadItem)]
    assert texts == ["working on it", "still", "reached"]
    assert result.final_response == "reached"
    assert result.status == TurnStatus.completed
    assert goal is not None
    assert goal.status == "complete"
    assert scripted_model.request_count == 3


async def test_a_goal_that_takes_too_long_is_paused(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.say("first")
    scripted_model.say("never finished", gate=scripted_model.gate(), hold_after=1)
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start()
        with pytest.raises(TurnTimeoutError) as caught:
            await codex.run_goal(thread.id, "never ends", timeout=1.5)
        await scripted_model.idle()
        goal = await codex.thread_goal(thread.id)
    assert goal is not None
    assert goal.status == "paused"
    assert caught.value.result is not None
    assert caught.value.result.final_response == "first"
    assert scripted_model.abandoned_count == 1


async def test_a_goal_whose_turn_fails_raises_and_goes_no_further(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.fail_stream("context_length_exceeded", "too long")
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start()
        with pytest.raises(TurnFailedError):
            await codex.run_goal(thread.id, "fails", timeout=30)
        goal = await codex.thread_goal(thread.id)
    assert goal is not None
    assert goal.status != "active"
    assert scripted_model.request_count == 1


async def test_a_goal_that_is_refused_leaves_the_running_turn_alone(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    gate = scripted_model.gate()
    scripted_model.say("finished", gate=gate)
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start(ephemeral=True)  # which can have no goal
        turn = await thread.turn("go")
        await gate.reached()
        with pytest.raises(InvalidRequestError):
            await codex.run_goal(thread.id, "impossible", timeout=30)
        gate.open()
        result = await turn.run(timeout=30)
    assert result.status == TurnStatus.completed
