# Derived from openai_codex/_async/thread.py by `python -m tools.unasync`; do not edit.
"""A conversation: start turns in it, read it, name it, compact it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openai_codex import protocol
from openai_codex._sync.turn import TurnHandle
from openai_codex._engine.mailbox import Mailbox
from openai_codex._engine.router import Coming
from openai_codex._engine.waiting import Deadline
from openai_codex.errors import ConfigError, JsonRpcError, TransportError
from openai_codex.inputs import Input, to_user_inputs
from openai_codex.log import Log
from openai_codex.options import (
    ApprovalPolicyLike,
    ApprovalsReviewerLike,
    PersonalityLike,
    SummaryLike,
    given,
    opened,
)

if TYPE_CHECKING:
    from openai_codex._sync.connection import Connection
    from openai_codex.results import RunResult

_log = Log("thread")


class Thread:
    """One thread of the runtime. A handle is cheap: it holds the id and the client's connection."""

    def __init__(self, connection: Connection, id: str) -> None:
        self.id = id
        """The thread's id; `thread_resume` takes it in another process."""
        self._connection = connection

    def __repr__(self) -> str:
        return f"Thread(id={self.id!r})"

    def run(
        self,
        input: Input | str,
        *,
        approval_policy: ApprovalPolicyLike | None = None,
        approvals_reviewer: ApprovalsReviewerLike | None = None,
        cwd: str | None = None,
        effort: str | None = None,
        model: str | None = None,
        output_schema: protocol.JsonObject | None = None,
        personality: PersonalityLike | None = None,
        sandbox_policy: protocol.SandboxPolicy | None = None,
        service_tier: str | None = None,
        summary: SummaryLike | None = None,
        timeout: float | None = None,
    ) -> RunResult:
        """Start a turn, wait for its end and return what it came to.

        Takes what `turn` takes, and:

        Args:
            timeout: how long all of it may take, in seconds; ``None``: as long as it takes.

        Raises `TurnFailedError` if the turn failed, `TurnTimeoutError` if it takes too long, both with the partial
        result, and `TransportClosedError` if the connection ends first. An interrupted turn returns a result whose
        status says so. When the time is up or the caller is cancelled, the turn is interrupted on the server.
        """
        deadline = Deadline(timeout)
        handle = self.turn(
            input,
            approval_policy=approval_policy,
            approvals_reviewer=approvals_reviewer,
            cwd=cwd,
            effort=effort,
            model=model,
            output_schema=output_schema,
            personality=personality,
            sandbox_policy=sandbox_policy,
            service_tier=service_tier,
            summary=summary,
            timeout=timeout,
        )
        return handle.run(timeout=deadline.remaining())

    def turn(
        self,
        input: Input | str,
        *,
        approval_policy: ApprovalPolicyLike | None = None,
        approvals_reviewer: ApprovalsReviewerLike | None = None,
        cwd: str | None = None,
        effort: str | None = None,
        model: str | None = None,
        output_schema: protocol.JsonObject | None = None,
        personality: PersonalityLike | None = None,
        sandbox_policy: protocol.SandboxPolicy | None = None,
        service_tier: str | None = None,
        summary: SummaryLike | None = None,
        timeout: float | None = None,
    ) -> TurnHandle:
        """Start a turn and return its handle at once (`turn/start`).

        While a turn is active, the input joins it, and the handle is one more on that turn. What is set here holds for
        this turn and the ones after it; ``None`` leaves the thread's setting.

        Args:
            input: a text, an input item, or a list of them.
            approval_policy: when the runtime asks before it acts.
            approvals_reviewer: who answers those questions.
            cwd: working directory of commands.
            effort: how hard the model thinks.
            model: the model to use.
            output_schema: JSON schema that the final answer has to follow.
            personality: the manner of the answers.
            sandbox_policy: what commands may touch.
            service_tier: the provider's service tier.
            summary: how the model's reasoning is summed up.
            timeout: how long the runtime may take to accept the turn, in seconds; ``None``: ``request_timeout``.

        Raises `ConfigError` for bad input before anything is sent, and `InvalidRequestError` if the runtime refuses.
        If the caller is cancelled or the time is up before the turn's id is known, the turn is interrupted.
        """
        params = protocol.TurnStartParams(
            thread_id=self.id,
            input=to_user_inputs(input),
            approval_policy=opened(protocol.ApprovalPolicy, approval_policy),
            approvals_reviewer=opened(protocol.ApprovalsReviewer, approvals_reviewer),
            cwd=given(cwd),
            effort=given(effort),
            model=given(model),
            output_schema=given(output_schema),
            personality=opened(protocol.Personality, personality),
            sandbox_policy=given(sandbox_policy),
            service_tier=given(service_tier),
            summary=opened(protocol.ReasoningSummary, summary),
        )
        return self._start(params, timeout)

    def read(self, *, include_turns: bool = False) -> protocol.ThreadReadResponse:
        """Read the thread as it is stored (`thread/read`).

        Args:
            include_turns: also its turns; refused for an ephemeral thread and for one that has none yet.
        """
        return self._connection.request(protocol.ThreadReadParams(thread_id=self.id, include_turns=include_turns))

    def set_name(self, name: str) -> protocol.ThreadSetNameResponse:
        """Give the thread a name for people (`thread/name/set`)."""
        return self._connection.request(protocol.ThreadSetNameParams(thread_id=self.id, name=name))

    def compact(self) -> protocol.ThreadCompactStartResponse:
        """Start to condense the thread's history (`thread/compact/start`); it goes on in a turn of its own."""
        return self._connection.request(protocol.ThreadCompactStartParams(thread_id=self.id))

    def _start(self, params: protocol.TurnStartParams, timeout: float | None) -> TurnHandle:
        mailbox = Mailbox(f"the events of a turn of thread {self.id}")
        try:
            response = self._connection.request(
                params, timeout=timeout, coming=Coming(mailbox, ("turn", "id"), self.id)
            )
        except (JsonRpcError, TransportError, ConfigError):
            raise  # the turn did not start
        except BaseException:
            # It may have started, and nobody will read it; without an id, the empty one stands for the active turn.
            self._connection.send_and_forget(protocol.TurnInterruptParams(thread_id=self.id, turn_id=""))
            raise
        _log.info("codex.turn_started", thread_id=self.id, turn_id=response.turn.id)
        return TurnHandle(self._connection, self.id, response.turn.id, mailbox)
