"""A goal as one logical turn."""

from __future__ import annotations

import asyncio
import signal
import threading

import pytest

from openai_codex import (
    AppServerConfig,
    AsyncCodex,
    Codex,
    ConfigError,
    InvalidRequestError,
    TurnFailedError,
    TurnTimeoutError,
    tool,
)
from openai_codex.testing import ScriptedModel, call, message, reply, say, spawn, wait
from openai_codex.types import AgentMessageThreadItem, TurnStatus
from tests.support.agents import MODELS
from tests.support.bounds import PATIENCE, STARTED, eventually
from tests.support.inside import calls_waiting, is_idle


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
    assert result.usage is not None
    assert result.turn_usage == result.usage.total


async def test_a_goal_has_the_sub_agents_of_its_turns(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    reached = reply(message("done"), call("update_goal", {"status": "complete"}))
    scripted_model.say("working on it")
    scripted_model.when_agent(spawn("one", "two"), wait(), reached, say("reached"), depth=0)
    scripted_model.when_agent(say("a part"), depth=1)
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start(model=MODELS[2])
        result = await codex.run_goal(thread.id, "two parts", timeout=PATIENCE)
    found = [(each.name, each.last_message, each.status) for each in result.agents]
    assert sorted(found, key=str) == [
        ("one", "a part", TurnStatus.completed),
        ("two", "a part", TurnStatus.completed),
    ]
    assert result.turn_usage is not None
    assert result.total_usage is not None
    below = sum(each.usage.total_tokens for each in result.agents if each.usage is not None)
    assert result.total_usage.total_tokens == result.turn_usage.total_tokens + below > result.turn_usage.total_tokens


async def test_a_goal_that_takes_too_long_is_paused(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, caplog: pytest.LogCaptureFixture
) -> None:
    scripted_model.say("first")
    scripted_model.say("never finished", gate=scripted_model.gate(), hold_after=1)
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start()
        with pytest.raises(TurnTimeoutError) as caught:
            await codex.run_goal(thread.id, "never ends", timeout=STARTED)
        await scripted_model.idle()
        goal = await codex.thread_goal(thread.id)
    assert goal is not None
    assert goal.status == "paused"
    assert caught.value.result is not None
    assert caught.value.result.final_response == "first"
    assert scripted_model.abandoned_count == 1
    warned = [vars(each)["codex"]["event"] for each in caplog.records if each.name == "openai_codex.turn"]
    assert warned == ["codex.turn_interrupted"]


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


@pytest.mark.parametrize("ephemeral", [False, True])  # which can have no goal
async def test_a_goal_waits_for_the_running_turn_and_leaves_it_alone(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, ephemeral: bool
) -> None:
    gate = scripted_model.gate()
    scripted_model.say("finished", gate=gate)
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start(ephemeral=ephemeral)
        turn = await thread.turn("go")
        await gate.reached()
        scripted_model.queue(reply(call("update_goal", {"status": "complete"})), "won")
        goal = asyncio.create_task(codex.run_goal(thread.id, "win", timeout=30))
        await asyncio.to_thread(eventually, lambda: calls_waiting(codex, thread.id) == 1)
        gate.open()
        result = await turn.run(timeout=30)
        if ephemeral:
            with pytest.raises(InvalidRequestError):
                await goal
        else:
            texts = [item.text for item in (await goal).items if isinstance(item, AgentMessageThreadItem)]
            assert texts == ["won"]
        assert is_idle(codex)
    assert (result.status, result.final_response) == (TurnStatus.completed, "finished")


async def test_a_run_waits_for_a_goal_that_is_run(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    gate = scripted_model.gate()
    scripted_model.when("mine", "my answer")
    scripted_model.queue(say("busy", gate=gate), reply(call("update_goal", {"status": "complete"})), "won")
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start()
        goal = asyncio.create_task(codex.run_goal(thread.id, "win", timeout=PATIENCE))
        await gate.reached()
        run = asyncio.create_task(thread.run("mine", timeout=PATIENCE))
        await asyncio.to_thread(eventually, lambda: calls_waiting(codex, thread.id) == 2)
        gate.open()
        assert (await goal).final_response == "won"
        assert (await run).final_response == "my answer"


async def test_a_tool_cannot_wait_for_a_goal_of_its_own_thread(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    errors: list[Exception] = []

    @tool
    async def go_on() -> str:
        """Go on."""
        try:
            await codex.run_goal(thread.id, "win", timeout=PATIENCE)
        except ConfigError as error:
            errors.append(error)
        return "done"

    scripted_model.queue(reply(call("go_on")))
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start(tools=[go_on])
        await thread.run("go", timeout=PATIENCE)
    assert [str(error)[:8] for error in errors] == ["run_goal"]


def test_a_signal_handler_that_interrupts_a_goal_pauses_it_and_does_not_wait_for_it(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    main = threading.get_ident()

    def close(*_: object) -> None:
        with pytest.raises(ConfigError, match="is closed after `run_goal`, which this call interrupts"):
            thread.close()

    def strike() -> None:
        scripted_model.wait_for_requests(1)
        signal.pthread_kill(main, signal.SIGUSR1)

    scripted_model.hang()
    before = signal.signal(signal.SIGUSR1, close)
    striker = threading.Thread(target=strike)
    try:
        with Codex(codex_config) as codex:
            thread = codex.thread_start()
            striker.start()
            result = codex.run_goal(thread.id, "never ends", timeout=PATIENCE)
            thread.close()
            goal = codex.thread_goal(thread.id)
    finally:
        signal.signal(signal.SIGUSR1, before)
        striker.join()
    assert goal is not None
    assert (result.status, goal.status) == ("interrupted", "paused")
