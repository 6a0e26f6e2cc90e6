"""The worktree of one job: made for its first attempt, found by the later ones, removed if nothing is left in it.

All that is kept of it is in the repository: the branch, and a ref that has the commit it began with. A tree without an index
was never handed to a job, and is made anew.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from openai_codex._jobs.failure import JobError
from openai_codex._jobs.git import FILES_PATIENCE, Output, failure, git
from openai_codex._jobs.repository import Repository, patiently
from openai_codex._jobs.worktree import Worktree
from openai_codex._log import Log

if TYPE_CHECKING:
    from openai_codex._jobs.job import Job
    from openai_codex._jobs.lock import FileLock

# How much of a diff is kept, in bytes.
_LONGEST_DIFF = 1_000_000

# How long files may come and go in a tree that is removed, in seconds: a git of a killed program goes on for a while.
_BUSY_FOR = 30.0

_log = Log("jobs")


class Tree:
    """Opens the worktree of a job and closes it again. Both run git, so they are called on a thread of their own.

    Args:
        job: The job, which has a ``repo``.
        name: What tells its tree from others in that repository.
        base: The commit that an earlier attempt has begun with, whose tree may have been removed.
    """

    def __init__(self, job: Job, name: str, base: str | None) -> None:
        assert job.repo is not None
        self.directory = ""
        """Where its thread works."""
        self._repo, self._ref, self._keep = job.repo, job.ref, job.keep
        self._name, self._base = name, base
        self._branch, self._mark = f"codex-job/{name}", f"refs/codex-job/{name}"
        self._path = Path()
        self._repository: Repository | None = None
        self._lock: FileLock | None = None
        self._is_given_up = False

    def open(self) -> None:
        """Make the tree, or find that of an earlier attempt. Raises `JobError`."""
        try:
            self._open()
        finally:
            if self._is_given_up:  # meanwhile
                self.give_up()

    def _open(self) -> None:
        self._repository = repository = Repository.of(self._repo)
        commit = self._base or repository.commit(self._ref)
        with repository.held():
            self._take(repository)
            path = repository.path_of(self._branch, self._name)
            has_branch = repository.find(f"refs/heads/{self._branch}") is not None
            # Whoever removes a tree and its branch wants another one.
            known = repository.find(self._mark) if has_branch or path is not None else None
            is_whole = path is not None and path.is_dir() and (known is not None or self._index(path).exists())
            if path is None or not is_whole:
                if path is not None:
                    self._remove(repository, path)
                path = self._add(repository, known or commit, has_branch=has_branch and known is not None)
        if not is_whole:
            self._write_files(repository, path)
        elif known is None:  # somebody has removed the ref, or the program was killed just before it was written
            commit = git(path, "merge-base", "HEAD", commit).text
        git(repository.common, "update-ref", self._mark, known or commit)
        self._path, self._base, self.directory = path, known or commit, str(path / repository.prefix)
        if not Path(self.directory).is_dir():
            raise failure(f"commit {self._base} has no directory {repository.prefix!r}", self._repo)

    def close(self, *, is_over: bool) -> Worktree | None:
        """Return what is in the tree; ``None`` if it was not made. Remove it, unless it is to be kept or the job goes on."""
        repository = self._repository
        if repository is None or self._lock is None or self._base is None or self._path == Path():
            self.give_up()
            return None
        work = Worktree(path=str(self._path), branch=self._branch, base_commit=self._base, head_commit=None)
        try:
            work = self._read(repository, work)
            wanted = {"always": True, "changed": not work.is_clean, "never": work.diff_is_cut}[self._keep]
            if is_over and not wanted:
                with repository.held():
                    self._remove(repository, self._path)
                    repository.forget(ref for ref in (f"refs/heads/{self._branch}", self._mark))
                    Path(repository.lock_path(self._name)).unlink(missing_ok=True)
                    self.give_up()
                work = attrs.evolve(work, path=None)
        except (JobError, OSError) as error:  # the job is done, whatever becomes of its tree
            _log.warning("codex.job_worktree_failed", path=work.path, branch=work.branch, reason=str(error))
            work = work if self._path.is_dir() else attrs.evolve(work, path=None)
        finally:
            self.give_up()
        return work

    def give_up(self) -> None:
        """Let another attempt have the tree. Runs no git, so any thread may call it."""
        self._is_given_up = True
        if self._lock is not None:
            self._lock.release()

    def _write_files(self, repository: Repository, path: Path) -> None:
        """Fill a new tree. Others do so at a time: it takes longest, and each tree has an index of its own."""
        try:
            git(path, "reset", "--quiet", "--hard", timeout=FILES_PATIENCE)
        except JobError:
            with repository.held():
                self._remove(repository, path)
            raise

    # -- in the repository, which is held ----------------------------------------------------------------------------

    def _take(self, repository: Repository) -> None:
        lock = repository.lock_of(self._name)
        if (holder := lock.take()) is not None:
            reason = f"the worktree of branch {self._branch!r} is in use by a job of {holder}; give each job a key"
            raise failure(reason, self._repo, branch=self._branch)
        self._lock = lock

    def _add(self, repository: Repository, commit: str, *, has_branch: bool) -> Path:
        path = repository.place() / self._name
        # A branch of a tree that was never finished is reset.
        what = (str(path), self._branch) if has_branch else ("-B", self._branch, str(path), commit)
        patiently(lambda: git(repository.common, "worktree", "add", "--quiet", "--no-checkout", *what))
        return path

    def _remove(self, repository: Repository, path: Path) -> None:
        # By force, because of submodules. What is in it was looked at.
        command = ("worktree", "remove", "--force", "--force", str(path))
        patiently(lambda: git(repository.common, *command, timeout=FILES_PATIENCE), _BUSY_FOR)
        with suppress(OSError):  # others are in it
            path.parent.rmdir()

    # -- in the tree -------------------------------------------------------------------------------------------------

    def _read(self, repository: Repository, work: Worktree) -> Worktree:
        head = repository.find("HEAD", self._path)
        tip = repository.find(f"refs/heads/{self._branch}")
        options = ("--porcelain", "-z", "--untracked-files=normal", "--ignore-submodules=none")
        status = git(self._path, "status", *options).data
        is_clean = not status and {head, tip} <= {work.base_commit, None}
        if is_clean:
            return attrs.evolve(work, head_commit=head, is_clean=True)
        diff = self._diff(work.base_commit)
        text = diff.data.decode(errors="replace")
        return attrs.evolve(work, head_commit=head, diff=text, diff_is_cut=diff.is_cut)

    def _index(self, path: Path) -> Path:
        """Return the index of a tree, which git writes last when it fills the tree."""
        return Path(git(path, "rev-parse", "--absolute-git-dir").text) / "index"

    def _diff(self, base: str) -> Output:
        """Compare the files with a commit. New files are entered into a copy of the index, as that of the tree stays."""
        with tempfile.TemporaryDirectory(prefix="codex-index-") as directory:
            index = Path(directory) / "index"
            with suppress(FileNotFoundError):
                shutil.copyfile(self._index(self._path), index)
            variables = {"GIT_INDEX_FILE": str(index)}
            others = git(self._path, "ls-files", "--others", "--exclude-standard", "-z")
            # One that ends with a slash is a repository of its own; the last one may be cut.
            names = [name for name in others.data.split(b"\0")[:-1] if not name.endswith(b"/")]
            added = Output(0, b"")
            if names:
                arguments = ("add", "--intent-to-add", "--pathspec-from-file=-", "--pathspec-file-nul")
                listed = b"".join(name + b"\0" for name in names)
                # A file may vanish meanwhile, as what the model has started may still run.
                added = git(self._path, *arguments, accepts=(0, 1, 128), given=listed, variables=variables)
            options = ("--binary", "--no-color", "--no-ext-diff", "--no-textconv", "--no-relative")
            more = ("--submodule=short", "--ignore-submodules=none", "--end-of-options", base)
            diff = git(self._path, "diff", *options, *more, variables=variables, most=_LONGEST_DIFF)
        return attrs.evolve(diff, is_cut=diff.is_cut or others.is_cut or added.code != 0)
