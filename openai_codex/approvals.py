"""What the runtime asks a person: each kind of request as a small value with the facts that are needed to decide.

Pure: it reads the params of a server request, and knows neither the answers nor how they travel.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any, TypeVar, Union

import attrs

from openai_codex import protocol
from openai_codex.later import Cancellable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from openai_codex.protocol import FileChangeThreadItem, FileUpdateChange, JsonObject, JsonValue, Record, RequestId

MCP_TOOL_CALL = "mcp_tool_call"
"""The ``codex_approval_kind`` of an elicitation that is the runtime's own question about an MCP tool."""


@attrs.frozen(kw_only=True)
class RuntimeRequest(Cancellable):
    """What all requests have in common: where they come from and why, and whether they still want an answer."""

    id: RequestId
    """What it is answered by, if its handler returns `LATER`: ``codex.answer(request.id, …)``."""
    thread_id: str
    turn_id: str | None = None
    """The turn that waits; ``None`` in the legacy kinds, and where an MCP server asks outside of a turn."""
    item_id: str | None = None
    """The item it is about, where there is one."""
    reason: str | None = None
    """Why it is asked, in the words of the model or of the runtime."""
    params: Any = attrs.field(repr=False)
    """The protocol params, with everything else."""


@attrs.frozen(kw_only=True)
class CommandApproval(RuntimeRequest):
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
class _PatchApproval(RuntimeRequest):
    changes: Sequence[FileUpdateChange]
    """Path, kind and diff of each file; empty if the item that carries them was not seen."""
    grant_root: str | None
    """A directory that would be writable for the rest of the session."""

    @property
    def diff(self) -> str:
        """All changes as one unified diff."""
        return unified_diff(self.changes)


@attrs.frozen(kw_only=True)
class FileChangeApproval(_PatchApproval):
    """A patch that wants to write where the sandbox does not let it."""


@attrs.frozen(kw_only=True)
class PermissionsApproval(RuntimeRequest):
    """The model asks for more permissions than the sandbox gives."""

    permissions: protocol.RequestPermissionProfile
    """What is asked: the network, and paths to read and to write."""
    cwd: str


@attrs.frozen(kw_only=True)
class McpToolApproval(RuntimeRequest):
    """A call of an MCP tool that may change something; `reason` is the question, with the tool's name in it."""

    server_name: str
    tool_title: str | None
    tool_description: str | None
    arguments: JsonObject | None
    persist: tuple[str, ...]
    """How long an acceptance may last beyond this call: ``session``, ``always``, both or neither."""


@attrs.frozen(kw_only=True)
class LegacyCommandApproval(RuntimeRequest):
    """A command that wants to run, asked in the protocol's old words."""

    command: str
    """The command line, quoted for a shell."""
    cwd: str


@attrs.frozen(kw_only=True)
class LegacyPatchApproval(_PatchApproval):
    """A patch that wants to be applied, asked in the protocol's old words."""


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
class UserInputRequest(RuntimeRequest):
    """Questions of the model. The answer is a dict: by question id a text, or several; ``None`` answers nothing."""

    questions: list[protocol.ToolRequestUserInputQuestion]
    is_blocking: bool
    """Whether the model waits for the answers."""


@attrs.frozen(kw_only=True)
class ElicitationRequest(RuntimeRequest):
    """An MCP server asks for a form to be filled in, or for a page to be visited.

    The answer is a dict of the form's fields, ``True`` when the page was visited, ``None`` to decline, or an
    `ElicitationAnswer`.
    """

    server_name: str
    mode: str
    """``form``, ``url``, or a form of OpenAI's own."""
    message: str
    requested_schema: protocol.McpElicitationSchema | JsonValue = None
    """The fields of a form."""
    url: str | None = None
    """The page to visit."""


AnyRequest = Union[ApprovalRequest, UserInputRequest, ElicitationRequest]
"""Everything that a person may be asked."""

A = TypeVar("A", bound=RuntimeRequest)


def approval_request(
    request_id: RequestId, params: Record, file_change_item: FileChangeThreadItem | None = None
) -> ApprovalRequest | None:
    """Return the approval that the params of a server request ask for; ``None`` if they ask for something else.

    A request about a file change does not say what would change: that is in the item that was started before it.
    """
    request = read_request(request_id, params, file_change_item)
    return None if isinstance(request, (UserInputRequest, ElicitationRequest)) else request


def read_request(
    request_id: RequestId, params: Record, file_change_item: FileChangeThreadItem | None = None
) -> AnyRequest | None:
    """Return what a person is asked by the params of a server request; ``None`` if it is a matter for the program."""
    read = _READERS.get(getattr(params, "METHOD", ""))  # params of a shape that is not known yet have no method
    return read(request_id, params, file_change_item) if read else None


def unified_diff(changes: Iterable[FileUpdateChange]) -> str:
    """Write changes as one unified diff. Of a new or deleted file the protocol has the bare text, without a header."""
    return "".join(map(_file_diff, changes))


def _file_diff(change: FileUpdateChange) -> str:
    tag, moved = getattr(change.kind, "type", None), getattr(change.kind, "move_path", None)
    before = "/dev/null" if tag == "add" else change.path
    after = "/dev/null" if tag == "delete" else moved or change.path
    # The runtime says below the hunks of a moved file where it goes; here the header does.
    text = change.diff.removesuffix(f"\n\nMoved to: {moved}").removesuffix("\n")
    return f"--- {before}\n+++ {after}\n{_hunks(text, tag) if text else ''}"


def _hunks(text: str, tag: str | None) -> str:
    lines = text.split("\n")
    if tag == "add":
        lines = [f"@@ -0,0 +1,{len(lines)} @@", *(f"+{line}" for line in lines)]
    elif tag == "delete":
        lines = [f"@@ -1,{len(lines)} +0,0 @@", *(f"-{line}" for line in lines)]
    return "\n".join(lines) + "\n"


def _filled(kind: type[A], request_id: RequestId, params: Any, **facts: Any) -> A:
    """Make a request of the fields that the params call by the same name, and of the facts that they do not."""
    facts |= {"id": request_id, "params": params}
    same = {name: getattr(params, name) for name in attrs.fields_dict(kind) if hasattr(params, name)}
    return kind(**{**same, **facts})


def _as_it_is(kind: type[A]) -> Callable[[RequestId, Any, object], A]:
    def read(request_id: RequestId, params: object, _: object) -> A:
        return _filled(kind, request_id, params)

    return read


def _file_change(request_id: RequestId, params: Any, item: FileChangeThreadItem | None) -> FileChangeApproval:
    return _filled(FileChangeApproval, request_id, params, changes=item.changes if item else ())


def _elicitation(request_id: RequestId, params: Any, _: object) -> McpToolApproval | ElicitationRequest:
    meta = params.meta if isinstance(params.meta, dict) else {}
    if meta.get("codex_approval_kind") == MCP_TOOL_CALL:
        return _mcp_tool(request_id, params, meta)
    # A user verification has a description instead of a message.
    message = params.message if hasattr(params, "message") else params.description
    return _filled(ElicitationRequest, request_id, params, message=message)


def _mcp_tool(request_id: RequestId, params: Any, meta: JsonObject) -> McpToolApproval:
    facts = {name: meta.get(name) for name in ("tool_title", "tool_description")}
    facts |= {"reason": params.message, "arguments": meta.get("tool_params")}
    persist = meta.get("persist") or ()
    facts["persist"] = (persist,) if isinstance(persist, str) else tuple(persist)
    return _filled(McpToolApproval, request_id, params, **facts)


def _legacy_command(request_id: RequestId, params: Any, _: object) -> LegacyCommandApproval:
    return _filled(LegacyCommandApproval, request_id, params, **_legacy(params), command=shlex.join(params.command))


def _legacy_patch(request_id: RequestId, params: Any, _: object) -> LegacyPatchApproval:
    changes = [_legacy_change(path, change) for path, change in params.file_changes.items()]
    return _filled(LegacyPatchApproval, request_id, params, **_legacy(params), changes=changes)


def _legacy(params: Any) -> dict[str, str]:
    return {"thread_id": params.conversation_id, "item_id": params.call_id}


def _legacy_change(path: str, change: Any) -> FileUpdateChange:
    """Say an old change in the words of today: one text, and its kind apart."""
    kind = dict(protocol.unstructure(change))
    text = kind.pop("unified_diff", "") or kind.pop("content", "")
    return protocol.structure(protocol.FileUpdateChange, {"path": path, "diff": text, "kind": kind})


_READERS: dict[str, Callable[[RequestId, Any, FileChangeThreadItem | None], AnyRequest]] = {
    "item/commandExecution/requestApproval": _as_it_is(CommandApproval),
    "item/fileChange/requestApproval": _file_change,
    "item/permissions/requestApproval": _as_it_is(PermissionsApproval),
    "execCommandApproval": _legacy_command,
    "applyPatchApproval": _legacy_patch,
    "item/tool/requestUserInput": _as_it_is(UserInputRequest),
    "mcpServer/elicitation/request": _elicitation,
}
