"""The kinds of requests that the runtime sends, as values. How they are read from the protocol's params is not known here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Union

import attrs

from openai_codex._approvals.deferred import Cancellable
from openai_codex._approvals.diffs import unified_diff

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openai_codex import _protocol as protocol
    from openai_codex._protocol import FileUpdateChange, JsonObject, JsonValue, RequestId


@attrs.frozen(kw_only=True)
class RuntimeRequest(Cancellable):
    """What all requests have in common: where they come from and why, and whether they still want an answer.

    Requests that are no matter for a person, such as those for tokens or for the time, are of this class itself.
    """

    id: RequestId
    """What it is answered by, if its handler returns `LATER`: ``codex.answer(request.id, …)``."""
    thread_id: str | None
    """The thread it belongs to; ``None`` where it is about the whole client, as with tokens."""
    turn_id: str | None = None
    """The turn that waits; ``None`` in the legacy kinds, and where an MCP server asks outside of a turn."""
    item_id: str | None = None
    """The item it is about, where there is one."""
    reason: str | None = None
    """Why it is asked, in the words of the model or of the runtime."""
    params: Any = attrs.field(repr=False)
    """The protocol params, with everything else."""


@attrs.frozen(kw_only=True)
class _ThreadRequest(RuntimeRequest):
    thread_id: str
    """The thread it belongs to."""


@attrs.frozen(kw_only=True)
class CommandApproval(_ThreadRequest):
    """A command that wants to run outside of the sandbox, or input for one that runs."""

    command: str | None
    """The command line, or the input."""
    cwd: str | None
    kind: protocol.CommandExecutionApprovalKind
    """``command``, or ``writeStdin`` for input."""
    command_actions: list[protocol.CommandAction] | None
    """The runtime's guess at what the command does."""
    additional_permissions: protocol.AdditionalPermissionProfile | None
    """What it wants on top of the sandbox, instead of leaving it."""
    network_approval_context: protocol.NetworkApprovalContext | None
    """The host it wants to reach, if that is what is asked."""
    proposed_execpolicy_amendment: list[str] | None
    """The prefix that the runtime proposes not to ask about again; of ``sleep 1; rm x`` it is ``["sleep", "1"]``."""
    available_decisions: list[protocol.CommandExecutionApprovalDecision] | None
    """What the runtime suggests to offer; it takes the others too."""


@attrs.frozen(kw_only=True)
class FileChangeApproval(_ThreadRequest):
    """A patch that wants to write where the sandbox does not let it.

    The request itself does not say what would change: that is in the item that was started before it. If that was not
    seen, `changes` and `diff` are ``None``: then nobody can tell what an acceptance would write.
    """

    changes: Sequence[FileUpdateChange] | None
    """Path, kind and diff of each file; ``None`` if they were not seen."""
    grant_root: str | None
    """A directory that would be writable for the rest of the session."""

    @property
    def diff(self) -> str | None:
        """All changes as one unified diff; ``None`` if they were not seen."""
        return None if self.changes is None else unified_diff(self.changes)


@attrs.frozen(kw_only=True)
class PermissionsApproval(_ThreadRequest):
    """The model asks for more permissions than the sandbox gives."""

    permissions: protocol.RequestPermissionProfile
    """What is asked: the network, and paths to read and to write."""
    cwd: str


@attrs.frozen(kw_only=True)
class McpToolApproval(_ThreadRequest):
    """A call of an MCP tool that may change something; `reason` is the question, with the tool's name in it.

    A server may put the very same question itself, and nothing in the request would tell. What it gets by that is the
    word "accept" and no more: no tool runs because of it, and nothing is remembered. Questions that have fields, or
    that are asked outside of a turn, are never taken for an approval.

    With ``features.tool_call_mcp_elicitation`` off the runtime asks by a question, which tells `reason` and `persist` alone.
    """

    server_name: str | None
    tool_title: str | None
    tool_description: str | None
    arguments: JsonObject | None
    persist: tuple[str, ...]
    """How long an acceptance may last beyond this call: ``session``, ``always``, both or neither."""


@attrs.frozen(kw_only=True)
class LegacyCommandApproval(_ThreadRequest):
    """A command that wants to run, asked in the protocol's old words."""

    command: str
    """The command line, quoted for a shell."""
    cwd: str


@attrs.frozen(kw_only=True)
class LegacyPatchApproval(_ThreadRequest):
    """A patch that wants to be applied, asked in the protocol's old words."""

    changes: Sequence[FileUpdateChange]
    """Path, kind and diff of each file."""
    grant_root: str | None
    """A directory that would be writable for the rest of the session."""

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
"""What asks for an `ApprovalDecision`."""


@attrs.frozen(kw_only=True)
class UserInputRequest(_ThreadRequest):
    """Questions of the model. The answer is a dict: by question id a text, or several; ``None`` answers nothing."""

    questions: list[protocol.ToolRequestUserInputQuestion]
    is_blocking: bool
    """Whether the model waits for the answers."""


@attrs.frozen(kw_only=True)
class ElicitationRequest(_ThreadRequest):
    """An MCP server asks for a form to be filled in, or for a page to be visited.

    The answer is a dict of the form's fields, ``True`` when the page was visited or a form without fields is agreed
    to, ``None`` or ``False`` to decline, or an `ElicitationAnswer`.
    """

    server_name: str
    mode: str
    """``form``, ``url``, or a form of OpenAI's own."""
    message: str
    requested_schema: protocol.McpElicitationSchema | JsonValue = None
    """The fields of a form."""
    url: str | None = None
    """The page to visit."""
