"""What an attempt waits for before it sends anything: processes in which earlier ones may still run."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from openai_codex import Job, JobError, JobResult
from openai_codex._engine.waiting import Latch
from openai_codex._jobs.processes import ProcessName
from openai_codex._jobs.records import Earlier, Recorder
from openai_codex._jobs.rows import Record
from openai_codex._jobs.state import State, opened
from tests.support.bounds import PATIENCE

JOB = Job(prompts=["a"], key="k")
DONE = JobResult(job=JOB, status="completed", thread_id="t", process=1)
HOME = "/home"


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    state = opened(str(tmp_path / "state"))
    yield state
    state.close()


@pytest.fixture
def other() -> Iterator[subprocess.Popen[bytes]]:
    """Return a process that stands for a worker."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate(timeout=PATIENCE)


def begun(state: State) -> Record:
    row = state.add("k", JOB, 0.0)
    return Record(state.path, state.begin(row.id, 1, HOME, None))


def entered_by(state: State, record: Record, pid: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have another process enter an attempt, and note a thread."""
    started = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    name = ProcessName(ProcessName.current().host, pid, started)
    with monkeypatch.context() as patched:
        patched.setattr(ProcessName, "current", classmethod(lambda _cls: name))
        assert state.enter(record.attempt) is not None
    state.note_thread(record.attempt, "t")


def seconds_pass(_latch: Latch, _timeout: float | None) -> None:
    """Wait, without taking time."""


def steps_of(record: Record) -> Generator[Any, Any, Earlier]:
    return Recorder(record).enter(seconds_pass, Latch())


def returned(steps: Generator[Any, Any, Earlier]) -> Earlier:
    """Run steps to their end, and return what they return."""
    while True:
        try:
            next(steps)()
        except StopIteration as end:
            earlier: Earlier = end.value
            return earlier


def test_an_attempt_that_another_process_carries_out_is_waited_for_until_it_dies(
    state: State, other: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    record = begun(state)
    entered_by(state, record, other.pid, monkeypatch)
    steps = steps_of(record)
    for _ in range(3):
        next(steps)()
    other.kill()
    other.wait(PATIENCE)
    assert returned(steps) == Earlier(attempts=2, thread_id="t")


def test_an_attempt_that_another_process_carries_out_is_waited_for_until_it_ends(
    state: State, other: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    record = begun(state)
    entered_by(state, record, other.pid, monkeypatch)
    steps = steps_of(record)
    for _ in range(3):
        next(steps)()
    state.end(record.attempt, "completed", DONE)
    assert returned(steps) == Earlier(attempts=2, result=DONE, thread_id="t")


def test_an_attempt_in_this_process_is_waited_for_until_it_is_over(state: State) -> None:
    record = begun(state)
    first = Recorder(record)
    assert returned(first.enter(seconds_pass, Latch())) == Earlier(attempts=1)
    row = state.attempt(record.attempt)
    assert row is not None
    later = Record(state.path, state.begin(1, 2, HOME, None))
    steps = steps_of(later)
    for _ in range(3):
        next(steps)()
    first.leave()
    assert returned(steps) == Earlier(attempts=2)


def test_one_that_is_withdrawn_is_carried_out_by_nobody(state: State) -> None:
    record = begun(state)
    assert state.withdraw(record.attempt)
    recorder = Recorder(record)
    with pytest.raises(JobError, match="cancelled"):
        returned(recorder.enter(seconds_pass, Latch()))
    recorder.end(DONE)
    row = state.attempt(record.attempt)
    assert row is not None
    assert (row.status, row.result) == ("withdrawn", None)


def test_one_that_a_process_has_begun_is_not_withdrawn(state: State) -> None:
    record = begun(state)
    returned(steps_of(record))
    assert not state.withdraw(record.attempt)


def test_the_states_of_pools_that_are_gone_do_not_stay_open(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("one", "other")]
    states = [opened(str(path)) for path in paths[:1]]
    paths[0].unlink()
    states.append(opened(str(paths[1])))
    with pytest.raises(JobError):
        states[0].jobs()
    assert states[1].jobs() == []
    states[1].close()
