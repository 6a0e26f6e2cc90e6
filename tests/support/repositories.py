"""Git repositories of tests, and what a scripted model does in a worktree."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

from openai_codex.testing import call

COMMANDS = {"sandbox": "full-access", "approval_policy": "never"}

_ENV = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{who}_{what}": "test@localhost" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


def git(directory: Path, *arguments: str) -> str:
    """Run git as a user would, and return its output."""
    plain = {name: text for name, text in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(
        ["git", *arguments],  # noqa: S607  that of the machine
        cwd=directory,
        env={**plain, **_ENV},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.strip()


def repository(path: Path) -> Path:
    """Make a repository with two files and one commit."""
    path.mkdir(parents=True, exist_ok=True)
    git(path, "init", "--quiet", "--initial-branch=main")
    (path / "a.txt").write_text("one\n")
    (path / "sub").mkdir()
    (path / "sub" / "b.txt").write_text("two\n")
    (path / ".gitignore").write_text("ignored/\n")
    commit(path, "first")
    return path


def commit(path: Path, message: str) -> str:
    """Commit all that there is; return the id."""
    git(path, "add", "--all")
    git(path, "commit", "--quiet", "--message", message)
    return git(path, "rev-parse", "HEAD")


def shell(line: str) -> Any:
    """A call of the model that runs a command."""
    return call("exec_command", {"cmd": line})


def trees(repo: Path) -> list[str]:
    """The names of all worktrees but the main one."""
    listed = git(repo, "worktree", "list", "--porcelain").splitlines()
    return [Path(line.partition(" ")[2]).name for line in listed if line.startswith("worktree ")][1:]


def branches(repo: Path) -> list[str]:
    """The branches that were made for jobs."""
    return git(repo, "for-each-ref", "--format=%(refname:short)", "refs/heads/codex-job", "refs/codex-job").split()


class SlowGit:
    """A program ``git`` that does nothing before it is told to. The runtime, which calls git, too, gets the real one."""

    def __init__(self, parent: Path, repo: Path) -> None:
        self.directory, self._called, self._go = parent / "bin", parent / "called", parent / "go"
        self.directory.mkdir()
        wait = f"touch '{self._called}' && while [ ! -e '{self._go}' ]; do sleep 0.02; done"
        real = f"{git(repo, '--exec-path')}/git"
        (self.directory / "git").write_text(
            f"#!/bin/sh\nif [ $GIT_LFS_SKIP_SMUDGE ]; then {wait}; fi\nexec '{real}' \"$@\"\n"
        )
        (self.directory / "git").chmod(0o755)

    def is_called(self) -> bool:
        return self._called.exists()

    def go(self) -> None:
        self._go.touch()
