"""A group of threads knows when its last thread has ended."""

from __future__ import annotations

import threading

import pytest

from openai_codex._engine.threads import ThreadGroup
from openai_codex._engine.waiting import Latch, block_until_ready
from tests.support.bounds import PATIENCE, eventually


def names() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.endswith("-counted")]


def test_the_last_thread_to_end_sets_the_latch() -> None:
    group, first, second = ThreadGroup("counted"), Latch(), Latch()
    group.start("a", lambda: block_until_ready(first, PATIENCE))
    group.start("b", lambda: block_until_ready(second, PATIENCE))
    assert sorted(names()) == ["codex-a-counted", "codex-b-counted"]
    first.set()
    assert not block_until_ready(group.ended, 0.02)
    second.set()
    assert block_until_ready(group.ended, PATIENCE)
    group.join()
    assert eventually(lambda: names() == [])


def test_a_thread_that_leaves_is_not_waited_for() -> None:
    group, left, done = ThreadGroup("test"), Latch(), Latch()

    def close_from_within() -> None:
        group.leave()
        left.set()
        block_until_ready(done, PATIENCE)

    group.start("a", close_from_within)
    assert block_until_ready(left, PATIENCE)
    assert group.ended.is_ready()
    group.join()
    done.set()


def test_a_thread_of_another_kind_may_leave() -> None:
    group, done = ThreadGroup("test"), Latch()
    group.start("a", lambda: block_until_ready(done, PATIENCE))
    group.leave()
    assert not group.ended.is_ready()
    done.set()
    assert block_until_ready(group.ended, PATIENCE)


def test_a_thread_that_cannot_be_started_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    group, done = ThreadGroup("test"), Latch()
    group.start("a", lambda: block_until_ready(done, PATIENCE))
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError):
            group.start("b", lambda: None)
    done.set()
    assert block_until_ready(group.ended, PATIENCE)
    group.join()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_raises_has_ended_too() -> None:
    group = ThreadGroup("test")
    group.start("a", lambda: 1 // 0)
    assert block_until_ready(group.ended, PATIENCE)
    group.join()


class Interruption(Exception):  # noqa: N818  it is no error
    """Of a signal handler."""


def test_the_first_threads_are_counted_before_one_of_them_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    group, done, seen = ThreadGroup("test"), Latch(), list[bool]()
    start = threading.Thread.start

    def start_and_wait(thread: threading.Thread) -> None:
        start(thread)
        if "-short-" in thread.name:
            thread.join(PATIENCE)
            seen.append(group.ended.is_ready())

    monkeypatch.setattr(threading.Thread, "start", start_and_wait)
    group.start_all({"short": lambda: None, "long": lambda: block_until_ready(done, PATIENCE)})
    assert seen == [False]
    assert not group.ended.is_ready()
    done.set()
    assert block_until_ready(group.ended, PATIENCE)
    group.join()


def test_a_group_that_has_not_begun_does_not_end() -> None:
    group, done = ThreadGroup("test"), Latch()
    group.leave()  # a signal handler closes a client that is about to start
    assert not group.ended.is_ready()
    group.start("a", lambda: block_until_ready(done, PATIENCE))
    assert not group.ended.is_ready()
    done.set()
    assert block_until_ready(group.ended, PATIENCE)
    group.join()


def test_threads_that_were_not_started_with_others_count_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    group, done, start = ThreadGroup("test"), Latch(), threading.Thread.start

    def refuse_second(thread: threading.Thread) -> None:
        if "-second-" in thread.name:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse_second)
    with pytest.raises(RuntimeError):
        group.start_all(
            {"first": lambda: block_until_ready(done, PATIENCE), "second": pytest.fail, "third": pytest.fail}
        )
    assert group.was_refused
    assert [group.runs(role) for role in ("first", "second", "third")] == [True, False, False]
    done.set()
    assert block_until_ready(group.ended, PATIENCE)
    group.join()


def test_a_thread_that_begins_after_its_start_was_interrupted_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    group, made = ThreadGroup("test"), list[threading.Thread]()

    def interrupt(thread: threading.Thread) -> None:
        made.append(thread)  # the system has made it, and lets it run later
        raise Interruption

    monkeypatch.setattr(threading.Thread, "start", interrupt)
    with pytest.raises(Interruption):
        group.start("a", lambda: pytest.fail("nobody knows of it"))
    assert not group.runs("a")
    made[0].run()


def test_a_thread_that_began_before_its_start_was_interrupted_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    group, begun, done, start = ThreadGroup("test"), Latch(), Latch(), threading.Thread.start

    def work() -> None:
        begun.set()
        block_until_ready(done, PATIENCE)

    def interrupt(thread: threading.Thread) -> None:
        start(thread)
        assert block_until_ready(begun, PATIENCE)
        raise Interruption

    monkeypatch.setattr(threading.Thread, "start", interrupt)
    with pytest.raises(Interruption):
        group.start("a", work)
    assert group.runs("a")
    assert not group.ended.is_ready()
    done.set()
    assert block_until_ready(group.ended, PATIENCE)
    group.join()
