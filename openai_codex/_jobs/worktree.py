"""`Worktree`: the git worktree of a job as a value, and the name that it has. `tree` makes and removes it."""

from __future__ import annotations

import hashlib
import re

import attrs

# How much of a name is that of the job.
_LONGEST = 40


@attrs.frozen(kw_only=True)
class Worktree:
    """The git worktree of a job, as it was when the job ended.

    Attributes:
        path: Its directory; ``None`` if it was removed, with its branch, or if the model has removed it.
        branch: The branch that was made for it.
        base_commit: Id of the commit that it began with.
        head_commit: Id of the commit that is checked out in it; ``None`` if that cannot be read.
        diff: What differs from ``base_commit``, committed or not, new files included, as ``git apply`` takes it.
        diff_is_cut: Whether there is more than ``diff`` has: it ends after 1 MB.
        is_clean: Whether nothing was changed or committed. Files that are ignored do not count.
    """

    path: str | None
    branch: str
    base_commit: str
    head_commit: str | None
    diff: str = ""
    diff_is_cut: bool = False
    is_clean: bool = False


def name_of(key: str | None, identity: str) -> str:
    """Return a name that is valid for a branch and a directory, and that no other key, or identity of a job without, has."""
    words = re.sub(r"[^a-z0-9]+", "-", (key or "").lower())[:_LONGEST].strip("-")
    return f"{words or 'job'}-{hashlib.sha256((key or identity).encode()).hexdigest()[:12]}"
