"""A git repository with the trees of jobs: where it is, where they are, and the right to add and remove them."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from pathlib import Path

import attrs

from openai_codex._engine.waiting import Deadline
from openai_codex._jobs.failure import JobError
from openai_codex._jobs.git import Output, failure, git
from openai_codex._jobs.lock import FileLock

# How long others may add and remove trees before this one gives up, and how often it looks, in seconds.
_PATIENCE, _POLL = 300.0, 0.02

# How long a git of the user, or of the model in another tree, may keep this one from its work, in seconds.
_ELSEWHERE = 2.0

# Below the directory of git: locks, and trees that have no other place.
_OWN = "openai-codex"

_NOT_FOUND = (0, 1, 128)
_IN_NONE = 128

# One tree in the list of them. A path may have line ends; older versions of git cannot end lines by NUL.
_TREE = re.compile(
    r"^worktree (?P<path>.+?)\n(?:bare$|HEAD \w+\n(?:branch (?P<branch>[^\n]+)|detached)$)", re.DOTALL | re.MULTILINE
)


@attrs.frozen
class Repository:
    """A repository.

    Attributes:
        given: The directory that the job names.
        common: The directory of git that all of its trees share.
        prefix: The place of ``given`` within its tree: empty, or a path that ends with a slash.
    """

    given: str
    common: Path
    prefix: str

    @classmethod
    def of(cls, directory: str) -> Repository:
        """Return the repository that a directory is in. Raises `JobError` if it is in none."""
        try:
            found = git(directory, "rev-parse", "--git-common-dir", "--show-prefix")
        except JobError as error:
            if error.facts.get("exit_code") != _IN_NONE:  # git was not even started
                raise
            # It may also be that of another user, which git refuses; it says what to do then.
            reason = f"{directory!r} is not in a git repository that can be used: {error.facts['stderr']}"
            raise JobError(error.kind, reason, error.facts) from None
        common, _, prefix = found.text.partition("\n")
        # Relative to the directory, except in newer versions of git.
        return cls(directory, Path(os.path.realpath(Path(directory, common))), prefix)

    def commit(self, ref: str | None) -> str:
        """Return the id of the commit that is meant. Raises `JobError` if there is none."""
        if (commit := self.find(ref or "HEAD", self.given)) is not None:
            return commit
        if ref is None:
            raise failure(f"{self.given!r} has no commit yet, so there is nothing to begin with", self.given)
        raise failure(f"{self.given!r} has no commit {ref!r}", self.given, ref=ref)

    def find(self, ref: str, directory: str | Path | None = None) -> str | None:
        """Return the id of a commit; ``None`` if there is none."""
        arguments = ("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
        found = git(directory or self.common, *arguments, accepts=_NOT_FOUND)
        return found.text if found.code == 0 else None

    def place(self) -> Path:
        """Return the directory for new trees: beside the repository, or within its directory of git.

        Beside it they would be files of another repository, if it is a submodule or lies in a larger one.
        """
        main = self.common.parent if self.common.name == ".git" else self.common
        is_plain = main is not self.common or self._is_bare()
        if is_plain and os.access(main.parent, os.W_OK) and not _is_in_tree(main.parent):
            return main.with_name(f"{main.name}.worktrees")
        return self._own() / "trees"

    def path_of(self, branch: str, name: str) -> Path | None:
        """Return where the tree of a branch is, or was, and the one with this name, if the model has left the branch."""
        named = None
        listed = patiently(lambda: git(self.common, "worktree", "list", "--porcelain"))
        for found in _TREE.finditer(listed.text):
            path = Path(found["path"])
            if found["branch"] == f"refs/heads/{branch}":
                return path
            named = path if path.name == name else named
        return named

    def lock_of(self, name: str) -> FileLock:
        """Return the lock of a tree, which whoever works in it holds."""
        return FileLock(self.lock_path(name))

    def lock_path(self, name: str) -> str:
        """Return the file of that lock. It is opened and removed by whoever holds the repository."""
        return str(self._own() / f"{name}.lock")

    def forget(self, refs: Iterable[str]) -> None:
        """Remove refs."""
        for ref in refs:
            git(self.common, "update-ref", "-d", ref)

    @contextmanager
    def held(self) -> Generator[None]:
        """Hold the right to add and remove trees: git fails where another of its processes has made half of one."""
        lock, deadline = FileLock(self.lock_path("repository")), Deadline(_PATIENCE)
        while (holder := self._taken(lock)) is not None:
            if deadline.passed():
                raise failure(f"{holder} has added and removed worktrees for {_PATIENCE:g} s", self.given)
            time.sleep(_POLL)
        try:
            yield
        finally:
            lock.release()

    def _taken(self, lock: FileLock) -> str | None:
        try:
            self._own().mkdir(exist_ok=True)
            return lock.take()
        except OSError as error:
            raise failure(f"{self._own()} cannot be written: {error.strerror}", self.given) from error

    def _own(self) -> Path:
        return self.common / _OWN

    def _is_bare(self) -> bool:
        return git(self.common, "rev-parse", "--is-bare-repository").text == "true"


def patiently(call: Callable[[], Output], seconds: float = _ELSEWHERE) -> Output:
    """Call git again for so many seconds as long as it fails: somebody else may be at work in the repository."""
    deadline = Deadline(seconds)
    while True:
        try:
            return call()
        except JobError:
            if deadline.passed():
                raise
            time.sleep(_POLL)


def _is_in_tree(directory: Path) -> bool:
    return git(directory, "rev-parse", "--is-inside-work-tree", accepts=_NOT_FOUND).text == "true"
