"""The worktree of a job that is carried on, or carried out again: found, or made anew. With real git."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from openai_codex import AppServerConfig, CodexPool, ConfigError, JobError, run_job
from openai_codex._jobs.worktree import name_of
from openai_codex.testing import ScriptedModel, hang, reply
from tests.jobs.trees import WRITE, job, tree_of
from tests.support.bounds import PATIENCE, eventually
from tests.support.jobs import prompts_of
from tests.support.programs import running
from tests.support.repositories import COMMANDS, SlowGit, branches, commit, git, shell, trees

pytestmark = pytest.mark.usefixtures("no_warm_client_stays")


def test_a_tree_that_was_removed_by_hand_is_made_again_from_its_branch(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, repo: Path
) -> None:
    work = "echo x > x; git add x; git -c user.name=a -c user.email=b commit -qm x; echo y > y"
    scripted_model.queue(reply(shell(work)), "done", reply(shell("ls")), "done")
    first = tree_of(run_job(codex_config, job(repo)))
    assert first.path is not None
    git(repo, "worktree", "remove", "--force", first.path)
    (repo / "later.txt").write_text("later\n")
    commit(repo, "later")
    second = tree_of(run_job(codex_config, job(repo)))
    assert (second.path, second.base_commit, second.head_commit) == (first.path, first.base_commit, first.head_commit)
    assert "+x" in second.diff
    assert "+y" not in second.diff


def test_a_tree_that_was_removed_with_its_branch_is_begun_anew(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, repo: Path
) -> None:
    scripted_model.queue(reply(shell(WRITE)), "done", "done")
    first = tree_of(run_job(codex_config, job(repo)))
    assert first.path is not None
    git(repo, "worktree", "remove", "--force", first.path)
    git(repo, "branch", "-D", first.branch)
    (repo / "later.txt").write_text("later\n")
    latest = commit(repo, "later")
    second = tree_of(run_job(codex_config, job(repo)))
    assert (second.base_commit, second.is_clean) == (latest, True)
    assert branches(repo) == []


def test_a_tree_that_was_never_finished_is_made_anew(codex_config: AppServerConfig, repo: Path) -> None:
    name = name_of("Fix: the Ä parser", "")
    path = repo.with_name("my repo.worktrees") / name
    git(repo, "worktree", "add", "--quiet", "--no-checkout", "-b", f"codex-job/{name}", str(path))
    (path / "junk").write_text("half of a file")
    (repo / "later.txt").write_text("later\n")
    latest = commit(repo, "later")
    tree = tree_of(run_job(codex_config, job(repo, keep="always")))
    assert (tree.path, tree.base_commit, tree.is_clean) == (str(path), latest, True)


def test_a_tree_whose_ref_is_gone_is_not_lost(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, repo: Path
) -> None:
    work = "echo x > x; git add x; git -c user.name=a -c user.email=b commit -qm x; echo y > y"
    scripted_model.queue(reply(shell(work)), "done", "done")
    first = tree_of(run_job(codex_config, job(repo)))
    git(repo, "update-ref", "-d", f"refs/{first.branch}")
    (repo / "later.txt").write_text("later\n")
    commit(repo, "later")
    assert tree_of(run_job(codex_config, job(repo))) == first
    assert len(branches(repo)) == 2


def test_the_model_may_leave_the_branch_and_even_the_tree(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, repo: Path
) -> None:
    scripted_model.queue(reply(shell("git checkout -qb other; echo x > x")), "done", "again")
    first = tree_of(run_job(codex_config, job(repo)))
    assert "+x" in first.diff
    assert tree_of(run_job(codex_config, job(repo))) == first
    scripted_model.queue(reply(shell('find "$PWD" -delete')), "done")
    gone = run_job(codex_config, job(repo))
    assert gone.status == "completed"
    assert gone.worktree is not None
    assert (gone.worktree.path, gone.worktree.head_commit, gone.worktree.is_clean) == (None, None, False)


def test_two_jobs_of_one_key_do_not_share_a_tree(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, repo: Path
) -> None:
    gate = scripted_model.gate()
    scripted_model.queue(reply(shell("true"), gate=gate), "done")
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(run_job, codex_config, job(repo))
        gate.wait_reached(PATIENCE)
        second = run_job(codex_config, job(repo))
        gate.open()
        assert first.result(PATIENCE).status == "completed"
    assert isinstance(second.error, JobError)
    assert "in use by a job of this process" in str(second.error)
    assert scripted_model.request_count == 2


def test_a_job_without_a_key_has_a_tree_of_its_own_each_time(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, repo: Path
) -> None:
    one = job(repo, key=None, keep="always")
    first, second = run_job(codex_config, one), run_job(codex_config, one)
    assert tree_of(first).path != tree_of(second).path
    with pytest.raises(ConfigError, match="give it a key"):
        run_job(codex_config, one, thread_id=first.thread_id)
    assert Path(tree_of(first).branch).name.startswith("job-")


_POOL = """
pool = CodexPool(config, state={state!r})
pool.submit(Job(prompts=["job 0"], thread={thread!r}, repo={repo!r}))
input()
"""


def test_a_killed_program_goes_on_in_the_same_tree(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, repo: Path, tmp_path: Path
) -> None:
    state = str(tmp_path / "state")
    scripted_model.queue(reply(shell(WRITE)), hang(), "done")
    with running(_POOL.format(state=state, thread=COMMANDS, repo=str(repo)), codex_config) as process:
        scripted_model.wait_for_requests(2, PATIENCE)
        process.kill()
        process.wait(PATIENCE)
    (name,) = trees(repo)
    with CodexPool(codex_config, state=state) as pool:
        (future,) = pool.resumed
        result = future.result(PATIENCE)
    tree = tree_of(result)
    assert (result.status, result.attempts) == ("completed", 2)
    assert tree.path is not None
    assert (Path(tree.path).name, trees(repo)) == (name, [name])
    assert "+new" in tree.diff
    assert prompts_of(scripted_model) == {"job 0": 1}


_INTERRUPTED = """
import time
job = Job(prompts=["job 0"], key="k", keep="always", repo={repo!r})
try:
    run_job(config, job)
except KeyboardInterrupt:
    print("interrupted", flush=True)
input()
while (result := run_job(config, job)).error is not None and "in use by a job of this process" in str(result.error):
    time.sleep(0.05)
print(result.status, result.error)
"""


def test_ctrl_c_leaves_the_tree_to_the_next_attempt(
    codex_config: AppServerConfig, repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = SlowGit(tmp_path, repo)
    monkeypatch.setenv("PATH", str(slow.directory), prepend=os.pathsep)
    with running(_INTERRUPTED.format(repo=str(repo)), codex_config) as process:
        assert eventually(slow.is_called)
        process.send_signal(signal.SIGINT)
        assert process.stdout is not None
        assert process.stdout.readline() == "interrupted\n"
        slow.go()
        ended = process.communicate("\n", timeout=PATIENCE)[0]
    assert ended.split() == ["completed", "None"]
