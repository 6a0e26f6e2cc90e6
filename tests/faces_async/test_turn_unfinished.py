"""What a turn was busy with is on its errors and results: the command that hung, half an answer, what runs on."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import pytest

from openai_codex import (
    AppServerConfig,
    AsyncCodex,
    AsyncThread,
    AsyncTurnHandle,
    TransportClosedError,
    TurnFailedError,
    TurnStalledError,
    TurnTimeoutError,
    UnfinishedItem,
)
from openai_codex.testing import ScriptedModel, call, reply, say
from openai_codex.types import (
    AgentMessageDeltaNotification,
    AgentMessageThreadItem,
    CommandExecutionThreadItem,
    ItemCompletedNotification,
    TurnStatus,
)
from tests.support.bounds import PATIENCE

OPTIONS: dict[str, Any] = {"sandbox": "full-access", "approval_policy": "never"}

# It is stopped with its runtime, or by the test.
HANGS = "sleep 0.3; echo first-line; sleep 600"


def the_command(unfinished: list[UnfinishedItem]) -> UnfinishedItem:
    [found] = unfinished
    assert isinstance(found.item, CommandExecutionThreadItem)
    assert HANGS in found.item.command
    assert found.started_at is not None
    assert found.duration is not None
    assert abs(time.time() - found.started_at - found.duration) < PATIENCE
    return found


@pytest.mark.parametrize(
    ("limit", "error"), [("timeout", TurnTimeoutError), ("stall_timeout", TurnStalledError)], ids=["timeout", "stall"]
)
async def test_the_command_that_hung_is_on_the_error(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, limit: str, error: type[TurnTimeoutError]
) -> None:
    scripted_model.queue(reply(call("exec_command", {"cmd": HANGS, "yield_time_ms": 30_000})))
    async with AsyncCodex(codex_config) as codex:
        turn = await (await codex.thread_start(**OPTIONS)).turn("go")
        async for event in turn.stream(timeout=PATIENCE):
            if event.method == "item/commandExecution/outputDelta":
                break
        with pytest.raises(error, match=r"unfinished: commandExecution .*first-line") as caught:
            await turn.run(**{limit: 0.2})  # type: ignore[arg-type]  # one of the two
    result = caught.value.result
    assert result is not None
    command = the_command(result.unfinished)
    assert command.text == "first-line\n"
    assert isinstance(command.item, CommandExecutionThreadItem)
    assert command.item.aggregated_output == command.text
    assert result.started_at is not None
    assert result.duration_ms is not None
    assert command.duration is not None
    assert result.duration_ms >= command.duration * 1_000
    assert "commandExecution" not in {item.type for item in result.items}


async def begun(model: ScriptedModel, thread: AsyncThread) -> AsyncTurnHandle:
    """Begin a turn whose answer stops after two words."""
    gate = model.gate()
    model.queue(say(deltas=["Half an ", "answer", " and the rest"], gate=gate, hold_after=2))
    turn = await thread.turn("go")
    async for event in turn.stream(timeout=PATIENCE):
        if isinstance(event.payload, AgentMessageDeltaNotification) and event.payload.delta == "answer":
            break
    return turn


def half_an_answer(unfinished: list[UnfinishedItem]) -> None:
    [message] = unfinished
    assert isinstance(message.item, AgentMessageThreadItem)
    assert message.item.text == message.text == "Half an answer"


async def test_half_an_answer_is_on_the_error_of_a_timeout(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    async with AsyncCodex(codex_config) as codex:
        turn = await begun(scripted_model, await codex.thread_start())
        with pytest.raises(TurnTimeoutError) as caught:
            await turn.run(timeout=0.1)
    assert caught.value.result is not None
    half_an_answer(caught.value.result.unfinished)
    assert caught.value.result.final_response is None


async def test_half_an_answer_is_in_the_result_of_an_interrupted_turn(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    async with AsyncCodex(codex_config) as codex:
        turn = await begun(scripted_model, await codex.thread_start())
        await turn.interrupt(timeout=PATIENCE)
        result = await turn.run(timeout=PATIENCE)
    assert result.status == TurnStatus.interrupted
    half_an_answer(result.unfinished)


async def test_half_an_answer_is_on_the_error_of_a_killed_runtime(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    async with AsyncCodex(codex_config) as codex:
        turn = await begun(scripted_model, await codex.thread_start())
        pid = codex.health().pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(TransportClosedError) as caught:
            await turn.run(timeout=PATIENCE)
    assert caught.value.result is not None
    half_an_answer(caught.value.result.unfinished)


async def test_half_an_answer_is_on_the_error_of_a_failed_turn(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.truncate(deltas=["Half an ", "answer"])
    async with AsyncCodex(codex_config) as codex:
        with pytest.raises(TurnFailedError) as caught:
            await (await codex.thread_start()).run("go", timeout=PATIENCE)
    half_an_answer(caught.value.result.unfinished)


async def test_a_turn_that_is_completed_has_nothing_unfinished(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.queue(reply(call("exec_command", {"cmd": "sleep 0.3; echo x"})), say("done"))
    async with AsyncCodex(codex_config) as codex:
        result = await (await codex.thread_start(**OPTIONS)).run("go", timeout=PATIENCE)
    assert result.unfinished == []


async def test_a_command_that_outlives_its_turn_is_reported_and_can_be_stopped(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.queue(reply(call("exec_command", {"cmd": HANGS, "yield_time_ms": 300})), say("left it running"))
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start(**OPTIONS)
        ends = codex.events(ItemCompletedNotification, thread_id=thread.id, timeout=PATIENCE)
        result = await thread.run("go", timeout=PATIENCE)
        assert result.final_response == "left it running"
        command = the_command(result.unfinished)
        [listed] = [each async for each in thread.background_terminals()]
        assert (listed.command, listed.item_id) == (HANGS, getattr(command.item, "id", None))
        assert await thread.terminate_background_terminal(listed.process_id)
        async for event in ends:
            if isinstance(event.payload, ItemCompletedNotification) and event.payload.item.type == "commandExecution":
                assert event.turn_id == result.id
                break
        assert [each async for each in thread.background_terminals()] == []
        await thread.clean_background_terminals()


async def test_an_interrupted_turn_leaves_its_command_running(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.queue(reply(call("exec_command", {"cmd": HANGS, "yield_time_ms": 30_000})))
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start(**OPTIONS)
        turn = await thread.turn("go")
        async for event in turn.stream(timeout=PATIENCE):
            if event.method == "item/commandExecution/outputDelta":
                break
        await turn.interrupt(timeout=PATIENCE)
        result = await turn.run(timeout=PATIENCE)
        assert the_command(result.unfinished).text == "first-line\n"
        assert len([each async for each in thread.background_terminals()]) == 1
        await thread.clean_background_terminals()
