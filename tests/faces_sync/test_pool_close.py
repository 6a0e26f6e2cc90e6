# Derived from tests/faces_async/test_pool_close.py by `python -m tools.unasync`; do not edit.
"""The end of a pool, and what it does not do any longer."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from openai_codex import AppServerConfig, CodexPool, ConfigError, Job
from openai_codex.testing import FakeAppServer, ScriptedModel, hang
from tests.faces_sync._wait import eventually, settled, together
from tests.support.bounds import nothing_left
from tests.support.jobs import prompts_of


def test_closing_without_draining_interrupts_and_cancels(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.queue(hang())
    pool = CodexPool(codex_config, turns=1)
    running = pool.submit(Job(prompts=["job 0"]))
    waiting = pool.submit(Job(prompts=["job 1"]))
    scripted_model.wait_for_requests(1)
    pool.close(drain=False)
    pool.close()
    eventually(waiting.cancelled)
    assert (settled(running)).stopped == "cancelled"
    with pytest.raises(ConfigError, match="closed"):
        pool.submit(Job(prompts=["job 2"]))


def test_a_job_whose_turn_is_about_to_start_is_interrupted() -> None:
    with FakeAppServer() as server:
        server.on("thread/unsubscribe", {"status": "unsubscribed"})
        server.hold("turn/start")
        pool = CodexPool(server.config(), turns=1)
        job = pool.submit(Job(prompts=["job 0"]))
        [asked] = server.wait_for_requests("turn/start")

        def accept() -> None:
            server.wait_for_requests("turn/interrupt")
            asked.proceed()

        together([partial(pool.close, drain=False), accept])
        assert (settled(job)).stopped == "cancelled"


def test_an_error_in_the_block_does_not_wait_for_the_jobs(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.queue(hang())
    with pytest.raises(ZeroDivisionError):
        with CodexPool(codex_config) as pool:
            running = pool.submit(Job(prompts=["job 0"]))
            scripted_model.wait_for_requests(1)
            raise ZeroDivisionError
    assert (settled(running)).stopped == "cancelled"


def test_closing_gives_up_after_a_timeout(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    scripted_model.queue(hang())
    pool = CodexPool(codex_config)
    running = pool.submit(Job(prompts=["job 0"]))
    scripted_model.wait_for_requests(1)
    pool.close(timeout=0.1)
    assert (settled(running)).stopped == "cancelled"


def test_a_closed_iterator_submits_no_further_jobs(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.when(lambda _request: True, lambda _request: "done")
    taken = []

    def endless() -> Any:
        for number in range(1_000):
            taken.append(number)
            yield Job(prompts=[f"job {number}"])

    with CodexPool(codex_config, turns=1) as pool:
        with pool.map(endless()) as results:
            assert (results.__next__()).final_response == "done"
        with pytest.raises(StopIteration):
            results.__next__()
    assert len(taken) < 6


def test_a_pool_that_is_closed_gives_the_results_that_are_left(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.queue("done", hang(), hang())
    pool = CodexPool(codex_config, turns=2)
    results = pool.as_completed([Job(prompts=[f"job {number}"]) for number in range(5)])
    assert (results.__next__()).status == "completed"
    scripted_model.wait_for_requests(3)
    pool.close(drain=False)
    left = [results.__next__() for _ in range(3)]  # two that ran, and one whose future was cancelled
    assert [(each.status, each.stopped) for each in left] == [("stopped", "cancelled")] * 3
    with pytest.raises(ConfigError, match="closed"):
        results.__next__()
    assert scripted_model.request_count == 3


def test_a_pool_that_was_never_used_is_closed_with_what_its_state_has_left(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, tmp_path: Path
) -> None:
    scripted_model.queue(hang(), "done")
    pool = CodexPool(codex_config, state=tmp_path / "state")
    pool.submit(Job(prompts=["job 0"], key="k"))
    scripted_model.wait_for_requests(1)
    pool.close(drain=False)
    pool = CodexPool(codex_config, state=tmp_path / "state")
    (left,) = pool.resumed
    pool.close()
    assert (settled(left)).status == "completed"
    assert prompts_of(scripted_model) == {"job 0": 1}


def test_a_closed_pool_shows_nothing_any_longer(codex_config: AppServerConfig) -> None:
    told: list[object] = []
    pool = CodexPool(codex_config, progress=told.append)
    pool.close()
    with nothing_left(), pytest.raises(ConfigError, match="closed"):
        pool.submit(Job(prompts=["job 0"]))
    assert told == []
