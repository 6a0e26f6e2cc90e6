"""Requests and decisions, with values alone: the facts of each kind, and the response that each decision becomes."""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, get_args

import attrs
import pytest

from openai_codex import AsyncCodex, Codex, ConfigError
from openai_codex import _codec as codec
from openai_codex import _protocol as protocol
from openai_codex._approvals.decisions import ApprovalDecision, ElicitationAnswer, accept_all
from openai_codex._approvals.file_changes import PendingFileChanges, unified_diff
from openai_codex._approvals.kinds import KINDS, read_request, respond
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
from openai_codex._codec import structure_named, structure_server_request
from openai_codex._codec.base import record_fields
from openai_codex._notification import Notification
from openai_codex._protocol import OpenEnum, Record, UnknownVariant
from openai_codex._protocol.methods import SERVER_REQUESTS
from openai_codex.testing import FakeAppServer
from tests.protocol.test_typing import Check, mypy, pyright

PLACE = {"threadId": "T", "turnId": "U", "itemId": "I", "startedAtMs": 1}
ELICITATION = {"threadId": "T", "turnId": "U", "serverName": "probe", "message": "Allow?"}
FORM = {**ELICITATION, "mode": "form", "_meta": None, "requestedSchema": {"type": "object", "properties": {}}}
FIELDS = {"type": "object", "properties": {"name": {"type": "string"}}}
META = {"codex_approval_kind": "mcp_tool_call", "tool_title": "Danger", "tool_params": {"x": 1}}
TOOL_QUESTION = {
    "id": "mcp_tool_call_approval_I",
    "header": "Approve app tool call?",
    "question": "Allow?",
    "isOther": False,
    "isSecret": False,
    "options": [{"label": label, "description": ""} for label in ("Allow", "Allow for this session", "Cancel")],
}
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
        "cancel": {"permissions": {}},
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


def read(method: str, params: dict[str, Any], changes: Any = None) -> Any:
    return read_request(7, method, params, lambda *_: changes)


def request_of(kind: type, **changes: Any) -> Any:
    method, params = SAMPLES[kind]
    return read(method, {**params, **changes})


def other(method: str) -> Any:
    return read(method, OTHERS[method])


def elicitation(**changes: Any) -> Any:
    return read("mcpServer/elicitation/request", {**FORM, **changes})


def response_to(request: Any, answer: Any) -> Any:
    """Return the JSON of the result, after making sure that the protocol knows all of it."""
    method = request.params.METHOD
    result = respond(method, request, answer)
    assert_valid(method, result)
    return result


def is_known(value: Any) -> bool:
    """Say whether the protocol names all that is said: an unknown word round-trips too."""
    if isinstance(value, OpenEnum):
        return value.is_known
    if isinstance(value, Record):
        fields = record_fields(type(value))
        return not isinstance(value, UnknownVariant) and all(is_known(getattr(value, field.name)) for field in fields)
    if isinstance(value, (list, dict)):
        return all(map(is_known, value.values() if isinstance(value, dict) else value))
    return True


def bare(value: Any) -> Any:
    """Return a copy that has only what the protocol's types have; a record that came as JSON keeps more."""
    if isinstance(value, Record):
        return type(value)(**{field.name: bare(getattr(value, field.name)) for field in record_fields(type(value))})
    return [bare(item) for item in value] if isinstance(value, list) else value


def assert_valid(method: str, json: Any) -> None:
    """Make sure that JSON is what the protocol's response says, and nothing else."""
    response = structure_named(SERVER_REQUESTS[method][1], json)
    assert is_known(response)
    assert codec.unstructure(bare(response)) == json


# ------------------------------------------------------------------------------------------------------------ requests


def test_there_is_a_sample_of_every_kind() -> None:
    assert set(SAMPLES) == set(EXPECTED) == set(get_args(ApprovalRequest))


@pytest.mark.parametrize("kind", SAMPLES, ids=lambda kind: kind.__name__)
def test_each_kind_has_its_own_class_and_says_where_it_comes_from(kind: type) -> None:
    request = request_of(kind)
    assert type(request) is kind
    method, params = SAMPLES[kind]
    assert request.params == structure_server_request(method, params)
    assert (request.id, request.thread_id) == (7, "T")
    assert request.turn_id == (None if kind in {LegacyCommandApproval, LegacyPatchApproval} else "U")
    assert request.item_id == (None if kind is McpToolApproval else "I")


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
    item = {"type": "fileChange", "id": "I", "status": "inProgress", "changes": [change]}
    started = PendingFileChanges()
    started.put([Notification("item/started", {"threadId": "T", "turnId": "U", "item": item})])
    method, params = SAMPLES[FileChangeApproval]
    request = read_request(7, method, params, started.find)
    assert isinstance(request, FileChangeApproval)
    assert request.changes == structure_named("ThreadItem", item).changes
    assert request.grant_root == "/g"
    assert request.diff == "--- /dev/null\n+++ /w/new\n@@ -0,0 +1,1 @@\n+hello\n"


def test_changes_that_were_not_seen_are_not_taken_for_none() -> None:
    request = request_of(FileChangeApproval)
    assert (request.changes, request.diff) == (None, None)


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
    assert unified_diff([change]) == text
    assert unified_diff([change, change]) == text * 2


def test_old_kinds_speak_todays_words() -> None:
    assert request_of(LegacyCommandApproval).command == "touch 'a b'"
    patch = request_of(LegacyPatchApproval)
    assert [(change.path, change.kind.type) for change in patch.changes] == [("new", "add"), ("old", "update")]
    assert patch.diff == ("--- /dev/null\n+++ new\n@@ -0,0 +1,1 @@\n+hello\n--- old\n+++ moved\n@@ -1 +1 @@\n-a\n+b\n")


def test_an_old_change_of_an_unknown_kind_is_kept() -> None:
    request = request_of(LegacyPatchApproval, fileChanges={"p": {"type": "rotate", "content": "c", "by": 90}})
    assert isinstance(request, LegacyPatchApproval)
    assert request.changes[0].kind == UnknownVariant({"type": "rotate", "by": 90}, "rotate")
    assert request.params.file_changes["p"].raw == {"type": "rotate", "content": "c", "by": 90}


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
    request = elicitation(_meta=meta)
    assert isinstance(request, ElicitationRequest)
    assert (request.mode, request.server_name, request.message, request.url) == ("form", "probe", "Allow?", None)
    assert request.requested_schema == request.params.requested_schema


@pytest.mark.parametrize(
    "changes",
    [
        {"requestedSchema": FIELDS},
        {"turnId": None},
        {"mode": "url", "url": "https://example.com", "elicitationId": "e"},
        {"mode": "openai/form", "requestedSchema": {}},
        {"mode": "openaiForm", "requestedSchema": {}},
        {"mode": "openai/userVerification", "title": "t", "description": "d", "challenge": "c"},
    ],
)
def test_a_server_that_asks_for_more_than_an_approval_does_not_pass_for_the_runtime(changes: dict[str, Any]) -> None:
    assert isinstance(elicitation(_meta=META, **changes), ElicitationRequest)


def test_the_other_modes_of_an_elicitation() -> None:
    page = elicitation(mode="url", url="https://example.com", elicitationId="e")
    check = elicitation(mode="openai/userVerification", title="t", description="d", challenge="c")
    form = elicitation(mode="openai/form", requestedSchema={"any": "thing"})
    assert isinstance(page, ElicitationRequest)
    assert (page.url, page.requested_schema) == ("https://example.com", None)
    assert isinstance(check, ElicitationRequest)
    assert check.message == "d"
    assert isinstance(form, ElicitationRequest)
    assert form.requested_schema == {"any": "thing"}


def test_questions_of_the_model() -> None:
    request = other("item/tool/requestUserInput")
    assert isinstance(request, UserInputRequest)
    assert [question.id for question in request.questions] == ["q1", "q2"]
    assert request.is_blocking


def tool_question(**changes: Any) -> Any:
    """What the runtime asks about an MCP tool when it may not do so by elicitation."""
    asked = {**OTHERS["item/tool/requestUserInput"], "questions": [{**TOOL_QUESTION, **changes}]}
    return read("item/tool/requestUserInput", asked)


def test_a_question_of_the_runtime_about_a_tool_is_an_approval() -> None:
    request = tool_question()
    assert isinstance(request, McpToolApproval)
    assert (request.thread_id, request.turn_id, request.item_id, request.reason) == ("T", "U", "I", "Allow?")
    assert (request.server_name, request.arguments, request.persist) == (None, None, ("session",))


@pytest.mark.parametrize("changes", [{"isOther": True}, {"id": "mcp_tool_call_approval_other"}, {"id": "q"}])
def test_a_question_of_the_model_does_not_pass_for_one_of_the_runtime(changes: dict[str, Any]) -> None:
    assert isinstance(tool_question(**changes), UserInputRequest)


def test_one_of_several_questions_is_no_approval() -> None:
    asked = {**OTHERS["item/tool/requestUserInput"], "questions": [TOOL_QUESTION, TOOL_QUESTION]}
    assert isinstance(read("item/tool/requestUserInput", asked), UserInputRequest)


PLAIN = {
    "item/tool/call": ("T", "U", "c", None),
    "account/chatgptAuthTokens/refresh": (None, None, None, "unauthorized"),
    "currentTime/read": ("T", None, None, None),
    "attestation/generate": (None, None, None, None),
}


@pytest.mark.parametrize("method", PLAIN)
def test_what_is_for_the_program_is_a_plain_request(method: str) -> None:
    request = other(method)
    assert type(request) is RuntimeRequest
    assert request.params == structure_server_request(method, OTHERS[method])
    assert PLAIN[method] == (request.thread_id, request.turn_id, request.item_id, request.reason)


def test_every_request_of_the_protocol_can_be_read() -> None:
    read = {method for method, _ in SAMPLES.values()} | set(OTHERS)
    assert read == set(SERVER_REQUESTS)


def test_an_elicitation_of_a_new_mode_is_a_plain_request() -> None:
    request = elicitation(mode="telepathy")
    assert type(request) is RuntimeRequest
    assert (request.thread_id, request.turn_id, request.params.raw["mode"]) == ("T", "U", "telepathy")


# ----------------------------------------------------------------------------------------------------------- decisions


@pytest.mark.parametrize("verb", DECISIONS)
@pytest.mark.parametrize("kind", SAMPLES, ids=lambda kind: kind.__name__)
def test_each_decision_of_each_kind(kind: type, verb: str) -> None:
    request, expected = request_of(kind), EXPECTED[kind].get(verb)
    if expected is not None:
        assert response_to(request, DECISIONS[verb]) == expected
        return
    with pytest.raises(ConfigError) as caught:
        response_to(request, DECISIONS[verb])
    assert caught.value.what == kind.__name__
    assert f"does not accept the decision {verb}: expected one of decline, accept" in caught.value.reason


@pytest.mark.parametrize("kind", SAMPLES, ids=lambda kind: kind.__name__)
def test_shorthand(kind: type) -> None:
    request = request_of(kind)
    assert response_to(request, True) == response_to(request, ApprovalDecision.accept())
    assert response_to(request, False) == response_to(request, ApprovalDecision.decline())
    assert response_to(request, accept_all(request)) == response_to(request, True)


@pytest.mark.parametrize("kind", SAMPLES, ids=lambda kind: kind.__name__)
def test_the_protocols_own_response_goes_as_it_is(kind: type) -> None:
    request = request_of(kind)
    declined = response_to(request, False)
    response = structure_named(SERVER_REQUESTS[SAMPLES[kind][0]][1], declined)
    assert response_to(request, response) == declined


@pytest.mark.parametrize("kind", SAMPLES, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("decision", [None, "accept", 1, protocol.CurrentTimeReadResponse(current_time_at=1)])
def test_what_is_no_decision(kind: type, decision: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        response_to(request_of(kind), decision)
    assert (
        str(caught.value) == f"{kind.__name__}: expected an ApprovalDecision or a bool, got {type(decision).__name__}"
    )


@pytest.mark.parametrize("prefix", [None, ["touch", "x"]])
def test_the_prefix_that_is_proposed(prefix: list[str] | None) -> None:
    response = response_to(request_of(CommandApproval), ApprovalDecision.accept_command_prefix(prefix))
    assert response["decision"]["acceptWithExecpolicyAmendment"] == {"execpolicy_amendment": ["touch", "x"]}


@pytest.mark.parametrize(
    ("request_", "decision"),
    [
        (request_of(CommandApproval, proposedExecpolicyAmendment=None), ApprovalDecision.accept_command_prefix()),
        (request_of(CommandApproval), ApprovalDecision.accept_command_prefix([])),
        (request_of(LegacyCommandApproval), ApprovalDecision.accept_command_prefix()),
        (request_of(CommandApproval, networkApprovalContext=None), ApprovalDecision.allow_host("example.com")),
        (request_of(CommandApproval, networkApprovalContext=None), ApprovalDecision.deny_host()),
        (request_of(McpToolApproval, _meta=META), ApprovalDecision.accept_always()),
        (request_of(McpToolApproval, _meta={**META, "persist": ["session"]}), ApprovalDecision.accept_always()),
    ],
)
def test_a_decision_that_this_request_gives_no_ground_for(request_: Any, decision: ApprovalDecision) -> None:
    with pytest.raises(ConfigError, match=f"{type(request_).__name__}: does not accept the decision {decision.verb}: "):
        response_to(request_, decision)


GENERIC = ("accept", "accept_for_session", "decline", "cancel")


@pytest.mark.parametrize("kind", SAMPLES, ids=lambda kind: kind.__name__)
def test_every_request_takes_the_generic_decisions(kind: type) -> None:
    assert set(GENERIC) <= EXPECTED[kind].keys()


def test_a_session_that_is_not_offered_for_an_mcp_tool_is_this_once() -> None:
    request = request_of(McpToolApproval, _meta={**META, "persist": ["always"]})
    assert response_to(request, ApprovalDecision.accept_for_session()) == {"action": "accept"}


@pytest.mark.parametrize(
    ("decision", "option"),
    [
        (True, "Allow"),
        (ApprovalDecision.accept_for_session(), "Allow for this session"),
        (False, "Cancel"),
        (ApprovalDecision.cancel(), "Cancel"),
    ],
)
def test_a_decision_about_a_tool_that_was_asked_for_by_question(decision: Any, option: str) -> None:
    answers = {"mcp_tool_call_approval_I": {"answers": [option]}}
    assert response_to(tool_question(), decision) == {"answers": answers}


def test_a_question_about_a_tool_that_offers_less() -> None:
    request = tool_question(options=[{"label": label, "description": ""} for label in ("Allow", "Cancel")])
    response = response_to(request, ApprovalDecision.accept_for_session())
    assert response["answers"]["mcp_tool_call_approval_I"] == {"answers": ["Allow"]}
    for wrong in (ApprovalDecision.accept_always(), {"mcp_tool_call_approval_I": "Allow"}, None):
        with pytest.raises(ConfigError, match="McpToolApproval"):
            response_to(request, wrong)


@pytest.mark.parametrize("grant", [{"read": "/r"}, {"write": [1]}, {"for_session": True, "strict_auto_review": True}])
def test_a_grant_that_cannot_work(grant: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        ApprovalDecision.grant(**grant)


def test_a_command_prefix_is_a_list_of_words() -> None:
    with pytest.raises(ConfigError, match="prefix: expected a list of str, got 'touch'"):
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
    assert response_to(request_of(PermissionsApproval), ApprovalDecision.grant(**grant)) == json


def test_what_was_not_asked_is_not_granted() -> None:
    request = request_of(PermissionsApproval, permissions={"network": None, "fileSystem": {"read": ["/r"]}})
    assert response_to(request, True) == {"permissions": {"fileSystem": {"read": ["/r"]}}, "scope": "turn"}


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
    assert response_to(other("item/tool/requestUserInput"), answer) == {"answers": answers}


@pytest.mark.parametrize("answer", [True, "A", ["A"], {"q3": "A"}, {1: "A"}, {"q1": 1}, {"q1": [1]}])
def test_answers_that_fit_no_question(answer: Any) -> None:
    with pytest.raises(ConfigError):
        response_to(other("item/tool/requestUserInput"), answer)


PAGE = {"mode": "url", "url": "https://example.com", "elicitationId": "e"}
OPEN_FORM = {"mode": "openai/form", "requestedSchema": {"any": "thing"}}


@pytest.mark.parametrize(
    ("answer", "json"),
    [
        (True, {"action": "accept"}),
        (False, {"action": "decline"}),
        (None, {"action": "decline"}),
        (ElicitationAnswer("accept", {"name": "Bob"}), {"action": "accept", "content": {"name": "Bob"}}),
        (ElicitationAnswer("decline"), {"action": "decline"}),
        (ElicitationAnswer("cancel"), {"action": "cancel"}),
    ],
)
@pytest.mark.parametrize("changes", [{"requestedSchema": FIELDS}, PAGE, OPEN_FORM], ids=["form", "page", "open form"])
def test_answers_to_elicitations(changes: dict[str, Any], answer: Any, json: dict[str, Any]) -> None:
    assert response_to(elicitation(**changes), answer) == json


@pytest.mark.parametrize("content", [{"name": "Bob"}, {}])
@pytest.mark.parametrize("changes", [{"requestedSchema": FIELDS}, OPEN_FORM], ids=["form", "open form"])
def test_a_dict_fills_in_a_form(changes: dict[str, Any], content: dict[str, Any]) -> None:
    assert response_to(elicitation(**changes), content) == {"action": "accept", "content": content}


def test_a_field_may_have_any_name() -> None:
    asked = {"type": "object", "properties": {"action": {"type": "string"}}}
    response = response_to(elicitation(requestedSchema=asked), {"action": "decline"})
    assert response == {"action": "accept", "content": {"action": "decline"}}


@pytest.mark.parametrize("changes", [{}, {"requestedSchema": FIELDS}, OPEN_FORM], ids=["empty", "form", "open form"])
@pytest.mark.parametrize("answer", [{"action": "decline"}, {"action": "accept", "content": {"name": "Bob"}}])
def test_a_response_in_the_words_of_the_protocol_is_no_form(changes: dict[str, Any], answer: Any) -> None:
    for given in (answer, ElicitationAnswer("accept", answer)):
        with pytest.raises(ConfigError, match="does not ask for 'action'"):
            response_to(elicitation(**changes), given)


def test_a_field_that_the_form_does_not_have() -> None:
    for given in ({"nmae": "Bob"}, {"name": "Bob", "nmae": 1}, ElicitationAnswer("accept", {"nmae": "Bob"})):
        with pytest.raises(ConfigError, match="does not ask for 'nmae'; expected 'name'"):
            response_to(elicitation(requestedSchema=FIELDS), given)


@pytest.mark.parametrize("answer", [{}, {"action": "accept"}])
def test_a_page_has_no_fields(answer: Any) -> None:
    with pytest.raises(ConfigError, match="ElicitationRequest: expected"):
        response_to(elicitation(**PAGE), answer)


@pytest.mark.parametrize("answer", ["Bob", 1, ["Bob"], ApprovalDecision.accept()])
def test_answers_that_no_elicitation_takes(answer: Any) -> None:
    with pytest.raises(ConfigError, match="ElicitationRequest: expected"):
        response_to(elicitation(), answer)


@pytest.mark.parametrize("action", ["approve", "", None, ["accept"]])
def test_an_action_that_there_is_not(action: Any) -> None:
    with pytest.raises(ConfigError, match="action: expected one of accept, decline, cancel, got "):
        ElicitationAnswer(action, {"name": "Bob"})


@pytest.mark.parametrize(
    "answer", [{}, {"action": "decline"}, {"decision": "decline"}, None, ElicitationAnswer("accept"), "yes"]
)
def test_what_fills_in_a_form_does_not_approve_of_a_tool(answer: Any) -> None:
    with pytest.raises(ConfigError, match="McpToolApproval: expected an ApprovalDecision or a bool"):
        response_to(request_of(McpToolApproval), answer)


def test_a_handler_of_elicitations_may_decide_about_a_tool() -> None:
    response = response_to(request_of(McpToolApproval), ApprovalDecision.accept_for_session())
    assert response == EXPECTED[McpToolApproval]["accept_for_session"]


def test_fresh_tokens() -> None:
    tokens = {"access_token": "secret", "chatgpt_account_id": "acc"}
    assert response_to(other("account/chatgptAuthTokens/refresh"), tokens) == {
        "accessToken": "secret",
        "chatgptAccountId": "acc",
    }


@pytest.mark.parametrize("answer", [None, "secret", {"access_token": "secret"}, {"token": "secret"}])
def test_no_fresh_tokens(answer: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        response_to(other("account/chatgptAuthTokens/refresh"), answer)
    assert "secret" not in repr(caught.value)
    assert caught.value.__suppress_context__


def test_the_rest_takes_responses_only() -> None:
    rest = {method for method, kind in KINDS.items() if kind.answer is None and not kind.decisions}
    assert rest == {"item/tool/call", "currentTime/read", "attestation/generate"}
    for method in rest:
        with pytest.raises(ConfigError, match=f"expected a {SERVER_REQUESTS[method][1]}, got int"):
            response_to(other(method), 1)
    response = protocol.CurrentTimeReadResponse(current_time_at=1)
    assert response_to(other("currentTime/read"), response) == {"currentTimeAt": 1}


# ------------------------------------------------------------------------------------------------------------ handlers


async def _is_asked(request: Any) -> bool:
    return True


class Clerk:
    async def __call__(self, request: Any) -> bool:  # noqa: ARG002  handlers are given the request
        return True


@pytest.mark.parametrize(
    "handler",
    [_is_asked, partial(_is_asked), Clerk(), Clerk().__call__],
    ids=["function", "partial", "callable object", "bound method"],
)
def test_coroutine_functions_are_for_the_async_face(handler: Any) -> None:
    for name in ("on_approval", "on_elicitation", "on_token_refresh", "on_user_input"):
        with pytest.raises(
            ConfigError, match=f"{name}: expected a plain function, got a coroutine function; it needs AsyncCodex"
        ):
            Codex(**{name: handler})
        AsyncCodex(**{name: handler})  # it does not connect here


def test_the_sync_face_takes_no_coroutine_function_later_either() -> None:
    with FakeAppServer() as server, Codex(server.config()) as codex:
        handler: Any = _is_asked
        with pytest.raises(
            ConfigError, match="handler: expected a plain function, got a coroutine function; it needs AsyncCodex"
        ):
            codex.handle(protocol.CurrentTimeReadParams, handler)


USE = """
from openai_codex import (
    LATER, ApprovalDecision, ApprovalRequest, AsyncCodex, Codex, ElicitationAnswer, ElicitationRequest,
    UserInputRequest, accept_all,
)
from openai_codex._approvals.decisions import Later
from openai_codex.types import CurrentTimeReadParams, CurrentTimeReadResponse

def yes(request: ApprovalRequest) -> bool: return True
def either(request: ApprovalRequest) -> ApprovalDecision | bool | Later: return LATER
def text(request: ApprovalRequest) -> str: return "yes"
def nothing(request: ApprovalRequest) -> None: ...
def fill(request: ElicitationRequest) -> dict[str, int] | ElicitationAnswer | None: return {"age": 3}
def answer(request: UserInputRequest) -> dict[str, str]: return {"q": "A"}
def tell(params: CurrentTimeReadParams) -> CurrentTimeReadResponse: return CurrentTimeReadResponse(current_time_at=1)
async def soon(request: ApprovalRequest) -> bool: return True
async def soon_nothing(request: ApprovalRequest) -> None: ...
async def soon_tell(params: CurrentTimeReadParams) -> CurrentTimeReadResponse | Later: return LATER

codex = Codex(on_approval=yes, on_elicitation=fill, on_user_input=answer)
codex.handle(CurrentTimeReadParams, tell)
codex.handle(CurrentTimeReadParams, lambda params: LATER)
codex.answer(1, True)
codex.answer(1, CurrentTimeReadResponse(current_time_at=1))
Codex(on_approval=either)
Codex(on_approval=accept_all)
Codex(on_approval=lambda request: request.thread_id != "")
Codex(on_approval=text)  # wrong
Codex(on_approval=nothing)  # wrong
Codex(on_approval=soon)  # wrong
Codex(on_user_input=yes)  # wrong
codex.handle(CurrentTimeReadParams, soon_tell)  # wrong
codex.handle(CurrentTimeReadParams, nothing)  # wrong
codex.answer(1, "yes")  # wrong

late = AsyncCodex(on_approval=soon)
late.handle(CurrentTimeReadParams, soon_tell)
late.handle(CurrentTimeReadParams, tell)
AsyncCodex(on_approval=either, on_elicitation=fill, on_user_input=answer)
AsyncCodex(on_approval=text)  # wrong
AsyncCodex(on_approval=soon_nothing)  # wrong
late.handle(CurrentTimeReadParams, soon)  # wrong
"""


@pytest.mark.slow
@pytest.mark.parametrize("check", [mypy, pyright])
def test_type_checkers_know_what_a_handler_returns(check: Check, tmp_path: Path) -> None:
    (tmp_path / "use.py").write_text(USE)
    wrong = [number for number, line in enumerate(USE.splitlines(), 1) if line.endswith("# wrong")]
    done = check(tmp_path)
    found = sorted({int(number) for number in re.findall(r"use\.py:(\d+):.*error", done.stdout)})
    assert found == wrong, done.stdout + done.stderr
