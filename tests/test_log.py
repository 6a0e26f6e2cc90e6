"""Log events: on the standard tree, with keys, silent by default, without secrets."""

from __future__ import annotations

import logging
import signal
from typing import Any

import pytest
import structlog

from openai_codex import AppServerConfig, Codex
from openai_codex._log import Log
from openai_codex.testing import QuietHome, ScriptedModel
from tests.support.children import child


def events(caplog: pytest.LogCaptureFixture) -> dict[str, dict[str, Any]]:
    fields = [vars(record)["codex"] for record in caplog.records if record.name.startswith("openai_codex")]
    return {each["event"]: each for each in fields}


def test_a_turn_leaves_a_trail_with_ids(codex_config: AppServerConfig, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "openai_codex"), Codex(codex_config) as codex:
        thread = codex.thread_start(ephemeral=True)
        turn = thread.turn("hi")
        turn.run()
    seen = events(caplog)
    assert {
        "codex.process_started",
        "codex.request_ended",
        "codex.turn_started",
        "codex.turn_completed",
        "codex.process_exited",
    } <= set(seen)
    completed = seen["codex.turn_completed"]
    assert (completed["thread_id"], completed["turn_id"], completed["status"]) == (thread.id, turn.id, "completed")
    line = f"codex.turn_completed thread_id={thread.id} turn_id={turn.id} status=completed"
    assert [message for message in caplog.messages if message.startswith(line)]
    assert seen["codex.process_exited"]["exit_code"] == 0
    assert seen["codex.process_exited"]["pid"] == seen["codex.process_started"]["pid"]
    assert seen["codex.request_ended"]["request_id"] is not None


def test_a_skipped_line_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    program = child('os.write(1, b"noise\\n"); shake_hands(); read()')
    with caplog.at_level(logging.WARNING, "openai_codex"), Codex(AppServerConfig(launch_args_override=program)):
        pass
    assert events(caplog)["codex.line_skipped"]["reason"].startswith("not JSON")


def test_logging_that_raises_is_reported_once(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openai_codex._log._seen_failures", set())
    monkeypatch.setattr(logging, "_logRecordFactory", None)  # not callable
    for _ in range(2):
        Log("test").warning("codex.something_happened")
    assert capfd.readouterr().err.count("TypeError") == 1


@pytest.mark.parametrize("error", [TimeoutError, SystemExit])
def test_what_a_signal_handler_raises_within_a_log_call_reaches_the_caller(error: type[BaseException]) -> None:
    def interrupt(_number: int, _frame: object) -> None:
        raise error

    def emit(_record: logging.LogRecord) -> None:
        signal.raise_signal(signal.SIGUSR1)

    handler = logging.Handler()
    handler.emit = emit  # type: ignore[method-assign]  # the shortest handler
    old = signal.signal(signal.SIGUSR1, interrupt)
    logging.getLogger("openai_codex.test").addHandler(handler)
    try:
        with pytest.raises(error):
            Log("test").warning("codex.something_happened")
    finally:
        logging.getLogger("openai_codex.test").removeHandler(handler)
        signal.signal(signal.SIGUSR1, old)


def test_nothing_is_written_unless_asked(codex_config: AppServerConfig, capfd: pytest.CaptureFixture[str]) -> None:
    with Codex(codex_config) as codex:
        codex.thread_start(ephemeral=True).run("hi")
    assert capfd.readouterr() == ("", "")


def test_the_applications_own_structlog_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    with structlog.testing.capture_logs() as captured, caplog.at_level(logging.INFO, "openai_codex"):
        Log("test").info("codex.something_happened", thread_id="T", turn_id=None)
    assert captured == []
    assert [record.getMessage() for record in caplog.records] == ["codex.something_happened thread_id=T"]


def test_no_secret_reaches_the_log(
    codex_home: QuietHome, scripted_model: ScriptedModel, caplog: pytest.LogCaptureFixture
) -> None:
    config = codex_home.config(env={"OPENAI_API_KEY": "sk-very-secret"}, client_title="T")
    with caplog.at_level(logging.DEBUG, "openai_codex"), Codex(config) as codex:
        codex.thread_start(ephemeral=True).run("a private question")
        codex.login_api_key("sk-another-secret")
        address = codex.login_chatgpt().auth_url
    assert scripted_model.request_count == 1
    text = "\n".join(str(vars(record)) for record in caplog.records)
    assert "sk-very-secret" not in text
    assert "sk-another-secret" not in text
    assert address not in text
    assert "a private question" not in text
