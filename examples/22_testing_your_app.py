"""Test a program of yours with pytest, on the real runtime and a scripted model: no account, no network."""

import pytest

from openai_codex import AppServerConfig, Codex, TurnFailedError
from openai_codex.testing import ScriptedModel, fail_stream


def summarize(config: AppServerConfig, text: str) -> str:
    """What is tested: it says so if the model cannot answer."""
    with Codex(config) as codex:
        try:
            return codex.thread_start(ephemeral=True).run(f"Summarize: {text}").final_response or ""
        except TurnFailedError:
            return "(no summary)"


def test_the_summary_is_what_the_model_says(scripted_model: ScriptedModel, codex_config: AppServerConfig) -> None:
    scripted_model.when("Summarize: a long text", "Short.")
    assert summarize(codex_config, "a long text") == "Short."
    assert scripted_model.requests[-1].user_texts[-1] == "Summarize: a long text"


def test_a_failure_of_the_provider_is_told(scripted_model: ScriptedModel, codex_config: AppServerConfig) -> None:
    scripted_model.queue(fail_stream("server_is_overloaded"))
    assert summarize(codex_config, "a long text") == "(no summary)"


if __name__ == "__main__":  # a project names the plugin in its conftest.py: `pytest_plugins = [PLUGIN]`
    PLUGIN = "openai_codex.testing.pytest_plugin"
    raise SystemExit(pytest.main([__file__, "-q", "-p", PLUGIN, "-p", "no:cacheprovider"]))
