"""A group of threads knows when its last thread has ended."""

from __future__ import annotations

import threading

import pytest

from openai_codex._engine.threads import ThreadGroup
from openai_codex._engine.waiting import Latch, block_until_ready
from tests.support.bounds import PATIENCE


def names() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.endswith("-test")]


def test_the_last_thread_to_end_sets_the_latch() -> None:
    group, first, second = ThreadGroup("test"), Latch(), Latch()
    group.start("a", lambda: block_until_ready(first, PATIENCE))
    group.start("b", lambda: block_until_ready(second, PATIENCE))
    assert sorted(names()) == ["codex-a-test", "codex-b-test"]
    first.set()
    assert not block_until_ready(group.ended, 0.02)
    second.set()
    assert block_until_ready(group.ended, PATIENCE)
    group.join()
    assert names() == []


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
