"""The environment and the directory of a runtime: what it inherits, what is set or removed, and bytes that are not UTF-8."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from openai_codex import AppServerConfig, AsyncCodex, ConfigError, LaunchError
from openai_codex._runtime.environment import environment_of
from openai_codex.testing import FakeAppServer, QuietHome, ScriptedModel, call, reply, say
from openai_codex.types import CommandExecutionThreadItem
from tests.support.bounds import PATIENCE
from tests.support.children import child

ODD = os.fsdecode(b"caf\xe9")
OURS = ("OPENAI_CODEX_RUNTIME", "LC_CTYPE")  # what this package, and Python itself where there is no locale, adds


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "environment"


def told(file: Path) -> dict[str, str]:
    """Return the environment that a child has written down."""
    pairs = (pair.partition(b"=") for pair in file.read_bytes().split(b"\0"))
    found = {os.fsdecode(name): os.fsdecode(value) for name, _, value in pairs}
    return {
        name: value for name, value in found.items() if not name.startswith(OURS) and name != "__CF_USER_TEXT_ENCODING"
    }


async def environment(file: Path, **settings: Any) -> dict[str, str]:
    """Start a runtime that writes its environment down, and return that."""
    writes = f'open({str(file)!r}, "wb").write(b"\\0".join(k + b"=" + v for k, v in os.environb.items()))'
    async with AsyncCodex(AppServerConfig(launch_args_override=child(f"{writes}; shake_hands(); read()"), **settings)):
        pass
    return told(file)


Inherited = Callable[[dict[str, str]], dict[str, str]]
SETTINGS: dict[str, tuple[dict[str, Any], Inherited]] = {
    "all": ({}, lambda own: own),
    "set": ({"env": {"A": "1", "KEPT": "2"}}, lambda own: own | {"A": "1", "KEPT": "2"}),
    "removed": ({"env": {"KEPT": None}}, lambda own: {k: v for k, v in own.items() if k != "KEPT"}),
    "removed though missing": ({"env": {"MISSING": None}}, lambda own: own),
    "none": ({"inherit_env": False}, lambda _: {}),
    "none, set": ({"inherit_env": False, "env": {"A": "1", "KEPT": None}}, lambda _: {"A": "1"}),
    "some": ({"inherit_env": ["KEPT", "MISSING"]}, lambda _: {"KEPT": "kept"}),
    "some, removed": ({"inherit_env": ("KEPT", "PATH"), "env": {"KEPT": None}}, lambda own: {"PATH": own["PATH"]}),
    "not UTF-8": ({"inherit_env": [], "env": {"ODD": ODD, ODD: "x"}}, lambda _: {"ODD": ODD, ODD: "x"}),
    "all that is inherited": ({"env": {"ODD": ODD}, "inherit_env": True}, lambda own: own | {"ODD": ODD}),
}


@pytest.mark.parametrize("case", SETTINGS)
async def test_the_runtime_has_these_variables(case: str, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEPT", "kept")
    monkeypatch.setenv("INHERITED_ODD", ODD)
    settings, expected = SETTINGS[case]
    own = {name: text for name, text in os.environ.items() if not name.startswith(OURS)}
    assert await environment(file, **settings) == expected(own)
    config = AppServerConfig(launch_args_override=["a program of the user's own"], **settings)
    assert {k: v for k, v in environment_of(config).items() if not k.startswith(OURS)} == expected(own)


async def test_the_whole_environment_can_be_passed_back(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INHERITED_ODD", ODD)
    assert (await environment(file, env=dict(os.environ)))["INHERITED_ODD"] == ODD


async def test_commands_run_beside_a_variable_that_is_not_utf8(
    codex_home: QuietHome,
    scripted_model: ScriptedModel,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The runtime aborted each command, and the turn completed as if nothing had happened."""
    caplog.set_level(logging.WARNING, "openai_codex")
    monkeypatch.setenv("INHERITED_ODD", ODD)
    monkeypatch.setenv("KEPT", "käse")
    config = codex_home.config(env={"ODD": ODD, ODD: "x"})
    async with AsyncCodex(config) as codex:
        thread = await codex.thread_start(sandbox="full-access", approval_policy="never")
        shell = {"cmd": "echo got $KEPT", "yield_time_ms": 15_000}
        scripted_model.queue(reply(call("exec_command", shell)), say("done"))
        result = await thread.run("go", timeout=PATIENCE)
    [output] = [item.aggregated_output for item in result.items if isinstance(item, CommandExecutionThreadItem)]
    assert "got käse" in str(output)
    warned = [text for record in caplog.records if "left_out" in (text := record.getMessage())]
    assert warned == [r"codex.variables_left_out names=INHERITED_ODD,ODD,caf\xe9 reason=not UTF-8"]


@pytest.mark.parametrize("names", [["A=B"], ["PATH", ""]])
def test_a_name_that_no_variable_has_is_refused(names: list[str]) -> None:
    with pytest.raises(ConfigError, match=r"inherit_env\[\d\]: expected the name of a variable, without ="):
        AppServerConfig(inherit_env=names)  # type: ignore[arg-type]  a list is converted


async def test_a_secret_of_the_host_stays_out_of_commands(
    codex_home: QuietHome, scripted_model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOST_TOKEN", "of-the-host")
    config = codex_home.config(inherit_env=["PATH"])
    async with AsyncCodex(config) as codex:
        result = await (await codex.thread_start(ephemeral=True)).run("go", timeout=PATIENCE)
        assert b"of-the-host" not in own_environment(codex.health().pid)
    assert result.final_response == "ok"


def own_environment(pid: int | None) -> bytes:
    """Return the environment that a process has started with."""
    return Path(f"/proc/{pid}/environ").read_bytes()


@pytest.mark.parametrize("value", [3, "PATH", ["A", 3], {"A": "x"}, None, b"A", ["A\0"]])
def test_what_is_no_list_of_names_is_refused(value: Any) -> None:
    with pytest.raises(ConfigError, match="inherit_env"):
        AppServerConfig(inherit_env=value)


@pytest.mark.parametrize("value", ["a\0b", "\ud800", 5, b"x"])
def test_what_no_system_call_takes_is_refused_and_not_shown(value: Any) -> None:
    with pytest.raises(ConfigError, match=r"env\['A'\]: expected a str") as caught:
        AppServerConfig(env={"A": value})
    assert repr(value) not in str(caught.value)


@pytest.fixture
def server() -> Iterator[FakeAppServer]:
    with FakeAppServer() as server:
        yield server


@pytest.fixture
def back() -> Iterator[None]:
    """Return to the directory of the test run."""
    before = Path.cwd()
    yield
    os.chdir(before)


@pytest.mark.usefixtures("back")
async def test_a_directory_that_the_runtime_cannot_use_is_named_at_the_start(
    server: FakeAppServer, tmp_path: Path
) -> None:
    gone, odd = tmp_path / "gone", os.fsencode(tmp_path) + b"/dir-\xe9"
    gone.mkdir()
    os.mkdir(odd)  # noqa: PTH102  bytes
    os.chdir(gone)
    gone.rmdir()
    with pytest.raises(LaunchError, match=r"does not exist any more; pass cwd="):
        await use(server.config())
    await use(server.config(cwd=tmp_path))
    os.chdir(odd)
    with pytest.raises(LaunchError, match=r"not named in UTF-8, as the runtime requires; pass cwd="):
        await use(server.config())
    await use(server.config(cwd=tmp_path))


async def use(config: AppServerConfig) -> None:
    async with AsyncCodex(config) as codex:
        await codex.thread_start()


async def test_a_path_that_is_not_utf8_is_refused_by_name(server: FakeAppServer) -> None:
    with pytest.raises(ConfigError, match=r"cwd: expected a path in UTF-8, as the runtime accepts no other"):
        AppServerConfig(cwd=f"/tmp/{ODD}")  # noqa: S108  never used
    async with AsyncCodex(server.config()) as codex:
        with pytest.raises(ConfigError, match=r"cwd: expected a path in UTF-8"):
            await codex.thread_start(cwd=f"/{ODD}")
