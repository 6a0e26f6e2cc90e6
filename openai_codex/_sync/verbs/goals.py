# Derived from openai_codex/_async/verbs/goals.py by `python -m tools.unasync`; do not edit.
"""The client's verbs on goals: a thread with an active goal starts turns by itself until the goal is reached."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from openai_codex import _checks as checks
from openai_codex import _protocol as protocol
from openai_codex._sync.client import _wait
from openai_codex._sync.verbs.base import Client
from openai_codex._engine.mailbox import Mailbox
from openai_codex._engine.subscriptions import Topic
from openai_codex._engine.waiting import Deadline
from openai_codex._turns.fold import GoalFold, raise_if_failed
from openai_codex._turns.options import fields
from openai_codex._turns.results import RunResult
from openai_codex.errors import (
    CodexError,
    ConfigError,
    JsonRpcError,
    TransportClosedError,
    TransportError,
    TurnTimeoutError,
)

if TYPE_CHECKING:
    from openai_codex._sync.client.connection import Connection
    from openai_codex._turns.options import GoalStatusLike

# How long a caller that gives a goal up waits for the running turn to be over.
_ABANDON_PATIENCE = 2.0


class Goals(Client):
    """Verbs on a thread's goal. An ephemeral thread can have none."""

    def thread_goal(self, thread_id: str) -> protocol.ThreadGoal | None:
        """Return the thread's goal, ``None`` if it has none (`thread/goal/get`)."""
        params = protocol.ThreadGoalGetParams(thread_id=checks.text("thread_id", thread_id))
        return (self.request(params)).goal

    def thread_set_goal(
        self,
        thread_id: str,
        objective: str | None = None,
        *,
        status: GoalStatusLike | None = None,
        token_budget: int | None = None,
    ) -> protocol.ThreadGoal:
        """Set or change the thread's goal (`thread/goal/set`).

        An active goal on an idle thread starts turns by itself, one after another, until the model calls it reached:
        ``status="paused"`` sets it without that, and stops one that is active.

        Args:
            thread_id: the thread.
            objective: what is to be reached; ``None`` leaves it.
            status: for instance ``"active"`` or ``"paused"``; ``None``: active for a new goal.
            token_budget: how many tokens it may cost.
        """
        params = protocol.ThreadGoalSetParams(
            thread_id=checks.text("thread_id", thread_id),
            **fields(objective=objective, status=status, token_budget=token_budget),
        )
        return (self.request(params)).goal

    def thread_clear_goal(self, thread_id: str) -> protocol.ThreadGoalClearResponse:
        """Take the thread's goal away (`thread/goal/clear`); a running turn goes on to its end."""
        return self.request(protocol.ThreadGoalClearParams(thread_id=checks.text("thread_id", thread_id)))

    def run_goal(
        self, thread_id: str, objective: str, *, token_budget: int | None = None, timeout: float | None = None
    ) -> RunResult:
        """Set a goal, let the runtime work on it turn after turn, and return what all of them came to, as one turn.

        The result has the items of all turns; its id, status and answer are those of the last one. `thread_goal` tells
        how the goal ended: reached, blocked, out of budget, or paused by somebody.

        Args:
            thread_id: an idle thread.
            objective: what is to be reached.
            token_budget: how many tokens it may cost.
            timeout: how long all of it may take, in seconds; ``None``: as long as it takes.

        Raises `TurnFailedError` if a turn failed and `TurnTimeoutError` when the time is up, with what there was. Then,
        and when the caller is cancelled, the goal is paused and the running turn interrupted.
        """
        seconds = checks.seconds("timeout", timeout)
        checks.text("thread_id", thread_id)
        checks.prose("objective", objective)
        fields(token_budget=token_budget)
        self._connection.connect()
        run = _GoalRun(self._connection, thread_id)
        try:
            self.thread_set_goal(thread_id, objective, status="active", token_budget=token_budget)
        except (JsonRpcError, TransportError, ConfigError):
            run.close()
            raise  # there is no goal to give up
        except BaseException:
            run.give_up()
            raise
        try:
            run.follow(Deadline(seconds))
            return raise_if_failed(run.fold.result(), self._connection.rate_limits)
        finally:
            if run.fold.is_active():
                run.give_up()
            run.close()


class _GoalRun:
    """Follows a thread's turns until its goal is active no more and the last turn is over."""

    def __init__(self, connection: Connection, thread_id: str) -> None:
        self._connection = connection
        self._thread_id = thread_id
        self._mailbox = Mailbox(f"the turns of thread {thread_id}")
        self._actor = connection.running()
        self._mailbox.count_in(self._actor.tally)
        self._actor.subscribe(Topic(thread_id), self._mailbox)
        self.fold = GoalFold(thread_id)

    def follow(self, deadline: Deadline) -> None:
        """Take events until all is over. Raises `TurnTimeoutError` with what there was."""
        while not self.fold.is_over():
            if not _wait.ready(self._mailbox, deadline.remaining()):
                result = self.fold.result()
                raise TurnTimeoutError(self._thread_id, result.id or None, deadline.timeout, result)
            try:
                self.fold.add(self._mailbox.take())
            except TransportClosedError as error:
                error.result = self.fold.result()
                raise

    def give_up(self) -> None:
        """Pause the goal and stop the turn that works on it; bounded, raises nothing."""
        if self._actor.close_reason is not None:
            self._connection.pause_goal_when_resumed(self._thread_id)
        paused = protocol.ThreadGoalSetParams(thread_id=self._thread_id, status=protocol.ThreadGoalStatus.paused)
        forget = self._connection.send(paused)
        deadline = Deadline(_ABANDON_PATIENCE)
        with suppress(CodexError):
            while (turn_id := self.fold.running_turn()) and not deadline.passed():
                stop = protocol.TurnInterruptParams(thread_id=self._thread_id, turn_id=turn_id)
                forget_stop = self._connection.send(stop)
                _wait.ready(self._mailbox, deadline.remaining())
                self.fold.add(self._mailbox.take())
                forget_stop()
        forget()

    def close(self) -> None:
        """Stop to receive the thread's events."""
        self._actor.unsubscribe(Topic(self._thread_id), self._mailbox)
