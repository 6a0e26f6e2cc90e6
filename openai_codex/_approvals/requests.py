"""The requests that the runtime sends, as values for handlers. How they are read from the protocol is not known here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Union

import attrs

from openai_codex import _protocol as protocol
from openai_codex._approvals.commands import argv_in, script_in
from openai_codex._approvals.file_changes import unified_diff
from openai_codex._codec.deferred import frozen


@frozen
class _Flag:
    """A condition that is evaluated at each call. A pickled or deeply copied flag keeps its value of that moment."""

    _evaluate: Callable[[], bool]

    def __call__(self) -> bool:
        return self._evaluate()

    def __reduce__(self) -> tuple[Any, ...]:
        # The condition belongs to a connection, which can neither be copied nor sent to another process.
        return _Flag, (partial(bool, self()),)


@frozen
class Cancellable:
    """A call by the runtime that may end before it is answered."""

    # Not a part of the value: a request that is read twice is equal to itself.
    _is_cancelled: Callable[[], bool] = attrs.field(
        default=partial(bool, False), converter=_Flag, kw_only=True, alias="is_cancelled", repr=False, eq=False
    )

    @property
    def cancelled(self) -> bool:
        """Whether an answer is no longer needed: one was sent, the time limit has passed, or the turn is over.

        It never blocks and is always up to date. A blocking handler should poll it and stop when it is true. A coroutine
        need not: its task is cancelled.
        """
        return self._is_cancelled()


@frozen(kw_only=True)
class RuntimeRequest(Cancellable):
    """Base class of all requests of the runtime: where the request comes from, and why it was made.

    Requests that need no human decision (tool calls, access tokens, the time, attestation) are of this class itself.

    Attributes:
        id: The id to answer it by if its handler returns `LATER`: ``codex.answer(request.id, …)``.
        thread_id: The thread that it belongs to; ``None`` for requests of the whole client, such as for access tokens.
        turn_id: The turn that waits for the answer; ``None`` for legacy approvals, and for MCP servers that ask outside
            of a turn.
        item_id: The item that it is about, if there is one.
        reason: Why the request is made, as written by the model or the runtime.
        params: The protocol params, which contain all other fields.
        root_thread_id: If a sub-agent asks, the thread of the turn that it works for. ``None`` if none asks, which is a turn
            of the program itself. A request without a turn belongs to that which its thread is working on.
        root_turn_id: That turn; ``None`` in the same cases.
        agent_name: The name of the sub-agent, with models that name their agents; else ``None``.
        agent_depth: 1 for a sub-agent of the root thread, 2 for a sub-agent of that one, and so on; ``None`` in the same
            cases, and for one whose start this client has not seen.
    """

    id: protocol.RequestId
    thread_id: str | None
    turn_id: str | None = None
    item_id: str | None = None
    reason: str | None = None
    params: Any = attrs.field(repr=False)  # they may be long, and hold secrets
    root_thread_id: str | None = None
    root_turn_id: str | None = None
    agent_name: str | None = None
    agent_depth: int | None = None


@frozen(kw_only=True)
class _ThreadRequest(RuntimeRequest):
    thread_id: str
    """The thread that it belongs to."""


@frozen(kw_only=True)
class CommandApproval(_ThreadRequest):
    """Approval of a command that is to run outside of the sandbox, or of input for a running command.

    Attributes:
        command: The command line, or the input.
        cwd: The working directory of the command.
        kind: ``command``, or ``writeStdin`` for input.
        command_actions: What the command does, as guessed by the runtime for display. Decide nothing by it: it calls
            ``find . -delete`` and ``cat a | tee b`` reading. Use `argv`, or `allow`.
        additional_permissions: The permissions that the command needs in addition to those of the sandbox, if it stays
            inside of it.
        network_approval_context: The host that the command is about to connect to, if the approval is about network access.
        proposed_execpolicy_amendment: The command prefix that the runtime proposes to accept from now on; ``["sleep",
            "1"]`` for ``sleep 1; rm x``.
        available_decisions: The decisions that the runtime suggests to offer. It accepts the others too.
    """

    command: str | None
    cwd: str | None
    kind: protocol.CommandExecutionApprovalKind
    command_actions: list[protocol.CommandAction] | None
    additional_permissions: protocol.AdditionalPermissionProfile | None
    network_approval_context: protocol.NetworkApprovalContext | None
    proposed_execpolicy_amendment: list[str] | None
    available_decisions: list[protocol.CommandExecutionApprovalDecision] | None

    @property
    def script(self) -> str | None:
        """What the shell is told to run: ``touch x`` for ``/bin/bash -lc 'touch x'``.

        ``None`` for input, for a program that is run without a shell, and for a shell in an unusual place.
        """
        return script_in(self.command) if self.kind == protocol.CommandExecutionApprovalKind.command else None

    @property
    def argv(self) -> tuple[str, ...] | None:
        """The words of the command, with the shell unwrapped, if it is one command of plain words.

        ``None`` for input, and if there is anything in it that the shell interprets: an operator, a redirection, a
        substitution, a variable, a pattern, an assignment, an escape or a line end.
        """
        return argv_in(self.command) if self.kind == protocol.CommandExecutionApprovalKind.command else None


@frozen(kw_only=True)
class FileChangeApproval(_ThreadRequest):
    """Approval of a patch that writes outside of the sandbox.

    The request itself does not contain the changes. They are in the item that was started before it. If that item was
    not seen, `changes` and `diff` are ``None``, and it is unknown what an acceptance would write.

    Attributes:
        changes: The path, kind and diff of each file; ``None`` if they were not seen.
        grant_root: A directory that becomes writable for the rest of the session.
    """

    changes: Sequence[protocol.FileUpdateChange] | None
    grant_root: str | None

    @property
    def diff(self) -> str | None:
        """All changes as one unified diff; ``None`` if they were not seen."""
        return None if self.changes is None else unified_diff(self.changes)


@frozen(kw_only=True)
class PermissionsApproval(_ThreadRequest):
    """Approval of permissions that the model asks for in addition to those of the sandbox.

    Attributes:
        permissions: The requested permissions: the network, and paths to read and to write.
        cwd: The working directory of the turn.
    """

    permissions: protocol.RequestPermissionProfile
    cwd: str


@frozen(kw_only=True)
class McpToolApproval(_ThreadRequest):
    """Approval of a call of an MCP tool that may change something. `reason` is the question, which names the tool.

    An MCP server can send a question with the same content, and the two cannot be told apart. An acceptance then returns
    the word "accept" to the server and has no other effect: no tool runs, and nothing is remembered. Questions with
    fields, and questions outside of a turn, are never read as an approval.

    If ``features.tool_call_mcp_elicitation`` is off, only `reason` and `persist` are known.

    Attributes:
        server_name: The MCP server that has the tool.
        tool_title: The title of the tool, from its server.
        tool_description: The description of the tool, from its server.
        arguments: The arguments of the call.
        persist: How long an acceptance may last beyond this call: ``session``, ``always``, both or neither.
    """

    server_name: str | None
    tool_title: str | None
    tool_description: str | None
    arguments: protocol.JsonObject | None
    persist: tuple[str, ...]


@frozen(kw_only=True)
class LegacyCommandApproval(_ThreadRequest):
    """Approval of a command, in the protocol's legacy form.

    Attributes:
        command: The command line, quoted for a shell.
        cwd: The working directory of the command.
    """

    command: str
    cwd: str

    @property
    def script(self) -> str | None:
        """What the shell is told to run; see `CommandApproval.script`."""
        return script_in(self.command)

    @property
    def argv(self) -> tuple[str, ...] | None:
        """The words of the command; see `CommandApproval.argv`."""
        return argv_in(self.command)


@frozen(kw_only=True)
class LegacyPatchApproval(_ThreadRequest):
    """Approval of a patch, in the protocol's legacy form.

    Attributes:
        changes: The path, kind and diff of each file.
        grant_root: A directory that becomes writable for the rest of the session.
    """

    changes: Sequence[protocol.FileUpdateChange]
    grant_root: str | None

    @property
    def diff(self) -> str:
        """All changes as one unified diff."""
        return unified_diff(self.changes)


ApprovalRequest = Union[
    CommandApproval,
    FileChangeApproval,
    PermissionsApproval,
    McpToolApproval,
    LegacyCommandApproval,
    LegacyPatchApproval,
]
"""A request that is answered by an `ApprovalDecision`."""


@frozen(kw_only=True)
class UserInputRequest(_ThreadRequest):
    """Questions of the model to the user.

    The answer is a dict from question id to a str, or to a list of str; ``None`` answers no question.

    Attributes:
        questions: The questions, with their options.
        is_blocking: Whether the model waits for the answers.
    """

    questions: list[protocol.ToolRequestUserInputQuestion]
    is_blocking: bool


@frozen(kw_only=True)
class ElicitationRequest(_ThreadRequest):
    """A form to fill in or a page to visit, sent by an MCP server.

    The answer is a dict of the form's fields, ``True`` if the page was visited or to accept a form without fields,
    ``None`` or ``False`` to decline, or an `ElicitationAnswer`.

    Attributes:
        server_name: The MCP server that asks.
        mode: ``form``, ``url``, or one of OpenAI's own forms.
        message: The text to show to the user.
        requested_schema: The fields of a form.
        url: The page to visit.
    """

    server_name: str
    mode: str
    message: str
    requested_schema: protocol.McpElicitationSchema | protocol.JsonValue = None
    url: str | None = None
