"""Which threads of a runtime have work in progress, by what the runtime itself reports."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from openai_codex._engine.backlog import keep_newest
from openai_codex._engine.mailbox import Listener

if TYPE_CHECKING:
    from openai_codex._engine.reply import CloseReason
    from openai_codex._engine.waiting import Waiter
    from openai_codex._notification import Notification

# How many seconds the runtime may take to report work that it has accepted. Usually it takes some ten milliseconds.
_BEGINS_WITHIN = 5.0

# How many active threads are kept: the end of the activity of another client's thread may never be reported.
_MOST = 4_096


class ThreadActivity(Listener):
    """The threads with a turn or an active goal, with or without a handle; those of sub-agents, too.

    A thread counts from the request on, because the runtime reports work only after it has accepted the request. Each
    change is one step of a table.
    """

    def __init__(self) -> None:
        methods = {"thread/status/changed", "turn/completed", "thread/goal/updated", "thread/goal/cleared"}
        super().__init__("the activity of threads", frozenset(methods))
        self._active: dict[str, None] = {}
        self._goals: dict[str, None] = {}
        # When work was requested that the runtime has not reported yet: it does so after it has accepted the request.
        self._expected: dict[str, float] = {}

    def threads(self) -> set[str]:
        """Return the threads that work, or are about to."""
        since = time.monotonic() - _BEGINS_WITHIN
        expected = {thread_id for thread_id, at in self._expected.copy().items() if at > since}
        return {*self._active.copy(), *self._goals.copy()} | expected

    def expect(self, thread_id: str) -> None:
        """Note that work is about to begin. What joins the work of an active thread is not reported again."""
        if thread_id not in self._active:
            self._expected[thread_id] = time.monotonic()

    def withdraw(self, thread_id: str) -> None:
        """Note that the runtime has refused the work."""
        self._expected.pop(thread_id, None)

    def fail(self, close_reason: CloseReason) -> list[Waiter]:
        """Forget everything: the next runtime starts with nothing in progress."""
        for table in (self._active, self._goals, self._expected):
            table.clear()
        return super().fail(close_reason)

    def on_event(self, event: Notification) -> None:
        """Add or remove a thread."""
        thread_id, params = event.thread_id or "", event.params
        if event.method.startswith("thread/goal/"):
            is_active = event.method == "thread/goal/updated" and params["goal"]["status"] == "active"
            _note(self._goals, thread_id, is_active=is_active)
        else:
            is_active = event.method == "thread/status/changed" and params["status"]["type"] == "active"
            _note(self._active, thread_id, is_active=is_active)
            # Not by another status: a thread that was resumed for this work is reported as idle before.
            if is_active or event.method == "turn/completed":
                self._expected.pop(thread_id, None)


def _note(table: dict[str, None], thread_id: str, *, is_active: bool) -> None:
    if is_active:
        keep_newest(table, thread_id, None, _MOST)
    else:
        table.pop(thread_id, None)
