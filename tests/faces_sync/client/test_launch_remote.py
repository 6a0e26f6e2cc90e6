# Derived from tests/faces_async/client/test_launch_remote.py by `python -m tools.unasync`; do not edit.
"""Clients of a runtime that was started elsewhere, on the real runtime."""

from __future__ import annotations

import logging
import os
import signal
import socket
from contextlib import suppress
from pathlib import Path

import pytest

from openai_codex import (
    AppServerConfig,
    Codex,
    ConfigError,
    LaunchError,
    RuntimeFrozenError,
    ThreadTransferError,
    TransportClosedError,
)
from openai_codex.testing import hang, offline
from tests.faces_sync._wait import together
from tests.support.bounds import eventually, stop_process
from tests.support.remote import TOKEN, Cutter, listening, listening_process, started


def test_two_clients_share_a_runtime() -> None:
    with offline() as kit, listening(kit.config) as endpoint:
        config = AppServerConfig(endpoint=endpoint, token=TOKEN)
        kit.model.when(lambda request: b"alpha beta" in request.body, "to the first", "to both")
        kit.model.when(lambda request: b"gamma delta" in request.body, "to the second")
        with Codex(config) as one:
            with Codex(config) as two:
                first, second = one.thread_start(), two.thread_start()
                results = together([lambda: first.run("alpha beta"), lambda: second.run("gamma delta")])
                assert [result.final_response for result in results] == ["to the first", "to the second"]
                shared = two.thread_resume(first.id)
                assert shared.id == first.id
            # The runtime, and the thread in it, outlive a client.
            assert (first.run("again")).final_response == "to both"
            health = one.health()
        assert (health.state, health.pid, health.generation) == ("running", None, 1)


def test_the_token_is_shown_to_the_runtime_and_to_nobody_else(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    journal = tmp_path / "journal.jsonl"
    with offline() as kit, listening(kit.config) as endpoint:
        config = AppServerConfig(endpoint=endpoint, token=TOKEN, journal=journal)
        with Codex(config) as codex:
            thread = codex.thread_start()
            kit.model.queue(hang())
            turn = thread.turn("Hi")
            turn.interrupt()
            health = codex.health()
        with pytest.raises(TransportClosedError) as closed:
            codex.models()
        wrong = AppServerConfig(endpoint=endpoint, token=TOKEN[:-1] + "x")
        with pytest.raises(LaunchError, match=r"refused the token \(HTTP 401\)") as refused:
            connect(wrong)
        with pytest.raises(LaunchError, match=r"requires a token \(HTTP 401\)") as bare:
            connect(AppServerConfig(endpoint=endpoint))
        listed = command_lines()
    shown = [repr(config), str(health), journal.read_text(), caplog.text, listed]
    for error in (closed.value, refused.value, bare.value):
        shown += [str(error), repr(error), error.report(), repr(error.__cause__), repr(vars(error))]
    assert [text for text in shown if TOKEN in text or TOKEN[:-1] + "x" in text] == []
    assert endpoint in str(refused.value)
    assert "did not start" not in str(refused.value)


def command_lines() -> str:
    """Return the command lines of all processes."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has exited
            found.append(path.read_bytes())
    return b" ".join(found).decode(errors="replace")


def connect(config: AppServerConfig) -> None:
    """Connect, and close at once."""
    with Codex(config):
        pass


def test_a_token_is_taken_from_a_variable_with_each_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    with offline() as kit, listening(kit.config) as endpoint:
        config = AppServerConfig(endpoint=endpoint, token_env="A_TOKEN")  # noqa: S106  a name
        monkeypatch.delenv("A_TOKEN", raising=False)
        with pytest.raises(ConfigError, match="the variable A_TOKEN is not set"):
            connect(config)
        monkeypatch.setenv("A_TOKEN", "a b")
        with pytest.raises(ConfigError, match="token_env"):
            connect(config)
        monkeypatch.setenv("A_TOKEN", TOKEN)
        connect(config)


def test_a_runtime_listens_on_a_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "codex.sock"
    with offline() as kit, started(kit.config, "--listen", f"unix://{path}"):
        assert eventually(path.exists)
        kit.model.queue("hello")
        with Codex(AppServerConfig(endpoint=f"unix://{path}")) as codex:
            thread = codex.thread_start()
            assert (thread.run("Hi")).final_response == "hello"
            data = codex.thread_export(thread.id)
            assert (codex.thread_import(data)).id == thread.id  # it is of this machine


def test_a_thread_is_not_imported_into_the_home_of_another_machine() -> None:
    with offline() as kit, listening(kit.config) as endpoint:
        with Codex(AppServerConfig(endpoint=endpoint, token=TOKEN)) as codex:
            thread = codex.thread_start()
            thread.run("Hi")
            data = codex.thread_export(thread.id)
            with pytest.raises(ThreadTransferError, match="on another machine"):
                codex.thread_import(data)


def test_an_address_without_a_runtime_is_a_clear_error(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent_port = silent.getsockname()[1]
        config = AppServerConfig(endpoint=f"ws://127.0.0.1:{silent_port}", start_timeout=0.2)
        with pytest.raises(LaunchError, match=str(silent_port)):
            connect(config)
    with pytest.raises(LaunchError, match=f"no connection to the runtime at ws://127.0.0.1:{silent_port}: .*refused"):
        connect(config)
    with pytest.raises(LaunchError, match=r"no connection to the runtime at unix://.*No such file"):
        connect(AppServerConfig(endpoint=f"unix://{tmp_path}/none"))
    with offline() as kit:
        web = kit.model.url.replace("http", "ws").removesuffix("/v1")
        with pytest.raises(LaunchError, match=r"no connection to the runtime at .*HTTP"):
            connect(AppServerConfig(endpoint=web))


def test_a_lost_connection_ends_what_waits_for_it() -> None:
    with offline() as kit, listening(kit.config) as endpoint, Cutter(endpoint) as cutter:
        config = AppServerConfig(endpoint=cutter.endpoint, token=TOKEN)
        with Codex(config) as codex:
            kit.model.queue(hang())
            turn = (codex.thread_start()).turn("Hi")
            kit.model.wait_for_requests(1)
            cutter.cut()
            with pytest.raises(TransportClosedError, match=cutter.endpoint) as lost:
                turn.run()
            assert lost.value.process.endpoint == cutter.endpoint
            assert not lost.value.will_restart
            assert codex.health().state == "given_up"
            with pytest.raises(TransportClosedError):
                codex.models()


def test_a_frozen_runtime_is_given_up_and_not_killed() -> None:
    with offline() as kit, listening_process(kit.config) as (endpoint, process):
        config = AppServerConfig(endpoint=endpoint, token=TOKEN, ping_interval=0.1, ping_timeout=0.3)
        with Codex(config) as codex:
            stop_process(process.pid)
            with pytest.raises(RuntimeFrozenError):
                codex.models()
            os.kill(process.pid, signal.SIGCONT)
        connect(AppServerConfig(endpoint=endpoint, token=TOKEN))


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"token": "x"}, "token"),
        ({"token_env": "X"}, "token_env"),
        ({"endpoint": "ws://127.0.0.1:1", "token": "x", "token_env": "X"}, "token_env"),
        ({"endpoint": "ws://127.0.0.1:1", "cwd": "/"}, "cwd"),
        ({"endpoint": "ws://127.0.0.1:1", "codex_bin": "/codex"}, "codex_bin"),
        ({"endpoint": "ws://127.0.0.1:1", "env": {"A": "b"}}, "env"),
        ({"endpoint": "ws://127.0.0.1:1", "inherit_env": False}, "inherit_env"),
        ({"endpoint": "ws://127.0.0.1:1", "config_overrides": {"model": "x"}}, "config_overrides"),
        ({"endpoint": "ws://127.0.0.1:1", "launch_args_override": ["x"]}, "launch_args_override"),
        ({"endpoint": "ws://127.0.0.1:1", "strict_config": True}, "strict_config"),
    ],
    ids=str,
)
def test_settings_that_cannot_hold_are_refused(settings: dict[str, object], what: str) -> None:
    with pytest.raises(ConfigError) as refused:
        connect(AppServerConfig(**settings))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  one table
    assert refused.value.what == what
