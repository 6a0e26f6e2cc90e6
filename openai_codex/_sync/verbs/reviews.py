# Derived from openai_codex/_async/verbs/reviews.py by `python -m tools.unasync`; do not edit.
"""The client's verbs that start a turn without a message: review and shell command."""

from __future__ import annotations

import math

from openai_codex import _checks as checks
from openai_codex import _protocol as protocol
from openai_codex._sync import operations
from openai_codex._sync.verbs.base import Client


class Reviews(Client):
    """Verbs that start work on a thread."""

    def review(
        self, thread_id: str, target: protocol.ReviewTarget | str | None = None, *, timeout: float | None = None
    ) -> operations.TurnHandle:
        """Let the runtime review code as a turn of the thread, and return its handle (`review/start`).

        A review cannot be steered, and the runtime interrupts the turn that is active. Its text is the final response of
        the turn.

        Args:
            thread_id: Id of the thread; its working directory is the repository.
            target: What to review: a `ReviewTarget`, or a description in words. ``None`` means the uncommitted changes.
            timeout: How long the runtime may take to accept it, in seconds; ``None`` means the client's
                ``request_timeout``.

        Raises:
            ConfigError: An argument is not accepted. Nothing was sent.

        Also raises what `request` raises. If the caller is cancelled or times out before the id of the turn is known,
        the turn is interrupted.
        """
        # In this thread: the runtime refuses a detached review of threads with its default kind of history.
        params = protocol.ReviewStartParams(thread_id=checks.text("thread_id", thread_id), target=_target(target))
        timeout = None if timeout is None else checks.seconds("timeout", timeout)
        return operations.start_turn(self._connection, operations.TurnStop(thread_id), params, timeout)

    def thread_shell_command(
        self, thread_id: str, command: str, *, command_timeout: float | None = None
    ) -> protocol.ThreadShellCommandResponse:
        """Run a shell command of the user in the thread, without a sandbox (`thread/shellCommand`).

        Returns when the command was started. It runs as a turn of its own; the model sees its output with the next turn.

        Args:
            thread_id: Id of the thread.
            command: The command line.
            command_timeout: How long the command may run, in seconds; ``None`` and infinity mean the runtime's limit.

        Raises:
            ConfigError: An argument is not accepted. Nothing was sent.

        Also raises what `request` raises.
        """
        seconds = checks.seconds("command_timeout", command_timeout)
        milliseconds = protocol.UNSET if seconds == math.inf else round(seconds * 1000)
        params = protocol.ThreadShellCommandParams(
            thread_id=checks.text("thread_id", thread_id),
            command=checks.text("command", command),
            timeout_ms=milliseconds,
        )
        return self.request(params)


def _target(target: protocol.ReviewTarget | str | None) -> protocol.ReviewTarget:
    if target is None:
        return protocol.UncommittedChangesReviewTarget()
    if isinstance(target, protocol.ReviewTarget):
        return target
    if not isinstance(target, str):
        raise checks.refusal("target", target, "a str, a ReviewTarget or None")
    return protocol.CustomReviewTarget(instructions=checks.prose("target", target))
