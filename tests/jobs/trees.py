"""Jobs with worktrees, as the tests of these use them."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

from openai_codex import Job, JobResult, Worktree
from tests.support.repositories import COMMANDS

WRITE = "echo new > new.txt; echo more >> a.txt; mkdir -p ignored; echo x > ignored/x"


def job(repo: Path, **more: Any) -> Job:
    return Job(**{"prompts": ["job 1"], "thread": COMMANDS, "key": "Fix: the Ä parser", "repo": repo, **more})


def tree_of(result: JobResult) -> Worktree:
    assert result.error is None
    assert result.worktree is not None
    return result.worktree


def executable(path: Path, text: str) -> str:
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)
