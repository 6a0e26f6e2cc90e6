"""One thread of the runtime: start turns in it, read it, name it, compact it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from openai_codex import _checks as checks
from openai_codex import _protocol as protocol
from openai_codex._async import lazy, operations
from openai_codex._async.thread_contents import AsyncThreadContents
from openai_codex._config import StrPath
from openai_codex._runtime.imports import load
from openai_codex._turns.inputs import RunInput, to_turn_input
from openai_codex._turns.options import (
    AgentsLike,
    ApprovalModeLike,
    ApprovalPolicyLike,
    ApprovalsReviewerLike,
    EffortLike,
    PersonalityLike,
    SandboxPolicyLike,
    SummaryLike,
)
from openai_codex._turns.results import OutputT, RunResult
from openai_codex._turns.settings import fields, turn_fields, turn_settings
from openai_codex.errors import ConfigError

if TYPE_CHECKING:
    from openai_codex._schemas.output import OutputType


class AsyncThread(AsyncThreadContents):
    """One thread of the runtime. A handle is cheap: it holds the id and the client's connection.

    Call `close` after the last use, or use it by ``async with``.

    Attributes:
        id: Id of the thread. `AsyncCodex.thread_resume` takes it, also in another process.
    """

    def __init__(self, connection: lazy.AsyncConnection, id: str) -> None:
        self.id: str = checks.text("id", id)
        # Programs for the published SDK give the client itself.
        self._connection: lazy.AsyncConnection = getattr(connection, "_connection", connection)
        if not hasattr(self._connection, "hold"):
            raise checks.refusal("client", connection, "a client")
        self._connection.hold(id, self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(id={self.id!r})"

    async def run(
        self,
        input: RunInput,
        *,
        agents: AgentsLike | None = None,
        approval_mode: ApprovalModeLike | None = None,
        approval_policy: ApprovalPolicyLike | None = None,
        approvals_reviewer: ApprovalsReviewerLike | None = None,
        cwd: StrPath | None = None,
        effort: EffortLike | None = None,
        model: str | None = None,
        output_schema: protocol.JsonObject | None = None,
        output_type: type[OutputT] | None = None,
        output_retries: int = 0,
        personality: PersonalityLike | None = None,
        retries: int = 0,
        sandbox: SandboxPolicyLike | None = None,
        sandbox_policy: SandboxPolicyLike | None = None,
        service_tier: str | None = None,
        source: str | None = None,
        stall_timeout: float | None = None,
        summary: SummaryLike | None = None,
        timeout: float | None = None,
        turn_service_tier: str | None = None,
    ) -> RunResult[OutputT]:
        """Start a turn, wait for its end and return its result (`turn/start`).

        While the thread has other work that this client knows of (a turn, a compaction, a review, a shell command, a
        goal that is run), it waits for the end of that, after the calls that came earlier. The message of a tool, an
        `ExternalMessage`, is added to the running turn instead.

        Takes the arguments of `turn`, and:

        Args:
            agents: What happens to the sub-agents of the turn when this call ends: ``"stop"``, ``"keep"``, or ``None``
                for stopping them if the turn is given up or fails. Those of a turn that failed are stopped before
                it is continued, unless they are kept. See `AsyncTurnHandle.run`.
            output_retries: How often the model is asked again, in a further turn of the thread, when its answer does not
                fit ``output_type``: it is told what does not fit and where. ``result.attempts`` counts the turns.
            retries: How often a turn is continued that failed for a reason that passes (see `is_retryable_error`), after
                a growing delay and within ``timeout``. Unlike another call of `run`, this puts the prompt into the
                history once. ``result.attempts`` counts the turns. The reset of a usage limit is waited for only if it
                is known and lies within ``timeout``.
            stall_timeout: How long the turn may make no progress, in seconds; ``None`` means no limit. See
                `AsyncTurnHandle.run`.
            timeout: How long the whole call may take, with the wait for the thread, in seconds; ``None`` means no limit.

        Returns:
            The result. An interrupted turn returns one, too: its ``status`` says so. It has no ``output``, so with an
            ``output_type`` it raises instead.

        Raises:
            ConfigError: An argument is not accepted, or this is called in a handler or tool of a turn of the thread,
                which cannot end before that returns. Nothing was sent.
            InvalidRequestError: The runtime refuses the request.
            TurnFailedError: The turn failed, and no attempt is left or its failure does not pass.
            TurnTimeoutError: The turn took longer than ``timeout``; it is interrupted on the server. If the thread's
                other work took longer, nothing was sent, and ``turn_id`` is ``None``.
            TurnStalledError: The turn made no progress for ``stall_timeout`` seconds; it is interrupted on the server.
            TransportClosedError: The connection ended before the turn did.
            TurnInterruptedError: The turn was interrupted, and an ``output_type`` was given.
            OutputError: The answer does not fit ``output_type``, and no attempt is left.

        The errors of the turn carry the partial result. While the call waits for the thread, nothing is sent.

        `run` and `with turn.stream()` interrupt a turn that is abandoned, a bare loop does not. A turn is abandoned
        when an exception ends the call or the block: a timeout, a cancellation, Ctrl-C, an error of the program.
        """
        settings = turn_settings(locals())
        limits = operations.Limits.check(timeout, stall_timeout, retries, output_retries, agents)
        output = _output(output_type, output_schema)
        if output is None and output_retries:
            raise ConfigError("output_retries", "only an answer with an output_type is checked; give one")
        params = self._start_params(input, settings, output)
        return await operations.run_turn(self._connection, params, limits, None if output is None else output.decode)

    async def turn(
        self,
        input: RunInput,
        *,
        approval_mode: ApprovalModeLike | None = None,
        approval_policy: ApprovalPolicyLike | None = None,
        approvals_reviewer: ApprovalsReviewerLike | None = None,
        cwd: StrPath | None = None,
        effort: EffortLike | None = None,
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
    ) -> operations.AsyncTurnHandle[OutputT]:
        """Start a turn and return its handle (`turn/start`).

        While a turn is active, the input is added to it, and the new handle belongs to that turn: it receives the events
        from then on, as all other handles do, and its ``joined`` is true. Settings that the active turn does not have
        are refused then, because the runtime would ignore them. A compaction, a review and a shell command take no
        input: they are waited for, within ``timeout``.

        The settings apply to this turn and the following ones, except ``turn_service_tier``. ``None`` is not sent: the
        thread's setting stays.

        Args:
            input: A text, an input item, a list of both, or an `ExternalMessage`.
            approval_mode: A preset in place of ``approval_policy`` and ``approvals_reviewer``.
            approval_policy: Which commands the runtime asks about: ``"untrusted"`` (all), ``"on-request"`` (those outside
                the sandbox, and dangerous ones), ``"never"``, or a ``types.GranularAskForApproval``.
            approvals_reviewer: Who decides: ``"user"`` (this program) or ``"auto_review"``.
            cwd: Working directory of commands.
            effort: The model's reasoning effort, for instance ``"low"`` or ``"high"``.
            model: The model.
            output_schema: JSON schema of the final answer.
            output_type: A type in place of a schema: a class of attrs, pydantic or msgspec, a dataclass, TypedDict or
                NamedTuple, or lists, tuples and unions of them. The decoded answer is ``result.output``.
            personality: Has no effect with this runtime; it is a WARNING in the log.
            sandbox: Another name of ``sandbox_policy``.
            sandbox_policy: What commands may touch: a preset or a mode, with what is configured for it, or a full policy,
                which is sent as it is.
            service_tier: The provider's service tier.
            source: What triggered the turn; a free label.
            summary: How reasoning is summarised: ``"auto"``, ``"concise"``, ``"detailed"``, ``"none"``.
            timeout: How long the runtime may take to accept the turn, in seconds; ``None`` means the client's
                ``request_timeout``.
            turn_service_tier: The service tier of this turn alone.

        Returns:
            The handle of the turn. It receives all events of the turn, from the first.

        Raises:
            ConfigError: An argument is not accepted, or cannot hold for the active turn. Nothing was sent.
            InvalidRequestError: The runtime refuses the request.
            RequestTimeoutError: The runtime did not accept the turn within ``timeout``.
            TransportClosedError: The connection has ended.

        If the caller is cancelled or times out before the id of the turn is known, the turn is interrupted.

        `run` and `with turn.stream()` interrupt a turn that is abandoned, a bare loop does not. A turn is abandoned
        when an exception ends the call or the block: a timeout, a cancellation, Ctrl-C, an error of the program.
        """
        settings = turn_settings(locals())
        output = _output(output_type, output_schema)
        params = self._start_params(input, settings, output)
        return await operations.start_or_join(
            self._connection, params, timeout, None if output is None else output.decode
        )

    def _start_params(
        self, input: RunInput, settings: dict[str, Any], output: OutputType[Any] | None
    ) -> protocol.TurnStartParams:
        if self._closed_by is not None:
            raise self._closed_error()
        if output is not None:
            settings["output_schema"] = output.schema
        fields = turn_fields(settings)
        directory = partial(self._connection.threads.directory_of, self.id, fields.get("cwd"))
        return protocol.TurnStartParams(thread_id=self.id, **to_turn_input(input, directory), **fields)

    @property
    def settings(self) -> operations.EffectiveSettings:
        """The settings that are in force, as the runtime reported them last; sends nothing.

        Raises:
            ConfigError: The runtime has reported none, because this client has not loaded the thread, or has closed it.
        """
        settings = self._connection.reported.settings_of(self.id)
        if settings is None:
            raise ConfigError("settings", f"not known for thread {self.id}; thread_resume loads it and reports them")
        return settings

    async def read(self, *, include_turns: bool = False) -> protocol.ThreadReadResponse:
        """Read the stored thread (`thread/read`).

        Args:
            include_turns: Include its turns. The runtime refuses this for an ephemeral thread and for one without turns.

        Raises what `request` raises.
        """
        params = protocol.ThreadReadParams(thread_id=self.id, **fields(include_turns=include_turns))
        return await self._connection.request(params)

    async def set_name(self, name: str) -> protocol.ThreadSetNameResponse:
        """Set the thread's name (`thread/name/set`).

        Args:
            name: The name for people, as listings show it.

        Raises what `request` raises.
        """
        params = protocol.ThreadSetNameParams(thread_id=self.id, name=checks.text("name", name))
        return await self._connection.request(params)

    async def compact(self) -> protocol.ThreadCompactStartResponse:
        """Start to compact the thread's history (`thread/compact/start`).

        It returns at once; the work goes on as a turn of its own, and the runtime interrupts the turn that is active.
        Raises what `request` raises.
        """
        return await self._connection.request(protocol.ThreadCompactStartParams(thread_id=self.id))


def _output(type_: type[OutputT] | None, schema: protocol.JsonObject | None) -> OutputType[OutputT] | None:
    if type_ is None:
        return None
    if schema is not None:
        raise ConfigError("output_schema", "an output_type brings its own schema; give one of them")
    # Imported here so that programs without an output type do not load what derives schemas.
    load("openai_codex._schemas.output")
    from openai_codex._schemas.output import output_type

    return output_type(type_)
