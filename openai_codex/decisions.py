"""What a program answers when the runtime asks: decisions and answers, and the protocol response that each becomes.

Pure: it knows no handler and no connection. What cannot become a response is a `ConfigError`, never a guess.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import attrs

from openai_codex import approvals, protocol
from openai_codex.errors import ConfigError
from openai_codex.protocol.methods import SERVER_REQUESTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_codex.protocol import JsonObject, JsonValue, Record, ServerRequest

    _Build = Callable[[Any, Any], JsonObject]


@attrs.frozen
class ApprovalDecision:
    """The answer to an `ApprovalRequest`, made by one of these methods. A plain bool stands for accept or decline."""

    verb: str
    detail: Any = None

    @classmethod
    def accept(cls) -> ApprovalDecision:
        """Do it this once. Of permissions: all that were asked for, for this turn."""
        return cls("accept")

    @classmethod
    def accept_for_session(cls) -> ApprovalDecision:
        """Do it, and do not ask again for the same in this session."""
        return cls("accept_for_session")

    @classmethod
    def accept_always(cls) -> ApprovalDecision:
        """Do it, and never ask again for this MCP tool: the runtime writes that to its ``config.toml``."""
        return cls("accept_always")

    @classmethod
    def accept_command_prefix(cls, prefix: Sequence[str] | None = None) -> ApprovalDecision:
        """Do it, and never ask again for commands that begin with these words, by default those that are proposed."""
        return cls("accept_command_prefix", prefix if prefix is None else _texts("prefix", prefix))

    @classmethod
    def allow_host(cls, host: str | None = None) -> ApprovalDecision:
        """Let commands reach a host, now and later; by default the one that the request is about."""
        return cls("allow_host", host)

    @classmethod
    def deny_host(cls, host: str | None = None) -> ApprovalDecision:
        """Let no command reach a host, now and later; by default the one that the request is about."""
        return cls("deny_host", host)

    @classmethod
    def grant(
        cls,
        *,
        network: bool = False,
        read: Sequence[str] = (),
        write: Sequence[str] = (),
        for_session: bool = False,
        strict_auto_review: bool = False,
    ) -> ApprovalDecision:
        """Grant a part of what a `PermissionsApproval` asks for; the runtime drops paths that are not in or below it.

        A strict auto review looks at every further command of the turn. Raises `ConfigError` for one of a session.
        """
        if for_session and strict_auto_review:
            raise ConfigError("strict_auto_review", "is for a turn; for a session the runtime would grant nothing")
        files = {name: paths for name, given in (("read", read), ("write", write)) if (paths := _texts(name, given))}
        permissions = {"fileSystem": files, "network": {"enabled": True} if network else {}}
        scope = {"scope": "session" if for_session else "turn", "strictAutoReview": strict_auto_review or None}
        return cls("grant", {"permissions": _without_empty(permissions), **_without_empty(scope)})

    @classmethod
    def decline(cls) -> ApprovalDecision:
        """Do not do it. The model is told, and the turn goes on."""
        return cls("decline")

    @classmethod
    def cancel(cls) -> ApprovalDecision:
        """Do not do it, and end the turn; of an MCP tool call only the call ends."""
        return cls("cancel")


@attrs.frozen
class ElicitationAnswer:
    """The answer to an `ElicitationRequest`; `content` has a value for each field of the form."""

    action: Literal["accept", "decline", "cancel"]
    content: JsonValue = None


def accept_all(request: approvals.ApprovalRequest) -> ApprovalDecision:  # noqa: ARG001  handlers are given the request
    """Accept whatever the runtime asks, unseen: for containers, and other places where nothing can be lost."""
    return ApprovalDecision.accept()


def to_response(request: approvals.ApprovalRequest, decision: ApprovalDecision | bool | Record) -> Record:
    """Turn a decision into the protocol's response. Raises `ConfigError` for one that this request does not take."""
    if isinstance(decision, response_type(request.params)):
        return decision
    if isinstance(decision, bool):
        decision = ApprovalDecision.accept() if decision else ApprovalDecision.decline()
    if not isinstance(decision, ApprovalDecision):
        raise _misfit(request, "an ApprovalDecision or a bool", decision)
    builds = _BUILDS[type(request)]
    if decision.verb not in builds:
        raise _refused(request, decision.verb, f"it takes {', '.join(builds)}")
    return protocol.structure(response_type(request.params), builds[decision.verb](request, decision.detail))


def respond(params: ServerRequest[Any], answer: object) -> Record:
    """Turn what a handler returned into the protocol's response. Raises `ConfigError` for what cannot be one."""
    if isinstance(answer, response_type(params)):
        return answer
    make = RESPONDERS.get(params.METHOD)
    if make is None:
        raise _misfit(params, f"a {response_type(params).__name__}", answer)
    made = make(params, answer)
    return protocol.structure(response_type(params), made) if isinstance(made, dict) else made


def response_type(params: ServerRequest[Any]) -> type[Record]:
    """Return the class of the response that these params ask for."""
    response: type[Record] = getattr(protocol, SERVER_REQUESTS[params.METHOD][1])
    return response


def _refused(request: object, verb: str, reason: str) -> ConfigError:
    return ConfigError(type(request).__name__, f"does not take the decision {verb}: {reason}")


def _misfit(request: object, expected: str, answer: object) -> ConfigError:
    return ConfigError(type(request).__name__, f"expected {expected}, got {type(answer).__name__}")


def _texts(what: str, value: Sequence[str]) -> list[str]:
    if isinstance(value, str) or not isinstance(value, Sequence) or not all(isinstance(text, str) for text in value):
        raise ConfigError(what, "expected a list of strings")
    return list(value)


def _prefix(request: approvals.CommandApproval | approvals.LegacyCommandApproval, given: list[str] | None) -> list[str]:
    prefix = getattr(request, "proposed_execpolicy_amendment", None) if given is None else given
    if not prefix:  # the runtime would run the command and keep no rule
        raise _refused(request, "accept_command_prefix", "no prefix is given and none is proposed")
    return list(prefix)


def _without_empty(json: JsonObject) -> JsonObject:
    return {name: value for name, value in json.items() if value}


def _accept_prefix(name: str, inner: str) -> _Build:
    return lambda request, given: {"decision": {name: {inner: _prefix(request, given)}}}


def _host_rule(request: approvals.CommandApproval, action: str, given: str | None) -> JsonObject:
    context = request.network_approval_context
    if context is None:  # the runtime would take a rule for an acceptance, and run the command
        raise _refused(request, f"{action}_host", "it is not about a host")
    rule = {"action": action, "host": given or context.host}
    return {"decision": {"applyNetworkPolicyAmendment": {"network_policy_amendment": rule}}}


def _everything(request: approvals.PermissionsApproval, scope: str) -> JsonObject:
    return {"permissions": _without_empty(protocol.unstructure(request.permissions)), "scope": scope}


def _persist(request: approvals.McpToolApproval, verb: str, how_long: str) -> JsonObject:
    if how_long not in request.persist:
        raise _refused(request, verb, "the runtime does not offer it for this call")
    return {"action": "accept", "_meta": {"persist": how_long}}


def _says(json: JsonObject) -> _Build:
    return lambda _request, _detail: json


def _words(**words: str) -> dict[str, _Build]:
    return {verb: _says({"decision": word}) for verb, word in words.items()}


_TODAY = _words(accept="accept", accept_for_session="acceptForSession", decline="decline", cancel="cancel")
_LEGACY: dict[str, _Build] = {
    **_words(accept="approved", accept_for_session="approved_for_session", cancel="abort"),
    "decline": _says({"decision": {"denied": {"rejection": "rejected by user"}}}),
}

_BUILDS: dict[type, dict[str, _Build]] = {
    approvals.CommandApproval: {
        **_TODAY,
        "accept_command_prefix": _accept_prefix("acceptWithExecpolicyAmendment", "execpolicy_amendment"),
        "allow_host": lambda request, host: _host_rule(request, "allow", host),
        "deny_host": lambda request, host: _host_rule(request, "deny", host),
    },
    approvals.FileChangeApproval: _TODAY,
    approvals.PermissionsApproval: {
        "accept": lambda request, _: _everything(request, "turn"),
        "accept_for_session": lambda request, _: _everything(request, "session"),
        "grant": lambda _, given: given,
        "decline": _says({"permissions": {}}),
    },
    approvals.McpToolApproval: {
        "accept": _says({"action": "accept"}),
        "accept_for_session": lambda request, _: _persist(request, "accept_for_session", "session"),
        "accept_always": lambda request, _: _persist(request, "accept_always", "always"),
        "decline": _says({"action": "decline"}),
        "cancel": _says({"action": "cancel"}),
    },
    approvals.LegacyCommandApproval: {
        **_LEGACY,
        "accept_command_prefix": _accept_prefix("approved_execpolicy_amendment", "proposed_execpolicy_amendment"),
    },
    approvals.LegacyPatchApproval: _LEGACY,
}
"""Kind of approval → decision → what makes the JSON of the response of the request and the decision's detail."""


def _decided(params: ServerRequest[Any], answer: Any) -> Record:
    request: Any = approvals.approval_request("", params)
    return to_response(request, answer)


def _answered(params: protocol.ToolRequestUserInputParams, answer: Any) -> JsonObject:
    answers: Any = {} if answer is None else answer
    if not isinstance(answers, Mapping):
        raise _misfit(params, "a dict of answers by question id, or None", answer)
    unknown = answers.keys() - {question.id for question in params.questions}
    if unknown:  # the runtime would tell the model of a question that it never asked
        raise ConfigError(type(params).__name__, f"does not ask {', '.join(sorted(map(repr, unknown)))}")
    texts = {name: [given] if isinstance(given, str) else _texts(name, given) for name, given in answers.items()}
    return {"answers": {name: {"answers": given} for name, given in texts.items()}}


def _elicited(params: ServerRequest[Any], answer: Any) -> JsonObject | Record:
    if isinstance(answer, ApprovalDecision) and approvals.approval_request("", params):
        return _decided(params, answer)
    if isinstance(answer, Mapping):
        return {"action": "accept", "content": dict(answer)}
    if answer is None or isinstance(answer, bool):
        return {"action": "accept" if answer else "decline"}
    if not isinstance(answer, ElicitationAnswer):
        raise _misfit(params, "a dict, a bool, None or an ElicitationAnswer", answer)
    return {"action": answer.action, **({} if answer.content is None else {"content": answer.content})}


def _refreshed(params: ServerRequest[Any], answer: Any) -> Record:
    try:
        return protocol.ChatgptAuthTokensRefreshResponse(**answer)
    except TypeError:  # its text is left out: there are tokens about
        raise _misfit(params, "access_token, chatgpt_account_id and perhaps chatgpt_plan_type", answer) from None


RESPONDERS: dict[str, Callable[[Any, Any], JsonObject | Record]] = {
    "item/commandExecution/requestApproval": _decided,
    "item/fileChange/requestApproval": _decided,
    "item/permissions/requestApproval": _decided,
    "execCommandApproval": _decided,
    "applyPatchApproval": _decided,
    "item/tool/requestUserInput": _answered,
    "mcpServer/elicitation/request": _elicited,
    "account/chatgptAuthTokens/refresh": _refreshed,
}
"""Method → what makes a response, or its JSON, of what a handler returned. For all others it has to return a response."""
