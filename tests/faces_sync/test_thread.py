# Derived from tests/faces_async/test_thread.py by `python -m tools.unasync`; do not edit.
"""Runs and streams."""

from __future__ import annotations

from functools import partial

import pytest

from openai_codex import (
    AppServerConfig,
    Codex,
    ConfigError,
    TextInput,
    TurnFailedError,
    TurnTimeoutError,
)
from openai_codex.testing import QuietHome, ScriptedModel, call, message, reasoning, reply, say
from openai_codex.types import (
    AgentMessageDeltaNotification,
    AgentMessageThreadItem,
    CodexErrorKind,
    TurnCompletedNotification,
    TurnStatus,
    UserMessageThreadItem,
)
from tests.faces_sync._wait import together


def test_a_run_returns_items_answer_and_usage(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    scripted_model.say("Hello there")
    with Codex(codex_config) as codex:
        thread = codex.thread_start()
        result = thread.run("hi")
    assert result.final_response == "Hello there"
    assert result.status == TurnStatus.completed
    assert result.thread_id == thread.id
    assert [type(item) for item in result.items] == [UserMessageThreadItem, AgentMessageThreadItem]
    assert result.usage is not None
    assert result.usage.total.total_tokens > 0
    assert result.error is None
    assert result.duration_ms is not None
    assert scripted_model.requests[-1].last_user_text == "hi"


def test_a_stream_has_every_delta_and_one_completion_that_is_last(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    words = [f"word{number} " for number in range(50)]
    scripted_model.say(deltas=words)
    with Codex(codex_config) as codex:
        thread = codex.thread_start()
        turn = thread.turn("go")
        events = [event for event in turn.stream(timeout=30)]
        result = turn.run()
    deltas = [event.payload.delta for event in events if isinstance(event.payload, AgentMessageDeltaNotification)]
    assert deltas == words
    assert [n for n, event in enumerate(events) if event.method == "turn/completed"] == [len(events) - 1]
    assert isinstance(events[-1].payload, TurnCompletedNotification)
    assert {event.turn_id for event in events} == {turn.id}
    assert result.final_response == "".join(words)


def test_two_threads_stream_at_once_without_mixing(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    names = ["alpha", "beta"]
    for name in names:
        scripted_model.when(name, say(f"{name} " * 40))
    with Codex(codex_config) as codex:

        def read(name: str) -> tuple[str, set[str | None]]:
            thread = codex.thread_start(ephemeral=True)
            turn = thread.turn(name)
            events = [event for event in turn.stream(timeout=30)]
            texts = [e.payload.delta for e in events if isinstance(e.payload, AgentMessageDeltaNotification)]
            return "".join(texts), {event.thread_id for event in events} - {thread.id}

        answers = together([partial(read, name) for name in names])
    assert answers == [(f"{name} " * 40, set()) for name in names]


def test_a_second_turn_on_a_thread_knows_the_first(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.say("one")
    scripted_model.say("two")
    with Codex(codex_config) as codex:
        thread = codex.thread_start()
        first = thread.run("first question")
        second = thread.run([TextInput("second"), TextInput("question")])
    assert (first.final_response, second.final_response) == ("one", "two")
    assert first.id != second.id
    assert [item.id for item in first.items] != [item.id for item in second.items]
    assert "first question" in scripted_model.requests[-1].user_texts


def test_a_thread_is_resumed_by_id_in_a_fresh_process(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.say("one")
    scripted_model.say("two")
    with Codex(codex_config) as codex:
        thread = codex.thread_start()
        thread.run("first question")
    with Codex(codex_config) as codex:
        resumed = codex.thread_resume(thread.id)
        result = resumed.run("second question")
    assert resumed.id == thread.id
    assert result.final_response == "two"
    assert "first question" in scripted_model.requests[-1].user_texts


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (reply(message("thinking", phase="commentary"), message("answer", phase="final_answer")), "answer"),
        (reply(message("answer", phase="final_answer"), message("later, plain")), "answer"),
        (reply(message("first"), message("second")), "second"),
        (reply(message("only thinking", phase="commentary")), None),
        (reply(message("", phase="final_answer")), ""),
        (reply(reasoning("hm"), message("plain")), "plain"),
    ],
)
def test_the_final_response_is_the_one_a_reader_means(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, answer: object, expected: str | None
) -> None:
    scripted_model.queue(answer)  # type: ignore[arg-type]  # any answer of the kit
    with Codex(codex_config) as codex:
        thread = codex.thread_start(ephemeral=True)
        result = thread.run("go")
    assert result.final_response == expected


def test_a_failed_turn_raises_with_what_there_was_and_the_thread_lives_on(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.queue(reply(message("before"), call("exec_command", {"cmd": "true"})))
    scripted_model.fail_stream("server_is_overloaded", "come back later")
    scripted_model.say("back again")
    with Codex(codex_config) as codex:
        thread = codex.thread_start(ephemeral=True)
        with pytest.raises(TurnFailedError) as caught:
            thread.run("go")
        after = thread.run("again")
    error = caught.value
    assert isinstance(error, RuntimeError)
    assert error.codex_error_info == CodexErrorKind.server_overloaded
    assert error.message == str(error)
    assert (error.thread_id, error.result.status) == (thread.id, TurnStatus.failed)
    assert any(isinstance(item, AgentMessageThreadItem) and item.text == "before" for item in error.result.items)
    assert after.final_response == "back again"


def test_a_usage_limit_says_when_it_is_lifted(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    headers = {
        "x-codex-primary-used-percent": "100",
        "x-codex-primary-window-minutes": "300",
        "x-codex-primary-reset-at": "1900000000",
    }
    body = {"error": {"type": "usage_limit_reached", "message": "limit", "resets_at": 1900000000}}
    scripted_model.fail(429, body, headers=headers)
    scripted_model.fail_stream("context_length_exceeded")
    with Codex(codex_config) as codex:
        thread = codex.thread_start(ephemeral=True)
        with pytest.raises(TurnFailedError) as limited:
            thread.run("go")
        with pytest.raises(TurnFailedError) as other:
            thread.run("go")
    assert limited.value.codex_error_info == CodexErrorKind.usage_limit_exceeded
    assert limited.value.resets_at == 1900000000
    assert other.value.resets_at is None


def test_a_run_that_takes_too_long_is_interrupted_and_tells_what_there_was(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    gate = scripted_model.gate()
    scripted_model.when("go", say("never finished", gate=gate, hold_after=1))
    scripted_model.when("again", "next")
    with Codex(codex_config) as codex:
        thread = codex.thread_start(ephemeral=True)
        with pytest.raises(TurnTimeoutError) as caught:
            thread.run("go", timeout=0.6)
        scripted_model.wait_idle()
        after = thread.run("again")
    assert isinstance(caught.value, TimeoutError)
    assert caught.value.thread_id == thread.id
    # On a machine that stands still meanwhile, the model may not have been asked.
    assert scripted_model.abandoned_count == scripted_model.request_count - 1
    assert after.final_response == "next"


def test_a_step_that_times_out_does_not_end_the_stream(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    gate = scripted_model.gate()
    scripted_model.say("Hello world", gate=gate, hold_after=1)
    with Codex(codex_config) as codex:
        thread = codex.thread_start(ephemeral=True)
        turn = thread.turn("go")
        stream = turn.stream(timeout=0.3)
        before: list[str] = []
        timed_out = 0
        while not timed_out or "item/agentMessage/delta" not in before:
            try:
                before.append((stream.__next__()).method)
            except TurnTimeoutError:
                timed_out += 1
        gate.wait_reached()
        gate.open()
        after = [event for event in turn.stream(timeout=30)]
    assert after[-1].method == "turn/completed"


def test_a_stream_left_early_goes_on_where_it_was(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    scripted_model.say("Hello big wide world")
    with Codex(codex_config) as codex:
        thread = codex.thread_start(ephemeral=True)
        turn = thread.turn("go")
        methods = []
        with turn.stream(timeout=30) as stream:
            for event in stream:
                methods.append(event.method)
                if event.method == "item/agentMessage/delta":
                    break
        assert [event for event in stream] == []
        methods += [event.method for event in turn.stream(timeout=30)]
        result = turn.run()
    assert methods.count("item/agentMessage/delta") == 4
    assert methods[-1] == "turn/completed"
    assert result.final_response == "Hello big wide world"


def test_a_stream_left_by_an_exception_interrupts_the_turn(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.say("never finished", gate=scripted_model.gate(), hold_after=1)
    with Codex(codex_config) as codex:
        thread = codex.thread_start(ephemeral=True)
        turn = thread.turn("go")
        with pytest.raises(KeyError):
            with turn.stream(timeout=30) as stream:
                for _ in stream:
                    raise KeyError
        result = turn.run()
    assert result.status == TurnStatus.interrupted


def test_two_handles_on_one_turn_both_see_its_end(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    gate = scripted_model.gate()
    scripted_model.say("cut off", gate=gate, hold_after=1)
    scripted_model.say("joined answer")
    with Codex(codex_config) as codex:
        thread = codex.thread_start(ephemeral=True)
        first = thread.turn("go")
        gate.wait_reached()
        second = thread.turn("more")
        results = together([first.run, second.run])
    assert second.id == first.id
    assert [result.final_response for result in results] == ["joined answer"] * 2


def test_bad_input_is_refused_before_anything_is_sent(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    with Codex(codex_config) as codex:
        thread = codex.thread_start(ephemeral=True)
        with pytest.raises(ConfigError):
            thread.run("half a pair: \ud83d")
        with pytest.raises(ConfigError, match="got 5"):
            thread.run(5)  # type: ignore[arg-type]  # on purpose
        result = thread.run("fine")
    assert result.final_response == "ok"
    assert scripted_model.request_count == 1


def test_a_thread_is_read_named_and_compacted(codex_home: QuietHome, scripted_model: ScriptedModel) -> None:
    with Codex(codex_home.config()) as codex:
        thread = codex.thread_start(base_instructions="Base.", developer_instructions="Dev.", model="mock-model")
        thread.run("hi")
        thread.set_name("a name")
        bare = thread.read()
        full = thread.read(include_turns=True)
        thread.compact()
        scripted_model.wait_for_requests(2)
    assert bare.thread.name == "a name"
    assert bare.thread.turns == []
    assert len(full.thread.turns) == 1
    assert {"Base.", "Dev."} <= set(scripted_model.requests[0].developer_texts)
