# Derived from tests/faces_async/verbs/test_account.py by `python -m tools.unasync`; do not edit.
"""Keys and tokens that fit into no header are refused before anything is sent."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import Any

import pytest

from openai_codex import Codex, ConfigError, TurnFailedError
from openai_codex.testing import FakeAppServer, QuietHome, ScriptedModel, fail
from openai_codex.types import ChatgptAuthTokensRefreshResponse, CodexErrorKind
from tests.support.bounds import PATIENCE

WRONG = ["", " ", "\n", "sk-abc\n", " sk-abc", "sk-abc\r\n", "sk abc", "sk-\x00abc", "ключ", "sk-abc\u200b", "\u2028"]


@pytest.fixture
def server() -> Iterator[FakeAppServer]:
    with FakeAppServer() as server:
        server.on("account/login/start", {"type": "apiKey"})
        yield server


@pytest.mark.parametrize("key", WRONG, ids=ascii)
def test_a_key_that_fits_into_no_header_is_refused(server: FakeAppServer, key: str) -> None:
    with Codex(server.config()) as codex:
        with pytest.raises(ConfigError, match="api_key: expected ") as caught:
            codex.login_api_key(key)
        assert not server.requests("account/login/start")
        codex.login_api_key("sk-abc")
        assert [request.params["apiKey"] for request in server.requests("account/login/start")] == ["sk-abc"]
    assert "abc" not in str(caught.value)


TOKENS: dict[str, Any] = {"chatgpt_account_id": "a"}


@pytest.mark.parametrize("token", WRONG, ids=ascii)
@pytest.mark.parametrize("made", [dict, ChatgptAuthTokensRefreshResponse], ids=["dict", "response"])
def test_so_is_a_token_that_a_handler_returns(
    server: FakeAppServer, token: str, made: Any, caplog: pytest.LogCaptureFixture
) -> None:
    refresh = "account/chatgptAuthTokens/refresh"
    with Codex(server.config(), on_token_refresh=lambda _: made(access_token=token, **TOKENS)) as codex:
        codex.thread_start()
        answer = server.ask(refresh, {"reason": "unauthorized"}).wait_answer(PATIENCE)
    assert "error" in answer
    assert "access_token: expected " in caplog.text


@pytest.mark.parametrize(("seconds", "plan"), [(3_600, "plus"), (36 * 3_600, "team"), (400 * 86_400, None)])
def test_a_usage_limit_says_when_it_resets(
    codex_home: QuietHome, scripted_model: ScriptedModel, seconds: int, plan: str | None
) -> None:
    resets_at = int(time.time()) + seconds
    error = {"type": "usage_limit_reached", "message": "limit", "resets_at": resets_at, "plan_type": plan}
    scripted_model.queue(fail(429, {"error": error}))
    with Codex(codex_home.config(env={"TZ": "UTC"})) as codex:
        with pytest.raises(TurnFailedError) as caught:
            (codex.thread_start(ephemeral=True)).run("go", timeout=PATIENCE)
    assert caught.value.codex_error_info == CodexErrorKind.usage_limit_exceeded
    assert caught.value.resets_at is not None
    assert 0 <= caught.value.resets_at - resets_at <= 60, "to the minute, and not before"


def test_a_key_of_the_environment_that_is_not_used_is_named(
    codex_home: QuietHome, scripted_model: ScriptedModel, caplog: pytest.LogCaptureFixture
) -> None:
    scripted_model.queue(*[fail(401)] * 3)
    with caplog.at_level(logging.WARNING, "openai_codex"):
        with Codex(codex_home.config(env={"OPENAI_API_KEY": "sk-of-the-environment"})) as codex:
            with pytest.raises(TurnFailedError):
                (codex.thread_start(ephemeral=True)).run("go", timeout=PATIENCE)
    assert "hint=the runtime does not use OPENAI_API_KEY of the environment: pass it to login_api_key" in caplog.text
