"""Pools and timers where the system gives no thread, or where an exception comes while one is started."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from openai_codex._engine import workers as pools
from openai_codex._engine.threads import ThreadGroup
from openai_codex._engine.waiting import Latch, block_until_ready
from openai_codex._engine.workers import WorkerPool, Workers
from tests.support.bounds import PATIENCE, eventually


class System:
    """Decides what comes of a thread that is to be started."""

    def __init__(self) -> None:
        self.instead: Callable[[], None] | None = None
        """Called in place of a start."""
        self._start = threading.Thread.start

    def start(self, thread: threading.Thread) -> None:
        if self.instead is None:
            self._start(thread)
        else:
            self.instead()


class Interruption(Exception):  # noqa: N818  it is no error
    """Of a signal handler."""


def refuse() -> None:
    raise RuntimeError("can't start new thread")


def interrupt() -> None:
    raise Interruption


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> System:
    system = System()

    def start(thread: threading.Thread) -> None:
        system.start(thread)

    monkeypatch.setattr(threading.Thread, "start", start)
    return system


@pytest.fixture
def group() -> ThreadGroup:
    return ThreadGroup("refused-test")


@pytest.fixture
def workers(system: System, group: ThreadGroup) -> Iterator[Workers]:
    workers = Workers(group)
    yield workers
    system.instead = None
    workers.close()
    workers.handlers.run_rest()
    if group._has_begun:  # noqa: SLF001  else no thread sets the latch
        group.leave()
        assert block_until_ready(group.ended, PATIENCE)


class Blocked:
    """A task that has begun and does not end before it is told to."""

    def __init__(self) -> None:
        self.begun, self.gate = Latch(), Latch()

    def __call__(self) -> None:
        self.begun.set()
        block_until_ready(self.gate, 2 * PATIENCE)

    def has_begun(self) -> bool:
        return block_until_ready(self.begun, PATIENCE)


def test_without_any_thread_a_task_is_refused_and_never_run(system: System, workers: Workers) -> None:
    system.instead = refuse
    assert not workers.handlers.submit(lambda: pytest.fail("it was refused"))
    system.instead = None
    done = Latch()
    assert workers.handlers.submit(done.set)
    assert block_until_ready(done, PATIENCE)


def test_a_task_that_waited_for_a_worker_leaves_later_ones_their_thread(system: System, workers: Workers) -> None:
    first, second, third = Blocked(), Blocked(), Blocked()
    assert workers.handlers.submit(first)
    assert first.has_begun()
    system.instead = refuse
    assert workers.handlers.submit(second)
    system.instead = None
    first.gate.set()
    assert second.has_begun()
    assert workers.handlers.submit(third)
    assert third.has_begun(), "no worker is idle, so it needs a thread of its own"
    second.gate.set()
    third.gate.set()


def test_a_worker_that_begins_a_task_has_those_behind_it_served(system: System, workers: Workers) -> None:
    tasks = [Blocked() for _ in range(4)]
    assert workers.handlers.submit(tasks[0])
    assert tasks[0].has_begun()
    system.instead = refuse
    for task in tasks[1:]:
        assert workers.handlers.submit(task)
    system.instead = None
    tasks[0].gate.set()
    for task in tasks[1:]:
        assert task.has_begun(), "nothing is submitted any longer, and all others are blocked"
    for task in tasks[1:]:
        task.gate.set()


def test_what_cannot_be_refused_waits_for_a_thread(system: System, group: ThreadGroup, workers: Workers) -> None:
    done = Latch()
    system.instead = refuse
    workers.handlers.post(done.set)
    assert group.was_refused
    workers.catch_up()
    assert not done.is_ready()
    system.instead = None
    workers.catch_up()
    assert block_until_ready(done, PATIENCE)
    assert not group.was_refused


def test_what_waits_for_a_thread_is_bounded(system: System, workers: Workers) -> None:
    ran: list[int] = []
    system.instead = refuse
    for number in range(5_000):
        workers.handlers.post(lambda number=number: ran.append(number))
    workers.close()
    workers.handlers.run_rest()
    assert ran == list(range(len(ran)))
    assert 500 < len(ran) < 2_000


def test_the_rest_runs_at_the_end_if_there_never_was_a_thread(system: System, workers: Workers) -> None:
    system.instead = refuse
    ran: list[str] = []
    workers.handlers.post(lambda: ran.append("first"))
    workers.handlers.post(lambda: 1 // 0)
    workers.handlers.post(lambda: ran.append("last"))
    workers.close()
    workers.handlers.run_rest()
    workers.handlers.run_rest()
    assert ran == ["first", "last"]


def test_a_lone_deadline_fires_when_there_is_a_thread_again(system: System, workers: Workers) -> None:
    done = Latch()
    system.instead = refuse
    workers.timers.at(time.monotonic(), done.set)
    workers.catch_up()
    assert not done.is_ready()
    system.instead = None
    workers.catch_up()
    assert block_until_ready(done, PATIENCE)


def test_an_exception_while_a_worker_is_started_leaves_no_place_taken(system: System, workers: Workers) -> None:
    system.instead = interrupt
    with pytest.raises(Interruption):
        workers.dispatch.submit(lambda: None)
    system.instead = None
    done = Latch()
    assert workers.dispatch.submit(done.set)
    assert block_until_ready(done, PATIENCE)


def test_an_exception_while_the_timers_start_leaves_them_to_the_next_one(system: System, workers: Workers) -> None:
    first, second, now = Latch(), Latch(), time.monotonic()
    system.instead = interrupt
    with pytest.raises(Interruption):
        workers.timers.at(now, first.set)
    system.instead = None
    workers.timers.at(now, second.set)
    assert block_until_ready(first, PATIENCE)
    assert block_until_ready(second, PATIENCE)


@pytest.mark.parametrize("refused", [False, True], ids=["it starts", "it is refused"])
def test_all_workers_end_that_a_close_finds_on_their_way(system: System, group: ThreadGroup, refused: bool) -> None:
    pool = WorkerPool(group, "handler", 8)
    blocked = [Blocked() for _ in range(3)]
    for task in blocked:
        assert pool.submit(task)
        assert task.has_begun()

    def close() -> None:
        pool.close()
        system.instead = None
        if refused:
            refuse()

    system.instead = close
    if not refused:
        start = system.start

        def close_and_start(thread: threading.Thread) -> None:
            if system.instead is close:
                close()
            start(thread)

        system.start = close_and_start  # type: ignore[method-assign]
    pool.submit(lambda: None)
    for task in blocked:
        task.gate.set()
    assert block_until_ready(group.ended, PATIENCE)
    group.join()


def test_a_task_that_is_posted_after_the_close_is_dropped(group: ThreadGroup) -> None:
    pool = WorkerPool(group, "handler", 2)
    pool.close()
    pool.post(lambda: pytest.fail("it was closed"))
    assert pool.submit(lambda: pytest.fail("it was closed"))
    pool.run_rest()


def test_tasks_that_were_dropped_for_want_of_a_thread_are_counted(
    system: System, workers: Workers, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(pools, "_MOST_KEPT", 3)
    system.instead = refuse
    ran: list[int] = []
    for number in range(5):
        workers.handlers.post(partial(ran.append, number))
    system.instead, last = None, Latch()
    assert workers.handlers.submit(last.set)
    assert block_until_ready(last, PATIENCE)
    assert eventually(lambda: sorted(ran) == [0, 1, 2])
    assert eventually(lambda: "codex.log_lines_dropped" in caplog.text)
    [record] = [each for each in caplog.records if "codex.log_lines_dropped" in each.getMessage()]
    assert "count=2" in record.getMessage()
