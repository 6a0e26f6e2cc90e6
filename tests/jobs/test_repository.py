"""Repositories of all kinds in which jobs have worktrees, and what cannot be one. With real git."""

from __future__ import annotations

import os
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from openai_codex import AppServerConfig, CodexPool, Job, JobError, Worktree, run_job
from openai_codex._jobs.tree import Tree
from openai_codex._jobs.worktree import name_of
from openai_codex.testing import ScriptedModel, reply
from tests.jobs.test_run import same
from tests.jobs.trees import executable, job, tree_of
from tests.support.bounds import PATIENCE, eventually
from tests.support.repositories import branches, commit, git, repository, shell, trees

pytestmark = pytest.mark.usefixtures("no_warm_client_stays")


def linked(repo: Path) -> Path:
    git(repo, "worktree", "add", "--quiet", str(repo.with_name("linked")))
    return repo.with_name("linked")


def bare(repo: Path) -> Path:
    git(repo, "clone", "--quiet", "--bare", str(repo), str(repo.with_name("bare.git")))
    return repo.with_name("bare.git")


def shallow(repo: Path) -> Path:
    (repo / "later.txt").write_text("later\n")
    commit(repo, "second")
    git(repo, "clone", "--quiet", "--depth=1", repo.as_uri(), str(repo.with_name("shallow")))
    return repo.with_name("shallow")


def detached(repo: Path) -> Path:
    git(repo, "checkout", "--quiet", "--detach")
    return repo


def submodule(repo: Path) -> Path:
    outer = repository(repo.with_name("outer"))
    git(outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(repo), "inner")
    commit(outer, "with inner")
    return outer / "inner"


def with_submodule(repo: Path) -> Path:
    return submodule(repo).parent


def nested(repo: Path) -> Path:
    return repository(repo / "nested")


def non_ascii(repo: Path) -> Path:
    return repository(repo.with_name("Ümläut\t日本"))


def odd_name(repo: Path) -> Path:
    return repository(repo.with_name("a\u2028b\x85c\nd e "))


KINDS = [odd_name, linked, bare, shallow, detached, submodule, with_submodule, nested, non_ascii]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_repositories_of_all_kinds(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, repo: Path, kind: Any
) -> None:
    given = kind(repo)
    before = [git(each, "status", "--porcelain") for each in (repo, given) if not each.name.endswith(".git")]
    scripted_model.queue(reply(shell("cat a.txt; echo new > new.txt")), "done", reply(shell("cat a.txt")), "done")
    tree = tree_of(run_job(codex_config, job(given)))
    assert "+new" in tree.diff
    assert "one" in "".join(scripted_model.requests[-1].function_outputs.values())
    assert tree_of(run_job(codex_config, job(given, key="clean"))).path is None
    after = [git(each, "status", "--porcelain") for each in (repo, given) if not each.name.endswith(".git")]
    assert before == after, "no tree lies in the files of another"


HOOK = "#!/bin/sh\nexit 1\n"


def test_settings_of_the_user_break_nothing(
    codex_config: AppServerConfig,
    scripted_model: ScriptedModel,
    repo: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = repository(tmp_path / "other")
    (repo / ".gitattributes").write_text("*.bin filter=lfs diff=lfs merge=lfs -text\n")
    (repo / "big.bin").write_text("version https://git-lfs.github.com/spec/v1\n")
    commit(repo, "large")
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("post-checkout", "reference-transaction", "pre-commit"):
        executable(hooks / name, HOOK)
        executable(repo / ".git/hooks" / name, HOOK)
    settings = tmp_path / "gitconfig"
    settings.write_text(
        f"[core]\nhooksPath = {hooks}\nfsmonitor = /missing\n[commit]\ngpgsign = true\n[gpg]\nprogram = /missing\n"
        '[filter "lfs"]\nrequired = true\nsmudge = /missing\nclean = /missing\nprocess = /missing\n'
        "[status]\nshowUntrackedFiles = no\n[diff]\nnoprefix = true\nexternal = /missing\nmnemonicPrefix = true\n"
        "[color]\nui = always\n[core]\npager = /missing\n[submodule]\nrecurse = true\n[branch]\nautoSetupMerge = always\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    for name, value in {
        "GIT_DIR": other / ".git",
        "GIT_WORK_TREE": other,
        "GIT_INDEX_FILE": other / ".git/index",
        "GIT_PREFIX": "sub/",
        "GIT_CONFIG_PARAMETERS": "'core.bare'='true'",
        "GIT_EXTERNAL_DIFF": "/missing",
    }.items():
        monkeypatch.setenv(name, str(value))
    scripted_model.queue(
        reply(shell("git -c core.fsmonitor=false rev-parse --show-toplevel; echo new > new.txt")), "done"
    )
    tree = tree_of(run_job(codex_config, job(repo)))
    assert tree.path is not None
    assert "--- /dev/null\n+++ b/new.txt" in tree.diff
    assert "big.bin" not in tree.diff
    said = "".join(scripted_model.requests[-1].function_outputs.values())
    assert f"\n{tree.path}\n" in said, "commands of the model are in its tree, too"
    assert trees(other) == branches(other) == []


@pytest.mark.parametrize(
    "case",
    [
        (lambda path: path / "missing", {}, "is not a directory"),
        (lambda path: path, {}, "is not in a git repository"),
        (lambda path: repository(path / "r"), {"ref": "nope"}, "has no commit 'nope'"),
    ],
)
def test_what_cannot_be_used_is_an_error_with_facts(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, tmp_path: Path, case: tuple[Any, Any, str]
) -> None:
    make, more, said = case
    path = make(tmp_path)
    result = run_job(codex_config, job(path, **more))
    assert isinstance(result.error, JobError)
    assert (result.status, result.error.kind, result.worktree) == ("failed", "worktree", None)
    assert said in str(result.error)
    assert result.error.facts["repo"] == str(path)
    assert result.thread_id is None
    assert scripted_model.request_count == 0
    assert same(result).error.facts == result.error.facts  # type: ignore[union-attr]  # it has one


def test_a_repository_that_git_refuses_is_an_error_that_says_why(codex_config: AppServerConfig, repo: Path) -> None:
    # As it does one of another user.
    git(repo, "config", "core.repositoryFormatVersion", "99")
    error = run_job(codex_config, job(repo)).error
    assert isinstance(error, JobError)
    assert "is not in a git repository that can be used: fatal: " in str(error)
    assert "99" in error.facts["stderr"]


def test_an_empty_repository_has_nothing_to_begin_with(codex_config: AppServerConfig, tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    assert "no commit yet" in str(run_job(codex_config, job(tmp_path)).error)


def test_a_system_without_git(
    codex_config: AppServerConfig, repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    result = run_job(codex_config, job(repo))
    assert "install git" in str(result.error)


def test_a_git_that_fails_says_what_it_said(
    codex_config: AppServerConfig, repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    executable(tmp_path / "bin/git", "#!/bin/sh\necho the disk is full >&2\nexit 9\n")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    error = run_job(codex_config, job(repo)).error
    assert isinstance(error, JobError)
    assert (error.facts["exit_code"], error.facts["stderr"]) == (9, "the disk is full")


_ALONE = """#!/bin/sh
case "$*" in *"worktree add"*)
    if mkdir '{place}/inside'; then
        while [ ! -e '{place}/waits' ] && [ ! -e '{place}/both' ]; do sleep 0.02; done
        '{git}' "$@"; code=$?
        rmdir '{place}/inside'
        exit $code
    fi
    touch '{place}/both';;
esac
exec '{git}' "$@"
"""


def test_two_jobs_do_not_add_trees_of_one_repository_at_once(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one is in git until the second one waits for it, or is in git, too."""
    (tmp_path / "bin").mkdir()
    executable(tmp_path / "bin/git", _ALONE.format(place=tmp_path, git=f"{git(repo, '--exec-path')}/git"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    waits = SimpleNamespace(sleep=lambda seconds: ((tmp_path / "waits").touch(), time.sleep(seconds)))
    monkeypatch.setattr("openai_codex._jobs.repository.time", waits)
    one, other = (Tree(job(repo), name_of(key, ""), None) for key in "ab")
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(one.open)
        assert eventually((tmp_path / "inside").exists)
        second = threads.submit(other.open)
        first.result(PATIENCE)
        second.result(PATIENCE)
    assert not (tmp_path / "both").exists()
    assert (tmp_path / "waits").exists()
    for tree in (one, other):
        tree.close(is_over=True)
    assert trees(repo) == []


def test_fifty_trees_of_one_repository_at_once(repo: Path) -> None:
    def work(number: int) -> Worktree | None:
        first, tree = (Tree(job(repo), name_of(f"k{number}", ""), None) for _ in range(2))
        first.open()
        clean = first.close(is_over=True)
        assert clean is not None
        assert clean.path is None
        tree.open()
        if number % 2:
            Path(tree.directory, "new.txt").write_text(f"{number}\n")
        return tree.close(is_over=True)

    with ThreadPoolExecutor(50) as threads:
        works = list(threads.map(work, range(50)))
    kept = [each for each in works if each is not None and each.path is not None]
    assert [f"+{number}\n" in each.diff for number, each in zip(range(1, 50, 2), kept, strict=True)] == [True] * 25
    assert sorted(trees(repo)) == sorted(Path(each.path or "").name for each in kept)
    assert len(branches(repo)) == 50, "a branch and the commit it began with, for each tree"


def test_a_git_of_the_user_that_is_in_the_way_is_waited_for(
    codex_config: AppServerConfig, repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    failed = tmp_path / "failed"
    real = f"{git(repo, '--exec-path')}/git"
    # As while another process adds a worktree; twice for each command.
    fails = f"test $(ls {failed}* 2>/dev/null | wc -l) -lt 6 && touch {failed}$$ && exit 128"
    executable(tmp_path / "bin/git", f'#!/bin/sh\ncase "$*" in *worktree*) {fails};; esac\nexec "{real}" "$@"\n')
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    assert tree_of(run_job(codex_config, job(repo))).path is None
    assert len(list(tmp_path.glob("failed*"))) == 6


def test_jobs_of_several_processes_have_trees_of_one_repository(codex_config: AppServerConfig, repo: Path) -> None:
    jobs = [Job(prompts=["job 0"], repo=repo, keep="always") for _ in range(8)]
    executor = ProcessPoolExecutor(2, get_context("spawn"))
    with executor, CodexPool(codex_config, executor=executor, turns=4, runtimes=2) as pool:
        results = list(pool.map(jobs))
    assert {each.status for each in results} == {"completed"}
    assert sorted(trees(repo)) == sorted(Path(tree_of(each).branch).name for each in results)
