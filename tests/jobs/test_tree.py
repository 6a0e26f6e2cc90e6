"""The worktree of a job: what it begins with, what is in the result, and what is left of it. With real git."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from openai_codex import AppServerConfig, JobError, run_job
from openai_codex._jobs.worktree import name_of
from openai_codex.testing import ScriptedModel, fail, reply
from tests.jobs.test_run import same
from tests.jobs.trees import WRITE, job, tree_of
from tests.support.repositories import branches, commit, git, repository, shell, trees

pytestmark = pytest.mark.usefixtures("no_warm_client_stays")


def test_changes_are_in_the_result_and_the_tree_is_kept(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, repo: Path, tmp_path: Path
) -> None:
    base = git(repo, "rev-parse", "HEAD")
    scripted_model.queue(reply(shell(f"pwd; {WRITE}; printf '\\000\\001' > 'ü b'")), "done")
    result = run_job(codex_config, job(repo))
    tree = tree_of(result)
    name = name_of("Fix: the Ä parser", "")
    path = tmp_path / "my repo.worktrees" / name
    assert (tree.path, tree.branch) == (str(path), f"codex-job/{name}")
    assert name.startswith("fix-the-parser-")
    assert (tree.base_commit, tree.head_commit, tree.is_clean, tree.diff_is_cut) == (base, base, False, False)
    assert str(path) in "".join(scripted_model.requests[-1].function_outputs.values())
    assert (path / "new.txt").read_text() == "new\n"
    assert git(path, "status", "--porcelain").splitlines()[0] == "M a.txt", "its index is as it was"
    assert not (repo / "new.txt").exists()
    assert same(result) == result == pickle.loads(pickle.dumps(result))  # noqa: S301  our own bytes
    # The diff is all that another copy needs.
    other = repository(tmp_path / "other")
    (tmp_path / "diff").write_text(tree.diff)
    git(other, "apply", str(tmp_path / "diff"))
    assert (other / "new.txt").read_text() == "new\n"
    assert (other / "a.txt").read_text() == "one\nmore\n"
    assert (other / "ü b").read_bytes() == b"\0\1"
    assert not (other / "ignored").exists()


def test_a_clean_tree_is_removed_with_its_branch(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, repo: Path
) -> None:
    scripted_model.queue(reply(shell("mkdir ignored; echo x > ignored/x")), "done")
    tree = tree_of(run_job(codex_config, job(repo)))
    assert (tree.path, tree.is_clean, tree.diff) == (None, True, "")
    assert (trees(repo), branches(repo)) == ([], [])
    assert not repo.with_name("my repo.worktrees").exists()
    assert [each.name for each in (repo / ".git/openai-codex").iterdir()] == ["repository.lock"]


@pytest.mark.parametrize(("keep", "is_kept"), [("always", True), ("changed", True), ("never", False)])
def test_the_program_says_which_trees_are_kept(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, repo: Path, keep: str, is_kept: bool
) -> None:
    scripted_model.queue(
        reply(
            shell("git checkout -q --detach; echo x > x; git add x; git -c user.name=a -c user.email=b commit -qm x")
        ),
        "done",
    )
    tree = tree_of(run_job(codex_config, job(repo, keep=keep)))
    assert tree.head_commit != tree.base_commit
    assert "+x" in tree.diff
    assert (tree.path is not None) == is_kept == bool(trees(repo)) == bool(branches(repo))


def test_a_clean_tree_is_kept_on_demand(codex_config: AppServerConfig, repo: Path) -> None:
    tree = tree_of(run_job(codex_config, job(repo, keep="always")))
    assert tree.is_clean
    assert tree.path is not None
    assert Path(tree.path, "a.txt").exists()


def test_a_tree_whose_diff_is_cut_is_kept(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, repo: Path
) -> None:
    scripted_model.queue(reply(shell("seq 400000 > many.txt")), "done")
    tree = tree_of(run_job(codex_config, job(repo, keep="never")))
    assert tree.diff_is_cut
    assert len(tree.diff) == 1_000_000
    assert trees(repo)


def test_a_failed_job_keeps_what_it_has_changed(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, repo: Path
) -> None:
    scripted_model.queue(reply(shell(WRITE)), fail(400, {"error": {"message": "no"}}), "done")
    failed = run_job(codex_config, job(repo))
    assert failed.status == "failed"
    assert failed.worktree is not None
    assert "+new" in failed.worktree.diff
    again = run_job(codex_config, job(repo), thread_id=failed.thread_id)
    assert again.status == "completed"
    assert tree_of(again) == failed.worktree


def test_it_begins_with_the_commit_that_is_named(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, repo: Path
) -> None:
    first = git(repo, "rev-parse", "HEAD")
    git(repo, "tag", "v1")
    (repo / "later.txt").write_text("later\n")
    second = commit(repo, "second")
    (repo / "never.txt").write_text("not committed\n")
    scripted_model.queue(reply(shell("ls")), "done", reply(shell("ls")), "done")
    assert tree_of(run_job(codex_config, job(repo, key="a", ref="v1"))).base_commit == first
    assert tree_of(run_job(codex_config, job(repo, key="b"))).base_commit == second
    listed = ["".join(each.function_outputs.values()) for each in scripted_model.requests[1::2]]
    assert ["later.txt" in each for each in listed] == [False, True]
    assert "never.txt" not in "".join(listed)


def test_a_directory_within_the_repository_stands_for_its_place_in_the_tree(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, repo: Path
) -> None:
    scripted_model.queue(reply(shell("pwd; cat b.txt; echo x > c.txt")), "done")
    tree = tree_of(run_job(codex_config, job(repo / "sub")))
    assert tree.path is not None
    assert f"{tree.path}/sub\ntwo" in "".join(scripted_model.requests[-1].function_outputs.values())
    assert "sub/c.txt" in tree.diff
    (repo / "more").mkdir()
    missing = run_job(codex_config, job(repo / "more", key="other"))
    assert isinstance(missing.error, JobError)
    assert "no directory 'more/'" in str(missing.error)
    assert len(trees(repo)) == 1, "the tree of the second is gone"
