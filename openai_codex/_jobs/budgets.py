"""Jobs that run on one client: what their threads use, and how they are stopped."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from openai_codex._engine.mailbox import Listener
from openai_codex._engine.waiting import Latch
from openai_codex._turns.usage import USAGE_UPDATED

if TYPE_CHECKING:
    from openai_codex._jobs.result import StopReason
    from openai_codex._notification import Notification


class Watch:
    """One attempt of a job: the tokens of its thread, and whether it is to stop."""

    def __init__(self) -> None:
        self.limit: int | None = None
        """How many tokens the thread may use."""
        self.tokens: int | None = None
        """How many it has used."""
        self._is_cancelled = self._is_exhausted = False
        self.over = Latch()
        """Set when it is to stop, for what waits."""
        self._at: tuple[Any, str] | None = None

    @property
    def stopped(self) -> StopReason | None:
        """Why it is to stop."""
        return "cancelled" if self._is_cancelled else "max_tokens" if self._is_exhausted else None

    def follow(self, connection: Any, thread_id: str) -> None:
        """Note where its turns run."""
        self._at = connection, thread_id

    def leave(self) -> None:
        """Note that none of its turns runs any longer."""
        at, self._at = self._at, None
        if at is not None:
            self._release(*at)

    def stop(self, reason: StopReason) -> None:
        """Have its turn interrupted, and each that is about to start. Waits for nothing; callable from any thread."""
        if reason == "cancelled":
            self._is_cancelled = True
        else:
            self._is_exhausted = True
        self.over.set()
        self._halt()

    def is_over_budget(self) -> bool:
        """Return whether the thread has used more than it may."""
        return self.limit is not None and self.tokens is not None and self.tokens > self.limit

    def go_on(self, limit: int) -> None:
        """Allow more tokens. A job that was cancelled stays so, also if it is at this instant."""
        self.limit, self._is_exhausted, self.over = limit, False, Latch()
        if self._at is not None:
            self._release(*self._at)
        if self._is_cancelled:
            self.over.set()
            self._halt()

    def _halt(self) -> None:
        at = self._at
        if at is not None:
            connection, thread_id = at
            connection.work.halts.halt(thread_id, self)
            if self._at is None:  # first act, then look: its last turn has ended meanwhile
                self._release(*at)

    def _release(self, connection: Any, thread_id: str) -> None:
        connection.work.halts.release(thread_id, self)


class Budgets(Listener):
    """Counts the tokens of the jobs' threads on the reader, and stops a job that has used too many."""

    def __init__(self) -> None:
        super().__init__("the tokens of jobs")
        self.connection: Any = None
        self.watches: dict[str, Watch] = {}
        """The attempts that run, by their threads."""

    def on_event(self, event: Notification) -> None:
        """Note what a model call has cost."""
        if event.method != USAGE_UPDATED or (watch := self.watches.get(event.params["threadId"])) is None:
            return
        watch.tokens = event.params["tokenUsage"]["total"]["totalTokens"]
        if watch.is_over_budget() and watch.stopped is None:
            with suppress(Exception):  # whatever it is, the reader goes on; the turn is then stopped at its end
                watch.stop("max_tokens")
