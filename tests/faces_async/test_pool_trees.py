"""Pools whose jobs have worktrees: many of one repository at once, restarts, cancellation, and an event loop that goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from openai_codex import AppServerConfig, AsyncCodexPool, Job, JobResult
from openai_codex.testing import ScriptedModel, hang, reply, say
from tests.faces_async._wait import eventually, settled
from tests.support.inside import kill_runtimes
from tests.support.jobs import limiting, prompts_of
from tests.support.repositories import COMMANDS, SlowGit, branches, git, repository, shell, trees


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return repository(tmp_path / "repo")


def job(repo: Path, number: int = 0, **more: Any) -> Job:
    return Job(**{"prompts": [f"job {number}"], "thread": COMMANDS, "key": f"k{number}", "repo": repo, **more})


def answer(model: ScriptedModel, line: str, *then: Any) -> None:
    """Have the jobs run a command first."""
    model.when(lambda request: request.last_user_text.startswith("job "), reply(shell(line)), *then)


def paths(results: list[JobResult]) -> list[str | None]:
    return [None if each.worktree is None else each.worktree.path for each in results]


async def test_many_jobs_of_one_repository_at_once(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, repo: Path
) -> None:
    def act(request: Any) -> Any:
        number = int(request.last_user_text.split()[1])
        if request.function_outputs:
            return "done"
        return reply(shell(f"echo {number} > new.txt" if number % 2 else "ls"))

    scripted_model.when(lambda request: request.last_user_text.startswith("job "), act)
    async with AsyncCodexPool(codex_config, turns=16) as pool:
        results = [each async for each in pool.map([job(repo, number) for number in range(16)])]
    assert [(each.status, each.error) for each in results] == [("completed", None)] * 16
    for number, each in enumerate(results):
        assert each.worktree is not None
        assert each.worktree.is_clean == (number % 2 == 0) == (each.worktree.path is None)
        assert number % 2 == 0 or f"+{number}\n" in each.worktree.diff
    assert len(trees(repo)) == len(set(filter(None, paths(results)))) == 8
    assert len(branches(repo)) == 16, "a branch and the commit it began with, for each tree"
    assert git(repo, "fsck", "--no-dangling") == ""


async def test_a_restarted_pool_goes_on_in_the_same_tree(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, repo: Path, tmp_path: Path
) -> None:
    base = git(repo, "rev-parse", "HEAD")
    scripted_model.queue(reply(shell("echo new > new.txt")), hang(), hang(), "done", "done")
    one, other = job(repo, prompts=["job 0"]), job(repo, 1, key=None)
    pool = AsyncCodexPool(codex_config, state=tmp_path / "state", turns=1)
    await pool.submit(one)
    await scripted_model.received(2)
    await pool.close(drain=False)
    (tree,) = trees(repo)
    git(repo, "commit", "--quiet", "--allow-empty", "--message", "the branch has moved on")
    async with AsyncCodexPool(codex_config, state=tmp_path / "state", turns=1) as again:
        (future,) = again.resumed
        await scripted_model.received(3)
        await again.submit(other)
        await again.close(drain=False)
        assert future.done()
    async with AsyncCodexPool(codex_config, state=tmp_path / "state", turns=1) as last:
        results = [await settled(each) for each in last.resumed]
        stored = await settled(await last.submit(one))
    assert [each.status for each in results] == ["completed"] * 2
    assert paths(results) == [str(tmp_path / "repo.worktrees" / tree), None]
    assert results[0].worktree is not None
    assert results[0].worktree.base_commit == base
    assert "+new" in results[0].worktree.diff
    assert stored.worktree == results[0].worktree


async def test_a_clean_tree_is_made_again_as_it_was(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, repo: Path, tmp_path: Path
) -> None:
    base = git(repo, "rev-parse", "HEAD")
    scripted_model.queue(hang(), reply(shell("pwd; echo new > new.txt")), "done")
    pool = AsyncCodexPool(codex_config, state=tmp_path / "state")
    await pool.submit(job(repo))
    await scripted_model.received(1)
    await pool.close(drain=False)
    assert trees(repo) == []
    git(repo, "commit", "--quiet", "--allow-empty", "--message", "the branch has moved on")
    async with AsyncCodexPool(codex_config, state=tmp_path / "state") as again:
        result = await settled(again.resumed[0])
    assert result.worktree is not None
    assert result.worktree.base_commit == base
    assert f"{result.worktree.path}\n" in "".join(scripted_model.requests[-1].function_outputs.values())


async def test_a_clean_tree_of_a_cancelled_job_is_removed(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, repo: Path
) -> None:
    scripted_model.queue(hang())
    async with AsyncCodexPool(codex_config) as pool:
        future = await pool.submit(job(repo))
        await scripted_model.received(1)
        assert len(trees(repo)) == 1
        pool.cancel(future)
        result = await settled(future)
    assert (result.stopped, paths([result]), trees(repo), branches(repo)) == ("cancelled", [None], [], [])


async def test_a_tree_outlasts_its_runtime_and_a_pause(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, repo: Path
) -> None:
    gate = scripted_model.gate()
    line = "mkdir -p ignored; echo x > ignored/x"
    scripted_model.when(
        "job 0", reply(shell(line)), say("cut", gate=gate), limiting(2), reply(shell("ls ignored")), "done"
    )
    async with AsyncCodexPool(codex_config) as pool:
        future = await pool.submit(job(repo, key=None))
        await scripted_model.received(2)
        kill_runtimes(pool)
        result = await settled(future)
    assert (result.status, result.attempts) == ("completed", 3)
    assert "\nx\n" in list(scripted_model.requests[-1].function_outputs.values())[-1], "what is ignored is there, too"
    assert (paths([result]), trees(repo)) == ([None], [])
    assert prompts_of(scripted_model) == {"job 0": 1}


async def test_a_repository_that_is_none_fails_its_job_alone(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, repo: Path, tmp_path: Path
) -> None:
    async with AsyncCodexPool(codex_config) as pool:
        bad = await pool.submit(job(tmp_path))
        good = await pool.submit(job(repo, 1))
        assert [(await settled(each)).status for each in (bad, good)] == ["failed", "completed"]
    assert prompts_of(scripted_model) == {"job 1": 1}


async def test_git_blocks_nobody_else(
    codex_config: AppServerConfig,
    scripted_model: ScriptedModel,
    repo: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    git_ = SlowGit(tmp_path, repo)
    monkeypatch.setenv("PATH", str(git_.directory), prepend=":")
    async with AsyncCodexPool(codex_config) as pool:
        slow = await pool.submit(job(repo))
        await eventually(git_.is_called)
        # The loop goes on while git does not.
        assert (await settled(await pool.submit(Job(prompts=["job 1"])))).status == "completed"
        assert not slow.done()
        git_.go()
        assert (await settled(slow)).status == "completed"
