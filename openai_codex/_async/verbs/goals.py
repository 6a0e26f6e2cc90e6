"""The client's verbs on goals. A thread with an active goal starts turns by itself until the goal is reached."""

from __future__ import annotations

from openai_codex import _checks as checks
from openai_codex import _protocol as protocol
from openai_codex._async import operations
from openai_codex._async.verbs.base import AsyncClient
from openai_codex._engine.waiting import Deadline
from openai_codex._turns.options import AgentsLike, GoalStatusLike
from openai_codex._turns.results import RunResult
from openai_codex._turns.settings import fields


class AsyncGoals(AsyncClient):
    """Verbs on a thread's goal. An ephemeral thread cannot have one.

    They raise what `request` raises; and `ConfigError` for an argument that is not accepted, before anything is sent.
    """

    async def thread_goal(self, thread_id: str) -> protocol.ThreadGoal | None:
        """Return the thread's goal, ``None`` if it has none (`thread/goal/get`)."""
        params = protocol.ThreadGoalGetParams(thread_id=checks.text("thread_id", thread_id))
        return (await self.request(params)).goal

    async def thread_set_goal(
        self,
        thread_id: str,
        objective: str | None = None,
        *,
        status: GoalStatusLike | None = None,
        token_budget: int | None = None,
    ) -> protocol.ThreadGoal:
        """Set or change the thread's goal (`thread/goal/set`).

        An active goal on an idle thread starts turns by itself, one after another, until the model reports it as
        reached. ``status="paused"`` sets a goal without that, and pauses one that is active.

        Args:
            thread_id: Id of the thread.
            objective: What is to be reached; ``None`` leaves it.
            status: For instance ``"active"`` or ``"paused"``; ``None`` means active for a new goal.
            token_budget: How many tokens it may cost.

        Returns:
            The goal as it is now.
        """
        params = protocol.ThreadGoalSetParams(
            thread_id=checks.text("thread_id", thread_id),
            **fields(objective=objective, status=status, token_budget=token_budget),
        )
        return (await self.request(params)).goal

    async def thread_clear_goal(self, thread_id: str) -> protocol.ThreadGoalClearResponse:
        """Remove the thread's goal (`thread/goal/clear`); a running turn continues to its end."""
        return await self.request(protocol.ThreadGoalClearParams(thread_id=checks.text("thread_id", thread_id)))

    async def run_goal(
        self,
        thread_id: str,
        objective: str,
        *,
        token_budget: int | None = None,
        agents: AgentsLike | None = None,
        timeout: float | None = None,
        stall_timeout: float | None = None,
    ) -> RunResult:
        """Set a goal, let the runtime work on it turn after turn, and return all turns as one result.

        Uses `thread/goal/set` and `thread/goal/updated`. `thread_goal` returns how the goal ended: reached, blocked, out
        of budget, or paused.

        Args:
            thread_id: Id of the thread. Its current work is waited for, as `AsyncThread.run` does.
            objective: What is to be reached.
            token_budget: How many tokens it may cost.
            agents: What happens to the sub-agents of all its turns, at any depth, when this call ends. ``None``: they are
                stopped after an error, and continue otherwise. ``"stop"``: they are stopped in any case. ``"keep"``: in
                none.
            timeout: How long the whole call may take, in seconds; ``None`` means no limit.
            stall_timeout: How long the work on the goal may make no progress, in seconds; ``None`` means no limit. See
                `AsyncThread.run`: events of all turns and of their sub-agents are progress.

        Returns:
            A result with the items of all turns. Its id, status and answer are those of the last turn.

        Raises:
            ConfigError: An argument is not accepted, or this is called in a handler or tool of a turn of the thread.
            TurnFailedError: A turn failed. The error carries the result so far.
            TurnTimeoutError: The time is up. The error carries the result so far.
            TurnStalledError: There was no progress for ``stall_timeout`` seconds. The error carries the result so far.
            TransportClosedError: The connection ended. The error carries the result so far.

        After each of these, and when the caller is cancelled, the goal is paused, the running turn interrupted, and the
        sub-agents of all its turns are stopped, unless ``agents`` keeps them.
        """
        deadline, stall = Deadline(checks.seconds("timeout", timeout)), checks.seconds("stall_timeout", stall_timeout)
        checks.text("thread_id", thread_id)
        checks.prose("objective", objective)
        # Checked here: a wrong value must not start the runtime.
        settings = fields(objective=objective, status="active", token_budget=token_budget)
        params = protocol.ThreadGoalSetParams(thread_id=thread_id, **settings)
        return await operations.run_goal(self._connection, params, deadline, stall, agents)
