"""The sync face of verbs whose tests are not derived: one run through each."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from openai_codex import AppServerConfig, Codex, TextInput, TurnFailedError
from openai_codex.testing import ScriptedModel, call, message, reply, say, temporary_home
from openai_codex.types import ApiKeyAccount
from tests.support.bounds import PATIENCE


@dataclass
class Verdict:
    fine: bool


def test_a_goal(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    scripted_model.say("working on it")
    scripted_model.queue(reply(message("still"), call("update_goal", {"status": "complete"})), say("reached"))
    with Codex(codex_config) as codex:
        thread = codex.thread_start()
        assert codex.run_goal(thread.id, "count to three", timeout=PATIENCE).final_response == "reached"


def test_a_login(scripted_model: ScriptedModel) -> None:
    with (
        temporary_home(scripted_model.url, provider={"requires_openai_auth": True}) as home,
        Codex(home.config()) as codex,
    ):
        codex.login_api_key("sk-test-key")
        assert isinstance(codex.account().account, ApiKeyAccount)
        login = codex.login_chatgpt()
        login.cancel()
        assert not login.wait(timeout=PATIENCE).success
        codex.logout()
        assert codex.account().account is None


def test_a_typed_answer_to_several_inputs(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    scripted_model.say('{"fine": true}')
    with Codex(codex_config) as codex:
        result = codex.thread_start().run([TextInput("is it"), "fine?"], output_type=Verdict, timeout=PATIENCE)
    assert result.output == Verdict(fine=True)


def test_a_failure_of_the_provider(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    scripted_model.fail_stream("server_is_overloaded")
    with Codex(codex_config) as codex:
        thread = codex.thread_start()
        with pytest.raises(TurnFailedError):
            thread.run("go", timeout=PATIENCE)
        assert thread.run("again", timeout=PATIENCE).final_response == "ok"
