# Derived from openai_codex/_async/thread.py by `python -m tools.unasync`; do not edit.
"""A conversation: start turns in it, read it, name it, compact it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openai_codex import _checks as checks
from openai_codex import _protocol as protocol
from openai_codex._sync.pages import Pages
from openai_codex._sync.turn import TurnHandle, start_turn
from openai_codex._engine.waiting import Deadline
from openai_codex._turns.inputs import RunInput, to_turn_input
from openai_codex._turns.options import approval, fields
from openai_codex._turns.options import sandbox_policy as sandbox_fields
from openai_codex.errors import ConfigError, RequestTimeoutError, TurnTimeoutError

if TYPE_CHECKING:
    from openai_codex._sync.client.connection import Connection
    from openai_codex._config import StrPath
    from openai_codex._schemas.output import OutputType
    from openai_codex._turns.options import (
        ApprovalModeLike,
        ApprovalPolicyLike,
        ApprovalsReviewerLike,
        ItemsViewLike,
        PersonalityLike,
        SandboxPolicyLike,
        SummaryLike,
    )
    from openai_codex._turns.results import OutputT, RunResult


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
        input: RunInput,
        *,
        approval_mode: ApprovalModeLike | None = None,
        approval_policy: ApprovalPolicyLike | None = None,
        approvals_reviewer: ApprovalsReviewerLike | None = None,
        cwd: StrPath | None = None,
        effort: protocol.ReasoningEffort | None = None,
        model: str | None = None,
        output_schema: protocol.JsonObject | None = None,
        output_type: type[OutputT] | None = None,
        personality: PersonalityLike | None = None,
        sandbox: SandboxPolicyLike | None = None,
        sandbox_policy: SandboxPolicyLike | None = None,
        service_tier: str | None = None,
        source: str | None = None,
        stall_timeout: float | None = None,
        summary: SummaryLike | None = None,
        timeout: float | None = None,
        turn_service_tier: str | None = None,
    ) -> RunResult[OutputT]:
        """Start a turn, wait for its end and return what it came to.

        Takes what `turn` takes, and:

        Args:
            stall_timeout: how long the turn may make no progress, in seconds; see `TurnHandle.run`.
            timeout: how long all of it may take, in seconds; ``None``: as long as it takes.

        Raises `TurnFailedError` if the turn failed, `TurnTimeoutError` if it takes too long, `TurnStalledError` if it
        made no progress, and `TransportClosedError` if the connection ends first, all with the partial result. An
        interrupted turn returns a result whose status says so. When the time is up or the caller is cancelled, the turn
        is interrupted on the server.
        """
        deadline = Deadline(checks.seconds("timeout", timeout))
        checks.seconds("stall_timeout", stall_timeout)
        try:
            handle = self.turn(
                input,
                approval_mode=approval_mode,
                approval_policy=approval_policy,
                approvals_reviewer=approvals_reviewer,
                cwd=cwd,
                effort=effort,
                model=model,
                output_schema=output_schema,
                output_type=output_type,
                personality=personality,
                sandbox=sandbox,
                sandbox_policy=sandbox_policy,
                service_tier=service_tier,
                source=source,
                summary=summary,
                timeout=min(deadline.timeout, self._connection.request_timeout),
                turn_service_tier=turn_service_tier,
            )
        except RequestTimeoutError as error:
            if deadline.passed():
                raise TurnTimeoutError(self.id, None, deadline.timeout) from error
            raise
        return handle.run(timeout=deadline.remaining(), stall_timeout=stall_timeout)

    def turn(
        self,
        input: RunInput,
        *,
        approval_mode: ApprovalModeLike | None = None,
        approval_policy: ApprovalPolicyLike | None = None,
        approvals_reviewer: ApprovalsReviewerLike | None = None,
        cwd: StrPath | None = None,
        effort: protocol.ReasoningEffort | None = None,
        model: str | None = None,
        output_schema: protocol.JsonObject | None = None,
        output_type: type[OutputT] | None = None,
        personality: PersonalityLike | None = None,
        sandbox: SandboxPolicyLike | None = None,
        sandbox_policy: SandboxPolicyLike | None = None,
        service_tier: str | None = None,
        source: str | None = None,
        summary: SummaryLike | None = None,
        timeout: float | None = None,
        turn_service_tier: str | None = None,
    ) -> TurnHandle[OutputT]:
        """Start a turn and return its handle at once (`turn/start`).

        While a turn is active, the input joins it, and the handle is one more on that turn: it sees what comes from
        then on, as does every other. What is set here holds for this turn and the ones after it; ``None`` leaves the
        thread's setting.

        Args:
            input: a text, an input item, a list of them, or an `ExternalMessage`.
            approval_mode: a preset in place of the next two.
            approval_policy: when the runtime asks before it acts: ``"untrusted"``, ``"on-request"``, ``"never"``.
            approvals_reviewer: who answers: ``"user"`` (this program) or ``"auto_review"``.
            cwd: working directory of commands.
            effort: how hard the model thinks, for instance ``"low"`` or ``"high"``.
            model: the model to use.
            output_schema: JSON schema that the final answer has to follow.
            output_type: a class in place of a schema: an attrs class, a dataclass, a TypedDict, or one with pydantic's
                methods; the answer comes back as ``result.output``.
            personality: the manner of the answers.
            sandbox: the same as ``sandbox_policy``.
            sandbox_policy: what commands may touch: a preset, a mode, or a full policy.
            service_tier: the provider's service tier.
            source: what triggered the turn; a free label.
            summary: how the model's reasoning is summed up.
            timeout: how long the runtime may take to accept the turn, in seconds; ``None``: ``request_timeout``.
            turn_service_tier: the service tier of this turn alone.

        Raises `ConfigError` for bad input before anything is sent, and `InvalidRequestError` if the runtime refuses.
        If the caller is cancelled or the time is up before the turn's id is known, the turn is interrupted.
        """
        output = _output(output_type, output_schema)
        params = protocol.TurnStartParams(
            thread_id=self.id,
            **to_turn_input(input),
            **approval(approval_policy, approvals_reviewer, approval_mode),
            **sandbox_fields(sandbox, sandbox_policy),
            **fields(
                cwd=cwd,
                effort=effort,
                model=model,
                output_schema=output_schema if output is None else output.schema,
                personality=personality,
                service_tier=service_tier,
                source=source,
                summary=summary,
                turn_service_tier=turn_service_tier,
            ),
        )
        return start_turn(self._connection, self.id, params, timeout, output)

    def read(self, *, include_turns: bool = False) -> protocol.ThreadReadResponse:
        """Read the thread as it is stored (`thread/read`).

        Args:
            include_turns: also its turns; refused for an ephemeral thread and for one that has none yet.
        """
        params = protocol.ThreadReadParams(thread_id=self.id, **fields(include_turns=include_turns))
        return self._connection.request(params)

    def set_name(self, name: str) -> protocol.ThreadSetNameResponse:
        """Give the thread a name for people (`thread/name/set`)."""
        params = protocol.ThreadSetNameParams(thread_id=self.id, name=checks.text("name", name))
        return self._connection.request(params)

    def compact(self) -> protocol.ThreadCompactStartResponse:
        """Start to condense the thread's history (`thread/compact/start`); it goes on in a turn of its own."""
        return self._connection.request(protocol.ThreadCompactStartParams(thread_id=self.id))

    def turns(self, *, items_view: ItemsViewLike | None = None, newest_first: bool = False) -> Pages[protocol.Turn]:
        """Iterate over all stored turns of the thread, page by page as they are needed (`thread/turns/list`).

        Args:
            items_view: how much of each turn's items to send: ``"summary"`` (the default), ``"full"``, ``"notLoaded"``.
            newest_first: the other way round.
        """
        params = protocol.ThreadTurnsListParams(
            thread_id=self.id, sort_direction=_direction(newest_first), **fields(items_view=items_view)
        )
        return Pages(self._connection, params)

    def items(self, *, turn_id: str | None = None, newest_first: bool = False) -> Pages[protocol.ThreadItemEntry]:
        """Iterate over all stored items of the thread, page by page as they are needed (`thread/items/list`).

        Each entry has the item, and the turn that it belongs to.

        Args:
            turn_id: only those of this turn.
            newest_first: the other way round.
        """
        params = protocol.ThreadItemsListParams(
            thread_id=self.id, sort_direction=_direction(newest_first), **fields(turn_id=turn_id)
        )
        return Pages(self._connection, params)


def _output(type_: type[OutputT] | None, schema: protocol.JsonObject | None) -> OutputType[OutputT] | None:
    if type_ is None:
        return None
    if schema is not None:
        raise ConfigError("output_schema", "an output_type brings its own schema; give one of them")
    from openai_codex._schemas.output import output_type  # only who asks for a type pays for what derives schemas

    return output_type(type_)


def _direction(newest_first: bool) -> protocol.SortDirection:
    return protocol.SortDirection.desc if checks.flag("newest_first", newest_first) else protocol.SortDirection.asc
