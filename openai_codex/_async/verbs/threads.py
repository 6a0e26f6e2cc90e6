"""The client's verbs that return a thread: start, resume, fork, unarchive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from openai_codex import _checks as checks
from openai_codex import _protocol as protocol
from openai_codex._async import lazy, operations
from openai_codex._async.thread import AsyncThread
from openai_codex._async.verbs.base import AsyncClient
from openai_codex._config import StrPath
from openai_codex._runtime.imports import load
from openai_codex._turns.options import (
    ApprovalModeLike,
    ApprovalPolicyLike,
    ApprovalsReviewerLike,
    PersonalityLike,
    SandboxLike,
    StartSourceLike,
    ThreadSourceLike,
)
from openai_codex._turns.settings import thread_fields

if TYPE_CHECKING:
    from openai_codex._tools.registry import Table


class AsyncThreads(AsyncClient):
    """Verbs that return a thread. ``None`` is not sent: the user's own configuration applies."""

    async def thread_start(
        self,
        *,
        approval_mode: ApprovalModeLike | None = None,
        approval_policy: ApprovalPolicyLike | None = None,
        approvals_reviewer: ApprovalsReviewerLike | None = None,
        base_instructions: str | None = None,
        config: protocol.JsonObject | None = None,
        cwd: StrPath | None = None,
        developer_instructions: str | None = None,
        ephemeral: bool | None = None,
        model: str | None = None,
        model_provider: str | None = None,
        personality: PersonalityLike | None = None,
        sandbox: SandboxLike | None = None,
        service_name: str | None = None,
        service_tier: str | None = None,
        session_start_source: StartSourceLike | None = None,
        thread_source: ThreadSourceLike | None = None,
        tools: Sequence[lazy.AnyTool] | None = None,
    ) -> AsyncThread:
        """Start a thread (`thread/start`).

        Args:
            approval_mode: A preset in place of ``approval_policy`` and ``approvals_reviewer``: refuse what needs
                approval, or let the runtime review it.
            approval_policy: Which commands the runtime asks about: ``"untrusted"`` (all), ``"on-request"`` (those outside
                the sandbox, and dangerous ones), ``"never"``, or a ``types.GranularAskForApproval``.
            approvals_reviewer: Who decides: ``"user"`` (this program) or ``"auto_review"``.
            base_instructions: Instructions for the model in place of the runtime's own.
            config: Settings of ``config.toml`` for this thread, for instance ``{"model_reasoning_effort": "high"}``.
            cwd: Working directory of commands.
            developer_instructions: Instructions in addition to the runtime's own.
            ephemeral: Keep the thread in memory only. That is faster, but it cannot be resumed, forked, listed or named.
            model: The model.
            model_provider: The provider.
            personality: ``"none"``: instructions without a style, where the model has them. The runtime ignores the other
                styles, and any on resume; that is a WARNING in the log.
            sandbox: What commands may touch: ``"read-only"``, ``"workspace-write"``, ``"full-access"``.
            service_name: Name of the service that this thread works for.
            service_tier: The provider's service tier.
            session_start_source: How the session was started: ``"startup"``, ``"clear"``.
            thread_source: Who created the thread; a free label.
            tools: Functions of this program that the model may call, decorated with `tool`.

        Returns:
            The handle of the thread.

        Raises:
            ConfigError: An argument is not accepted, and nothing was sent; or the runtime reports another setting than
                the one asked for, for instance because its configuration forbids that. A service tier that the model
                does not have is a WARNING in the log.

        Also raises what `request` raises. If the caller is cancelled, the thread may exist nevertheless.
        """
        arguments = {**locals()}
        table = _table(tools)
        params = protocol.ThreadStartParams(
            **thread_fields(arguments), dynamic_tools=protocol.UNSET if table is None else _declared(table)
        )
        return await self._loaded(params, table)

    async def thread_resume(
        self,
        thread_id: str,
        *,
        approval_mode: ApprovalModeLike | None = None,
        approval_policy: ApprovalPolicyLike | None = None,
        approvals_reviewer: ApprovalsReviewerLike | None = None,
        base_instructions: str | None = None,
        config: protocol.JsonObject | None = None,
        cwd: StrPath | None = None,
        developer_instructions: str | None = None,
        include_turns: bool | None = None,
        model: str | None = None,
        model_provider: str | None = None,
        personality: PersonalityLike | None = None,
        sandbox: SandboxLike | None = None,
        service_tier: str | None = None,
        tools: Sequence[lazy.AnyTool] | None = None,
    ) -> AsyncThread:
        """Load a stored thread to continue it, in this process or in another (`thread/resume`).

        What is given here holds from the next turn on, also in a thread that is loaded already: unless it is in force,
        such a thread is loaded anew, which ends the commands that it left in the background and withdraws approvals "for
        the session". What is not given stays as it was, model and effort included; of a thread that is not loaded, the
        runtime has stored neither ``config`` nor the service tier. New ``developer_instructions`` are added to the
        history, where earlier ones stay.

        Takes the arguments of `thread_start`, and:

        Args:
            thread_id: Id of the thread.
            include_turns: Let the runtime send the whole history. A long one is a frame of many megabytes;
                `AsyncThread.turns` reads it page by page instead.
            tools: The tools that the thread was started with: the runtime stores their declarations, not the functions.
                Others are refused, because the model is not offered them. ``None`` means those that this client has for
                the thread.

        Returns:
            The handle of the thread.

        Raises:
            ConfigError: An argument is not accepted, or cannot hold because the thread is running a turn, and nothing
                has changed; or the runtime reports another setting than the one asked for, as in `thread_start`.
            ThreadNotFoundError: The thread does not exist, or has no turn yet.
            InvalidRequestError: The thread is archived, or the id does not have the form of a thread's id.
            ThreadBusyError: Another process has the thread open.

        Also raises what `request` raises.
        """
        params = protocol.ThreadResumeParams(**thread_fields(locals()))
        return await self._loaded(params, _table(tools))

    async def thread_fork(
        self,
        thread_id: str,
        *,
        approval_mode: ApprovalModeLike | None = None,
        approval_policy: ApprovalPolicyLike | None = None,
        approvals_reviewer: ApprovalsReviewerLike | None = None,
        base_instructions: str | None = None,
        before_turn_id: str | None = None,
        config: protocol.JsonObject | None = None,
        cwd: StrPath | None = None,
        developer_instructions: str | None = None,
        ephemeral: bool | None = None,
        include_turns: bool | None = None,
        last_turn_id: str | None = None,
        model: str | None = None,
        model_provider: str | None = None,
        sandbox: SandboxLike | None = None,
        service_tier: str | None = None,
        thread_source: ThreadSourceLike | None = None,
        tools: Sequence[lazy.AnyTool] | None = None,
    ) -> AsyncThread:
        """Start a new thread with the history of another (`thread/fork`).

        It has the working directory and the approval settings of the other; what else is not given here comes from the
        configuration, the sandbox included. `AsyncThread.settings` has the outcome. New ``developer_instructions`` are
        added to the history, where earlier ones stay.

        Takes the arguments of `thread_resume`, and:

        Args:
            thread_id: Id of the thread whose history is copied. It does not change.
            before_turn_id: Copy only the turns before this one.
            ephemeral: Keep the new thread in memory only.
            last_turn_id: Copy only the turns up to and including this one.
            thread_source: Who created the thread; a free label.
            tools: The tools that the other thread was started with; others are refused. ``None`` means those that this client has for it.

        Returns:
            The handle of the new thread.

        Raises:
            ConfigError: An argument is not accepted, and nothing was sent; or the runtime reports another setting than
                the one asked for, as in `thread_start`.
            ThreadNotFoundError: The thread does not exist, or has no turn yet.
            InvalidRequestError: The turn does not exist.

        Also raises what `request` raises.
        """
        params = protocol.ThreadForkParams(**thread_fields(locals()))
        return await self._loaded(params, _table(tools), thread_id)

    async def thread_unarchive(self, thread_id: str) -> AsyncThread:
        """Restore an archived thread (`thread/unarchive`); resume it before its next turn. Raises what `request` raises."""
        params = protocol.ThreadUnarchiveParams(thread_id=checks.text("thread_id", thread_id))
        return self.thread((await self.request(params)).thread.id)

    def thread(self, thread_id: str) -> AsyncThread:
        """Return a handle of a thread that is loaded already; sends nothing.

        Raises:
            ConfigError: The id is not a str.
        """
        return AsyncThread(self._connection, checks.text("thread_id", thread_id))

    async def _loaded(
        self, params: operations.LoadRequest, table: Table | None, parent_id: str | None = None
    ) -> AsyncThread:
        thread_id = await operations.load_thread(self._connection, params, table)
        self._connection.give_tools(thread_id, table, parent_id)
        return self.thread(thread_id)


def _table(tools: Sequence[lazy.AnyTool] | None) -> Table | None:
    """Check tools before anything is sent. Raises `ConfigError` for another value, and for two tools of one name."""
    if tools is None:
        return None
    # Imported here so that programs without tools do not load it.
    load("openai_codex._tools.declaration")
    from openai_codex._tools.declaration import tool_table

    return tool_table(checks.each("tools", tools, lambda _, tool: tool, "a sequence of tools, such as [tool]"))


def _declared(table: Table) -> list[protocol.DynamicToolSpec]:
    load("openai_codex._tools.declaration")
    from openai_codex._tools.declaration import tool_specs

    return tool_specs(table.values())
