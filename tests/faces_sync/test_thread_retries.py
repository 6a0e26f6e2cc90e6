# Derived from tests/faces_async/test_thread_retries.py by `python -m tools.unasync`; do not edit.
"""`run(retries=…)`: a turn that failed for a reason that passes is continued, and its prompt is in the history once."""

from __future__ import annotations

import pytest

from openai_codex import (
    AppServerConfig,
    Codex,
    ConfigError,
    RetryLimitExceededError,
    TurnFailedError,
    retry_on_overload,
)
from openai_codex._sync import running
from openai_codex.testing import Answer, FakeAppServer, ScriptedModel, call, fail, fail_stream, reply, truncate
from openai_codex.types import CommandExecutionThreadItem, UserMessageThreadItem

PATIENCE = 60.0

PASSING: dict[str, Answer] = {
    "429": fail(429),
    "500": fail(500),
    "503": fail(503),
    "overloaded": fail_stream("server_is_overloaded"),
    "rate limit": fail_stream("rate_limit_exceeded"),
    "cut": truncate("half of it"),
}
LASTING: dict[str, Answer] = {
    "400": fail(400),
    "401": fail(401),
    "usage limit": fail(429, code="usage_limit_reached"),
}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "_FIRST_DELAY", 0.01)


@pytest.mark.parametrize("name", PASSING)
def test_the_prompt_is_in_the_history_once(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, name: str
) -> None:
    scripted_model.queue(PASSING[name], PASSING[name], "fine")
    with Codex(codex_config) as codex:
        thread = codex.thread_start()
        result = thread.run("Add 5.", retries=2, timeout=PATIENCE)
    assert (result.final_response, result.attempts) == ("fine", 3)
    assert scripted_model.requests[-1].user_texts.count("Add 5.") == 1
    assert [type(item) for item in result.items].count(UserMessageThreadItem) == 1


def test_what_was_done_before_the_failure_is_not_done_again(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.queue(reply(call("exec_command", {"cmd": "sleep 0.3; echo DONE"})), fail(503), "fine")
    with Codex(codex_config) as codex:
        result = (codex.thread_start()).run("go", retries=1, timeout=PATIENCE)
    commands = [item for item in result.items if isinstance(item, CommandExecutionThreadItem)]
    assert ["DONE" in str(each.aggregated_output) for each in commands] == [True]
    assert "DONE" in str(scripted_model.requests[-1].function_outputs)


@pytest.mark.parametrize("name", LASTING)
def test_what_does_not_pass_is_raised_at_once(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, name: str
) -> None:
    scripted_model.queue(LASTING[name], "fine")
    with Codex(codex_config) as codex:
        thread = codex.thread_start(ephemeral=True)
        with pytest.raises(TurnFailedError) as caught:
            thread.run("go", retries=2, timeout=PATIENCE)
    assert caught.value.result.attempts == 1
    assert scripted_model.request_count == 1


def test_the_error_of_the_last_attempt_counts_them(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.queue(fail(429), fail(503), "fine")
    with Codex(codex_config) as codex:
        thread = codex.thread_start(ephemeral=True)
        with pytest.raises(TurnFailedError) as caught:
            thread.run("go", retries=1, timeout=PATIENCE)
        assert caught.value.result.attempts == 2
        assert (thread.run("more", timeout=PATIENCE)).attempts == 1


def test_an_operation_that_meets_a_429_is_repeated(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.queue(fail(429), "fine")
    with Codex(codex_config) as codex:
        thread = codex.thread_start(ephemeral=True)
        assert (retry_on_overload(lambda: thread.run("go"), initial_delay_s=0.01)).final_response == "fine"


def test_a_request_that_was_refused_is_sent_again_with_its_input() -> None:
    with FakeAppServer() as server:
        server.refuse("turn/start", -32001, "Server overloaded; retry later.")
        with Codex(server.config()) as codex:
            with pytest.raises(RetryLimitExceededError):
                (codex.thread_start()).run("go", retries=2, timeout=PATIENCE)
        inputs = [request.params["input"][0]["text"] for request in server.requests("turn/start")]
    assert inputs == ["go"] * 3


@pytest.mark.parametrize("retries", [-1, 1.5, True])
def test_what_is_no_count_is_refused(codex_config: AppServerConfig, retries: int) -> None:
    with Codex(codex_config) as codex:
        with pytest.raises(ConfigError, match="retries"):
            (codex.thread_start(ephemeral=True)).run("go", retries=retries)
