# Derived from tests/faces_async/client/test_launch.py by `python -m tools.unasync`; do not edit.
"""Starting and stopping: a clear error when it cannot be, and no process left behind."""

from __future__ import annotations

import re
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest

from openai_codex import (
    AppServerConfig,
    Codex,
    ConfigError,
    LaunchError,
    RequestTimeoutError,
    TransportClosedError,
    TurnTimeoutError,
)
from openai_codex._protocol.methods import RUNTIME_VERSION
from openai_codex.testing import FakeAppServer, QuietHome, ScriptedModel
from openai_codex.types import (
    InitializeResponse,
    ModelListParams,
    ModelListResponse,
    ThreadLoadedListParams,
    ThreadSetNameParams,
)
from tests.faces_sync._wait import together
from tests.support.bounds import SOON, STARTED, eventually
from tests.support.children import ECHO, EXITS, MUTE, child


def failure(config: AppServerConfig) -> LaunchError:
    """Start a client that cannot start; return its error."""
    started, before = time.monotonic(), own_threads()
    with pytest.raises(LaunchError) as caught:
        with Codex(config):
            pass
    assert time.monotonic() - started < config.start_timeout + SOON
    assert_nothing_left(caught.value.process.pid, before)
    return caught.value


def own_threads() -> set[threading.Thread]:
    """Return the threads of clients; another test of this process may have one that stays open."""
    ours = re.compile(r"codex-(reader|stderr|writer|handler)")
    return {thread for thread in threading.enumerate() if ours.match(thread.name)}


def assert_nothing_left(pid: int | None, before: set[threading.Thread]) -> None:
    """No new thread of a client, and no process of that id."""
    assert eventually(lambda: own_threads() <= before)
    assert pid is None or eventually(lambda: not Path(f"/proc/{pid}").exists())


@pytest.mark.parametrize(
    ("answer", "name", "version"),
    [
        ({"userAgent": "fake/1.0 (x)"}, "fake", "1.0"),
        ({"userAgent": "fake"}, "fake", ""),
        ({}, "", ""),
        ({"userAgent": "a/1", "serverInfo": {"name": "fake", "version": "2.0"}}, "fake", "2.0"),
        ({"serverInfo": {"name": "fake"}}, "fake", ""),
        ({"userAgent": "fake/1.0", "serverInfo": None}, "fake", "1.0"),
    ],
)
def test_a_server_of_a_test_may_answer_with_less(answer: dict[str, Any], name: str, version: str) -> None:
    program = child(f"INIT = {answer!r}; shake_hands(); read()")
    with Codex(AppServerConfig(launch_args_override=program)) as codex:
        info = codex.metadata.server_info
        assert (info.name, info.version, codex.metadata.codex_home) == (name, version, "")


def test_a_client_takes_a_copy_of_its_config() -> None:
    config = AppServerConfig(launch_args_override=ECHO)
    codex = Codex(config)
    with codex:
        config.launch_args_override, config.request_timeout = ("nothing",), 1e-9
        codex.request(ThreadSetNameParams(thread_id="T", name="n"))


def test_the_runtime_says_what_it_is(codex_config: AppServerConfig) -> None:
    with Codex(codex_config) as codex:
        metadata = codex.metadata
        models = codex.request(ModelListParams())
    assert isinstance(metadata, InitializeResponse)
    assert metadata.userAgent == metadata.user_agent
    assert metadata.serverInfo.name == "codex_python_sdk"
    assert metadata.serverInfo.version == RUNTIME_VERSION
    assert isinstance(models, ModelListResponse)
    assert len(models.data) > 0


def test_a_missing_binary_is_named() -> None:
    error = failure(AppServerConfig(codex_bin="/nowhere/codex"))
    assert "/nowhere/codex: No such file or directory" in str(error)
    assert error.process.command[0] == "/nowhere/codex"


def test_a_binary_that_cannot_be_executed_is_named(tmp_path: Path) -> None:
    binary = tmp_path / "codex"
    binary.write_text("no program")
    error = failure(AppServerConfig(codex_bin=str(binary)))
    assert f"{binary}: Permission denied" in str(error)


def test_a_missing_working_directory_is_named(codex_home: QuietHome) -> None:
    error = failure(codex_home.config(cwd="/nowhere/at/all"))
    assert "/nowhere/at/all" in str(error)


@pytest.mark.parametrize(
    ("settings", "builtin"),
    [
        ({"codex_bin": "/nowhere/codex"}, FileNotFoundError),
        ({"codex_bin": "no-such-program"}, FileNotFoundError),
        ({"launch_args_override": ("/nowhere/codex", "app-server")}, FileNotFoundError),
        ({"launch_args_override": ECHO, "cwd": "/nowhere/at/all"}, FileNotFoundError),
        ({"codex_bin": "/"}, OSError),
        ({"launch_args_override": EXITS}, OSError),
    ],
    ids=str,
)
def test_a_start_that_fails_is_also_the_builtin_error_of_starts(
    settings: dict[str, Any], builtin: type[OSError]
) -> None:
    with pytest.raises(builtin) as caught:
        with Codex(AppServerConfig(**settings)):
            pass
    assert isinstance(caught.value, LaunchError)
    assert isinstance(caught.value, FileNotFoundError) == (builtin is FileNotFoundError)


def test_an_unusable_home_is_reported_with_the_last_lines(codex_home: QuietHome, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("a file where a directory should be")
    error = failure(codex_home.config(env={"CODEX_HOME": str(blocked)}))
    assert error.process.exit_code not in {None, 0}
    assert any(str(blocked) in line for line in error.process.stderr_tail)


def test_a_broken_configuration_is_reported_with_the_last_lines(codex_home: QuietHome) -> None:
    codex_home.config_file.write_text("no_such_key = 1\n")
    error = failure(codex_home.config())
    assert error.process.exit_code == 1
    assert any("no_such_key" in line for line in error.process.stderr_tail)


def test_an_exit_during_the_start_is_reported_with_its_code() -> None:
    error = failure(AppServerConfig(launch_args_override=EXITS))
    assert error.process.exit_code == 3
    assert error.process.stderr_tail == ("first line", "no config")
    assert "exit code 3" in str(error)


def test_a_runtime_that_stays_mute_is_given_up_at_the_deadline() -> None:
    error = failure(AppServerConfig(launch_args_override=MUTE, start_timeout=0.5))
    assert "no reply to initialize within 0.5 s" in str(error)
    assert isinstance(error.__cause__, RequestTimeoutError)


def test_a_refused_handshake_is_reported() -> None:
    program = child('send({"id": read()["id"], "error": {"code": -32600, "message": "too old"}}); read()')
    error = failure(AppServerConfig(launch_args_override=program))
    assert "too old" in str(error)


def test_closing_wakes_everyone_and_leaves_nothing(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.say("never finished", gate=scripted_model.gate(), hold_after=1)
    before = own_threads()
    codex = Codex(codex_config)
    thread = codex.thread_start(ephemeral=True)
    turn = thread.turn("go")

    def read() -> str:
        with pytest.raises(TransportClosedError) as caught:
            for event in turn.stream(timeout=30):
                if event.method == "item/agentMessage/delta":
                    codex.close()
        return caught.value.reason

    assert together([read]) == ["the client was closed"]
    codex.close()
    with pytest.raises(TransportClosedError):
        codex.request(ThreadLoadedListParams())
    assert_nothing_left(None, before)


def test_a_client_can_be_closed_before_it_was_used() -> None:
    codex = Codex(AppServerConfig(launch_args_override=ECHO))
    codex.close()
    with pytest.raises(TransportClosedError):
        codex.request(ThreadLoadedListParams())


def test_a_request_without_a_reply_times_out_by_name() -> None:
    program = child("shake_hands()\nwhile True: read()")
    with Codex(AppServerConfig(launch_args_override=program)) as codex:
        with pytest.raises(RequestTimeoutError) as caught:
            codex.request(ModelListParams(), timeout=0.1)
    assert (caught.value.method, caught.value.timeout) == ("model/list", 0.1)


def test_a_run_that_is_never_accepted_is_a_turn_that_took_too_long() -> None:
    program = child("shake_hands()\nwhile True: read()")
    with Codex(AppServerConfig(launch_args_override=program)) as codex:
        with pytest.raises(TurnTimeoutError) as caught:
            codex.thread("T").run("go", timeout=0.2)
    assert (caught.value.thread_id, caught.value.turn_id, caught.value.timeout) == ("T", None, 0.2)


def test_a_turn_that_was_never_sent_is_not_interrupted() -> None:
    with FakeAppServer() as server:
        server.hold("thread/loaded/list")
        with Codex(server.config(max_in_flight=1)) as codex:
            with pytest.raises(RequestTimeoutError):  # takes the only place until its late reply
                ask = partial(codex.request, ThreadLoadedListParams(), timeout=STARTED)
                together([ask, partial(_refused, server, codex)])
            [late] = server.wait_for_requests("thread/loaded/list")
            late.proceed()
            codex.thread_start()
        assert (server.request_count("turn/start"), server.request_count("turn/interrupt")) == (0, 0)


def _refused(server: FakeAppServer, codex: Codex) -> None:
    server.wait_for_requests("thread/loaded/list")
    with pytest.raises(RequestTimeoutError):
        codex.thread("T").turn("go", timeout=0.1)


def test_a_turn_that_may_have_started_is_interrupted_when_its_caller_gives_up() -> None:
    program = child("""
        shake_hands()
        seen = []
        while True:
            request = read()
            if request["method"] == "model/list": reply(request, {"data": [], "nextCursor": ",".join(seen)})
            if request["method"] not in seen[-1:]: seen.append(request["method"])
    """)
    with Codex(AppServerConfig(launch_args_override=program)) as codex:
        for start in (partial(codex.thread("T").turn, "go"), partial(codex.review, "T", "all")):
            with pytest.raises(RequestTimeoutError):
                start(timeout=STARTED)
        models = codex.request(ModelListParams())
    assert models.next_cursor == "turn/start,turn/interrupt,review/start,turn/interrupt"


@pytest.mark.parametrize(
    "setting",
    [
        {"launch_args_override": ()},
        {"launch_args_override": ("codex", "a\0b")},
        {"config_overrides": ("a=\ud83d",)},
        {"env": {"A": 1}},
        {"env": {"A=B": "1"}},
        {"env": {"": "1"}},
        {"codex_bin": "a\0b"},
        {"request_timeout": 0},
        {"request_timeout": float("nan")},
        {"shutdown_timeout": True},
        {"handler_timeout": -1},
        {"start_timeout": float("inf")},
        {"max_in_flight": 101},
        {"cwd": "a\0b"},
        {"config_overrides": "a=b"},
    ],
)
def test_a_setting_that_cannot_work_is_refused_by_name(setting: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        AppServerConfig(**setting)  # type: ignore[arg-type]  # on purpose


def test_paths_are_taken_for_texts() -> None:
    config = AppServerConfig(codex_bin=Path("/a/codex"), cwd=Path("/b"))  # type: ignore[arg-type]  # converted
    assert (config.codex_bin, config.cwd) == ("/a/codex", "/b")


def test_the_environment_never_shows_in_a_repr() -> None:
    config = attrs.evolve(AppServerConfig(), env={"OPENAI_API_KEY": "sk-secret"})
    assert "sk-secret" not in repr(config)
    assert "OPENAI_API_KEY" in repr(config)
