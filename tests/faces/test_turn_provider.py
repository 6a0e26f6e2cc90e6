"""Providers that fail: the turn ends with a typed failure, and the thread goes on."""

from __future__ import annotations

from functools import partial

import pytest

from openai_codex import AppServerConfig, AsyncCodex, TurnFailedError, TurnStalledError, TurnTimeoutError
from openai_codex.testing import (
    Answer,
    ScriptedModel,
    call,
    fail,
    fail_stream,
    hang,
    message,
    reply,
    say,
    temporary_home,
    truncate,
)
from openai_codex.types import (
    AgentMessageThreadItem,
    CodexErrorInfo,
    CodexErrorKind,
    HttpConnectionFailedCodexErrorInfo,
    HttpConnectionFailedDetails,
    ResponseTooManyFailedAttemptsCodexErrorInfo,
    ResponseTooManyFailedAttemptsDetails,
    TurnStatus,
)
from tests.faces_async._wait import together
from tests.support.bounds import PATIENCE, SOON, within


def unreachable(status: int | None) -> CodexErrorInfo:
    return HttpConnectionFailedCodexErrorInfo(
        http_connection_failed=HttpConnectionFailedDetails(http_status_code=status)
    )


def refused_too_often(status: int) -> CodexErrorInfo:
    details = ResponseTooManyFailedAttemptsDetails(http_status_code=status)
    return ResponseTooManyFailedAttemptsCodexErrorInfo(response_too_many_failed_attempts=details)


FAILURES: dict[str, tuple[Answer, CodexErrorInfo]] = {
    "500": (fail(500), CodexErrorKind.internal_server_error),
    "503": (fail(503), unreachable(503)),
    "overloaded": (fail(503, code="server_is_overloaded"), CodexErrorKind.server_overloaded),
    "429": (fail(429), refused_too_often(429)),
    "usage limit": (fail(429, code="usage_limit_reached"), CodexErrorKind.usage_limit_exceeded),
    "quota": (fail(429, code="insufficient_quota"), CodexErrorKind.usage_limit_exceeded),
    "quota in the stream": (fail_stream("insufficient_quota"), CodexErrorKind.usage_limit_exceeded),
    "too long": (fail_stream("context_length_exceeded"), CodexErrorKind.context_window_exceeded),
    "policy": (fail_stream("cyber_policy"), CodexErrorKind.cyber_policy),
    "key": (fail(401), unreachable(401)),
    "no such model": (fail(404), unreachable(404)),
    "nonsense": (fail(200, "<html>", headers={"Content-Type": "text/html"}), CodexErrorKind.other),
    "cut before a word": (truncate(), CodexErrorKind.other),
    "cut within a message": (truncate("Hello big world", after=2), CodexErrorKind.other),
    "incomplete": (reply(message("half"), incomplete="max_output_tokens"), CodexErrorKind.other),
}


async def test_every_failure_is_typed_and_its_thread_goes_on(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    for kind, (answer, _) in FAILURES.items():
        scripted_model.when(kind, answer, "ok")

    async def fail_and_go_on(kind: str) -> TurnFailedError:
        thread = await codex.thread_start()
        with pytest.raises(TurnFailedError) as caught:
            await thread.run(kind, timeout=PATIENCE)
        assert (await thread.run(kind, timeout=PATIENCE)).final_response == "ok"
        assert caught.value.thread_id == thread.id
        return caught.value

    async with AsyncCodex(codex_config) as codex:
        errors = await together([partial(fail_and_go_on, kind) for kind in FAILURES])
    found = dict(zip(FAILURES, (error.codex_error_info for error in errors), strict=True))
    assert found == {kind: info for kind, (_, info) in FAILURES.items()}
    assert [type(info) for info in found.values()] == [type(info) for _, info in FAILURES.values()]
    for error in errors:
        assert error.turn_id == error.result.id
        assert error.result.status == TurnStatus.failed
        assert error.result.error is not None
        assert str(error) == error.message == error.result.error.message != ""


async def test_what_was_finished_before_the_failure_is_kept(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.queue(reply(message("finished"), call("exec_command", {"cmd": "true"})))
    scripted_model.truncate("never finished", after=1)
    async with AsyncCodex(codex_config) as codex:
        turn = await (await codex.thread_start(ephemeral=True)).turn("go")
        words = [piece async for piece in turn.text(timeout=PATIENCE)]
        with pytest.raises(TurnFailedError) as caught:
            await turn.run()
    texts = [item.text for item in caught.value.result.items if isinstance(item, AgentMessageThreadItem)]
    assert texts == ["finished"]
    assert words == ["finished", "never"]


async def test_a_retry_of_the_runtime_is_not_a_failure(scripted_model: ScriptedModel) -> None:
    scripted_model.fail(500)
    scripted_model.truncate("lost", after=1)
    scripted_model.say("got through")
    retries = {"request_max_retries": 1, "stream_max_retries": 1}
    with temporary_home(scripted_model.url, provider=retries) as home:
        async with AsyncCodex(home.config()) as codex:
            thread = await codex.thread_start(ephemeral=True)
            result = await thread.run("go", timeout=PATIENCE)
    assert (result.status, result.final_response) == (TurnStatus.completed, "got through")
    assert scripted_model.request_count == 3


async def test_a_refused_connection_fails_the_turn_and_not_the_client(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start()
        assert (await thread.run("go", timeout=PATIENCE)).final_response == "ok"
        scripted_model.close()
        for attempt in ("again", "and again"):
            with within(SOON), pytest.raises(TurnFailedError) as caught:
                await thread.run(attempt, timeout=PATIENCE)
            assert caught.value.codex_error_info == unreachable(None)
        read = await thread.read(include_turns=True)
    assert [turn.status for turn in read.thread.turns] == ["completed", "failed", "failed"]


# --- silence


async def test_a_provider_that_says_nothing_is_given_up_by_a_deadline(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.when("go", hang())
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start()
        with within(SOON), pytest.raises(TurnTimeoutError):
            await thread.run("go", timeout=1.0)
        await scripted_model.idle()
        with within(SOON), pytest.raises(TurnStalledError):
            await thread.run("go", stall_timeout=0.5)
        await scripted_model.idle()
        assert (await thread.run("again", timeout=PATIENCE)).final_response == "ok"
    assert scripted_model.abandoned_count == scripted_model.request_count - 1


async def test_a_stream_that_falls_silent_fails_if_the_provider_is_configured_so(
    scripted_model: ScriptedModel,
) -> None:
    scripted_model.queue(say("never finished", gate=scripted_model.gate(), hold_after=1))
    with temporary_home(scripted_model.url, provider={"stream_idle_timeout_ms": 4_000}) as home:
        async with AsyncCodex(home.config()) as codex:
            thread = await codex.thread_start()
            with within(SOON), pytest.raises(TurnFailedError, match="idle timeout") as caught:
                await thread.run("go", timeout=PATIENCE)
            assert (await thread.run("again", timeout=PATIENCE)).final_response == "ok"
    assert caught.value.codex_error_info == CodexErrorKind.other
