"""The steps on older runtimes: what counts as an outcome, and the table of versions. They run by `make test-runtimes`."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from openai_codex import ConfigError, MethodNotFoundError
from openai_codex._protocol.methods import CLIENT_REQUESTS, RUNTIME_VERSION
from openai_codex._version import OLDEST_TESTED
from tools.runtimes import __main__, install
from tools.runtimes.steps import STEPS, Step
from tools.runtimes.table import GAPS, NEWEST_BUT_ONE, VERSIONS

UNKNOWN = MethodNotFoundError(-32600, "no", None, "thread/search", version="0.133.0")


def test_the_table_has_the_oldest_and_the_two_newest() -> None:
    assert VERSIONS == (OLDEST_TESTED, NEWEST_BUT_ONE, RUNTIME_VERSION)
    numbers = [[int(part) for part in version.split(".")] for version in VERSIONS]
    assert numbers == sorted(numbers)


def test_what_a_runtime_does_not_have_belongs_to_a_step() -> None:
    assert len(STEPS) >= 37
    for gaps in GAPS.values():
        assert gaps.keys() <= STEPS.keys()
        assert {gap for gap in gaps.values() if " " not in gap} <= CLIENT_REQUESTS.keys()
    assert not GAPS.get(RUNTIME_VERSION)


@pytest.mark.parametrize(
    ("raised", "gap", "outcome"),
    [
        (None, None, ""),
        (None, "thread/search", "the runtime has thread/search after all"),
        (UNKNOWN, "thread/search", ""),
        (UNKNOWN, None, "this runtime (0.133.0) has no thread/search"),
        (UNKNOWN, "thread/delete", "this runtime (0.133.0) has no thread/search"),
        (AssertionError("x"), "toolOutput of turn/start", ""),
        (ConfigError("tool_output", "x"), "toolOutput of turn/start", ""),
        (ConfigError("tool_output", "x"), None, "ConfigError: tool_output: x"),
        (AssertionError("x"), "thread/search", "AssertionError: x"),
        (AssertionError("x"), None, "AssertionError: x"),
        (ValueError("x"), "toolOutput of turn/start", "ValueError: x"),
    ],
)
def test_a_step_fails_unless_its_outcome_is_the_expected_one(
    raised: Exception | None, gap: str | None, outcome: str
) -> None:
    def act(*_: Any) -> None:
        if raised is not None:
            raise raised

    assert Step("x", act, {}, {}).run(gap) == outcome


def test_one_step_runs_and_a_failure_is_an_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def pinned(_: str) -> Path:
        from codex_cli_bin import bundled_codex_path

        return bundled_codex_path()

    monkeypatch.setattr(__main__, "installed", pinned)
    monkeypatch.setenv("OPENAI_CODEX_BIN", "")
    assert __main__.main([RUNTIME_VERSION, "--only", "start and health"]) == 0
    assert __main__.main(["0.133.0", "--only", "search of threads"]) == 1
    shown = capsys.readouterr().out
    assert "1/1" in shown
    assert "0.133.0, search of threads: the runtime has thread/search after all" in shown


def test_a_runtime_is_installed_by_pip_once_and_only_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install, "DIRECTORY", tmp_path / "runtimes")
    commands: list[list[str]] = []

    def pip(command: list[str], **_: Any) -> None:
        commands.append(command)
        made = Path(command[command.index("--target") + 1])
        (made / "codex_cli_bin" / "bin").mkdir(parents=True)
        if len(commands) == 1:
            raise subprocess.CalledProcessError(1, command)
        (made / "codex_cli_bin" / "bin" / "codex").touch()

    monkeypatch.setattr(subprocess, "run", pip)
    with pytest.raises(subprocess.CalledProcessError):
        install.installed("0.133.0")
    assert list((tmp_path / "runtimes").iterdir()) == []
    paths = {install.installed("0.133.0") for _ in range(2)}
    assert paths == {tmp_path / "runtimes" / "0.133.0" / "codex_cli_bin" / "bin" / "codex"}
    assert len(commands) == 2
    assert commands[1][-1] == "openai-codex-cli-bin==0.133.0"
