"""The end of a runtime is one event of a mailbox that outlives it, and comes after all events of the runtime."""

from __future__ import annotations

import pytest

from openai_codex._engine.actor import Actor
from openai_codex._engine.mailbox import LastingMailbox, Mailbox
from openai_codex._engine.reply import CloseReason
from openai_codex._engine.router import Router
from openai_codex._engine.subscriptions import EVERYTHING
from openai_codex._engine.waiting import block_until_ready
from tests.support.bounds import PATIENCE
from tests.support.pipe import Pipe


def methods(box: Mailbox) -> list[str]:
    return [event.method for event in box.take()]


@pytest.mark.parametrize("early", [0, 1, 2])
@pytest.mark.parametrize("late", [1, 2])
def test_however_many_callers_end_a_connection_there_is_one_event(early: int, late: int) -> None:
    router, box = Router(4), LastingMailbox("test")
    router.subscriptions.enter(EVERYTHING, box)
    router.change(router.subscriptions.add, EVERYTHING, box)
    reason = CloseReason("the runtime exited")
    for _ in range(early):  # a caller
        router.fail_all(reason)
        assert not box.is_ready()
        router.catch_up()  # the reader, in between
    for _ in range(late):
        router.fail_all(reason, at_end=True)
    assert methods(box) == ["client/runtimeExited"]
    assert not box.ended.is_ready()


def test_a_mailbox_of_one_runtime_ends_at_once() -> None:
    router, box = Router(4), Mailbox("test")
    router.subscriptions.add(EVERYTHING, box)
    router.fail_all(CloseReason("the runtime exited"))
    assert box.ended.is_ready()


@pytest.mark.parametrize("at_end", [False, True])
def test_after_the_last_runtime_there_is_no_event(at_end: bool) -> None:
    router, box = Router(4), LastingMailbox("test")
    router.subscriptions.add(EVERYTHING, box)
    router.fail_all(CloseReason("the client was closed", final=True), at_end=at_end)
    assert box.ended.is_ready()
    assert len(box.backlog) == 0


def test_what_a_runtime_says_while_it_is_stopped_comes_before_its_end() -> None:
    pipe, box = Pipe(), LastingMailbox("test")
    actor = Actor(pipe, lambda _: None, max_in_flight=4)
    actor.start()
    actor.subscribe(EVERYTHING, box)
    assert next(actor.stop(PATIENCE, "it has grown too large"))
    pipe.feed(b'{"method":"m","params":{}}\n')
    pipe.feed(b"")
    assert block_until_ready(actor.exited, PATIENCE)
    assert methods(box) == ["m", "client/runtimeExited"]
    assert block_until_ready(actor.threads.ended, PATIENCE)
