"""What a pool keeps in a file, and what the next one makes of it."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import sqlite3
from concurrent.futures import CancelledError, ProcessPoolExecutor
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from openai_codex import AppServerConfig, CodexPool, ConfigError, Job, JobError, JobResult
from openai_codex._jobs.state import State, reading
from openai_codex.testing import QuietHome, ScriptedModel, fail, hang, quiet_home, say
from tests.support.bounds import PATIENCE, eventually
from tests.support.inside import reading_cursor, worker_pids
from tests.support.jobs import asks, limiting, prompts_of
from tests.support.programs import running

pytestmark = pytest.mark.usefixtures("no_warm_client_stays")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "jobs.sqlite"


def two(number: int, **more: Any) -> Job:
    return Job(prompts=[f"job {number} a", f"job {number} b"], **more)


@pytest.mark.skipif(os.name != "posix", reason="the system has no modes of files")
def test_the_files_are_for_the_user_alone(state: Path) -> None:
    before = os.umask(0)
    try:
        held = State(str(state))
        held.add("a", two(1), 0.0)
    finally:
        os.umask(before)
    try:
        assert {each.name: each.stat().st_mode & 0o777 for each in state.parent.iterdir()} == dict.fromkeys(
            ("jobs.sqlite", "jobs.sqlite-wal", "jobs.sqlite-shm"), 0o600
        )
    finally:
        held.close()


def texts(result: JobResult) -> list[str | None]:
    return [each.final_response for each in result.results]


def statuses(path: Path) -> list[str]:
    reader = State(str(path))
    try:
        return [row.status for row in reader.jobs()]
    finally:
        reader.close()


def test_finished_jobs_are_not_repeated(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, state: Path
) -> None:
    scripted_model.when("job 1 a", "first")
    scripted_model.when("job 1 b", fail(400, {"error": {"message": "no"}}))
    jobs = [two(0), two(1, key="one"), two(0)]
    with CodexPool(codex_config, state=state) as pool:
        first = list(pool.map(jobs))
    asked = scripted_model.request_count
    with CodexPool(codex_config, state=state) as pool:
        again = list(pool.map(jobs))
        assert pool.resumed == ()
    assert scripted_model.request_count == asked
    assert [texts(each) for each in again] == [texts(each) for each in first]
    assert [each.status for each in again] == ["completed", "failed", "completed"]
    assert isinstance(again[1].error, JobError)
    assert len({each.thread_id for each in again}) == 3, "equal jobs without a key are two"
    with CodexPool(codex_config, state=state) as pool:
        pool.submit(Job(prompts=["job 2"])).result(PATIENCE)
    assert prompts_of(scripted_model)["job 2"] == 1
    assert statuses(state) == ["completed", "failed", "completed", "completed"]


def test_a_key_stands_for_one_job(codex_config: AppServerConfig, scripted_model: ScriptedModel, state: Path) -> None:
    gate = scripted_model.gate()
    scripted_model.when("job 0 a", say("first", gate=gate))
    with CodexPool(codex_config, state=state) as pool:
        one, other = pool.submit(two(0, key="k")), pool.submit(two(0, key="k"))
        with pytest.raises(ConfigError, match="another job"):
            pool.submit(two(1, key="k"))
        gate.open()
        assert one.result(PATIENCE) == other.result(PATIENCE)
        with pytest.raises(ConfigError, match="another job"):
            pool.submit(two(1, key="k"))
    assert prompts_of(scripted_model) == {"job 0 a": 1, "job 0 b": 1}


def test_what_was_not_finished_is_carried_on(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, state: Path
) -> None:
    scripted_model.when("job 0 a", "first")
    scripted_model.when("job 0 b", hang(), "second")
    pool = CodexPool(codex_config, state=state, turns=1)
    cut, waiting = pool.submit(two(0)), pool.submit(two(1))
    scripted_model.wait_for_requests(2, PATIENCE)
    pool.close(drain=False)
    assert cut.result(PATIENCE).stopped == "cancelled"
    with pytest.raises(CancelledError):
        waiting.result(PATIENCE)
    assert statuses(state) == ["waiting", "waiting"]
    with CodexPool(codex_config, state=state) as pool:
        results = [future.result(PATIENCE) for future in pool.resumed]
        assert pool.submit(two(0)).result(PATIENCE) == results[0], "the program finds its job"
    assert [each.status for each in results] == ["completed"] * 2
    assert [each.attempts for each in results] == [2, 1]
    assert prompts_of(scripted_model) == {f"job {number} {part}": 1 for number in range(2) for part in "ab"}


def test_a_job_that_the_program_has_cancelled_is_not_carried_on(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, state: Path
) -> None:
    scripted_model.queue(hang())
    with CodexPool(codex_config, state=state, turns=1) as pool:
        runs, waits, cancelled = (pool.submit(two(number)) for number in range(3))
        scripted_model.wait_for_requests(1, PATIENCE)
        assert pool.cancel(waits)
        assert cancelled.cancel()
        assert pool.cancel(runs)
    assert statuses(state) == ["stopped"] * 3


def test_one_pool_at_a_time_uses_a_state(codex_config: AppServerConfig, state: Path) -> None:
    with CodexPool(codex_config, state=state):
        with pytest.raises(ConfigError, match="in use by another pool of this process"):
            CodexPool(codex_config, state=state)
        with running(_HOLDS.format(path=str(state)), codex_config) as process:
            out, _ = process.communicate(timeout=PATIENCE)
        assert "in use by a pool of another process" in out
    CodexPool(codex_config, state=state).close()


_HOLDS = """
try:
    CodexPool(config, state={path!r})
except ConfigError as error:
    print(error)
"""


@pytest.mark.parametrize("content", ["text", "database", "other version"])
def test_another_file_is_refused_and_left_alone(content: str, state: Path) -> None:
    if content == "text":
        state.write_text("some text, long enough to be no header of a database " * 20)
    else:
        with sqlite3.connect(state) as made:
            made.execute("CREATE TABLE mine (id INTEGER)")
            if content == "other version":
                made.execute("PRAGMA application_id = 1667527786")
                made.execute("PRAGMA user_version = 99")
        made.close()
    before = state.read_bytes()
    with pytest.raises(ConfigError, match="state"):
        CodexPool(state=state)
    assert state.read_bytes() == before


@pytest.mark.parametrize("bad", [3, True, b"x", "", "a\0b", "/no/such/directory/state"])
def test_a_state_that_cannot_be_is_refused(bad: Any) -> None:
    with pytest.raises(ConfigError, match="state"):
        CodexPool(state=bad)


def test_jobs_of_a_home_that_is_not_given_are_not_started_elsewhere(
    codex_home: QuietHome, codex_config: AppServerConfig, scripted_model: ScriptedModel, state: Path
) -> None:
    scripted_model.queue(hang())
    pool = CodexPool(codex_config, state=state)
    pool.submit(two(0))
    scripted_model.wait_for_requests(1, PATIENCE)
    pool.close(drain=False)
    other = quiet_home(codex_home.path / "other", scripted_model.url).config()
    with pytest.raises(ConfigError, match="none of the configurations has"):
        CodexPool(other, state=state)
    with CodexPool([other, codex_config], state=state) as pool:
        assert pool.resumed[0].result(PATIENCE).status == "completed"


def test_a_write_waits_for_the_read_of_another_thread(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = State(str(state)), State(str(state))
    one.add("k", two(0), 0.0)
    cursor = reading_cursor(one)
    other.note(1, "running")
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            cursor.close()

    monkeypatch.setattr("openai_codex._jobs.state.time.sleep", sleep)
    one.note(1, "waiting")
    assert (len(pauses), [row.status for row in other.jobs()]) == (3, ["waiting"])
    one.close()
    other.close()


# -- deaths -----------------------------------------------------------------------------------------------------------

_POOL = """
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from multiprocessing import get_context

if __name__ == "__main__":
    executor = {executor}
    with CodexPool(config, executor=executor, state={path!r}, turns=3) as pool:
        for number in range(5):
            pool.submit(Job(prompts=[f"job {{number}} a", f"job {{number}} b"]))
        pool.close()
"""


@pytest.mark.parametrize("executor", ["None", "ProcessPoolExecutor(2, get_context('fork'))"])
def test_a_pool_that_was_killed_is_continued(
    executor: str, codex_config: AppServerConfig, scripted_model: ScriptedModel, state: Path
) -> None:
    gate = scripted_model.gate()
    for number in range(5):
        scripted_model.when(asks(f"job {number} a"), f"first {number}")
        scripted_model.when(asks(f"job {number} b"), say(f"second {number}", gate=gate))
    with running(_POOL.format(executor=executor, path=str(state)), codex_config) as process:
        scripted_model.wait_for_requests(4, PATIENCE)
        process.kill()
        process.wait(PATIENCE)
    gate.open()
    with CodexPool(codex_config, state=state) as pool:
        results = [pool.submit(two(number)).result(PATIENCE) for number in range(5)]
    assert [each.status for each in results] == ["completed"] * 5
    assert [texts(each)[0] for each in results] == [f"first {number}" for number in range(5)]
    assert prompts_of(scripted_model) == {f"job {number} {part}": 1 for number in range(5) for part in "ab"}


def test_a_worker_that_is_killed_costs_nothing_but_time(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    gate = scripted_model.gate()
    for number in range(4):
        scripted_model.when(asks(f"job {number} a"), f"first {number}")
        scripted_model.when(asks(f"job {number} b"), say("cut", gate=gate), f"second {number}")
    executor = ProcessPoolExecutor(2, get_context("spawn"))
    with CodexPool(codex_config, executor=executor, turns=4) as pool:
        futures = [pool.submit(two(number)) for number in range(4)]
        scripted_model.wait_for_requests(4, PATIENCE)
        os.kill(worker_pids(executor)[0], signal.SIGKILL)
        gate.open()
        results = [future.result(PATIENCE) for future in futures]
    assert [each.status for each in results] == ["completed"] * 4
    assert set(prompts_of(scripted_model).values()) == {1}
    executor.shutdown()


def test_a_usage_limit_met_by_a_worker_is_waited_for(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    resets: list[int] = []
    scripted_model.when("job 0 a", "first")
    scripted_model.when("job 0 b", limiting(6, resets), "second")
    executor = ProcessPoolExecutor(1, get_context("spawn"))
    with executor, CodexPool(codex_config, executor=executor) as pool:
        future = pool.submit(two(0))
        assert eventually(lambda: pool.paused_until is not None)
        result = future.result(PATIENCE)
    assert texts(result) == ["first", "second"]
    assert (result.ended_at or 0) >= resets[0]
    assert set(prompts_of(scripted_model).values()) == {1}


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE jobs SET job = '{'", "cannot read one of its rows"),
        ("UPDATE jobs SET job = 'null'", "cannot read one of its rows: job: expected a mapping"),
        ('UPDATE jobs SET job = \'{"prompts": ["a"], "newer": 1}\'', "expected settings among"),
        ("UPDATE jobs SET result = '[]'", "result: expected a mapping"),
        ("ALTER TABLE jobs RENAME COLUMN result TO other", "no such column"),
        ("PRAGMA user_version = 2", "that of another version"),
    ],
)
def test_a_state_that_cannot_be_read_is_refused(
    codex_config: AppServerConfig, state: Path, statement: str, said: str
) -> None:
    held = State(str(state))
    held.add("k", Job(prompts=["a"], key="k"), 0.0)
    held.close()
    with closing(sqlite3.connect(state)) as database:
        database.executescript(statement)

    def use() -> None:
        with CodexPool(codex_config, state=state) as pool:
            pool.submit(Job(prompts=["a"], key="k"))

    for call in (use, lambda: listed(state)):
        with pytest.raises((ConfigError, JobError), match=said) as caught:
            call()
        assert str(state) in str(caught.value)
        assert str(caught.value).count("cannot be used") <= 1


def listed(path: Path) -> object:
    reader = reading(str(path))
    try:
        return reader.jobs()
    finally:
        reader.close()


def test_what_is_no_file_is_refused_and_nothing_is_left_beside_it(
    codex_config: AppServerConfig, tmp_path: Path
) -> None:
    (tmp_path / "directory").mkdir()
    os.mkfifo(tmp_path / "pipe")
    before = sorted(tmp_path.iterdir())
    for name in ("directory", "pipe"):
        with pytest.raises(ConfigError, match="it is not a file"):
            CodexPool(codex_config, state=tmp_path / name)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("code", "said"), [(errno.EAGAIN, "in use by a pool of another process"), (errno.ENOLCK, "No locks available")]
)
def test_a_file_system_without_locks_is_no_other_process(
    codex_config: AppServerConfig, state: Path, monkeypatch: pytest.MonkeyPatch, code: int, said: str
) -> None:
    def refuse(_file: int, _operation: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "lockf", refuse)
    with pytest.raises(ConfigError, match=said):
        CodexPool(codex_config, state=state)
    monkeypatch.undo()
    CodexPool(codex_config, state=state).close()
