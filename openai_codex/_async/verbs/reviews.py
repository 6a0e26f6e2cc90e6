"""The client's verbs that make a thread work without a message of the user: review, shell command."""

from __future__ import annotations

import math

from openai_codex import _checks as checks
from openai_codex import _protocol as protocol
from openai_codex._async.turn import AsyncTurnHandle, start_turn
from openai_codex._async.verbs.base import AsyncClient


class AsyncReviews(AsyncClient):
    """Verbs that start work on a thread."""

    async def review(
        self, thread_id: str, target: protocol.ReviewTarget | str | None = None, *, timeout: float | None = None
    ) -> AsyncTurnHandle:
        """Let the runtime review code, as a turn of the thread (`review/start`), and return its handle.

        A review cannot be steered. The review's text is the final response of its turn.

        Args:
            thread_id: the thread; its working directory is the repository.
            target: what to review: a text says it in words, ``None`` means the uncommitted changes.
            timeout: how long the runtime may take to accept it, in seconds; ``None``: ``request_timeout``.

        If the caller is cancelled or the time is up before the turn's id is known, the turn is interrupted.
        """
        params = protocol.ReviewStartParams(thread_id=checks.text("thread_id", thread_id), target=_target(target))
        return await start_turn(self._connection, thread_id, params, timeout)

    async def thread_shell_command(
        self, thread_id: str, command: str, *, command_timeout: float | None = None
    ) -> protocol.ThreadShellCommandResponse:
        """Run a command of the user's in the thread's shell, without a sandbox (`thread/shellCommand`).

        Returns when it was started; it runs as a turn of its own, and the model sees its output with the next turn.

        Args:
            thread_id: the thread.
            command: the command line.
            command_timeout: how long it may run, in seconds; ``None`` and infinity: the runtime's own limit.
        """
        seconds = checks.seconds("command_timeout", command_timeout)
        milliseconds = protocol.UNSET if seconds == math.inf else round(seconds * 1000)
        params = protocol.ThreadShellCommandParams(
            thread_id=checks.text("thread_id", thread_id),
            command=checks.text("command", command),
            timeout_ms=milliseconds,
        )
        return await self.request(params)


def _target(target: protocol.ReviewTarget | str | None) -> protocol.ReviewTarget:
    if target is None:
        return protocol.UncommittedChangesReviewTarget()
    if isinstance(target, protocol.ReviewTarget):
        return target
    if not isinstance(target, str):
        raise checks.refusal("target", target, "a str, a ReviewTarget or None")
    return protocol.CustomReviewTarget(instructions=checks.prose("target", target))
