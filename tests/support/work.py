"""A table of work, what tests tell it, and what they ask it."""

from __future__ import annotations

from typing import Any

import attrs

from openai_codex._engine.waiting import Latch
from openai_codex._notification import Notification
from openai_codex._turns.work import Place, Work
from openai_codex._turns.work_table import WorkTable
from openai_codex.types import (
    ReviewStartParams,
    TextUserInput,
    ThreadCompactStartParams,
    ThreadGoalSetParams,
    ThreadShellCommandParams,
    TurnStartParams,
    UncommittedChangesReviewTarget,
)

T, OTHER = "thread-1", "thread-2"


def turn(text: str = "Hi", **settings: Any) -> TurnStartParams:
    return TurnStartParams(thread_id=T, input=[TextUserInput(text=text)], **settings)


GOAL = ThreadGoalSetParams(thread_id=T, objective="win")
COMPACTION = ThreadCompactStartParams(thread_id=T)
SHELL = ThreadShellCommandParams(thread_id=T, command="true")
REVIEW = ReviewStartParams(thread_id=T, target=UncommittedChangesReviewTarget())


@attrs.frozen
class Accepted:
    """The reply to a request that starts a turn."""

    @attrs.frozen
    class Turn:
        id: str

    turn: Turn


def accepted(turn_id: str) -> Accepted:
    return Accepted(Accepted.Turn(turn_id))


class Table(WorkTable):
    """A table, and what tests ask it."""

    def send(self, params: Any) -> Work:
        work = self.begin(params, 60)
        assert work is not None
        return work

    def abandon(self, work: Work) -> None:
        """Leave the call that waits for the reply."""
        work.given_up = True
        self.give_up(work, KeyboardInterrupt())

    def tell_start(self, turn_id: str, root: str | None = None, thread_id: str = T) -> None:
        payload = {"threadId": thread_id, "turn": {"id": turn_id, "rootTurnId": root or turn_id}}
        self.put([Notification("turn/started", payload)])

    def tell_end(self, turn_id: str, thread_id: str = T) -> None:
        self.put([Notification("turn/completed", {"threadId": thread_id, "turn": {"id": turn_id}})])

    def is_free(self, *, joins: bool = False, thread_id: str = T) -> bool:
        """Return whether a call could start a turn now."""
        place = self.place(thread_id, joins=joins)
        try:
            return self.blocked_until(place) is None
        finally:
            self.leave(place)

    def count(self) -> int:
        return sum(map(len, self._works))

    def is_empty(self) -> bool:
        return not any(self._works) and not any(self._places)


def changed(*places: Place) -> list[bool]:
    return [place.changed is not None and place.changed.is_ready() for place in places]


def waits(table: Table, *, joins: bool) -> Place:
    place = table.place(T, joins=joins)
    place.changed = Latch()
    return place
