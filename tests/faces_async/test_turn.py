"""Steering and interrupting, at the moments that are easy to get wrong."""

from __future__ import annotations

import pytest

from openai_codex import AppServerConfig, AsyncCodex, InvalidRequestError
from openai_codex.testing import ScriptedModel
from openai_codex.types import TurnStatus
from tests.faces_async._wait import together


async def test_a_running_turn_takes_more_input(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    gate = scripted_model.gate()
    scripted_model.say("cut off", gate=gate, hold_after=1)
    scripted_model.say("steered")
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start(ephemeral=True)
        turn = await thread.turn("go")
        await gate.reached()
        answer = await turn.steer("left")
        result = await turn.run()
    assert answer.turn_id == turn.id
    assert result.final_response == "steered"
    assert scripted_model.requests[-1].last_user_text == "left"


async def test_a_turn_that_is_over_cannot_be_steered(codex_config: AppServerConfig) -> None:
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start(ephemeral=True)
        turn = await thread.turn("go")
        await turn.run()
        with pytest.raises(InvalidRequestError) as caught:
            await turn.steer("too late")
    assert caught.value.method == "turn/steer"
    assert caught.value.code == -32600


async def test_an_interrupt_returns_when_the_turn_is_over(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    gate = scripted_model.gate()
    scripted_model.say("never finished", gate=gate, hold_after=1)
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start()
        turn = await thread.turn("go")
        await gate.reached()
        await turn.interrupt()
        result = await turn.run(timeout=0)
        after = await thread.run("again")
    assert result.status == TurnStatus.interrupted
    assert result.final_response is None
    assert after.final_response == "ok"


@pytest.mark.parametrize("attempt", range(5))
async def test_an_interrupt_right_after_the_start_stops_the_turn(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, attempt: int
) -> None:
    scripted_model.hang()
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start(ephemeral=True)
        turn = await thread.turn("go")
        await turn.interrupt()
        result = await turn.run(timeout=0)
    assert result.status == TurnStatus.interrupted, attempt


async def test_an_interrupt_is_harmless_twice_and_after_the_end(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    gate = scripted_model.gate()
    scripted_model.say("never finished", gate=gate, hold_after=1)
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start(ephemeral=True)
        turn = await thread.turn("go")
        await gate.reached()
        await together([turn.interrupt, turn.interrupt])
        await turn.interrupt()
        finished = await thread.turn("again")
        assert (await finished.run()).status == TurnStatus.completed
        await finished.interrupt()


async def test_an_interrupt_while_the_stream_is_being_read_ends_the_stream(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.say("never finished", gate=scripted_model.gate(), hold_after=1)
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start(ephemeral=True)
        turn = await thread.turn("go")
        last = None
        async for event in turn.stream(timeout=30):
            last = event
            if event.method == "item/agentMessage/delta":
                await turn.interrupt()
    assert last is not None
    assert last.method == "turn/completed"
