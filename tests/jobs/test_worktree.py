"""The worktree of a job: what it begins with, what is in the result, and what is left of it. With real git."""

from __future__ import annotations

import os
import pickle
import signal
import stat
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from openai_codex import AppServerConfig, CodexPool, ConfigError, Job, JobError, JobResult, Worktree, run_job
from openai_codex._jobs.tree import Tree
from openai_codex._jobs.worktree import name_of
from openai_codex.testing import ScriptedModel, fail, hang, reply
from tests.jobs.test_run import same
from tests.support.bounds import PATIENCE, eventually
from tests.support.jobs import prompts_of
from tests.support.programs import running
from tests.support.repositories import COMMANDS, SlowGit, branches, commit, git, repository, shell, trees

pytestmark = pytest.mark.usefixtures("no_warm_client_stays")

WRITE = "echo new > new.txt; echo more >> a.txt; mkdir -p ignored; echo x > ignored/x"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return repository(tmp_path / "my repo")


def job(repo: Path, **more: Any) -> Job:
    return Job(**{"prompts": ["job 1"], "thread": COMMANDS, "key": "Fix: the Ä parser", "repo": repo, **more})


def tree_of(result: JobResult) -> Worktree:
    assert result.error is None
    assert result.worktree is not None
    return result.worktree


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


KINDS = [linked, bare, shallow, detached, submodule, with_submodule, nested, non_ascii]


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


def executable(path: Path, text: str) -> str:
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


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
