"""What a turn costs is on its result: the sum of its model calls, beside the total of its thread."""

from __future__ import annotations

from typing import Any

import pytest

from openai_codex import AppServerConfig, AsyncCodex, RunResult, TurnFailedError
from openai_codex.testing import Reply, ScriptedModel, Usage, call, message, reply, say, temporary_home
from openai_codex.types import CommandExecutionOutputDeltaNotification, TurnCompletedNotification
from tests.support.bounds import PATIENCE

OPTIONS: dict[str, Any] = {"sandbox": "full-access", "approval_policy": "never"}


def tool(input_tokens: int, output_tokens: int, cmd: str = "true") -> Reply:
    usage = Usage(input_tokens=input_tokens, output_tokens=output_tokens)
    return reply(call("exec_command", {"cmd": cmd}), usage=usage)


def answer(input_tokens: int, output_tokens: int) -> Reply:
    return say("ok", usage=Usage(input_tokens=input_tokens, output_tokens=output_tokens))


def cost(result: RunResult) -> tuple[int, int]:
    assert result.turn_usage is not None
    assert result.turn_usage.total_tokens == result.turn_usage.input_tokens + result.turn_usage.output_tokens
    return result.turn_usage.input_tokens, result.turn_usage.output_tokens


async def test_a_turn_costs_what_its_model_calls_cost(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start(**OPTIONS)
        scripted_model.queue(answer(100, 10), tool(200, 20), answer(300, 30))
        assert cost(await thread.run("one", timeout=PATIENCE)) == (100, 10)
        result = await thread.run("two", timeout=PATIENCE)
    assert cost(result) == (500, 50)
    assert result.usage is not None
    assert (result.usage.total.input_tokens, result.usage.last.input_tokens) == (600, 300)


async def test_a_resumed_thread_and_a_fork_do_not_count_what_was_before(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start(**OPTIONS)
        scripted_model.queue(answer(100, 10))
        await thread.run("one", timeout=PATIENCE)
    for include_turns in (False, True):
        async with AsyncCodex(codex_config) as codex:
            scripted_model.queue(answer(7, 2), answer(9, 3))
            resumed = await codex.thread_resume(thread.id, include_turns=include_turns)
            assert cost(await resumed.run("two", timeout=PATIENCE)) == (7, 2)
            forked = await codex.thread_fork(thread.id)
            assert cost(await forked.run("three", timeout=PATIENCE)) == (9, 3)


@pytest.mark.parametrize("resumes", [False, True])
async def test_a_compaction_counts_for_the_turn_in_which_it_is(scripted_model: ScriptedModel, resumes: bool) -> None:
    with temporary_home(scripted_model.url, config={"model_auto_compact_token_limit": 500}) as home:
        async with AsyncCodex(home.config()) as codex:
            thread = await codex.thread_start(**OPTIONS)
            scripted_model.queue(tool(600, 30), answer(50, 5), answer(70, 7))  # the second one is the summary
            assert cost(await thread.run("compacts in between", timeout=PATIENCE)) == (720, 42)
            scripted_model.queue(answer(700, 1))
            assert cost(await thread.run("fills the context", timeout=PATIENCE)) == (700, 1)
            if not resumes:
                scripted_model.queue(answer(80, 8), answer(90, 9))
                assert cost(await thread.run("compacts first", timeout=PATIENCE)) == (170, 17)
        if resumes:
            async with AsyncCodex(home.config()) as codex:
                scripted_model.queue(answer(80, 8), answer(90, 9))
                again = await codex.thread_resume(thread.id, **OPTIONS)
                assert cost(await again.run("compacts first", timeout=PATIENCE)) == (170, 17)


async def test_a_compaction_of_the_program_counts_for_no_other_turn(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start(**OPTIONS)
        scripted_model.queue(answer(100, 10), answer(60, 6), answer(11, 1))
        assert cost(await thread.run("one", timeout=PATIENCE)) == (100, 10)
        async with codex.events(TurnCompletedNotification, thread_id=thread.id, timeout=PATIENCE) as ends:
            await thread.compact()
            await ends.__anext__()
        assert cost(await thread.run("two", timeout=PATIENCE)) == (11, 1)


async def test_input_that_joins_a_turn_has_the_cost_of_the_whole_turn(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    gate = scripted_model.gate()
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start(**OPTIONS)
        scripted_model.queue(
            answer(1_000, 100),
            tool(100, 10, "sleep 0.3; echo one"),
            reply(message("a b"), usage=Usage(200, 0, 20), gate=gate, hold_after=1),
            answer(300, 30),
            answer(400, 40),
        )
        await thread.run("before", timeout=PATIENCE)
        turn = await thread.turn("one")
        async for event in turn.stream(timeout=PATIENCE):
            if isinstance(event.payload, CommandExecutionOutputDeltaNotification):
                break
        await gate.reached()
        joined = await thread.turn("two")
        assert joined.joined
        gate.open()
        first, second = await turn.run(timeout=PATIENCE), await joined.run(timeout=PATIENCE)
    assert first.usage is not None
    assert (
        cost(first) == cost(second) == (first.usage.total.input_tokens - 1_000, first.usage.total.output_tokens - 100)
    )
    assert first.usage.total.input_tokens >= 1_400  # what the input has cut off is not reported


async def test_the_attempts_of_a_run_are_added_up(scripted_model: ScriptedModel) -> None:
    with temporary_home(scripted_model.url) as home:
        async with AsyncCodex(home.config()) as codex:
            thread = await codex.thread_start(**OPTIONS)
            scripted_model.queue(tool(100, 10))
            scripted_model.fail_stream("server_is_overloaded", "busy")
            scripted_model.queue(tool(200, 20), answer(300, 30))
            result = await thread.run("go", retries=1, timeout=PATIENCE)
            assert (cost(result), result.attempts) == ((600, 60), 2)
            scripted_model.queue(tool(100, 10))
            scripted_model.fail_stream("server_is_overloaded", "busy")
            with pytest.raises(TurnFailedError) as caught:
                await thread.run("go", timeout=PATIENCE)
    assert cost(caught.value.result) == (100, 10)


async def test_a_turn_without_a_report_has_no_cost(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.fail(400)
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start()
        with pytest.raises(TurnFailedError) as caught:
            await thread.run("go", timeout=PATIENCE)
    assert caught.value.result.turn_usage is None


async def test_a_review_whose_calls_the_runtime_does_not_report_has_no_cost(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start(**OPTIONS)
        scripted_model.queue(answer(100, 10), tool(200, 20), answer(300, 30), answer(7, 1))
        await thread.run("one", timeout=PATIENCE)
        review = await codex.review(thread.id, "Look at nothing.")
        assert (await review.run(timeout=PATIENCE)).turn_usage is None
        assert cost(await thread.run("two", timeout=PATIENCE)) == (7, 1)
