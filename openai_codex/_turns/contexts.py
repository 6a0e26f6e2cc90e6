"""Whose context variables the handlers and tools of a turn see: those of the call that has led to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openai_codex._engine.mailbox import Listener

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextvars import Context

    from openai_codex._engine.reply import CloseReason
    from openai_codex._engine.waiting import Waiter
    from openai_codex._notification import Notification
    from openai_codex._turns.work import Work

ACTIVE = "active"
"""The status of a goal that the runtime works on."""


class GoalContexts(Listener):
    """The contexts of who has set the goals of threads: the runtime starts turn after turn for a goal.

    An entry goes with its goal. Each change is one step of the table.
    """

    def __init__(self) -> None:
        super().__init__("the goals of threads", frozenset({"thread/goal/updated", "thread/goal/cleared"}))
        self._contexts: dict[str, Context] = {}

    def note(self, work: Work, status: str) -> bool:
        """Note the context of a request that has set a goal; return whether the runtime works on the goal."""
        if status == ACTIVE and work.context is not None:
            self._contexts[work.thread_id] = work.context
        elif status != ACTIVE:
            self.forget(work.thread_id)
        return status == ACTIVE

    def of(self, thread_id: str) -> Context | None:
        """Return the context of who has set the goal of a thread, if it has one."""
        return self._contexts.get(thread_id)

    def forget(self, thread_id: str) -> None:
        """Release the context of a thread."""
        self._contexts.pop(thread_id, None)

    def on_event(self, event: Notification) -> None:
        """Release the context of a goal that is no longer worked on."""
        if event.params.get("goal", {}).get("status") != ACTIVE:
            self.forget(event.params["threadId"])

    def fail(self, close_reason: CloseReason) -> list[Waiter]:
        """Forget all goals, because the runtime is gone."""
        self._contexts.clear()
        return super().fail(close_reason)


def origin_of(ids: frozenset[str], lists: Iterable[list[Work]]) -> Context | None:
    """Return the context of a turn of any thread: that of a sub-agent has the id of the turn that it works for."""
    works = (work for works in lists for work in tuple(works) if not ids.isdisjoint(work.ids))
    return next((work.context for work in works if work.context is not None), None)
