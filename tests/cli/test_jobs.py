"""The command `jobs`: the state of a pool as a table and as JSON, read only."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from openai_codex import AppServerConfig, CodexPool, Job
from openai_codex.testing import ScriptedModel, fail, hang
from tests.support.bounds import PATIENCE
from tests.support.cli import ended
from tests.support.programs import running

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
