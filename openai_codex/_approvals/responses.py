"""How decisions and answers become the JSON of a result: the functions that the table of kinds refers to.

They raise `ConfigError` for an answer that the request does not accept. Handlers and deadlines are not known here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, Union

from openai_codex import _checks as checks
from openai_codex import _codec as codec
from openai_codex import _protocol as protocol
from openai_codex._approvals.decisions import ElicitationAnswer
from openai_codex._approvals.requests import RuntimeRequest
from openai_codex._codec.base import JsonObject
from openai_codex.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_codex._approvals.requests import (
        CommandApproval,
        ElicitationRequest,
        LegacyCommandApproval,
        McpToolApproval,
        PermissionsApproval,
        UserInputRequest,
    )

Result: TypeAlias = Union[JsonObject, "Callable[[Any, Any], JsonObject]"]
"""The JSON of a result, or the function that builds it from the request and the decision's detail."""

FOR_SESSION = "Allow for this session"
"""The option of a question about an MCP tool that is not always offered."""


def mismatch(request: RuntimeRequest, expected: str, answer: object) -> ConfigError:
    """Return the error for an answer of the wrong type. The answer is left out of it, because it may be secret."""
    return ConfigError(_subject(request), f"expected {expected}, got {type(answer).__name__}")


def not_accepted(request: RuntimeRequest, decision: str, reason: str) -> ConfigError:
    """Return the error for a decision that this request does not accept."""
    return ConfigError(_subject(request), f"does not accept the decision {decision}: {reason}")


def _subject(request: RuntimeRequest) -> str:
    return type(request.params if type(request) is RuntimeRequest else request).__name__


# -- decisions about approvals ---------------------------------------------------------------------------------------


def accept_prefix(name: str, inner: str) -> Result:
    """Accept a command prefix; the legacy kind has other names for the same result."""

    def build(request: CommandApproval | LegacyCommandApproval, given: list[str] | None) -> JsonObject:
        prefix = getattr(request, "proposed_execpolicy_amendment", None) if given is None else given
        if not prefix:  # the runtime would run the command and keep no rule
            raise not_accepted(request, "accept_command_prefix", "the request proposes no prefix; pass one")
        return {"decision": {name: {inner: list(prefix)}}}

    return build


def host_rule(action: str) -> Result:
    """Allow or deny a host from now on."""

    def build(request: CommandApproval, given: str | None) -> JsonObject:
        context = request.network_approval_context
        if context is None:  # the runtime would take the rule for an acceptance, and run the command
            raise not_accepted(request, f"{action}_host", "it is not about a host; accept or decline it")
        rule = {"action": action, "host": context.host if given is None else given}
        return {"decision": {"applyNetworkPolicyAmendment": {"network_policy_amendment": rule}}}

    return build


def grant_all(scope: str) -> Result:
    """Grant all permissions that were requested, for a turn or a session."""

    def build(request: PermissionsApproval, _: None) -> JsonObject:
        requested: JsonObject = codec.unstructure(request.permissions)
        # Members without a value are left out: they were not requested.
        return {"permissions": {name: value for name, value in requested.items() if value}, "scope": scope}

    return build


def granted(_: PermissionsApproval, result: JsonObject) -> JsonObject:
    """Grant a part of the permissions: the decision holds the whole result."""
    return result


def persist_for_session(request: McpToolApproval, _: None) -> JsonObject:
    """Accept an MCP tool for the session, or once where the runtime does not offer that."""
    return {"action": "accept", **({"_meta": {"persist": "session"}} if "session" in request.persist else {})}


def persist_always(request: McpToolApproval, _: None) -> JsonObject:
    """Accept an MCP tool permanently."""
    if "always" not in request.persist:
        raise not_accepted(request, "accept_always", "the runtime does not offer it for this call")
    return {"action": "accept", "_meta": {"persist": "always"}}


def option(label: str) -> Result:
    """Choose an option of a question about an MCP tool."""

    def build(request: McpToolApproval, _: None) -> JsonObject:
        [question] = request.params.questions
        chosen = label if label != FOR_SESSION or "session" in request.persist else "Allow"
        return {"answers": {question.id: {"answers": [chosen]}}}

    return build


# -- other answers ---------------------------------------------------------------------------------------------------


def answer_questions(request: UserInputRequest, answer: Any) -> JsonObject:
    """Answer the model's questions: a dict from question id to one text or several; ``None`` answers none."""
    answers: Any = {} if answer is None else answer
    if not isinstance(answers, Mapping):
        raise mismatch(request, "a dict of answers by question id, or None", answer)
    _check_keys(request, answers, {question.id for question in request.questions})
    given = {name: [text] if isinstance(text, str) else text for name, text in answers.items()}
    for name, texts in given.items():
        if not isinstance(texts, Sequence) or not all(isinstance(text, str) for text in texts):
            raise mismatch(request, f"a str or a list of str for {name!r}", texts)
    return {"answers": {name: {"answers": list(texts)} for name, texts in given.items()}}


def answer_elicitation(request: ElicitationRequest, answer: Any) -> JsonObject:
    """Answer an MCP server's form or page."""
    if answer is None or isinstance(answer, bool):
        return {"action": "accept" if answer else "decline"}
    if isinstance(answer, Mapping) and not isinstance(request.params, protocol.UrlMcpServerElicitationRequestParams):
        answer = ElicitationAnswer("accept", dict(answer))
    if not isinstance(answer, ElicitationAnswer):
        raise mismatch(request, "the fields of a form, a bool, None or an ElicitationAnswer", answer)
    if isinstance(answer.content, Mapping):
        _check_keys(request, answer.content, _form_fields(request))
    content = {} if answer.content is None else {"content": codec.unstructure(answer.content)}
    return {"action": answer.action, **content}


def _form_fields(request: ElicitationRequest) -> set[str] | None:
    """Return the names of a form's fields; ``None`` where the protocol does not define them."""
    schema = request.requested_schema
    return set(schema.properties) if isinstance(schema, protocol.McpElicitationSchema) else None


def _check_keys(request: RuntimeRequest, given: Mapping[Any, Any], known: set[str] | None) -> None:
    # Unknown fields would reach the model as if requested. And a raw protocol response, which has an action, must not
    # be mistaken for form fields: the form would be accepted even if the response declines.
    unknown = given.keys() & {"action"} if known is None else given.keys() - known
    if unknown:
        names = ", ".join(sorted(map(repr, unknown)))
        expected = "the form's own fields" if known is None else ", ".join(sorted(map(repr, known))) or "none"
        raise ConfigError(_subject(request), f"does not ask for {names}; expected {expected}")


def refreshed_tokens(request: RuntimeRequest, answer: Any) -> JsonObject:
    """Build the response from fresh tokens."""
    try:
        response = protocol.ChatgptAuthTokensRefreshResponse(**answer)
    except TypeError:  # its text is left out: it may contain tokens
        expected = "a dict of access_token, chatgpt_account_id and, if known, chatgpt_plan_type"
        raise mismatch(request, expected, answer) from None
    check_tokens(response)
    result: JsonObject = codec.unstructure(response)
    return result


def check_tokens(response: protocol.ChatgptAuthTokensRefreshResponse) -> None:
    """Raise `ConfigError` for what the runtime cannot use: a token that fits into no header, for instance."""
    checks.credential("access_token", response.access_token)
    checks.filled("chatgpt_account_id", response.chatgpt_account_id)
    plan = response.chatgpt_plan_type
    if plan is not None and not isinstance(plan, protocol.Unset):
        checks.text("chatgpt_plan_type", plan)
