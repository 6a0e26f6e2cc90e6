# Derived from tests/faces_async/test_turn.py by `python -m tools.unasync`; do not edit.
"""Steering and interrupting, at the moments that are easy to get wrong."""

from __future__ import annotations

import pytest

from openai_codex import AppServerConfig, Codex, InvalidRequestError
from openai_codex.testing import ScriptedModel
from openai_codex.types import TurnStatus
from tests.faces_sync._wait import together


def test_a_running_turn_takes_more_input(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    gate = scripted_model.gate()
    scripted_model.say("cut off", gate=gate, hold_after=1)
    scripted_model.say("steered")
    with Codex(codex_config) as codex:
        thread = codex.thread_start(ephemeral=True)
        turn = thread.turn("go")
        gate.wait_reached()
        answer = turn.steer("left")
        result = turn.run()
    assert answer.turn_id == turn.id
    assert result.final_response == "steered"
    assert scripted_model.requests[-1].last_user_text == "left"


def test_a_turn_that_is_over_cannot_be_steered(codex_config: AppServerConfig) -> None:
    with Codex(codex_config) as codex:
        thread = codex.thread_start(ephemeral=True)
        turn = thread.turn("go")
        turn.run()
        with pytest.raises(InvalidRequestError) as caught:
            turn.steer("too late")
    assert caught.value.method == "turn/steer"
    assert caught.value.code == -32600


def test_an_interrupt_returns_when_the_turn_is_over(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    gate = scripted_model.gate()
    scripted_model.say("never finished", gate=gate, hold_after=1)
    with Codex(codex_config) as codex:
        thread = codex.thread_start()
        turn = thread.turn("go")
        gate.wait_reached()
        turn.interrupt()
        result = turn.run(timeout=0)
        after = thread.run("again")
    assert result.status == TurnStatus.interrupted
    assert result.final_response is None
    assert after.final_response == "ok"


@pytest.mark.parametrize("attempt", range(5))
def test_an_interrupt_right_after_the_start_stops_the_turn(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, attempt: int
) -> None:
    scripted_model.hang()
    with Codex(codex_config) as codex:
        thread = codex.thread_start(ephemeral=True)
        turn = thread.turn("go")
        turn.interrupt()
        result = turn.run(timeout=0)
    assert result.status == TurnStatus.interrupted, attempt


def test_an_interrupt_is_harmless_twice_and_after_the_end(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    gate = scripted_model.gate()
    scripted_model.say("never finished", gate=gate, hold_after=1)
    with Codex(codex_config) as codex:
        thread = codex.thread_start(ephemeral=True)
        turn = thread.turn("go")
        gate.wait_reached()
        together([turn.interrupt, turn.interrupt])
        turn.interrupt()
        finished = thread.turn("again")
        assert (finished.run()).status == TurnStatus.completed
        finished.interrupt()


def test_an_interrupt_while_the_stream_is_being_read_ends_the_stream(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.say("never finished", gate=scripted_model.gate(), hold_after=1)
    with Codex(codex_config) as codex:
        thread = codex.thread_start(ephemeral=True)
        turn = thread.turn("go")
        last = None
        for event in turn.stream(timeout=30):
            last = event
            if event.method == "item/agentMessage/delta":
                turn.interrupt()
    assert last is not None
    assert last.method == "turn/completed"
