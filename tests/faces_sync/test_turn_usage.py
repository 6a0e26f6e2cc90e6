# Derived from tests/faces_async/test_turn_usage.py by `python -m tools.unasync`; do not edit.
"""What a turn costs is on its result: the sum of its model calls, beside the total of its thread."""

from __future__ import annotations

from typing import Any

import pytest

from openai_codex import AppServerConfig, Codex, RunResult, TurnFailedError
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


def test_a_turn_costs_what_its_model_calls_cost(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    with Codex(codex_config) as codex:
        thread = codex.thread_start(**OPTIONS)
        scripted_model.queue(answer(100, 10), tool(200, 20), answer(300, 30))
        assert cost(thread.run("one", timeout=PATIENCE)) == (100, 10)
        result = thread.run("two", timeout=PATIENCE)
    assert cost(result) == (500, 50)
    assert result.usage is not None
    assert (result.usage.total.input_tokens, result.usage.last.input_tokens) == (600, 300)


def test_a_resumed_thread_and_a_fork_do_not_count_what_was_before(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    with Codex(codex_config) as codex:
        thread = codex.thread_start(**OPTIONS)
        scripted_model.queue(answer(100, 10))
        thread.run("one", timeout=PATIENCE)
    for include_turns in (False, True):
        with Codex(codex_config) as codex:
            scripted_model.queue(answer(7, 2), answer(9, 3))
            resumed = codex.thread_resume(thread.id, include_turns=include_turns)
            assert cost(resumed.run("two", timeout=PATIENCE)) == (7, 2)
            forked = codex.thread_fork(thread.id)
            assert cost(forked.run("three", timeout=PATIENCE)) == (9, 3)


@pytest.mark.parametrize("resumes", [False, True])
def test_a_compaction_counts_for_the_turn_in_which_it_is(scripted_model: ScriptedModel, resumes: bool) -> None:
    with temporary_home(scripted_model.url, config={"model_auto_compact_token_limit": 500}) as home:
        with Codex(home.config()) as codex:
            thread = codex.thread_start(**OPTIONS)
            scripted_model.queue(tool(600, 30), answer(50, 5), answer(70, 7))  # the second one is the summary
            assert cost(thread.run("compacts in between", timeout=PATIENCE)) == (720, 42)
            scripted_model.queue(answer(700, 1))
            assert cost(thread.run("fills the context", timeout=PATIENCE)) == (700, 1)
            if not resumes:
                scripted_model.queue(answer(80, 8), answer(90, 9))
                assert cost(thread.run("compacts first", timeout=PATIENCE)) == (170, 17)
        if resumes:
            with Codex(home.config()) as codex:
                scripted_model.queue(answer(80, 8), answer(90, 9))
                again = codex.thread_resume(thread.id, **OPTIONS)
                assert cost(again.run("compacts first", timeout=PATIENCE)) == (170, 17)


def test_a_compaction_of_the_program_counts_for_no_other_turn(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    with Codex(codex_config) as codex:
        thread = codex.thread_start(**OPTIONS)
        scripted_model.queue(answer(100, 10), answer(60, 6), answer(11, 1))
        assert cost(thread.run("one", timeout=PATIENCE)) == (100, 10)
        with codex.events(TurnCompletedNotification, thread_id=thread.id, timeout=PATIENCE) as ends:
            thread.compact()
            ends.__next__()
        assert cost(thread.run("two", timeout=PATIENCE)) == (11, 1)


def test_input_that_joins_a_turn_has_the_cost_of_the_whole_turn(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    gate = scripted_model.gate()
    with Codex(codex_config) as codex:
        thread = codex.thread_start(**OPTIONS)
        scripted_model.queue(
            answer(1_000, 100),
            tool(100, 10, "sleep 0.3; echo one"),
            reply(message("a b"), usage=Usage(200, 0, 20), gate=gate, hold_after=1),
            answer(300, 30),
            answer(400, 40),
        )
        thread.run("before", timeout=PATIENCE)
        turn = thread.turn("one")
        for event in turn.stream(timeout=PATIENCE):
            if isinstance(event.payload, CommandExecutionOutputDeltaNotification):
                break
        gate.wait_reached()
        joined = thread.turn("two")
        assert joined.joined
        gate.open()
        first, second = turn.run(timeout=PATIENCE), joined.run(timeout=PATIENCE)
    assert first.usage is not None
    assert (
        cost(first) == cost(second) == (first.usage.total.input_tokens - 1_000, first.usage.total.output_tokens - 100)
    )
    assert first.usage.total.input_tokens >= 1_400  # what the input has cut off is not reported


def test_the_attempts_of_a_run_are_added_up(scripted_model: ScriptedModel) -> None:
    with temporary_home(scripted_model.url) as home:
        with Codex(home.config()) as codex:
            thread = codex.thread_start(**OPTIONS)
            scripted_model.queue(tool(100, 10))
            scripted_model.fail_stream("server_is_overloaded", "busy")
            scripted_model.queue(tool(200, 20), answer(300, 30))
            result = thread.run("go", retries=1, timeout=PATIENCE)
            assert (cost(result), result.attempts) == ((600, 60), 2)
            scripted_model.queue(tool(100, 10))
            scripted_model.fail_stream("server_is_overloaded", "busy")
            with pytest.raises(TurnFailedError) as caught:
                thread.run("go", timeout=PATIENCE)
    assert cost(caught.value.result) == (100, 10)


def test_a_turn_without_a_report_has_no_cost(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    scripted_model.fail(400)
    with Codex(codex_config) as codex:
        thread = codex.thread_start()
        with pytest.raises(TurnFailedError) as caught:
            thread.run("go", timeout=PATIENCE)
    assert caught.value.result.turn_usage is None


def test_a_review_whose_calls_the_runtime_does_not_report_has_no_cost(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    with Codex(codex_config) as codex:
        thread = codex.thread_start(**OPTIONS)
        scripted_model.queue(answer(100, 10), tool(200, 20), answer(300, 30), answer(7, 1))
        thread.run("one", timeout=PATIENCE)
        review = codex.review(thread.id, "Look at nothing.")
        assert (review.run(timeout=PATIENCE)).turn_usage is None
        assert cost(thread.run("two", timeout=PATIENCE)) == (7, 1)
