"""How the params of a server request become a request with the facts for a person. Which answers there are is not known here."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any, TypeVar, cast, get_args

import attrs

from openai_codex import _codec as codec
from openai_codex import _protocol as protocol
from openai_codex._approvals.requests import (
    ApprovalRequest,
    CommandApproval,
    ElicitationRequest,
    FileChangeApproval,
    LegacyCommandApproval,
    LegacyPatchApproval,
    McpToolApproval,
    PermissionsApproval,
    RuntimeRequest,
    UserInputRequest,
)
from openai_codex._protocol.methods import SERVER_REQUESTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_codex._protocol import FileChangeThreadItem, FileUpdateChange, Record, RequestId

_APPROVALS = get_args(ApprovalRequest)

_TOOL_APPROVAL = ("codex_approval_kind", "mcp_tool_call")
"""What the runtime marks its own question about an MCP tool with, where it travels as a form."""
_TOOL_QUESTION = "mcp_tool_call_approval_"
"""What the id of such a question begins with, where it travels as one."""
FOR_SESSION = "Allow for this session"
"""The option of such a question that is not always offered."""

R = TypeVar("R", bound=RuntimeRequest)


def approval_request(
    request_id: RequestId, params: Record, file_change_item: FileChangeThreadItem | None = None
) -> ApprovalRequest | None:
    """Return the approval that the params of a server request ask for; ``None`` if they ask for something else.

    A request about a file change does not say what would change: that is in the item that was started before it.
    """
    request = read_request(request_id, params, file_change_item)
    return cast("ApprovalRequest", request) if isinstance(request, _APPROVALS) else None


def read_request(
    request_id: RequestId, params: Record, file_change_item: FileChangeThreadItem | None = None
) -> RuntimeRequest | None:
    """Return what is asked by the params of a server request; ``None`` if they have a shape that nobody knows yet.

    What no person is asked for is a bare `RuntimeRequest`.
    """
    method = getattr(params, "METHOD", "")  # params of an unknown shape have none
    return _READERS.get(method, _plain)(request_id, params, file_change_item) if method in SERVER_REQUESTS else None


def _filled(kind: type[R], request_id: RequestId, params: Any, **facts: Any) -> R:
    """Make a request of the fields that the params call by the same name, and of the facts that they do not."""
    facts |= {"id": request_id, "params": params}
    same = {name: getattr(params, name) for name in attrs.fields_dict(kind) if hasattr(params, name)}
    return kind(**{**same, **facts})


def _as_it_is(kind: type[R]) -> Callable[[RequestId, Any, object], R]:
    def read(request_id: RequestId, params: object, _: object) -> R:
        return _filled(kind, request_id, params)

    return read


def _plain(request_id: RequestId, params: Any, _: object) -> RuntimeRequest:
    # The item of a tool's call has the id of the call.
    place = {field: getattr(params, name, None) for field, name in (("thread_id", "thread_id"), ("item_id", "call_id"))}
    return _filled(RuntimeRequest, request_id, params, **place)


def _file_change(request_id: RequestId, params: Any, item: FileChangeThreadItem | None) -> FileChangeApproval:
    return _filled(FileChangeApproval, request_id, params, changes=item and item.changes)


def _elicitation(request_id: RequestId, params: Any, _: object) -> McpToolApproval | ElicitationRequest:
    if _is_tool_approval(params):
        return _mcp_tool(request_id, params)
    # A user verification has a description instead of a message.
    message = params.message if hasattr(params, "message") else params.description
    return _filled(ElicitationRequest, request_id, params, message=message)


def _is_tool_approval(params: Any) -> bool:
    """Tell the runtime's own question from those of servers, which are handed on with whatever mark they carry."""
    if not isinstance(params, protocol.FormMcpServerElicitationRequestParams) or params.turn_id is None:
        return False
    marked = isinstance(params.meta, dict) and _TOOL_APPROVAL in params.meta.items()
    return marked and not params.requested_schema.properties


def _mcp_tool(request_id: RequestId, params: Any) -> McpToolApproval:
    facts = {name: params.meta.get(name) for name in ("tool_title", "tool_description")}
    facts |= {"reason": params.message, "arguments": params.meta.get("tool_params")}
    persist = params.meta.get("persist") or ()
    facts["persist"] = (persist,) if isinstance(persist, str) else tuple(persist)
    return _filled(McpToolApproval, request_id, params, **facts)


def _user_input(request_id: RequestId, params: Any, _: object) -> McpToolApproval | UserInputRequest:
    if not _is_tool_question(params):
        return _filled(UserInputRequest, request_id, params)
    [question] = params.questions
    unknown = dict.fromkeys(("server_name", "tool_title", "tool_description", "arguments"))
    persist = ("session",) if FOR_SESSION in {option.label for option in question.options or ()} else ()
    return _filled(McpToolApproval, request_id, params, reason=question.question, persist=persist, **unknown)


def _is_tool_question(params: Any) -> bool:
    """Tell the runtime's own question from those of the model, which chooses ids but always leaves room for more."""
    asked = [(question.id, question.is_other) for question in params.questions]
    return asked == [(_TOOL_QUESTION + params.item_id, False)]


def _legacy_command(request_id: RequestId, params: Any, _: object) -> LegacyCommandApproval:
    return _filled(LegacyCommandApproval, request_id, params, **_legacy(params), command=shlex.join(params.command))


def _legacy_patch(request_id: RequestId, params: Any, _: object) -> LegacyPatchApproval:
    changes = [_legacy_change(path, change) for path, change in params.file_changes.items()]
    return _filled(LegacyPatchApproval, request_id, params, **_legacy(params), changes=changes)


def _legacy(params: Any) -> dict[str, str]:
    return {"thread_id": params.conversation_id, "item_id": params.call_id}


def _legacy_change(path: str, change: Any) -> FileUpdateChange:
    """Say an old change in the words of today: one text, and its kind apart."""
    kind = dict(codec.unstructure(change))
    text = kind.pop("unified_diff", "") or kind.pop("content", "")
    return codec.structure(protocol.FileUpdateChange, {"path": path, "diff": text, "kind": kind})


_READERS: dict[str, Callable[[RequestId, Any, FileChangeThreadItem | None], RuntimeRequest]] = {
    "item/commandExecution/requestApproval": _as_it_is(CommandApproval),
    "item/fileChange/requestApproval": _file_change,
    "item/permissions/requestApproval": _as_it_is(PermissionsApproval),
    "execCommandApproval": _legacy_command,
    "applyPatchApproval": _legacy_patch,
    "item/tool/requestUserInput": _user_input,
    "mcpServer/elicitation/request": _elicitation,
}
