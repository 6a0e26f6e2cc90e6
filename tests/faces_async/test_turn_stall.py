"""Turns that make no progress are given up, but not while this client owes an answer. The rest: `turns/test_stall`."""

from __future__ import annotations

import time
from typing import Any

import pytest

from openai_codex import AppServerConfig, AsyncCodex, TurnStalledError, TurnTimeoutError
from openai_codex.testing import FakeAppServer, ScriptedModel
from openai_codex.types import TurnStatus
from tests.support.bounds import eventually
from tests.support.inside import is_ended

# Shorter than the silence.
STALL = 0.7

QUESTION = {
    "serverName": "s",
    "mode": "form",
    "message": "m",
    "requestedSchema": {"type": "object", "properties": {}},
}
LEGACY = {"callId": "c", "command": ["true"], "cwd": "/", "parsedCmd": []}


async def test_a_silent_turn_is_interrupted(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    scripted_model.hang()
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start()
        turn = await thread.turn("go")
        # The last event that there is has come, and is not taken.
        assert eventually(lambda: [each.last_event for each in codex.turns()] == ["item/completed"])
        with pytest.raises(TurnStalledError) as caught:
            await turn.run(stall_timeout=0.5)
        await scripted_model.idle()
        after = await thread.run("again", stall_timeout=30)
    error = caught.value
    assert (error.thread_id, error.timeout, error.last_event) == (thread.id, 0.5, "item/completed")
    assert error.result is not None
    assert error.result.status == TurnStatus.in_progress
    assert error.process.pid is not None
    assert "no progress for 0.5 s since item/completed" in str(error)
    assert after.final_response == "ok"


async def test_the_whole_time_counts_too(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    words = ["word "] * 300  # for longer than anybody waits
    scripted_model.say(deltas=words, delta_delay=0.1)
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start()
        with pytest.raises(TurnTimeoutError) as caught:
            await thread.run("go", timeout=1.0, stall_timeout=30)
    assert not isinstance(caught.value, TurnStalledError)


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("mcpServer/elicitation/request", {**QUESTION, "turnId": "a turn within the turn"}),
        ("execCommandApproval", {**LEGACY, "threadId": None, "turnId": None}),
    ],
)
async def test_the_clock_stands_while_a_request_of_the_thread_is_pending(method: str, params: dict[str, Any]) -> None:
    def ponder(_: object) -> None:
        time.sleep(2 * STALL)  # the silence itself
        server.turn.complete()
        assert eventually(lambda: is_ended(turn))  # before the answer, after which the clock would go on

    with FakeAppServer() as server:
        async with AsyncCodex(server.config(), on_elicitation=ponder, on_approval=ponder) as codex:
            turn = await (await codex.thread_start()).turn("go")
            server.turn.ask(method, **params, conversationId=turn.thread_id)
            assert eventually(codex.pending_requests)
            result = await turn.run(stall_timeout=STALL)
    assert result.status == TurnStatus.completed
