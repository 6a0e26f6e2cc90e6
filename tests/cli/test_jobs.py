"""The command `jobs`: the state of a pool as a table and as JSON, read only."""

from __future__ import annotations

import json
from pathlib import Path

import attrs
import pytest

from openai_codex import AppServerConfig, CodexPool, Job
from openai_codex.testing import ScriptedModel, fail, hang, reply
from tests.support.bounds import PATIENCE
from tests.support.cli import ended
from tests.support.programs import running
from tests.support.repositories import COMMANDS, repository, shell

_POOL = """
pool = CodexPool(config, state={path!r}, turns=1)
pool.submit(Job(prompts=["job 1", "job 2"], key="cut"))
pool.submit(Job(prompts=["job 3"], key="next"))
input()
"""


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "jobs.sqlite"


def test_jobs_are_listed_with_what_became_of_them(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, state: Path
) -> None:
    scripted_model.when("bad", fail(400, {"error": {"message": "a\x1b[2Jfault"}}))
    with CodexPool(codex_config, state=state) as pool:
        jobs = [Job(prompts=["one", "two"], key="fine", labels={"a": "b"}), Job(prompts=["bad"], key="bad")]
        assert [each.status for each in pool.map(jobs)] == ["completed", "failed"]
    shown = ended(None, "jobs", str(state))
    assert shown.code == 0
    head, *rows, _, summary = shown.out.splitlines()
    assert head.split()[:4] == ["status", "key", "attempts", "turns"]
    assert [row.split()[:4] for row in rows] == [["completed", "fine", "1", "2/2"], ["failed", "bad", "1", "0/1"]]
    assert "fault" in rows[1]
    assert "\x1b" not in shown.out
    assert summary == "1 completed, 1 failed"
    fine, bad = map(json.loads, ended(None, "jobs", str(state), "--json").out.splitlines())
    assert (fine["status"], fine["labels"], fine["tokens"], fine["error"]) == ("completed", {"a": "b"}, 30, None)
    assert bad["ended_at"] >= bad["started_at"] >= bad["queued_at"]
    only = ended(None, "jobs", str(state), "--status", "failed", "--json").out.splitlines()
    assert [json.loads(line)["key"] for line in only] == ["bad"]


def test_a_state_in_use_and_one_of_a_dead_pool_can_be_read(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, state: Path
) -> None:
    scripted_model.queue("first", hang())
    with running(_POOL.format(path=str(state)), codex_config) as process:
        scripted_model.wait_for_requests(2, PATIENCE)
        assert ended(None, "jobs", str(state)).out.splitlines()[-1] == "1 waiting, 1 running"
        process.kill()
        process.wait(PATIENCE)
    assert ended(None, "jobs", str(state)).out.splitlines()[-1] == "1 waiting, 1 interrupted"


@pytest.mark.parametrize("content", [None, "some text " * 200])
def test_what_is_no_state_is_exit_code_1(content: str | None, state: Path) -> None:
    if content is not None:
        state.write_text(content)
    shown = ended(None, "jobs", str(state))
    assert shown.code == 1
    assert "state: " in shown.errors
    assert state.exists() is (content is not None), "nothing is made"


def test_an_empty_state_has_no_jobs(codex_config: AppServerConfig, state: Path) -> None:
    CodexPool(codex_config, state=state).close()
    assert ended(None, "jobs", str(state)).out.splitlines()[-1] == "no jobs"


def test_worktrees_that_were_kept_are_listed(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, state: Path, tmp_path: Path
) -> None:
    scripted_model.queue(reply(shell("echo x > new.txt")), "done")
    repo = repository(tmp_path / "r")
    with CodexPool(codex_config, state=state, turns=1) as pool:
        jobs = [Job(prompts=["one"], thread=COMMANDS, key="a", repo=repo), Job(prompts=["two"], key="b", repo=repo)]
        kept, clean = (each.worktree for each in pool.map(jobs))
    assert kept is not None
    assert kept.path is not None
    assert clean is not None
    head, *rows = ended(None, "jobs", str(state)).out.splitlines()[:3]
    assert head.split()[-1] == "worktree"
    assert rows[0].split()[-1] == kept.path
    assert rows[1].split()[-1] == "-"
    listed = [json.loads(line)["worktree"] for line in ended(None, "jobs", str(state), "--json").out.splitlines()]
    assert listed[0] == {name: text for name, text in attrs.asdict(kept).items() if name != "diff"}
    assert (listed[1]["path"], listed[1]["is_clean"]) == (None, True)
