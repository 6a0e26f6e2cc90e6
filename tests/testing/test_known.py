"""A home for another runtime has no setting that it does not know."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from openai_codex import AppServerConfig
from openai_codex.testing import QuietHome, temporary_home

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

NEWER = "unbounded_connection_retries"
URL = "http://127.0.0.1:9/v1"


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """A program that lists the features of a runtime before 0.153, and counts how often."""
    program = tmp_path / "codex"
    listed = "plugins                stable             true\nshell_snapshot         stable             true"
    program.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\necho "{listed}"\n')
    program.chmod(0o755)
    return program


def features(home: QuietHome) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads(home.config_file.read_text())["features"]
    return found


def test_a_home_has_no_setting_that_its_runtime_does_not_know(older: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_CODEX_BIN", str(older))
    with temporary_home(URL) as home:
        assert features(home) == {"plugins": False, "shell_snapshot": False}
        assert home.config().codex_bin == str(older)
    assert (older.parent / "calls").read_text() == "features list\n", "it is asked once"


def test_a_home_is_fitted_to_the_runtime_of_a_client(older: Path) -> None:
    with temporary_home(URL, model="gpt-5.5", features={"goals": False}) as home:
        assert features(home)[NEWER] is False
        home.config()
        assert NEWER in features(home)
        with home.config_file.open("a") as file:
            file.write("\n[mcp_servers.own]\ncommand = 'x'\n")
        home.config(codex_bin=older)
        assert features(home) == {"plugins": False, "shell_snapshot": False, "goals": False}
        written = tomllib.loads(home.config_file.read_text())
    assert (written["model"], written["mcp_servers"]) == ("gpt-5.5", {"own": {"command": "x"}})


def test_a_setting_of_the_test_itself_stays(older: Path) -> None:
    with temporary_home(URL, features={NEWER: True}) as home:
        home.config(codex_bin=older)
        assert features(home)[NEWER] is True


@pytest.mark.parametrize("program", ["/nowhere/codex", "codex-that-is-nowhere", "false"])
def test_a_program_that_lists_nothing_changes_nothing(program: str) -> None:
    with temporary_home(URL) as home:
        before = home.config_file.read_text()
        assert isinstance(home.config(codex_bin=program), AppServerConfig)
        assert home.config_file.read_text() == before
