"""A secret that the program passes, and the runtime repeats, is in no text: not on stderr, in an error, or in the log."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from openai_codex import AppServerConfig, AsyncCodex, CodexError, JsonRpcError, LaunchError, TransportClosedError
from openai_codex._async.client._wait import ready
from openai_codex.testing import FakeAppServer
from openai_codex.types import ChatgptAuthTokensLoginAccountParams, ModelListParams
from tests.support.bounds import PATIENCE
from tests.support.inside import actor_of

_numbers = count()

CONTROLS = "\x1b\r\n\x00\x9b\u202e\u2028"


@pytest.fixture
def server() -> Iterator[FakeAppServer]:
    with FakeAppServer() as server:
        yield server


@pytest.fixture
def secret() -> str:
    """Another one for each test: what is known as a secret stays known."""
    return f's3cr3t"{next(_numbers)}-\\value'


async def nothing(_codex: AsyncCodex, _secret: str) -> None:
    pass


async def log_in(codex: AsyncCodex, secret: str) -> None:
    await codex.login_api_key(secret)


async def log_in_with_tokens(codex: AsyncCodex, secret: str) -> None:
    params = ChatgptAuthTokensLoginAccountParams(access_token=secret, chatgpt_account_id="a")
    await codex.request(params, timeout=PATIENCE)


async def start_with_config(codex: AsyncCodex, secret: str) -> None:
    await codex.thread_start(config={"mcp_servers": {"docs": {"http_headers": {"X-Api-Key": secret}}}})


Pass = Callable[[AsyncCodex, str], Any]
PASSED: dict[str, tuple[Callable[[str], dict[str, Any]], Pass]] = {
    "env": (lambda secret: {"env": {"SERVICE_TOKEN": secret}}, nothing),
    "env, lower": (lambda secret: {"env": {"github_pat": secret}}, nothing),
    "url in env": (lambda secret: {"env": {"PROXY": f"http://u:{secret.replace(chr(34), '')}@host"}}, nothing),
    "override": (lambda secret: {"config_overrides": {"api_key": secret}}, nothing),
    "inner override": (lambda secret: {"config_overrides": {"a": {"b": {"my_secret": secret}}}}, nothing),
    "bearer": (lambda secret: {"config_overrides": {"h": {"Authorization": f"Bearer {secret}"}}}, nothing),
    "api key": (lambda _: {}, log_in),
    "tokens": (lambda _: {}, log_in_with_tokens),
    "config of a thread": (lambda _: {}, start_with_config),
}


@pytest.mark.parametrize("how", PASSED)
async def test_a_secret_that_the_runtime_repeats_is_in_no_text(
    server: FakeAppServer, how: str, secret: str, caplog: pytest.LogCaptureFixture
) -> None:
    settings, pass_on = PASSED[how]
    if how == "url in env":
        secret = secret.replace('"', "")
    server.on("account/login/start", {"type": "apiKey"})
    texts: list[str] = []
    with caplog.at_level(logging.DEBUG, "openai_codex"):
        async with AsyncCodex(server.config(**settings(secret))) as codex:
            await pass_on(codex, secret)
            server.refuse("model/list", -32600, message=f"bad value {secret}{CONTROLS}", data={"value": secret})
            with pytest.raises(JsonRpcError) as refused:
                await codex.request(ModelListParams(), timeout=PATIENCE)
            thread = await codex.thread_start()
            turn = await thread.turn("go")
            server.turn.fail(f"no access for {secret}{CONTROLS}")
            with pytest.raises(CodexError) as failed:
                await turn.run(timeout=PATIENCE)
            server.child.write_stderr(f"panicked at {secret}{CONTROLS} {'x' * 40}\n".encode())
            server.child.exit(3)
            assert await ready(actor_of(codex).exited, PATIENCE)
            with pytest.raises(TransportClosedError) as closed:
                await codex.request(ModelListParams(), timeout=PATIENCE)
    for error in (refused.value, failed.value, closed.value):
        texts += [str(error), repr(error)]
        assert not set(str(error).replace("\n", "")) & set(CONTROLS)
    process = closed.value.process
    texts += [repr(process), process.describe(), *process.stderr_tail]
    for record in caplog.records:
        texts += [record.getMessage(), str(vars(record)["codex"])]
        assert not set(record.getMessage()) & set(CONTROLS)
    assert [text for text in texts if secret in text or repr(secret)[1:-1] in text] == []
    assert "panicked at ***" in process.stderr_tail[0]
    assert "bad value ***" in str(refused.value)


async def test_a_secret_at_the_end_of_a_long_line_is_not_cut(server: FakeAppServer, secret: str) -> None:
    async with AsyncCodex(server.config(env={"SERVICE_TOKEN": secret})) as codex:
        for length in range(1_980, 2_010):
            server.child.write_stderr(f"{'x' * length}{secret}\n".encode())
        server.child.exit(3)
        assert await ready(actor_of(codex).exited, PATIENCE)
        with pytest.raises(TransportClosedError) as closed:
            await codex.request(ModelListParams(), timeout=PATIENCE)
    assert [line for line in closed.value.process.stderr_tail if secret[:4] in line] == []


async def test_what_is_no_secret_stays_readable(server: FakeAppServer) -> None:
    env = {"CODEX_TEST_DIR": "/tmp/a-directory-of-40-characters-and-digits-1", "DEBUG": "verbose", "X_TOKEN": "a"}  # noqa: S108  never used
    line = f"warning: {' '.join(env.values())} 0199a7c2-6c1e-7d2b-8f00-0123456789ab"
    async with AsyncCodex(server.config(env=env | {"THREAD": line[-36:]})) as codex:
        server.child.write_stderr(f"{line}\n".encode())
        server.child.exit(3)
        assert await ready(actor_of(codex).exited, PATIENCE)
        with pytest.raises(TransportClosedError) as closed:
            await codex.request(ModelListParams(), timeout=PATIENCE)
    assert closed.value.process.stderr_tail == (line,)


async def test_a_start_that_fails_shows_none_either(server: FakeAppServer, secret: str) -> None:
    def fail(child: Any) -> None:
        child.write_stderr(f"bad {secret}\n".encode())
        child.exit(1)

    server.on_start(fail)
    with pytest.raises(LaunchError) as caught:
        async with AsyncCodex(server.config(env={"SERVICE_KEY": secret})):
            pass
    assert "stderr: bad ***" in str(caught.value)
    assert secret not in repr(caught.value.process)


WRONG: list[Callable[[str], dict[str, Any]]] = [
    lambda secret: {"config_overrides": [secret]},
    lambda secret: {"config_overrides": secret},
    lambda secret: {"config_overrides": f"api_key={secret}"},
    lambda secret: {"launch_args_override": f"codex --token {secret}"},
    lambda secret: {"env": {f"TOKEN={secret}": "x"}},
    lambda secret: {"env": f"TOKEN={secret}"},
    lambda secret: {"env": {"TOKEN": f"{secret}\0"}},
]


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_a_setting_that_is_refused_is_not_shown(number: int, secret: str) -> None:
    with pytest.raises(CodexError) as caught:
        AppServerConfig(**WRONG[number](secret))
    assert secret not in str(caught.value)
    assert repr(secret)[1:-1] not in str(caught.value)
