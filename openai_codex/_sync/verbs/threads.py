# Derived from openai_codex/_async/verbs/threads.py by `python -m tools.unasync`; do not edit.
"""The client's verbs that give a thread: start, resume, fork, unarchive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openai_codex import _checks as checks
from openai_codex import _protocol as protocol
from openai_codex._sync.thread import Thread
from openai_codex._sync.verbs.base import Client
from openai_codex._turns.options import approval, fields, sandbox_mode

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from openai_codex._config import StrPath
    from openai_codex._tools.declaration import AnyTool
    from openai_codex._tools.registry import Table
    from openai_codex._turns.options import (
        ApprovalModeLike,
        ApprovalPolicyLike,
        ApprovalsReviewerLike,
        PersonalityLike,
        SandboxLike,
        StartSourceLike,
    )


class Threads(Client):
    """Verbs that give a thread. What is ``None`` is not sent: the user's own configuration holds."""

    def thread_start(
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
        thread_source: protocol.ThreadSource | None = None,
        tools: Sequence[AnyTool] | None = None,
    ) -> Thread:
        """Start a thread (`thread/start`).

        Args:
            approval_mode: a preset in place of the next two: refuse what needs approval, or let the runtime review it.
            approval_policy: when the runtime asks before it acts: ``"untrusted"``, ``"on-request"``, ``"never"``.
            approvals_reviewer: who answers: ``"user"`` (this program) or ``"auto_review"``.
            base_instructions: instead of the runtime's own instructions for the model.
            config: settings of ``config.toml`` for this thread, for instance ``{"model_reasoning_effort": "high"}``.
            cwd: working directory of commands.
            developer_instructions: more instructions, beside the runtime's own.
            ephemeral: keep it in memory only: faster, but it cannot be resumed, forked, listed or named.
            model: the model to use.
            model_provider: the provider to use.
            personality: the manner of the answers.
            sandbox: what commands may touch: ``"read-only"``, ``"workspace-write"``, ``"full-access"``.
            service_name: the name of the service that this thread works for.
            service_tier: the provider's service tier.
            session_start_source: how the session came to start.
            thread_source: who made the thread; a free label.
            tools: functions of this program, marked with `tool`, that the model may call.

        Raises what `request` raises. If the caller is cancelled, the thread may exist all the same.
        """
        table = _table(tools)
        params = protocol.ThreadStartParams(
            **approval(approval_policy, approvals_reviewer, approval_mode),
            **sandbox_mode(sandbox),
            **fields(
                base_instructions=base_instructions,
                config=config,
                cwd=cwd,
                developer_instructions=developer_instructions,
                ephemeral=ephemeral,
                model=model,
                model_provider=model_provider,
                personality=personality,
                service_name=service_name,
                service_tier=service_tier,
                session_start_source=session_start_source,
                thread_source=thread_source,
            ),
            dynamic_tools=protocol.UNSET if table is None else _declared(table),
        )
        return self._with_tools((self.request(params)).thread.id, table)

    def thread_resume(
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
        tools: Sequence[AnyTool] | None = None,
    ) -> Thread:
        """Load a stored thread and go on with it, in this process or a fresh one (`thread/resume`).

        Takes what `thread_start` takes, and:

        Args:
            thread_id: the thread.
            include_turns: let the runtime send the whole history along; a long one is a frame of many megabytes, and
                `Thread.turns` reads it page by page.
            tools: the functions that the thread was started with: the runtime remembers what it told the model of
                them, not what they are. ``None``: those that this client knows of.

        Raises `InvalidRequestError` if there is no such thread, if it never had a turn, if it is archived, or if
        another process has it open.
        """
        table = _table(tools)
        params = protocol.ThreadResumeParams(
            thread_id=checks.text("thread_id", thread_id),
            exclude_turns=not fields(include_turns=include_turns).get("include_turns"),
            **approval(approval_policy, approvals_reviewer, approval_mode),
            **sandbox_mode(sandbox),
            **fields(
                base_instructions=base_instructions,
                config=config,
                cwd=cwd,
                developer_instructions=developer_instructions,
                model=model,
                model_provider=model_provider,
                personality=personality,
                service_tier=service_tier,
            ),
        )
        return self._with_tools((self.request(params)).thread.id, table)

    def thread_fork(
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
        thread_source: protocol.ThreadSource | None = None,
        tools: Sequence[AnyTool] | None = None,
    ) -> Thread:
        """Start a new thread with the history of another (`thread/fork`).

        Takes what `thread_resume` takes, and:

        Args:
            thread_id: the thread to take the history from; it stays as it is.
            before_turn_id: take only what came before this turn.
            ephemeral: keep the new thread in memory only.
            last_turn_id: take only what came up to and with this turn.
            thread_source: who made the thread; a free label.
            tools: the functions that the other thread was started with; ``None``: those that this client knows of.

        Raises `InvalidRequestError` if there is no such thread or turn, or if the thread never had a turn.
        """
        table = _table(tools)
        params = protocol.ThreadForkParams(
            thread_id=checks.text("thread_id", thread_id),
            exclude_turns=not fields(include_turns=include_turns).get("include_turns"),
            **approval(approval_policy, approvals_reviewer, approval_mode),
            **sandbox_mode(sandbox),
            **fields(
                base_instructions=base_instructions,
                before_turn_id=before_turn_id,
                config=config,
                cwd=cwd,
                developer_instructions=developer_instructions,
                ephemeral=ephemeral,
                last_turn_id=last_turn_id,
                model=model,
                model_provider=model_provider,
                service_tier=service_tier,
                thread_source=thread_source,
            ),
        )
        return self._with_tools((self.request(params)).thread.id, table, thread_id)

    def thread_unarchive(self, thread_id: str) -> Thread:
        """Bring an archived thread back (`thread/unarchive`); resume it before its next turn."""
        params = protocol.ThreadUnarchiveParams(thread_id=checks.text("thread_id", thread_id))
        return self.thread((self.request(params)).thread.id)

    def thread(self, thread_id: str) -> Thread:
        """Return a handle on a thread that is loaded already; nothing is sent."""
        return Thread(self._connection, checks.text("thread_id", thread_id))

    def _with_tools(self, thread_id: str, table: Table | None, parent_id: str | None = None) -> Thread:
        self._connection.give_tools(thread_id, table, parent_id)
        return self.thread(thread_id)


def _table(tools: Iterable[AnyTool] | None) -> Table | None:
    """Check tools before anything is sent. Raises `ConfigError` for another value, and for two tools of one name."""
    if tools is None:
        return None
    # Imported here so that programs without tools do not load it.
    from openai_codex._tools.declaration import tool_table

    return tool_table(checks.each("tools", tools, lambda _, tool: tool, "a sequence of tools, such as [tool]"))


def _declared(table: Table) -> list[protocol.DynamicToolSpec]:
    from openai_codex._tools.declaration import tool_specs

    return tool_specs(table.values())
