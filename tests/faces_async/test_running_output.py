"""Runs whose answer has a type: what comes of an answer that does not fit, of an interruption, and of a closed client."""

from __future__ import annotations

import json
import pickle

import attrs
import pytest

from openai_codex import (
    AppServerConfig,
    AsyncCodex,
    ConfigError,
    OutputError,
    TransportClosedError,
    TurnFailedError,
    TurnInterruptedError,
    TurnTimeoutError,
)
from openai_codex.testing import ScriptedModel, Usage, fail_stream, hang, say
from openai_codex.types import AgentMessageThreadItem, TurnStatus
from tests.support.bounds import PATIENCE


@attrs.define
class Verdict:
    fine: bool
    count: int


GOOD = say(json.dumps({"fine": True, "count": 3}))
BAD = say(json.dumps({"fine": "yes", "count": 3}))
WORSE = say("no JSON at all")


async def test_an_error_about_the_answer_has_the_turn_and_its_result(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.queue(BAD)
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start()
        with pytest.raises(OutputError, match="Verdict") as caught:
            await thread.run("go", output_type=Verdict, timeout=PATIENCE)
    for error in (caught.value, pickle.loads(pickle.dumps(caught.value))):  # noqa: S301  our own
        assert error.result is not None
        assert (error.thread_id, error.turn_id) == (thread.id, error.result.id)
        assert error.result.status == TurnStatus.completed
        assert error.result.final_response == error.text
        assert error.usage is not None
        assert error.usage == error.result.usage
        assert error.result.output is None


async def test_the_model_is_asked_again_and_told_what_does_not_fit(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.queue(BAD, WORSE, GOOD)
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start()
        result = await thread.run("go", output_type=Verdict, output_retries=2, timeout=PATIENCE)
        turns = [turn async for turn in thread.turns()]
    assert result.output == Verdict(fine=True, count=3)
    assert (result.attempts, len(turns)) == (3, 3)
    assert sum(isinstance(item, AgentMessageThreadItem) for item in result.items) == 3
    assert result.turn_usage is not None
    assert result.turn_usage.input_tokens == 3 * Usage().input_tokens
    requests = scripted_model.requests
    schemas = [json.dumps(request.json["text"]["format"]["schema"], sort_keys=True) for request in requests]
    assert len(set(schemas)) == 1, "each attempt has the schema"
    assert "fine: expected" in requests[1].last_user_text
    assert "not valid JSON" in requests[2].last_user_text


async def test_an_answer_that_never_fits_raises_the_last_error_with_all_attempts(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.queue(BAD, WORSE, GOOD)
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start()
        with pytest.raises(OutputError) as caught:
            await thread.run("go", output_type=Verdict, output_retries=1, timeout=PATIENCE)
    assert caught.value.text == "no JSON at all"
    assert caught.value.result is not None
    assert caught.value.result.attempts == 2
    assert scripted_model.request_count == 2


async def test_both_kinds_of_attempts_go_together(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    scripted_model.queue(BAD, fail_stream("server_is_overloaded", "busy"), GOOD)
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start()
        result = await thread.run("go", output_type=Verdict, output_retries=1, retries=1, timeout=PATIENCE)
        assert (result.output, result.attempts) == (Verdict(fine=True, count=3), 3)
        scripted_model.queue(BAD, fail_stream("server_is_overloaded", "busy"))
        with pytest.raises(TurnFailedError) as caught:
            await thread.run("go", output_type=Verdict, output_retries=1, timeout=PATIENCE)
    assert caught.value.result.attempts == 2


async def test_the_timeout_is_that_of_all_attempts(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.queue(BAD, hang())
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start()
        with pytest.raises(TurnTimeoutError) as caught:
            await thread.run("go", output_type=Verdict, output_retries=1, timeout=6)
    assert caught.value.timeout == 6
    assert caught.value.result is not None
    assert any(isinstance(item, AgentMessageThreadItem) for item in caught.value.result.items)


@pytest.mark.parametrize("value", [True, -1, 1.5, "1"])
async def test_the_number_of_attempts_is_checked(codex_config: AppServerConfig, value: int) -> None:
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start(ephemeral=True)
        with pytest.raises(ConfigError, match="output_retries"):
            await thread.run("go", output_type=Verdict, output_retries=value)
        with pytest.raises(ConfigError, match="output_type"):
            await thread.run("go", output_retries=1)


async def test_an_interrupted_turn_with_an_output_type_raises(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start()
        for type_ in (Verdict, None):
            gate = scripted_model.gate()
            scripted_model.queue(say("half an answer", gate=gate, hold_after=2))
            turn = await thread.turn("go", output_type=type_)
            async for _ in turn.text(timeout=PATIENCE):
                break
            await turn.interrupt(timeout=PATIENCE)
            if type_ is None:
                assert (await turn.run(timeout=PATIENCE)).status == TurnStatus.interrupted
                continue
            with pytest.raises(TurnInterruptedError, match="interrupted") as caught:
                await turn.run(timeout=PATIENCE)
            error = pickle.loads(pickle.dumps(caught.value))  # noqa: S301  our own
            assert (error.thread_id, error.turn_id) == (thread.id, turn.id)
            assert error.result.status == TurnStatus.interrupted
            assert [each.text[:4] for each in error.result.unfinished] == ["half"]


async def test_the_errors_of_a_closed_client_fit_on_one_line(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.queue(hang())  # else the turn might complete before the client is closed
    codex = AsyncCodex(codex_config)
    thread = await codex.thread_start()
    turn, events = await thread.turn("go"), codex.events()
    await codex.close()
    for call in (codex.models, lambda: thread.run("go"), turn.run, events.__anext__, turn.stream().__anext__):
        error: BaseException | None = None
        try:
            for _ in range(1_000):  # what came before the end is delivered
                await call()
        except TransportClosedError as closed:
            error = closed
        assert error is not None
        assert "\n" not in str(error)
        assert len(str(error)) < 200
        assert "closed" in str(error)
