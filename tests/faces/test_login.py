"""Logins, each to its end, with a login service on loopback."""

from __future__ import annotations

import urllib.parse
import urllib.request

import pytest

from openai_codex import AppServerConfig, AsyncCodex, LoginTimeoutError
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


async def test_a_key_is_stored_used_and_forgotten(scripted_model: ScriptedModel) -> None:
    with temporary_home(scripted_model.url, provider={"requires_openai_auth": True}) as home:
        async with AsyncCodex(home.config()) as codex:
            await codex.login_api_key("sk-test-key")
            read = await codex.account()
            await (await codex.thread_start(ephemeral=True)).run("go")
            await codex.logout()
            after = await codex.account()
    assert isinstance(read.account, ApiKeyAccount)
    assert after.account is None
    assert scripted_model.requests[-1].headers["authorization"] == "Bearer sk-test-key"
    assert "sk-test-key" not in repr(scripted_model.requests[-1])


async def test_a_login_in_the_browser_goes_through(scripted_model: ScriptedModel) -> None:
    with (
        login_service() as issuer,
        temporary_home(scripted_model.url, provider={"requires_openai_auth": True}) as home,
    ):
        async with AsyncCodex(login_config(home, issuer)) as codex:
            login = await codex.login_chatgpt()
            assert login.auth_url.startswith(f"{issuer.url}/oauth/authorize?")
            assert approve(login.auth_url) == 200
            completed = await login.wait(timeout=30)
            again = await login.wait(timeout=30)
            read = await codex.account()
            await codex.logout()
    assert completed.success, completed.error
    assert completed.login_id == login.login_id
    assert again == completed
    assert isinstance(read.account, ChatgptAccount)
    assert read.account.email == "a@b.c"


async def test_a_login_by_device_code_goes_through(scripted_model: ScriptedModel) -> None:
    with (
        login_service() as issuer,
        temporary_home(scripted_model.url, provider={"requires_openai_auth": True}) as home,
    ):
        async with AsyncCodex(login_config(home, issuer)) as codex:
            login = await codex.login_chatgpt_device_code()
            assert login.user_code == "CODE-1"
            assert login.verification_url.startswith(issuer.url)
            with pytest.raises(LoginTimeoutError):
                await login.wait(timeout=0.05)
            issuer.device_approved.set()
            completed = await login.wait(timeout=30)
            await codex.logout()
    assert completed.success, completed.error


async def test_a_login_is_cancelled_and_a_replaced_one_ends_alone(codex_config: AppServerConfig) -> None:
    async with AsyncCodex(codex_config) as codex:
        first = await codex.login_chatgpt()
        second = await codex.login_chatgpt()
        replaced = await first.wait(timeout=30)
        answer = await second.cancel()
        cancelled = await second.wait(timeout=30)
        late = await second.cancel()
    assert (replaced.success, replaced.login_id) == (False, first.login_id)
    assert (cancelled.success, cancelled.login_id) == (False, second.login_id)
    assert answer.status == CancelLoginAccountStatus.canceled
    assert late.status == CancelLoginAccountStatus.not_found
    assert second.auth_url not in repr(second)
