"""Another runtime than the pinned one: how it is named, and what the program is told about it."""

from __future__ import annotations

import logging
from pathlib import Path

import attrs
import pytest
from codex_cli_bin import bundled_codex_path

from openai_codex import (
    AppServerConfig,
    AsyncCodex,
    ConfigError,
    ExternalMessage,
    InvalidRequestError,
    LaunchError,
    MethodNotFoundError,
    RuntimeExited,
    RuntimeStarted,
    TransportClosedError,
)
from openai_codex._protocol.methods import CLIENT_REQUESTS, RUNTIME_VERSION
from openai_codex.testing import FakeAppServer, QuietHome, frames
from openai_codex.types import ModelListParams, ThreadSearchParams
from tests.faces_async.client.test_supervisor import AT_ONCE, kill
from tests.support.bounds import PATIENCE

NAME = "OPENAI_CODEX_BIN"
OLD = {**frames.initialize_result(), "userAgent": "codex_python_sdk/0.133.0 (Debian 12.0.0; x86_64) unknown (x; 1)"}
# What runtime 0.133.0 says to a method that it does not have: the names of those that it has follow.
UNKNOWN = (
    f"Invalid request: unknown variant `thread/search`, expected one of {', '.join(f'`{m}`' for m in CLIENT_REQUESTS)}"
)


@pytest.fixture
def link(tmp_path: Path) -> Path:
    """The pinned runtime under another path, whose directory is the current one."""
    path = tmp_path / "codex"
    path.symlink_to(bundled_codex_path())
    return path


async def test_the_variable_names_a_binary_and_all_reports_name_it(
    codex_home: QuietHome, link: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NAME, str(link))
    config = codex_home.config(restart=AT_ONCE)
    monkeypatch.delenv(NAME)
    assert config.codex_bin == str(link)
    async with AsyncCodex(config) as codex:
        events = codex.events(RuntimeExited, RuntimeStarted, timeout=PATIENCE)
        await codex.models()
        await kill(codex)
        await codex.models()
        exited, started = [(await events.__anext__()).payload for _ in range(2)]
        health = codex.health()
    assert isinstance(exited, RuntimeExited)
    assert isinstance(started, RuntimeStarted)
    assert (exited.path, started.path, started.version) == (str(link), str(link), RUNTIME_VERSION)
    assert (health.path, health.version) == (str(link), RUNTIME_VERSION)
    assert health.last_exit is not None
    assert health.last_exit.path == str(link)


async def test_an_error_names_the_binary_that_ran(
    codex_home: QuietHome, link: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NAME, str(link))
    async with AsyncCodex(codex_home.config()) as codex:
        await kill(codex)
        with pytest.raises(TransportClosedError, match=f"command: {link} ") as caught:
            await codex.models()
    assert caught.value.process.path == str(link)
    monkeypatch.setenv(NAME, "/nowhere/codex")
    with pytest.raises(LaunchError, match=f"/nowhere/codex, named by {NAME}: No such file"):
        async with AsyncCodex(codex_home.config()):
            pass


def test_the_variable_is_weaker_than_an_argument(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "/opt/variable")
    assert AppServerConfig(codex_bin="/opt/argument").codex_bin == "/opt/argument"
    assert AppServerConfig(codex_bin=None).codex_bin == "/opt/variable"
    config = AppServerConfig(codex_bin="codex")
    assert config.codex_bin == "codex"
    config.codex_bin = None
    assert config.codex_bin == "/opt/variable"


@pytest.mark.parametrize("value", ["", None])
def test_an_empty_variable_is_none(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(NAME, raising=False)
    if value is not None:
        monkeypatch.setenv(NAME, value)
    assert AppServerConfig().codex_bin is None


@pytest.mark.parametrize("name", ["codex", "./codex", "bin/codex"])
def test_a_relative_path_belongs_to_the_directory_of_the_program_and_path_is_not_searched(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(NAME, name)
    config = AppServerConfig(cwd="/")
    monkeypatch.chdir("/")
    assert config.codex_bin is not None
    assert Path(config.codex_bin) == tmp_path / name
    assert attrs.evolve(config, cwd=None).codex_bin == config.codex_bin


def test_a_variable_that_cannot_be_a_path_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "/opt/\udcff")
    with pytest.raises(ConfigError, match=f"{NAME}: expected a path in UTF-8"):
        AppServerConfig()


async def test_the_version_of_an_older_runtime_is_logged_once_per_start(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "openai_codex.connection"), FakeAppServer() as server:
        server.on("initialize", OLD)
        async with AsyncCodex(server.config()) as codex:
            await codex.thread_start()
            path = codex.health().path
    logged = [vars(record)["codex"] for record in caplog.records]
    [entry] = [each for each in logged if each["event"] == "codex.runtime_version_differs"]
    assert (entry["version"], entry["pinned"], entry["path"]) == ("0.133.0", RUNTIME_VERSION, path)


async def test_a_method_that_the_runtime_does_not_have_is_named_with_its_version() -> None:
    with FakeAppServer() as server:
        server.on("initialize", OLD)
        server.refuse("thread/search", -32600, UNKNOWN)
        async with AsyncCodex(server.config()) as codex:
            with pytest.raises(MethodNotFoundError) as caught:
                await codex.request(ThreadSearchParams(search_term="x"))
    error = caught.value
    assert str(error) == "this runtime (0.133.0) has no thread/search"
    assert (error.version, error.method, error.code) == ("0.133.0", "thread/search", -32600)
    assert error.message == "Invalid request: unknown variant `thread/search`"


async def test_a_value_that_the_runtime_does_not_know_is_no_unknown_method() -> None:
    message = "Invalid request: unknown variant `section_position`, expected one of `created_at`, `updated_at`"
    with FakeAppServer() as server:
        server.refuse("model/list", -32600, message)
        async with AsyncCodex(server.config()) as codex:
            with pytest.raises(InvalidRequestError, match=r"section_position.*created_at"):
                await codex.request(ModelListParams())


async def test_the_pinned_runtime_says_it_in_the_same_words(codex_config: AppServerConfig) -> None:
    class Unknown(ModelListParams):
        METHOD = "model/nothing"

    async with AsyncCodex(codex_config) as codex:
        with pytest.raises(MethodNotFoundError) as caught:
            await codex.request(Unknown())
    assert str(caught.value) == f"this runtime ({RUNTIME_VERSION}) has no model/nothing"


async def test_an_ephemeral_thread_can_be_closed_where_no_thread_can_be_deleted() -> None:
    with FakeAppServer() as server:
        server.refuse("thread/delete", -32600, UNKNOWN.replace("thread/search", "thread/delete", 1))
        server.on("thread/read", lambda request: {"thread": frames.thread(request.params["threadId"], ephemeral=True)})
        server.on("thread/unsubscribe", {"status": "unsubscribed"})
        async with AsyncCodex(server.config()) as codex:
            thread = await codex.thread_start(ephemeral=True)
            await thread.close(delete=True)
        assert server.request_count("thread/unsubscribe") == 1


async def test_what_an_older_runtime_would_ignore_is_refused_before_it_is_sent() -> None:
    with FakeAppServer() as server:
        server.on("initialize", OLD)
        async with AsyncCodex(server.config()) as codex:
            thread = await codex.thread_start()
            with pytest.raises(
                ConfigError, match=r"last_turn_id: this runtime \(0.133.0\) would ignore it; 0.144.4 and"
            ):
                await codex.thread_fork(thread.id, last_turn_id="u")
            with pytest.raises(ConfigError, match="tool_output"):
                await thread.run(ExternalMessage("probe", "from outside"), timeout=PATIENCE)
            with pytest.raises(ConfigError, match="ancestor_thread_id"):
                [agent async for agent in thread.agents()]
            with pytest.raises(ConfigError, match="timeout_ms"):
                await codex.thread_shell_command(thread.id, "ls", command_timeout=5)
            turn = await thread.turn("Hi")  # the refused message is no work of the thread
            server.turn.complete()
            await turn.run(timeout=PATIENCE)
        assert {request.method for request in server.requests()} == {
            "initialize",
            "initialized",
            "thread/start",
            "turn/start",
        }
        assert server.request_count("turn/start") == 1
