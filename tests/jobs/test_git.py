"""Calls of git: how they end, what is read of them, and what their environment has."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from openai_codex import AppServerConfig, JobError
from openai_codex._jobs.git import git, isolated
from tests.support.bounds import eventually, nothing_left
from tests.support.repositories import repository


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that is called as git."""
    path = tmp_path / "bin" / "git"
    path.parent.mkdir()
    path.touch(0o755)
    monkeypatch.setenv("PATH", str(path.parent), prepend=os.pathsep)
    return path


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except OSError:
        return False


@pytest.mark.parametrize("then", ["wait", "exec >&-; wait"], ids=["silent", "output closed"])
def test_one_that_takes_too_long_is_ended_with_its_children(tmp_path: Path, fake: Path, then: str) -> None:
    pid = tmp_path / "pid"
    fake.write_text(f"#!/bin/sh\nsleep 1000 &\necho $! > {pid}.new; mv {pid}.new {pid}\n{then}\n")
    timeout = 0.5
    with nothing_left():
        while not pid.exists():  # on a busy machine it may be ended before it has begun
            timeout *= 2
            with pytest.raises(JobError, match=f"'git status' took longer than {timeout:g} s") as caught:
                git(tmp_path, "status", timeout=timeout)
            assert (caught.value.kind, caught.value.facts["timeout"]) == ("worktree", timeout)
            assert caught.value.facts["command"] == "git status"
        assert eventually(lambda: not is_alive(int(pid.read_text())))


def test_output_that_is_too_long_is_cut_and_git_is_ended(tmp_path: Path, fake: Path) -> None:
    fake.write_text("#!/bin/sh\nwhile true; do echo 0123456789; done\n")
    with nothing_left():
        output = git(tmp_path, "diff", most=1_000)
    assert (len(output.data), output.is_cut) == (1_000, True)


def test_output_as_long_as_it_may_be_is_not_cut(tmp_path: Path, fake: Path) -> None:
    fake.write_text("#!/bin/sh\nprintf 0123456789\n")
    assert (git(tmp_path, "diff", most=10).is_cut, git(tmp_path, "diff", most=9).is_cut) == (False, True)


def test_nothing_can_ask_and_no_variable_redirects(tmp_path: Path, fake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GIT_DIR", "GIT_TRACE", "GIT_CONFIG_PARAMETERS", "GIT_CONFIG_COUNT", "GIT_EXEC_PATH"):
        monkeypatch.setenv(name, "7")
    fake.write_text("#!/bin/sh\nenv; read answer; echo answer=$answer\n")
    lines = git(tmp_path, "status").text.splitlines()
    kept = {line.partition("=")[0] for line in lines if line.startswith("GIT_")}
    assert kept == {
        "GIT_CONFIG_COUNT",
        "GIT_EXEC_PATH",
        "GIT_TERMINAL_PROMPT",
        "GIT_ASKPASS",
        "GIT_OPTIONAL_LOCKS",
        "GIT_LFS_SKIP_SMUDGE",
    }
    assert "answer=" in lines, "there is nothing to read"


def test_a_runtime_gets_no_variable_that_redirects_git(monkeypatch: pytest.MonkeyPatch) -> None:
    config = AppServerConfig(env={"A": "b", "GIT_PREFIX": "x"})
    assert isolated(config).env == {"A": "b", "GIT_PREFIX": None}
    monkeypatch.setenv("GIT_DIR", "/elsewhere")
    assert isolated(config).env == {"A": "b", "GIT_PREFIX": None, "GIT_DIR": None}
    assert isolated(AppServerConfig(inherit_env=False)) == AppServerConfig(inherit_env=False)
    remote = AppServerConfig(endpoint="ws://127.0.0.1:1")
    assert isolated(remote) is remote


def test_paths_that_are_no_text_are_read(tmp_path: Path) -> None:
    repo = repository(tmp_path / "r")
    (repo / os.fsdecode(b"\xff")).touch()
    output = git(repo, "ls-files", "--others", "-z")
    assert output.data == b"\xff\0"
    assert os.fsencode(output.text) == output.data
