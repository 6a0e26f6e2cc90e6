"""The runtime asks for fresh tokens, for the time and for an attestation."""

from __future__ import annotations

import base64
import json
import shlex
from collections.abc import Iterator
from typing import Any

import pytest

from openai_codex import (
    LATER,
    AppServerConfig,
    AsyncCodex,
    ConfigError,
    RuntimeRequest,
    TurnFailedError,
)
from openai_codex._engine.transport.installation import command_line
from openai_codex._engine.waiting import Latch
from openai_codex.testing import QuietHome, ScriptedModel, temporary_home
from openai_codex.types import (
    AttestationGenerateParams,
    AttestationGenerateResponse,
    ChatgptAuthTokensLoginAccountParams,
    CurrentTimeReadParams,
    CurrentTimeReadResponse,
    TurnStatus,
)
from tests.faces_async.client._asked import (
    answers,
    comes,
    hurry,
)
from tests.support.bounds import PATIENCE


def access_token(expires: int) -> str:
    """An unsigned token. Without a user in it the runtime takes a fresh token for one of another account."""
    account = {"chatgpt_account_id": "acc1", "chatgpt_plan_type": "pro", "chatgpt_user_id": "user1"}
    parts = ({"alg": "none"}, {"email": "a@b.c", "exp": expires, "https://api.openai.com/auth": account})
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join((*encoded, "c2ln"))


TOKEN, FRESH_TOKEN = access_token(4102444800), access_token(4102444801)

CLOCK = {"current_time_reminder": {"enabled": True, "clock_source": "external", "reminder_interval_seconds": 1}}


# -- tokens ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def token_home(scripted_model: ScriptedModel) -> Iterator[QuietHome]:
    """A home that has to be logged in, with a login service behind it."""
    # Its login service has nothing to say: the runtime goes without.
    settings = {"chatgpt_base_url": scripted_model.url.removesuffix("/v1")}
    with temporary_home(scripted_model.url, provider={"requires_openai_auth": True}, config=settings) as home:
        yield home


LOGIN = ChatgptAuthTokensLoginAccountParams(access_token=TOKEN, chatgpt_account_id="acc1")


async def test_a_token_that_is_refused_is_refreshed(token_home: QuietHome, scripted_model: ScriptedModel) -> None:
    asked = []

    async def refresh(request: Any) -> Any:
        asked.append((request.reason, request.previous_account_id))
        return {"access_token": FRESH_TOKEN, "chatgpt_account_id": "acc1", "chatgpt_plan_type": "pro"}

    scripted_model.fail(401)
    async with AsyncCodex(token_home.config(), on_token_refresh=refresh) as codex:
        await codex.request(LOGIN)
        thread = await codex.thread_start(ephemeral=True)
        result = await thread.run("go", timeout=PATIENCE)
    assert asked == [("unauthorized", "acc1")]
    used = [request.headers["authorization"] for request in scripted_model.requests]
    assert used == [f"Bearer {TOKEN}", f"Bearer {FRESH_TOKEN}"]
    assert result.final_response == "ok"


async def test_without_a_fresh_token_the_turn_fails(
    token_home: QuietHome,
    scripted_model: ScriptedModel,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    hurry(monkeypatch, "account/chatgptAuthTokens/refresh")
    refresh = answers({"access_token": FRESH_TOKEN}, RuntimeError("no network"), LATER)
    async with AsyncCodex(token_home.config(), on_token_refresh=refresh) as codex:
        await codex.request(LOGIN)
        thread = await codex.thread_start(ephemeral=True)
        for _ in range(3):
            scripted_model.fail(401)
            with pytest.raises(TurnFailedError, match="auth refresh request failed: code=-32601"):
                await thread.run("go", timeout=PATIENCE)
        after = await thread.run("again", timeout=PATIENCE)
    assert after.final_response == "ok"
    assert FRESH_TOKEN not in caplog.text


async def test_an_interrupt_does_not_wait_for_a_fresh_token(
    token_home: QuietHome, scripted_model: ScriptedModel
) -> None:
    asked, release = Latch(), Latch()

    async def refresh(request: Any) -> Any:
        asked.set()
        await comes(release)
        return {"access_token": FRESH_TOKEN, "chatgpt_account_id": "acc1", "chatgpt_plan_type": "pro"}

    scripted_model.fail(401)
    async with AsyncCodex(token_home.config(), on_token_refresh=refresh) as codex:
        await codex.request(LOGIN)
        thread = await codex.thread_start(ephemeral=True)
        turn = await thread.turn("go")
        await comes(asked)
        await turn.interrupt(timeout=PATIENCE)
        assert (await turn.run(timeout=PATIENCE)).status == TurnStatus.interrupted
        release.set()
        after = await thread.run("again", timeout=PATIENCE)
    assert after.final_response == "ok"


async def test_a_token_refresh_without_a_handler_is_refused(
    token_home: QuietHome, scripted_model: ScriptedModel
) -> None:
    scripted_model.fail(401)
    async with AsyncCodex(token_home.config()) as codex:
        await codex.request(LOGIN)
        thread = await codex.thread_start(ephemeral=True)
        with pytest.raises(TurnFailedError, match="auth refresh request failed: code=-32601"):
            await thread.run("go", timeout=PATIENCE)


# -- the time ----------------------------------------------------------------------------------------------------------


async def test_the_current_time_is_answered(scripted_model: ScriptedModel) -> None:
    asked = []

    async def tell(request: CurrentTimeReadParams) -> CurrentTimeReadResponse:
        asked.append(request.thread_id)
        return CurrentTimeReadResponse(current_time_at=1_700_000_000)

    with temporary_home(scripted_model.url, features=CLOCK) as home:
        async with AsyncCodex(home.config()) as codex:
            codex.handle(CurrentTimeReadParams, tell)
            thread = await codex.thread_start(ephemeral=True)
            result = await thread.run("go", timeout=PATIENCE)
    assert set(asked) == {thread.id}
    assert "2023-11-14" in str(scripted_model.requests[-1].input)
    assert result.final_response == "ok"


async def test_what_no_person_is_asked_may_be_answered_later_too(scripted_model: ScriptedModel) -> None:
    asked = Latch()

    async def park(request: Any) -> Any:
        asked.set()
        return LATER

    with temporary_home(scripted_model.url, features=CLOCK) as home:
        async with AsyncCodex(home.config()) as codex:
            codex.handle(CurrentTimeReadParams, park)
            thread = await codex.thread_start(ephemeral=True)
            turn = await thread.turn("go")
            await comes(asked)
            codex.handle(CurrentTimeReadParams, answers(*[CurrentTimeReadResponse(current_time_at=1_700_000_000)] * 9))
            [request] = codex.pending_requests()
            assert type(request) is RuntimeRequest
            assert isinstance(request.params, CurrentTimeReadParams)
            assert request.thread_id == thread.id
            with pytest.raises(ConfigError, match="expected a CurrentTimeReadResponse, got bool"):
                codex.answer(request.id, True)
            assert codex.answer(request.id, CurrentTimeReadResponse(current_time_at=1_700_000_000)) is True
            # The runtime may have asked again by now.
            assert request.id not in {each.id for each in codex.pending_requests()}
            result = await turn.run(timeout=PATIENCE)
    assert result.final_response == "ok"


async def test_without_the_time_the_turn_fails(scripted_model: ScriptedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch, "currentTime/read")
    with temporary_home(scripted_model.url, features=CLOCK) as home:
        async with AsyncCodex(home.config()) as codex:
            for answer in (None, RuntimeError("the clock stands still"), LATER):
                if answer is not None:  # and nobody at first
                    codex.handle(CurrentTimeReadParams, answers(answer))
                thread = await codex.thread_start(ephemeral=True)
                with pytest.raises(TurnFailedError, match="failed to read current time"):
                    await thread.run("go", timeout=PATIENCE)


# -- attestation, and requests that are unknown -------------------------------------------------------------------------


def asked_to_attest(config: AppServerConfig) -> AppServerConfig:
    """Let the client say that it attests, which it has no setting for."""
    capability = '"experimentalApi":true'
    edit = f's/{capability}/{capability},"requestAttestation":true/'
    line = f"sed -u {shlex.quote(edit)} | {shlex.join(command_line(config))}"
    return AppServerConfig(launch_args_override=("/bin/sh", "-c", line), cwd=config.cwd, env=config.env)


async def test_attestation_is_generated_by_its_handler(token_home: QuietHome, scripted_model: ScriptedModel) -> None:
    async def attest(request: AttestationGenerateParams) -> AttestationGenerateResponse:
        return AttestationGenerateResponse(token="att-1")  # noqa: S106  it is none

    async with AsyncCodex(asked_to_attest(token_home.config())) as codex:
        await codex.request(LOGIN)
        thread = await codex.thread_start(ephemeral=True)

        async def attestation() -> dict[str, Any]:
            result = await thread.run("go", timeout=PATIENCE)
            assert result.final_response == "ok"
            header: dict[str, Any] = json.loads(scripted_model.requests[-1].headers["x-oai-attestation"])
            return header

        assert "t" not in await attestation()  # without a handler
        codex.handle(AttestationGenerateParams, attest)
        # The runtime waits for a fraction of a second only, and then sends its request without a token.
        headers = [await attestation() for _ in range(5)]
        assert [header["t"] for header in headers if header["s"] == 0][:1] == ["att-1"]
