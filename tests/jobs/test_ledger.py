"""What a pool keeps of its jobs: each is carried out once, at whatever moment it is submitted again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from openai_codex import ConfigError, Job, JobResult
from openai_codex._jobs.ledger import Ledger
from openai_codex._jobs.state import State

JOB = Job(prompts=["a"], key="k")
DONE = JobResult(job=JOB, status="completed", started_at=0.0, ended_at=1.0, process=1)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(str(tmp_path / "state"), temporary=False)
    yield ledger
    ledger.close()


def test_a_job_that_is_submitted_while_its_result_is_recorded_is_not_carried_out_again(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry, is_new = ledger.enter(JOB)
    assert is_new
    seen: list[tuple[Any, bool]] = []
    finish = State.finish

    def record(state: State, row: int, result: JobResult) -> None:
        seen.append(ledger.enter(JOB))
        finish(state, row, result)
        seen.append(ledger.enter(JOB))

    monkeypatch.setattr(State, "finish", record)
    ledger.finish(entry, DONE)
    assert seen == [(entry, False)] * 2
    again, is_new = ledger.enter(JOB)
    assert not is_new
    assert again.future.result(0).status == "completed"


def test_of_several_threads_that_submit_a_job_one_has_it_carried_out(ledger: Ledger) -> None:
    for number in range(20):
        job, start, found = Job(prompts=["a"], key=f"k{number}"), threading.Barrier(4), list[tuple[Any, bool]]()

        def submit(job: Job = job, start: threading.Barrier = start, found: list[tuple[Any, bool]] = found) -> None:
            start.wait(10)
            found.append(ledger.enter(job))

        threads = [threading.Thread(target=submit) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert [is_new for _, is_new in found].count(True) == 1
        assert len({id(entry) for entry, _ in found}) == 1


def test_a_job_that_cannot_be_recorded_is_not_kept(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    entry, _ = ledger.enter(JOB)
    ledger.finish(entry, DONE)
    with pytest.raises(ConfigError, match="another job"):
        ledger.enter(Job(prompts=["b"], key="k"))
    assert ledger.enter(JOB)[0].future.done()
