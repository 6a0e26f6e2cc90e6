"""Requests and decisions, with values alone: the facts of each kind, and the response that each decision becomes."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any, get_args

import attrs
import pytest

from openai_codex import ConfigError, approvals, protocol
from openai_codex.approvals import (
    ApprovalRequest,
    CommandApproval,
    ElicitationRequest,
    FileChangeApproval,
    LegacyCommandApproval,
    LegacyPatchApproval,
    McpToolApproval,
    PermissionsApproval,
    UserInputRequest,
    approval_request,
    read_request,
)
from openai_codex.decisions import (
    RESPONDERS,
    ApprovalDecision,
    ElicitationAnswer,
    accept_all,
    respond,
    response_type,
    to_response,
)
from openai_codex.protocol import OpenEnum, Record, UnknownVariant, structure_named, structure_server_request
from openai_codex.protocol.base import shown_fields
from openai_codex.protocol.methods import SERVER_REQUESTS

PLACE = {"threadId": "T", "turnId": "U", "itemId": "I", "startedAtMs": 1}
ELICITATION = {"threadId": "T", "turnId": "U", "serverName": "probe", "message": "Allow?"}
FORM = {**ELICITATION, "mode": "form", "_meta": None, "requestedSchema": {"type": "object", "properties": {}}}
META = {"codex_approval_kind": "mcp_tool_call", "tool_title": "Danger", "tool_params": {"x": 1}}
PERMISSIONS = {"network": {"enabled": True}, "fileSystem": {"read": ["/r"], "write": ["/w"]}}
HOST = {"host": "example.com", "protocol": "https"}

SAMPLES: dict[type, tuple[str, dict[str, Any]]] = {
    CommandApproval: (
        "item/commandExecution/requestApproval",
        {
            **PLACE,
            "kind": "command",
            "reason": "need it",
            "command": "/bin/bash -lc 'touch x'",
            "cwd": "/w",
            "commandActions": [{"type": "unknown", "command": "touch x"}],
            "proposedExecpolicyAmendment": ["touch", "x"],
            "availableDecisions": ["accept", "cancel"],
            "networkApprovalContext": HOST,
        },
    ),
    FileChangeApproval: ("item/fileChange/requestApproval", {**PLACE, "reason": None, "grantRoot": "/g"}),
    PermissionsApproval: ("item/permissions/requestApproval", {**PLACE, "cwd": "/w", "permissions": PERMISSIONS}),
    McpToolApproval: (
        "mcpServer/elicitation/request",
        {**FORM, "_meta": {**META, "persist": ["session", "always"]}},
    ),
    LegacyCommandApproval: (
        "execCommandApproval",
        {"callId": "I", "conversationId": "T", "command": ["touch", "a b"], "cwd": "/w", "parsedCmd": []},
    ),
    LegacyPatchApproval: (
        "applyPatchApproval",
        {
            "callId": "I",
            "conversationId": "T",
            "fileChanges": {
                "new": {"type": "add", "content": "hello\n"},
                "old": {"type": "update", "unified_diff": "@@ -1 +1 @@\n-a\n+b\n", "move_path": "moved"},
            },
        },
    ),
}

DECISIONS = {
    "accept": ApprovalDecision.accept(),
    "accept_for_session": ApprovalDecision.accept_for_session(),
    "accept_always": ApprovalDecision.accept_always(),
    "accept_command_prefix": ApprovalDecision.accept_command_prefix(["touch"]),
    "allow_host": ApprovalDecision.allow_host(),
    "deny_host": ApprovalDecision.deny_host("*.example.com"),
    "grant": ApprovalDecision.grant(network=True, read=["/r"], write=["/w/a"], for_session=True),
    "decline": ApprovalDecision.decline(),
    "cancel": ApprovalDecision.cancel(),
}

TODAY = {
    "accept": {"decision": "accept"},
    "accept_for_session": {"decision": "acceptForSession"},
    "decline": {"decision": "decline"},
    "cancel": {"decision": "cancel"},
}
LEGACY = {
    "accept": {"decision": "approved"},
    "accept_for_session": {"decision": "approved_for_session"},
    "decline": {"decision": {"denied": {"rejection": "rejected by user"}}},
    "cancel": {"decision": "abort"},
}
EXPECTED: dict[type, dict[str, Any]] = {
    CommandApproval: {
        **TODAY,
        "accept_command_prefix": {
            "decision": {"acceptWithExecpolicyAmendment": {"execpolicy_amendment": ["touch"]}},
        },
        "allow_host": {
            "decision": {
                "applyNetworkPolicyAmendment": {
                    "network_policy_amendment": {"action": "allow", "host": "example.com"},
                },
            },
        },
        "deny_host": {
            "decision": {
                "applyNetworkPolicyAmendment": {
                    "network_policy_amendment": {"action": "deny", "host": "*.example.com"},
                },
            },
        },
    },
    FileChangeApproval: TODAY,
    PermissionsApproval: {
        "accept": {"permissions": PERMISSIONS, "scope": "turn"},
        "accept_for_session": {"permissions": PERMISSIONS, "scope": "session"},
        "grant": {
            "permissions": {"network": {"enabled": True}, "fileSystem": {"read": ["/r"], "write": ["/w/a"]}},
            "scope": "session",
        },
        "decline": {"permissions": {}},
    },
    McpToolApproval: {
        "accept": {"action": "accept"},
        "accept_for_session": {"action": "accept", "_meta": {"persist": "session"}},
        "accept_always": {"action": "accept", "_meta": {"persist": "always"}},
        "decline": {"action": "decline"},
        "cancel": {"action": "cancel"},
    },
    LegacyCommandApproval: {
        **LEGACY,
        "accept_command_prefix": {
            "decision": {"approved_execpolicy_amendment": {"proposed_execpolicy_amendment": ["touch"]}},
        },
    },
    LegacyPatchApproval: LEGACY,
}

OTHERS: dict[str, dict[str, Any]] = {
    "item/tool/requestUserInput": {
        "threadId": "T",
        "turnId": "U",
        "itemId": "I",
        "isBlocking": True,
        "questions": [{"id": name, "header": "h", "question": "?", "options": None} for name in ("q1", "q2")],
    },
    "item/tool/call": {"threadId": "T", "turnId": "U", "callId": "c", "tool": "t", "arguments": {}},
    "account/chatgptAuthTokens/refresh": {"reason": "unauthorized", "previousAccountId": "acc"},
    "currentTime/read": {"threadId": "T"},
    "attestation/generate": {},
}


def params_of(kind: type, **changes: Any) -> Any:
    method, params = SAMPLES[kind]
    return structure_server_request(method, {**params, **changes})


def request_of(kind: type, **changes: Any) -> Any:
    return approval_request(7, params_of(kind, **changes))


def other(method: str) -> Any:
    return structure_server_request(method, OTHERS[method])


def elicitation(**changes: Any) -> Any:
    return structure_server_request("mcpServer/elicitation/request", {**FORM, **changes})


def is_known(value: Any) -> bool:
    """Say whether the protocol names all that is said: an unknown word round-trips too."""
    if isinstance(value, OpenEnum):
        return value.is_known
    if isinstance(value, Record):
        fields = shown_fields(type(value))
        return not isinstance(value, UnknownVariant) and all(is_known(getattr(value, field.name)) for field in fields)
    if isinstance(value, (list, dict)):
        return all(map(is_known, value.values() if isinstance(value, dict) else value))
    return True


def bare(value: Any) -> Any:
    """Return a copy that has only what the protocol's types have; a record that came as JSON keeps more."""
    if isinstance(value, Record):
        return type(value)(**{field.name: bare(getattr(value, field.name)) for field in shown_fields(type(value))})
    return [bare(item) for item in value] if isinstance(value, list) else value


def assert_valid(method: str, json: Any) -> None:
    """Make sure that JSON is what the protocol's response says, and nothing else."""
    response = structure_named(SERVER_REQUESTS[method][1], json)
    assert is_known(response)
    assert protocol.unstructure(bare(response)) == json


def sent(method: str, response: Record) -> Any:
    """Return what travels, after making sure that it is valid and comes back as it was."""
    name = SERVER_REQUESTS[method][1]
    json = protocol.unstructure(response)
    assert_valid(method, json)
    assert type(response).__name__ == name
    assert structure_named(name, json) == response
    return json


# ------------------------------------------------------------------------------------------------------------ requests


def test_there_is_a_sample_of_every_kind() -> None:
    assert set(SAMPLES) == set(EXPECTED) == set(get_args(ApprovalRequest))


@pytest.mark.parametrize("kind", SAMPLES, ids=lambda kind: kind.__name__)
def test_each_kind_has_its_own_class_and_says_where_it_comes_from(kind: type) -> None:
    params = params_of(kind)
    request = approval_request("id", params)
    assert request is not None
    assert type(request) is kind
    assert request.params is params
    assert (request.id, request.thread_id) == ("id", "T")
    assert request.turn_id == (None if kind in {LegacyCommandApproval, LegacyPatchApproval} else "U")
    assert request.item_id == (None if kind is McpToolApproval else "I")
    assert read_request("id", params) == request


def test_a_command_comes_with_what_is_needed_to_decide() -> None:
    request = request_of(CommandApproval)
    assert (request.command, request.cwd, request.reason) == ("/bin/bash -lc 'touch x'", "/w", "need it")
    assert request.kind == "command"
    assert request.proposed_execpolicy_amendment == ["touch", "x"]
    assert request.available_decisions == ["accept", "cancel"]
    assert request.network_approval_context.host == "example.com"
    assert request.command_actions[0].command == "touch x"
    assert "params" not in repr(request)


def test_a_request_is_frozen() -> None:
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        request_of(CommandApproval).command = "rm"


class Watched:
    """Stands for the request's own state, which neither a process nor a copy can share."""

    def __init__(self) -> None:
        self.over = False

    def is_over(self) -> bool:
        return self.over

    def __reduce__(self) -> str:
        raise TypeError("this cannot be pickled")


@pytest.mark.parametrize("kind", SAMPLES, ids=lambda kind: kind.__name__)
def test_a_request_tells_at_any_time_whether_it_is_over(kind: type) -> None:
    watched = Watched()
    request = attrs.evolve(request_of(kind), is_cancelled=watched.is_over)
    assert not request.cancelled
    watched.over = True
    assert request.cancelled
    assert not request_of(kind).cancelled
    # It is no part of the value.
    assert request == request_of(kind)
    assert repr(request) == repr(request_of(kind))
    assert "cancelled" not in repr(request)


def pickled(request: Any) -> Any:
    return pickle.loads(pickle.dumps(request))  # noqa: S301  of our own making


@pytest.mark.parametrize("copied", [pickled, copy.deepcopy], ids=["pickled", "copied"])
@pytest.mark.parametrize("over", [False, True])
def test_a_copy_of_a_request_knows_what_was_so_when_it_was_made(copied: Callable[[Any], Any], over: bool) -> None:
    watched = Watched()
    watched.over = over
    request = attrs.evolve(request_of(CommandApproval), is_cancelled=watched.is_over)
    again = copied(request)
    watched.over = not over
    assert again == request
    assert (again.cancelled, copied(again).cancelled) == (over, over)
    assert request.cancelled is not over


def test_the_file_changes_come_from_the_item() -> None:
    change = {"path": "/w/new", "kind": {"type": "add"}, "diff": "hello\n"}
    item = structure_named("ThreadItem", {"type": "fileChange", "id": "I", "status": "inProgress", "changes": [change]})
    request = approval_request(0, params_of(FileChangeApproval), item)
    assert isinstance(request, FileChangeApproval)
    assert request.changes == item.changes
    assert request.grant_root == "/g"
    assert request.diff == "--- /dev/null\n+++ /w/new\n@@ -0,0 +1,1 @@\n+hello\n"


def test_without_the_item_there_is_no_diff() -> None:
    request = request_of(FileChangeApproval)
    assert (list(request.changes), request.diff) == ([], "")


@pytest.mark.parametrize(
    ("kind", "diff", "text"),
    [
        ({"type": "add"}, "a\nb\n", "--- /dev/null\n+++ p\n@@ -0,0 +1,2 @@\n+a\n+b\n"),
        ({"type": "add"}, "", "--- /dev/null\n+++ p\n"),
        ({"type": "delete"}, "a\n\n", "--- p\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-a\n-\n"),
        ({"type": "update", "move_path": None}, "@@ -1 +1 @@\n-a\n+b\n", "--- p\n+++ p\n@@ -1 +1 @@\n-a\n+b\n"),
        (
            {"type": "update", "move_path": "q"},
            "@@ -1 +1 @@\n-a\n+b\n\n\nMoved to: q",
            "--- p\n+++ q\n@@ -1 +1 @@\n-a\n+b\n",
        ),
        ({"type": "rotate"}, "as it came", "--- p\n+++ p\nas it came\n"),
    ],
)
def test_a_change_as_a_unified_diff(kind: dict[str, Any], diff: str, text: str) -> None:
    change = structure_named("FileUpdateChange", {"path": "p", "kind": kind, "diff": diff})
    assert approvals.unified_diff([change]) == text
    assert approvals.unified_diff([change, change]) == text * 2


def test_old_kinds_speak_todays_words() -> None:
    assert request_of(LegacyCommandApproval).command == "touch 'a b'"
    patch = request_of(LegacyPatchApproval)
    assert [(change.path, change.kind.type) for change in patch.changes] == [("new", "add"), ("old", "update")]
    assert patch.diff == ("--- /dev/null\n+++ new\n@@ -0,0 +1,1 @@\n+hello\n--- old\n+++ moved\n@@ -1 +1 @@\n-a\n+b\n")


def test_an_old_change_of_an_unknown_kind_is_kept() -> None:
    params = params_of(LegacyPatchApproval, fileChanges={"p": {"type": "rotate", "content": "c", "by": 90}})
    request = approval_request(0, params)
    assert isinstance(request, LegacyPatchApproval)
    assert request.changes[0].kind == UnknownVariant({"type": "rotate", "by": 90}, "rotate")
    assert params.file_changes["p"].raw == {"type": "rotate", "content": "c", "by": 90}


def test_permissions_say_what_is_asked() -> None:
    request = request_of(PermissionsApproval)
    assert request.permissions.network.enabled is True
    assert request.permissions.file_system.write == ["/w"]


def test_an_elicitation_may_be_an_approval() -> None:
    request = request_of(McpToolApproval)
    assert (request.server_name, request.reason, request.arguments) == ("probe", "Allow?", {"x": 1})
    assert (request.tool_title, request.tool_description) == ("Danger", None)
    assert request.persist == ("session", "always")


@pytest.mark.parametrize(("persist", "expected"), [(None, ()), ("always", ("always",)), (["session"], ("session",))])
def test_how_long_an_mcp_approval_may_last(persist: Any, expected: tuple[str, ...]) -> None:
    assert request_of(McpToolApproval, _meta={**META, "persist": persist}).persist == expected


@pytest.mark.parametrize("meta", [None, {}, {"codex_approval_kind": "tool_suggestion"}, "mcp_tool_call", []])
def test_an_ordinary_elicitation_is_no_approval(meta: Any) -> None:
    params = elicitation(_meta=meta)
    assert approval_request(0, params) is None
    request = read_request(0, params)
    assert isinstance(request, ElicitationRequest)
    assert (request.mode, request.server_name, request.message, request.url) == ("form", "probe", "Allow?", None)
    assert request.requested_schema == params.requested_schema


def test_the_other_modes_of_an_elicitation() -> None:
    page = read_request(0, elicitation(mode="url", url="https://example.com", elicitationId="e"))
    check = read_request(0, elicitation(mode="openai/userVerification", title="t", description="d", challenge="c"))
    form = read_request(0, elicitation(mode="openai/form", requestedSchema={"any": "thing"}))
    assert isinstance(page, ElicitationRequest)
    assert (page.url, page.requested_schema) == ("https://example.com", None)
    assert isinstance(check, ElicitationRequest)
    assert check.message == "d"
    assert isinstance(form, ElicitationRequest)
    assert form.requested_schema == {"any": "thing"}


def test_questions_of_the_model() -> None:
    params = other("item/tool/requestUserInput")
    request = read_request(0, params)
    assert approval_request(0, params) is None
    assert isinstance(request, UserInputRequest)
    assert [question.id for question in request.questions] == ["q1", "q2"]
    assert request.is_blocking


@pytest.mark.parametrize("method", set(OTHERS) - {"item/tool/requestUserInput"})
def test_what_is_for_the_program_asks_no_person(method: str) -> None:
    assert read_request(0, other(method)) is None


def test_an_elicitation_of_a_new_mode_asks_nobody() -> None:
    assert read_request(0, elicitation(mode="telepathy")) is None


# ----------------------------------------------------------------------------------------------------------- decisions


@pytest.mark.parametrize("verb", DECISIONS)
@pytest.mark.parametrize("kind", SAMPLES, ids=lambda kind: kind.__name__)
def test_each_decision_of_each_kind(kind: type, verb: str) -> None:
    request, expected = request_of(kind), EXPECTED[kind].get(verb)
    if expected is not None:
        assert sent(SAMPLES[kind][0], to_response(request, DECISIONS[verb])) == expected
        return
    with pytest.raises(ConfigError) as caught:
        to_response(request, DECISIONS[verb])
    assert caught.value.what == kind.__name__
    assert f"does not take the decision {verb}: it takes accept" in caught.value.reason


@pytest.mark.parametrize("kind", SAMPLES, ids=lambda kind: kind.__name__)
def test_shorthand(kind: type) -> None:
    request = request_of(kind)
    assert to_response(request, True) == to_response(request, ApprovalDecision.accept())
    assert to_response(request, False) == to_response(request, ApprovalDecision.decline())
    assert to_response(request, accept_all(request)) == to_response(request, True)


@pytest.mark.parametrize("kind", SAMPLES, ids=lambda kind: kind.__name__)
def test_the_protocols_own_response_goes_as_it_is(kind: type) -> None:
    request = request_of(kind)
    response = to_response(request, False)
    assert isinstance(response, response_type(request.params))
    assert to_response(request, response) is response


@pytest.mark.parametrize("kind", SAMPLES, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("decision", [None, "accept", 1, protocol.CurrentTimeReadResponse(current_time_at=1)])
def test_what_is_no_decision(kind: type, decision: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        to_response(request_of(kind), decision)
    assert (
        str(caught.value) == f"{kind.__name__}: expected an ApprovalDecision or a bool, got {type(decision).__name__}"
    )


@pytest.mark.parametrize("prefix", [None, ["touch", "x"]])
def test_the_prefix_that_is_proposed(prefix: list[str] | None) -> None:
    response: Any = to_response(request_of(CommandApproval), ApprovalDecision.accept_command_prefix(prefix))
    assert response.decision.accept_with_execpolicy_amendment.execpolicy_amendment == ["touch", "x"]


@pytest.mark.parametrize(
    ("request_", "decision"),
    [
        (request_of(CommandApproval, proposedExecpolicyAmendment=None), ApprovalDecision.accept_command_prefix()),
        (request_of(CommandApproval), ApprovalDecision.accept_command_prefix([])),
        (request_of(LegacyCommandApproval), ApprovalDecision.accept_command_prefix()),
        (request_of(CommandApproval, networkApprovalContext=None), ApprovalDecision.allow_host("example.com")),
        (request_of(CommandApproval, networkApprovalContext=None), ApprovalDecision.deny_host()),
        (request_of(McpToolApproval, _meta=META), ApprovalDecision.accept_for_session()),
        (request_of(McpToolApproval, _meta={**META, "persist": ["session"]}), ApprovalDecision.accept_always()),
    ],
)
def test_a_decision_that_this_request_gives_no_ground_for(request_: Any, decision: ApprovalDecision) -> None:
    with pytest.raises(ConfigError, match=f"{type(request_).__name__}: does not take the decision {decision.verb}: "):
        to_response(request_, decision)


@pytest.mark.parametrize("grant", [{"read": "/r"}, {"write": [1]}, {"for_session": True, "strict_auto_review": True}])
def test_a_grant_that_cannot_work(grant: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        ApprovalDecision.grant(**grant)


def test_a_command_prefix_is_a_list_of_words() -> None:
    with pytest.raises(ConfigError, match="prefix: expected a list of strings"):
        ApprovalDecision.accept_command_prefix("touch")


@pytest.mark.parametrize(
    ("grant", "json"),
    [
        ({}, {"permissions": {}, "scope": "turn"}),
        ({"write": ("/w",)}, {"permissions": {"fileSystem": {"write": ["/w"]}}, "scope": "turn"}),
        (
            {"network": True, "strict_auto_review": True},
            {"permissions": {"network": {"enabled": True}}, "scope": "turn", "strictAutoReview": True},
        ),
    ],
)
def test_grants_of_a_part(grant: dict[str, Any], json: dict[str, Any]) -> None:
    response = to_response(request_of(PermissionsApproval), ApprovalDecision.grant(**grant))
    assert sent("item/permissions/requestApproval", response) == json


def test_what_was_not_asked_is_not_granted() -> None:
    request = request_of(PermissionsApproval, permissions={"network": None, "fileSystem": {"read": ["/r"]}})
    json = sent("item/permissions/requestApproval", to_response(request, True))
    assert json == {"permissions": {"fileSystem": {"read": ["/r"]}}, "scope": "turn"}


# ------------------------------------------------------------------------------------------------------------- answers


@pytest.mark.parametrize(
    ("answer", "answers"),
    [
        (None, {}),
        ({}, {}),
        ({"q1": "A"}, {"q1": {"answers": ["A"]}}),
        ({"q1": ["A", "B"], "q2": ()}, {"q1": {"answers": ["A", "B"]}, "q2": {"answers": []}}),
    ],
)
def test_answers_to_questions(answer: Any, answers: dict[str, Any]) -> None:
    response = respond(other("item/tool/requestUserInput"), answer)
    assert sent("item/tool/requestUserInput", response) == {"answers": answers}


@pytest.mark.parametrize("answer", [True, "A", ["A"], {"q3": "A"}, {1: "A"}, {"q1": 1}, {"q1": [1]}])
def test_answers_that_fit_no_question(answer: Any) -> None:
    with pytest.raises(ConfigError):
        respond(other("item/tool/requestUserInput"), answer)


@pytest.mark.parametrize(
    ("answer", "json"),
    [
        ({"name": "Bob"}, {"action": "accept", "content": {"name": "Bob"}}),
        ({}, {"action": "accept", "content": {}}),
        (True, {"action": "accept"}),
        (False, {"action": "decline"}),
        (None, {"action": "decline"}),
        (ElicitationAnswer("accept", {"name": "Bob"}), {"action": "accept", "content": {"name": "Bob"}}),
        (ElicitationAnswer("decline"), {"action": "decline"}),
        (ElicitationAnswer("cancel"), {"action": "cancel"}),
    ],
)
def test_answers_to_elicitations(answer: Any, json: dict[str, Any]) -> None:
    page = elicitation(mode="url", url="https://example.com", elicitationId="e")
    for params in (elicitation(), page, params_of(McpToolApproval)):
        assert sent("mcpServer/elicitation/request", respond(params, answer)) == json


@pytest.mark.parametrize("answer", ["Bob", 1, ["Bob"], ApprovalDecision.accept()])
def test_answers_that_no_elicitation_takes(answer: Any) -> None:
    with pytest.raises(ConfigError, match="FormMcpServerElicitationRequestParams: expected"):
        respond(elicitation(), answer)


def test_a_handler_of_elicitations_may_decide_about_a_tool() -> None:
    response = respond(params_of(McpToolApproval), ApprovalDecision.accept_for_session())
    assert sent("mcpServer/elicitation/request", response) == EXPECTED[McpToolApproval]["accept_for_session"]


@pytest.mark.parametrize("kind", set(SAMPLES) - {McpToolApproval}, ids=lambda kind: kind.__name__)
def test_a_handler_of_the_params_may_decide_too(kind: type) -> None:
    assert respond(params_of(kind), True) == to_response(request_of(kind), True)


def test_fresh_tokens() -> None:
    tokens = {"access_token": "secret", "chatgpt_account_id": "acc"}
    response = respond(other("account/chatgptAuthTokens/refresh"), tokens)
    assert sent("account/chatgptAuthTokens/refresh", response) == {
        "accessToken": "secret",
        "chatgptAccountId": "acc",
    }


@pytest.mark.parametrize("answer", [None, "secret", {"access_token": "secret"}, {"token": "secret"}])
def test_no_fresh_tokens(answer: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        respond(other("account/chatgptAuthTokens/refresh"), answer)
    assert "secret" not in repr(caught.value)
    assert caught.value.__suppress_context__


def test_the_rest_takes_responses_only() -> None:
    rest = set(SERVER_REQUESTS) - set(RESPONDERS)
    assert rest == {"item/tool/call", "currentTime/read", "attestation/generate"}
    for method in rest:
        with pytest.raises(ConfigError, match=f"expected a {SERVER_REQUESTS[method][1]}, got int"):
            respond(other(method), 1)
    response = protocol.CurrentTimeReadResponse(current_time_at=1)
    assert respond(other("currentTime/read"), response) is response
