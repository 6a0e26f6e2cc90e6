"""Which threads have work in progress: by requests, by what the runtime reports, and until its end."""

from __future__ import annotations

from typing import Any

import pytest

from openai_codex._engine.reply import CloseReason
from openai_codex._notification import Notification
from openai_codex._turns import activity
from openai_codex._turns.activity import ThreadActivity


def status(kind: str) -> Notification:
    return Notification("thread/status/changed", {"threadId": "t", "status": {"type": kind}}, None)


def goal(kind: str) -> Notification:
    return Notification("thread/goal/updated", {"threadId": "t", "goal": {"status": kind}}, None)


COMPLETED = Notification("turn/completed", {"threadId": "t", "turn": {"id": "u"}}, None)


@pytest.mark.parametrize(
    ("steps", "works"),
    [
        ([status("active")], True),
        ([status("active"), status("idle")], False),
        ([status("active"), status("systemError")], False),
        ([status("active"), COMPLETED], False),
        (["expect"], True),
        (["expect", status("idle")], True),  # a thread that was resumed for it
        (["expect", status("active"), status("idle")], False),
        (["expect", COMPLETED], False),
        (["expect", "withdraw"], False),
        ([status("active"), "expect", status("idle")], False),  # it joined the work
        ([goal("active")], True),
        ([goal("active"), status("idle")], True),  # it starts the next turn
        ([goal("active"), goal("paused")], False),
        ([goal("active"), Notification("thread/goal/cleared", {"threadId": "t"}, None)], False),
        ([status("active"), goal("active"), "expect", "fail"], False),
        ([Notification("thread/status/changed", {"threadId": "t", "status": 3}, None)], False),
    ],
)
def test_a_thread_works_from_the_request_to_the_end(steps: list[Any], works: bool) -> None:
    watched = ThreadActivity()
    for step in steps:
        if isinstance(step, Notification):
            watched.put([step])
        elif step == "fail":
            watched.fail(CloseReason("gone"))
        else:
            getattr(watched, step)("t")
    assert watched.threads() == ({"t"} if works else set())


def test_work_that_the_runtime_never_reports_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activity, "_BEGINS_WITHIN", 0.0)
    watched = ThreadActivity()
    watched.expect("t")
    assert watched.threads() == set()


def test_threads_that_never_end_their_work_are_bounded() -> None:
    table = ThreadActivity()
    for number in range(10_000):
        for event in (status("active"), goal("active")):
            table.on_event(Notification(event.method, event.params | {"threadId": f"t{number}"}, None))
    assert len(table.threads()) < 5_000
    assert "t9999" in table.threads()
