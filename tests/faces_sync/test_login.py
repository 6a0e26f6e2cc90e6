# Derived from tests/faces_async/test_login.py by `python -m tools.unasync`; do not edit.
"""Logins, each to its end, with a login service on loopback."""

from __future__ import annotations

import urllib.parse
import urllib.request

import pytest

from openai_codex import AppServerConfig, Codex, LoginTimeoutError
from openai_codex.testing import QuietHome, ScriptedModel, temporary_home
from openai_codex.types import ApiKeyAccount, CancelLoginAccountStatus, ChatgptAccount
from tests.support.issuer import Issuer, login_service


def login_config(home: QuietHome, issuer: Issuer) -> AppServerConfig:
    return home.config(env=issuer.env, config_overrides=(f'chatgpt_base_url="{issuer.url}/backend-api"',))


def approve(auth_url: str) -> int:
    """Do what the browser does when the user has agreed; return the status that the runtime's own page answers."""
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(auth_url).query)
    back = urllib.parse.urlencode({"code": "c", "state": query["state"][0]})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{query['redirect_uri'][0]}?{back}", timeout=20) as page:
        return int(page.status)


def test_a_key_is_stored_used_and_forgotten(scripted_model: ScriptedModel) -> None:
    with temporary_home(scripted_model.url, provider={"requires_openai_auth": True}) as home:
        with Codex(home.config()) as codex:
            codex.login_api_key("sk-test-key")
            read = codex.account()
            (codex.thread_start(ephemeral=True)).run("go")
            codex.logout()
            after = codex.account()
    assert isinstance(read.account, ApiKeyAccount)
    assert after.account is None
    assert scripted_model.requests[-1].headers["authorization"] == "Bearer sk-test-key"
    assert "sk-test-key" not in repr(scripted_model.requests[-1])


def test_a_login_in_the_browser_goes_through(scripted_model: ScriptedModel) -> None:
    with (
        login_service() as issuer,
        temporary_home(scripted_model.url, provider={"requires_openai_auth": True}) as home,
    ):
        with Codex(login_config(home, issuer)) as codex:
            login = codex.login_chatgpt()
            assert login.auth_url.startswith(f"{issuer.url}/oauth/authorize?")
            assert approve(login.auth_url) == 200
            completed = login.wait(timeout=30)
            again = login.wait(timeout=30)
            read = codex.account()
            codex.logout()
    assert completed.success, completed.error
    assert completed.login_id == login.login_id
    assert again == completed
    assert isinstance(read.account, ChatgptAccount)
    assert read.account.email == "a@b.c"


def test_a_login_by_device_code_goes_through(scripted_model: ScriptedModel) -> None:
    with (
        login_service() as issuer,
        temporary_home(scripted_model.url, provider={"requires_openai_auth": True}) as home,
    ):
        with Codex(login_config(home, issuer)) as codex:
            login = codex.login_chatgpt_device_code()
            assert login.user_code == "CODE-1"
            assert login.verification_url.startswith(issuer.url)
            with pytest.raises(LoginTimeoutError):
                login.wait(timeout=0.05)
            issuer.device_approved.set()
            completed = login.wait(timeout=30)
            codex.logout()
    assert completed.success, completed.error


def test_a_login_is_cancelled_and_a_replaced_one_ends_alone(codex_config: AppServerConfig) -> None:
    with Codex(codex_config) as codex:
        first = codex.login_chatgpt()
        second = codex.login_chatgpt()
        replaced = first.wait(timeout=30)
        answer = second.cancel()
        cancelled = second.wait(timeout=30)
        late = second.cancel()
    assert (replaced.success, replaced.login_id) == (False, first.login_id)
    assert (cancelled.success, cancelled.login_id) == (False, second.login_id)
    assert answer.status == CancelLoginAccountStatus.canceled
    assert late.status == CancelLoginAccountStatus.not_found
    assert second.auth_url not in repr(second)
