"""The table of server requests: how each kind is read, which answers it accepts, and how it is refused.

Neither handlers nor connections are known here.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast, get_args

import attrs

from openai_codex import _codec as codec
from openai_codex import _protocol as protocol
from openai_codex._approvals import requests, responses
from openai_codex._approvals.decisions import ApprovalDecision
from openai_codex._approvals.requests import ApprovalRequest, McpToolApproval, RuntimeRequest
from openai_codex._engine import wire
from openai_codex._notification import address_of
from openai_codex._protocol.methods import SERVER_REQUESTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from openai_codex._protocol import FileUpdateChange, JsonObject, RequestId

FindChanges: TypeAlias = "Callable[[str | None, str | None, str], list[FileUpdateChange] | None]"
"""Returns the file changes of a thread, a turn and an item; ``None`` if they were not seen."""
Reading: TypeAlias = tuple[type[RuntimeRequest], dict[str, Any]]
"""The class of a request, and those of its fields that the params do not have under the same name."""

METHOD_NOT_FOUND = -32601

_NONE: Mapping[str, Any] = {}

APPROVALS = get_args(ApprovalRequest)


@attrs.frozen(kw_only=True)
class Kind:
    """One kind of server request.

    Attributes:
        read: Reads its params.
        hint: What a program has to do to answer such requests; logged with the first refusal.
        refusal: The result that declines it, also sent if there is no handler. ``None``: the protocol has none, so send
            an error.
        decisions: The decisions that an approval accepts, and what they become. `refusal` is the result of ``decline``
            by default.
        answer: Builds the result from the request and an answer. ``None``: only the protocol's own response is
            accepted.
        deadline: The seconds after which it is refused, in place of the configured ``handler_timeout``.
    """

    read: Callable[[Any, FindChanges], Reading] = lambda _params, _find: (RuntimeRequest, {})
    hint: str = "pass on_approval=…"
    refusal: JsonObject | None = None
    decisions: Mapping[str, responses.Result] = attrs.field(factory=dict)
    answer: Callable[[Any, Any], JsonObject] | None = None
    deadline: float | None = None


def read_request(
    request_id: RequestId, method: str, params: JsonObject, find_changes: FindChanges, origin: Mapping[str, Any] = _NONE
) -> RuntimeRequest:
    """Return a server request as a value; ``origin`` has the fields that say which sub-agent asks, if one does.

    It is a plain `RuntimeRequest` if it needs no human decision, or if its params have an unknown shape. Raises
    `DecodeError` for params that do not fit, and `KeyError` for an unknown method.
    """
    typed = codec.structure_server_request(method, params)
    kind, fields = KINDS[method].read(typed, find_changes)
    # By the generated routes: a legacy approval has a conversationId, others have a threadId.
    thread_id, turn_id, _ = address_of(method, params)
    fields |= {"id": request_id, "params": typed, "thread_id": thread_id, "turn_id": turn_id, **origin}
    same = {name: getattr(typed, name) for name in attrs.fields_dict(kind).keys() - fields if hasattr(typed, name)}
    return kind(**same, **fields)


def respond(method: str, request: RuntimeRequest, answer: object) -> JsonObject:
    """Return the JSON of the result for what a handler returned. Raises `ConfigError` if the request does not accept it."""
    kind, response = KINDS[method], getattr(protocol, SERVER_REQUESTS[method][1])
    # The protocol's response is always accepted: it can express what the decisions of this package cannot.
    if isinstance(answer, response):
        if isinstance(answer, protocol.ChatgptAuthTokensRefreshResponse):
            responses.check_tokens(answer)
        result: JsonObject = codec.unstructure(answer)
        return result
    if isinstance(request, APPROVALS):
        return _decide(kind, request, answer)
    if kind.answer is None:
        raise responses.mismatch(request, f"a {response.__name__}", answer)
    return kind.answer(request, answer)


def _decide(kind: Kind, request: RuntimeRequest, answer: object) -> JsonObject:
    if isinstance(answer, bool):
        verb, detail = "accept" if answer else "decline", None
    elif isinstance(answer, ApprovalDecision):
        verb, detail = answer.verb, answer.detail
    else:
        raise responses.mismatch(request, "an ApprovalDecision or a bool", answer)
    accepted: dict[str, Any] = {"decline": kind.refusal, **kind.decisions}
    if verb not in accepted:
        raise responses.not_accepted(request, verb, f"expected one of {', '.join(accepted)}")
    result = accepted[verb]
    return cast("JsonObject", result(request, detail) if callable(result) else result)


def refusal_line(request: wire.ServerRequest) -> bytes:
    """Return the refusal of a server request as one line: the result that declines it, or else an error."""
    kind = KINDS.get(request.method)
    if kind is None or kind.refusal is None:
        return wire.encode_error(request.id, METHOD_NOT_FOUND, f"{request.method} is not handled by this client")
    return wire.encode_result(request.id, kind.refusal)


def _of_class(kind: type[RuntimeRequest]) -> Callable[[Any, FindChanges], Reading]:
    return lambda _params, _find: (kind, {})


def _file_change(params: Any, find: FindChanges) -> Reading:
    return requests.FileChangeApproval, {"changes": find(params.thread_id, params.turn_id, params.item_id)}


def _tool_call(params: Any, _: FindChanges) -> Reading:
    return RuntimeRequest, {"item_id": params.call_id}  # the item of a call has the id of the call


def _elicitation(params: Any, _: FindChanges) -> Reading:
    if isinstance(params, protocol.UnknownVariant):  # a mode that only a newer runtime has
        return RuntimeRequest, {}
    if not _is_tool_approval(params):
        # A user verification has a description instead of a message.
        message = params.message if hasattr(params, "message") else params.description
        return requests.ElicitationRequest, {"message": message}
    # An MCP server may have made the question, and may put anything there.
    title, description = (_if_a(str, params.meta.get(name)) for name in ("tool_title", "tool_description"))
    persist = params.meta.get("persist")
    words = persist if isinstance(persist, list) else [persist]
    fields = {
        "tool_title": title,
        "tool_description": description,
        "reason": params.message,
        "arguments": _if_a(dict, params.meta.get("tool_params")),
        "persist": tuple(word for word in words if isinstance(word, str) and word),
    }
    return McpToolApproval, fields


T = TypeVar("T")


def _if_a(kind: type[T], value: object) -> T | None:
    return value if isinstance(value, kind) else None


def _is_tool_approval(params: Any) -> bool:
    """Tell the runtime's own question from those of MCP servers, which may carry the same mark."""
    if not isinstance(params, protocol.FormMcpServerElicitationRequestParams) or params.turn_id is None:
        return False
    marked = isinstance(params.meta, dict) and params.meta.get("codex_approval_kind") == "mcp_tool_call"
    # The runtime's question has no fields to fill in.
    return marked and not params.requested_schema.properties


def _user_input(params: Any, _: FindChanges) -> Reading:
    # The runtime's own question about an MCP tool: the model chooses ids too, but its questions accept other answers.
    found = [(question.id, question.is_other) for question in params.questions]
    if found != [(f"mcp_tool_call_approval_{params.item_id}", False)]:
        return requests.UserInputRequest, {}
    [question] = params.questions
    offered = {option.label for option in question.options or ()}
    fields: dict[str, Any] = dict.fromkeys(("server_name", "tool_title", "tool_description", "arguments"))
    fields |= {"reason": question.question, "persist": ("session",) if responses.FOR_SESSION in offered else ()}
    return McpToolApproval, fields


def _words(**words: str) -> dict[str, responses.Result]:
    return {verb: {"decision": word} for verb, word in words.items()}


def _legacy_command(params: Any, _: FindChanges) -> Reading:
    return requests.LegacyCommandApproval, {"item_id": params.call_id, "command": shlex.join(params.command)}


def _legacy_patch(params: Any, _: FindChanges) -> Reading:
    changes = [_legacy_change(path, change) for path, change in params.file_changes.items()]
    return requests.LegacyPatchApproval, {"item_id": params.call_id, "changes": changes}


def _legacy_change(path: str, change: Any) -> FileUpdateChange:
    """Convert a legacy change, which holds its text within its kind."""
    kind = dict(codec.unstructure(change))
    text = kind.pop("unified_diff", "") or kind.pop("content", "")
    return codec.structure(protocol.FileUpdateChange, {"path": path, "diff": text, "kind": kind})


_DECISIONS = _words(accept="accept", accept_for_session="acceptForSession", cancel="cancel")
_LEGACY_DECISIONS = _words(accept="approved", accept_for_session="approved_for_session", cancel="abort")
# A legacy refusal has a reason, which the model reads. This is the one that the runtime gives for the other kinds.
_LEGACY_REFUSAL = {"decision": {"denied": {"rejection": "rejected by user"}}}
_TOOL_DECISIONS = {"accept": {"action": "accept"}, "cancel": {"action": "cancel"}}
# A failed call, not an error: after an error the model would read only that the request failed.
_NO_TOOL = {"success": False, "contentItems": [{"type": "inputText", "text": "This client has no such tool."}]}

# The runtime fails the turn if one of these is not answered within 10 s.
_BEFORE_RUNTIME = 9.0

KINDS: dict[str, Kind] = {
    "item/commandExecution/requestApproval": Kind(
        read=_of_class(requests.CommandApproval),
        refusal={"decision": "decline"},
        decisions=_DECISIONS
        | {
            "accept_command_prefix": responses.accept_prefix("acceptWithExecpolicyAmendment", "execpolicy_amendment"),
            "allow_host": responses.host_rule("allow"),
            "deny_host": responses.host_rule("deny"),
        },
    ),
    "item/fileChange/requestApproval": Kind(read=_file_change, refusal={"decision": "decline"}, decisions=_DECISIONS),
    "item/permissions/requestApproval": Kind(
        read=_of_class(requests.PermissionsApproval),
        # The protocol has no word for a refusal here, but an empty grant is one.
        refusal={"permissions": {}},
        decisions={
            "accept": responses.grant_all("turn"),
            "accept_for_session": responses.grant_all("session"),
            "grant": responses.granted,
            "cancel": {"permissions": {}},  # the protocol cannot end the turn here
        },
    ),
    # The two legacy kinds are in the protocol, but the pinned runtime was never seen to send them.
    "execCommandApproval": Kind(
        read=_legacy_command,
        refusal=_LEGACY_REFUSAL,
        decisions=_LEGACY_DECISIONS
        | {
            "accept_command_prefix": responses.accept_prefix(
                "approved_execpolicy_amendment", "proposed_execpolicy_amendment"
            )
        },
    ),
    "applyPatchApproval": Kind(read=_legacy_patch, refusal=_LEGACY_REFUSAL, decisions=_LEGACY_DECISIONS),
    "mcpServer/elicitation/request": Kind(
        read=_elicitation,
        refusal={"action": "decline"},
        decisions=_TOOL_DECISIONS
        | {"accept_for_session": responses.persist_for_session, "accept_always": responses.persist_always},
        answer=responses.answer_elicitation,
        hint="pass on_elicitation=…, or on_approval=… for calls of MCP tools",
    ),
    "item/tool/requestUserInput": Kind(
        read=_user_input,
        refusal={"answers": {}},
        # A question about an MCP tool. The labels are those of its options.
        decisions={
            "accept": responses.option("Allow"),
            "accept_for_session": responses.option(responses.FOR_SESSION),
            "decline": responses.option("Cancel"),
            "cancel": responses.option("Cancel"),
        },
        answer=responses.answer_questions,
        hint="pass on_user_input=…, or on_approval=… for calls of MCP tools",
    ),
    "item/tool/call": Kind(
        read=_tool_call, refusal=_NO_TOOL, hint="pass tools=[…] when the thread is started or resumed"
    ),
    "account/chatgptAuthTokens/refresh": Kind(
        answer=responses.refreshed_tokens, deadline=_BEFORE_RUNTIME, hint="pass on_token_refresh=…"
    ),
    "currentTime/read": Kind(deadline=_BEFORE_RUNTIME, hint="call codex.handle(CurrentTimeReadParams, …)"),
    "attestation/generate": Kind(hint="call codex.handle(AttestationGenerateParams, …)"),
}
"""Method → its kind. A refused command is not run, a refused patch not applied, and the turn continues; without the
time or a fresh token the turn fails."""
