"""How an answer becomes the protocol's response: for each kind of request, which answers it takes and what they turn into.

What cannot become a response is a `ConfigError`. Handlers and deadlines are not known here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from openai_codex import _codec as codec
from openai_codex import _protocol as protocol
from openai_codex._approvals.decisions import ApprovalDecision, ElicitationAnswer, texts, without_empty
from openai_codex._approvals.reading import FOR_SESSION, approval_request
from openai_codex._protocol.methods import SERVER_REQUESTS
from openai_codex.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_codex._approvals import requests as approvals
    from openai_codex._protocol import JsonObject, Record, ServerRequest

    _Build = Callable[[Any, Any], JsonObject]


def respond(params: ServerRequest[Any], answer: object) -> Record:
    """Turn what a handler returned into the protocol's response. Raises `ConfigError` for what cannot be one."""
    response = response_type(params)
    if isinstance(answer, response):
        return answer
    request = approval_request("", params)
    if request is not None:
        return approval_response(request, answer)
    make = RESPONDERS.get(params.METHOD)
    if make is None:
        raise _misfit(params, f"a {response.__name__}", answer)
    made = make(params, answer)
    return codec.structure(response, made) if isinstance(made, dict) else made


def approval_response(request: approvals.ApprovalRequest, decision: object) -> Record:
    """Turn a decision into the protocol's response. Raises `ConfigError` for one that this request does not take."""
    response = response_type(request.params)
    if isinstance(decision, response):
        return decision
    if isinstance(decision, bool):
        decision = ApprovalDecision.accept() if decision else ApprovalDecision.decline()
    if not isinstance(decision, ApprovalDecision):
        raise _misfit(request, "an ApprovalDecision or a bool", decision)
    builds = _BUILDS[request.params.METHOD]
    if decision.verb not in builds:
        raise _refused(request, decision.verb, f"it takes {', '.join(builds)}")
    return codec.structure(response, builds[decision.verb](request, decision.detail))


def response_type(params: ServerRequest[Any]) -> type[Record]:
    """Return the class of the response that these params ask for."""
    response: type[Record] = getattr(protocol, SERVER_REQUESTS[params.METHOD][1])
    return response


def _refused(request: object, verb: str, reason: str) -> ConfigError:
    return ConfigError(type(request).__name__, f"does not take the decision {verb}: {reason}")


def _misfit(request: object, expected: str, answer: object) -> ConfigError:
    return ConfigError(type(request).__name__, f"expected {expected}, got {type(answer).__name__}")


# -- decisions about approvals ---------------------------------------------------------------------------------------


def _says(json: JsonObject) -> _Build:
    return lambda _request, _detail: json


def _words(**words: str) -> dict[str, _Build]:
    return {verb: _says({"decision": word}) for verb, word in words.items()}


def _accept_prefix(name: str, inner: str) -> _Build:
    return lambda request, given: {"decision": {name: {inner: _prefix(request, given)}}}


def _prefix(request: approvals.CommandApproval | approvals.LegacyCommandApproval, given: list[str] | None) -> list[str]:
    prefix = getattr(request, "proposed_execpolicy_amendment", None) if given is None else given
    if not prefix:  # the runtime would run the command and keep no rule
        raise _refused(request, "accept_command_prefix", "no prefix is given and none is proposed")
    return list(prefix)


def _host_rule(action: str) -> _Build:
    def build(request: approvals.CommandApproval, given: str | None) -> JsonObject:
        context = request.network_approval_context
        if context is None:  # the runtime would take a rule for an acceptance, and run the command
            raise _refused(request, f"{action}_host", "it is not about a host")
        rule = {"action": action, "host": given or context.host}
        return {"decision": {"applyNetworkPolicyAmendment": {"network_policy_amendment": rule}}}

    return build


def _everything(scope: str) -> _Build:
    def build(request: approvals.PermissionsApproval, _: None) -> JsonObject:
        return {"permissions": without_empty(codec.unstructure(request.permissions)), "scope": scope}

    return build


def _for_session(request: approvals.McpToolApproval, _: None) -> JsonObject:
    offered = "session" in request.persist
    return {"action": "accept", **({"_meta": {"persist": "session"}} if offered else {})}


def _always(request: approvals.McpToolApproval, _: None) -> JsonObject:
    if "always" not in request.persist:
        raise _refused(request, "accept_always", "the runtime does not offer it for this call")
    return {"action": "accept", "_meta": {"persist": "always"}}


def _option(label: str) -> _Build:
    def build(request: approvals.McpToolApproval, _: None) -> JsonObject:
        [question] = request.params.questions
        chosen = label if label != FOR_SESSION or "session" in request.persist else "Allow"
        return {"answers": {question.id: {"answers": [chosen]}}}

    return build


_TODAY = _words(accept="accept", accept_for_session="acceptForSession", decline="decline", cancel="cancel")
_LEGACY: dict[str, _Build] = {
    **_words(accept="approved", accept_for_session="approved_for_session", cancel="abort"),
    "decline": _says({"decision": {"denied": {"rejection": "rejected by user"}}}),
}
_GRANTS_NOTHING = _says({"permissions": {}})

_BUILDS: dict[str, dict[str, _Build]] = {
    "item/commandExecution/requestApproval": {
        **_TODAY,
        "accept_command_prefix": _accept_prefix("acceptWithExecpolicyAmendment", "execpolicy_amendment"),
        "allow_host": _host_rule("allow"),
        "deny_host": _host_rule("deny"),
    },
    "item/fileChange/requestApproval": _TODAY,
    "item/permissions/requestApproval": {
        "accept": _everything("turn"),
        "accept_for_session": _everything("session"),
        "grant": lambda _, given: given,
        "decline": _GRANTS_NOTHING,
        "cancel": _GRANTS_NOTHING,
    },
    "mcpServer/elicitation/request": {
        "accept": _says({"action": "accept"}),
        "accept_for_session": _for_session,
        "accept_always": _always,
        "decline": _says({"action": "decline"}),
        "cancel": _says({"action": "cancel"}),
    },
    "item/tool/requestUserInput": {
        "accept": _option("Allow"),
        "accept_for_session": _option(FOR_SESSION),
        "decline": _option("Cancel"),
        "cancel": _option("Cancel"),
    },
    "execCommandApproval": {
        **_LEGACY,
        "accept_command_prefix": _accept_prefix("approved_execpolicy_amendment", "proposed_execpolicy_amendment"),
    },
    "applyPatchApproval": _LEGACY,
}
"""Method → decision → what makes the JSON of the response of the approval and the decision's detail."""


# -- answers to the rest ---------------------------------------------------------------------------------------------


def _answered(params: protocol.ToolRequestUserInputParams, answer: Any) -> JsonObject:
    answers: Any = {} if answer is None else answer
    if not isinstance(answers, Mapping):
        raise _misfit(params, "a dict of answers by question id, or None", answer)
    _check_keys(params, answers, {question.id for question in params.questions})
    given = {name: [text] if isinstance(text, str) else texts(name, text) for name, text in answers.items()}
    return {"answers": {name: {"answers": each} for name, each in given.items()}}


def _elicited(params: ServerRequest[Any], answer: Any) -> JsonObject:
    if answer is None or isinstance(answer, bool):
        return {"action": "accept" if answer else "decline"}
    if isinstance(answer, Mapping) and not isinstance(params, protocol.UrlMcpServerElicitationRequestParams):
        _check_keys(params, answer, _fields(params))
        return {"action": "accept", "content": dict(answer)}
    if not isinstance(answer, ElicitationAnswer):
        raise _misfit(params, "the fields of a form, a bool, None or an ElicitationAnswer", answer)
    if isinstance(answer.content, Mapping):
        _check_keys(params, answer.content, _fields(params))
    return {"action": answer.action, **({} if answer.content is None else {"content": answer.content})}


def _fields(params: ServerRequest[Any]) -> set[str] | None:
    """Name the fields of a form; ``None`` where the protocol does not say what they look like."""
    schema = getattr(params, "requested_schema", None)
    return set(schema.properties) if isinstance(schema, protocol.McpElicitationSchema) else None


def _check_keys(params: ServerRequest[Any], given: Mapping[Any, Any], known: set[str] | None) -> None:
    # To the model they would be told as if asked; and a response in the protocol's words is no form: taken for one, it
    # would accept whatever it says.
    unknown = given.keys() & {"action"} if known is None else given.keys() - known
    if unknown:
        raise ConfigError(type(params).__name__, f"does not ask {', '.join(sorted(map(repr, unknown)))}")


def _refreshed(params: ServerRequest[Any], answer: Any) -> Record:
    try:
        return protocol.ChatgptAuthTokensRefreshResponse(**answer)
    except TypeError:  # its text is left out: there are tokens about
        raise _misfit(params, "access_token, chatgpt_account_id and perhaps chatgpt_plan_type", answer) from None


RESPONDERS: dict[str, Callable[[Any, Any], JsonObject | Record]] = {
    "item/tool/requestUserInput": _answered,
    "mcpServer/elicitation/request": _elicited,
    "account/chatgptAuthTokens/refresh": _refreshed,
}
"""Method → what makes a response, or its JSON, of what a handler returned. For all others it has to return a response."""
