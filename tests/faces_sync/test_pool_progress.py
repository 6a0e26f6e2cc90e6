# Derived from tests/faces_async/test_pool_progress.py by `python -m tools.unasync`; do not edit.
"""The progress of a pool, as a function of the program gets it."""

from __future__ import annotations

import pytest

from openai_codex import AppServerConfig, CodexPool, Job, PoolProgress
from openai_codex.testing import ScriptedModel, fail, hang, say
from tests.faces_sync._wait import eventually, settled
from tests.support.jobs import limiting


def jobs(count: int) -> list[Job]:
    return [Job(prompts=[f"job {number}"]) for number in range(count)]


def test_a_run_with_a_failure_and_a_pause(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    gate = scripted_model.gate()
    scripted_model.when("job 0", say("done", gate=gate))
    scripted_model.when("job 1", fail(400, {"error": {"message": "no"}}))
    scripted_model.when("job 3", limiting(3_600))
    scripted_model.when(lambda request: request.last_user_text.startswith("job "), lambda _request: "done")
    told: list[PoolProgress] = []
    pauses: list[float] = []
    pool = CodexPool(codex_config, turns=1, progress=told.append, on_pause=pauses.append)
    futures = [pool.submit(each) for each in jobs(6)]
    eventually(lambda: any(each.running for each in told))
    gate.open()
    eventually(lambda: told[-1].paused_until)
    assert [(settled(each)).status for each in futures[:3]] == ["completed", "failed", "completed"]
    pool.close(drain=False)
    assert [each.is_over for each in told] == [False] * (len(told) - 1) + [True]
    assert max(each.total or 0 for each in told) == 6
    paused = next(each for each in told if each.paused_until)
    assert (paused.completed, paused.failed, paused.running, paused.waiting, paused.expected) == (2, 1, 0, 3, 0)
    assert {each.paused_until for each in told} == {None, *pauses}
    assert paused.eta is not None
    assert paused.eta > 3_000
    assert {each.eta for each in told if each.ended < 3} == {None}
    assert (told[-1].ended, told[-1].stopped, told[-1].waiting, told[-1].eta) == (4, 1, 0, 0.0)
    assert told[-1].tokens == pool.counts.tokens > 0
    for attribute in ("ended", "tokens", "elapsed"):
        values = [getattr(each, attribute) for each in told]
        assert values == sorted(values)


def test_without_a_length_nothing_is_estimated(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    gate = scripted_model.gate()
    scripted_model.when("job 5", say("done", gate=gate))
    scripted_model.when(lambda request: request.last_user_text.startswith("job "), lambda _request: "done")
    told: list[PoolProgress] = []
    with CodexPool(codex_config, turns=1, progress=told.append) as pool:
        results = pool.map(iter(jobs(9)))
        for _ in range(5):
            results.__next__()
        scripted_model.wait_for_requests(6)
        eventually(lambda: told and (told[-1].ended, told[-1].running) == (5, 1))
        assert (told[-1].total, told[-1].eta) == (None, None)
        gate.open()
        assert len([each for each in results]) == 4
    assert (told[-1].total, told[-1].eta) == (9, 0.0)


def test_jobs_that_run_are_told_each_second(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    scripted_model.queue(hang())
    told: list[PoolProgress] = []
    with CodexPool(codex_config, progress=told.append) as pool:
        future = pool.submit(Job(prompts=["job 0"]))
        eventually(lambda: len({round(each.elapsed) for each in told if each.running}) >= 3)
        pool.cancel(future)
        assert (settled(future)).stopped == "cancelled"
    assert (told[-1].stopped, told[-1].total) == (1, 1)


def test_a_callback_that_raises_is_counted(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    calls = []

    def raise_it(progress: PoolProgress) -> None:
        calls.append(progress)
        raise ZeroDivisionError

    scripted_model.when(lambda request: request.last_user_text.startswith("job "), lambda _request: "done")
    with CodexPool(codex_config, progress=raise_it, on_result=raise_it) as pool:
        results = [each for each in pool.as_completed(jobs(3))]
    assert {each.status for each in results} == {"completed"}
    assert pool.counts.callback_errors == len(calls)
    assert calls[-1].is_over


def test_a_pool_without_a_job_tells_that_it_is_over(codex_config: AppServerConfig) -> None:
    told: list[PoolProgress] = []
    with CodexPool(codex_config, progress=told.append):
        pass
    assert [(each.total, each.is_over, each.eta) for each in told] == [(0, True, None)]
    never = CodexPool(codex_config, progress=told.append)
    never.close()
    assert len(told) == 1, "one that was never begun tells nothing"


def test_nothing_is_shown_unless_it_is_wanted(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, capsys: pytest.CaptureFixture[str]
) -> None:
    with CodexPool(codex_config, progress=False) as pool:
        settled(pool.submit(Job(prompts=["job 0"])))
    assert capsys.readouterr() == ("", "")
