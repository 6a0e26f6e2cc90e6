"""Requests, with values alone: the facts of each kind."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any, get_args

import attrs
import pytest

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
from openai_codex._codec import structure_server_request
from openai_codex._protocol import UnknownVariant
from openai_codex._protocol.methods import SERVER_REQUESTS
from tests.approvals.samples import (
    EXPECTED,
    FIELDS,
    META,
    OTHERS,
    SAMPLES,
    TOOL_QUESTION,
    elicitation,
    other,
    read,
    request_of,
    tool_question,
)


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


def test_changes_that_were_not_seen_are_not_taken_for_none() -> None:
    request = request_of(FileChangeApproval)
    assert (request.changes, request.diff) == (None, None)


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


@pytest.mark.parametrize(
    ("persist", "expected"),
    [
        (None, ()),
        ("always", ("always",)),
        (["session"], ("session",)),
        ([5, "", "always"], ("always",)),
        (5, ()),
        ({}, ()),
    ],
)
def test_how_long_an_mcp_approval_may_last(persist: Any, expected: tuple[str, ...]) -> None:
    assert request_of(McpToolApproval, _meta={**META, "persist": persist}).persist == expected


@pytest.mark.parametrize("field", ["tool_title", "tool_description", "tool_params"])
@pytest.mark.parametrize("value", [5, ["x"], None, True])
def test_what_a_server_puts_in_the_place_of_a_text_or_an_object_is_none(field: str, value: Any) -> None:
    request = request_of(McpToolApproval, _meta={**META, field: value})
    assert getattr(request, {"tool_params": "arguments"}.get(field, field)) is None


@pytest.mark.parametrize("meta", [None, {}, {"codex_approval_kind": "tool_suggestion"}, "mcp_tool_call", []])
def test_an_ordinary_elicitation_is_not_an_approval(meta: Any) -> None:
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


def test_a_question_of_the_runtime_about_a_tool_is_an_approval() -> None:
    request = tool_question()
    assert isinstance(request, McpToolApproval)
    assert (request.thread_id, request.turn_id, request.item_id, request.reason) == ("T", "U", "I", "Allow?")
    assert (request.server_name, request.arguments, request.persist) == (None, None, ("session",))


@pytest.mark.parametrize("changes", [{"isOther": True}, {"id": "mcp_tool_call_approval_other"}, {"id": "q"}])
def test_a_question_of_the_model_does_not_pass_for_one_of_the_runtime(changes: dict[str, Any]) -> None:
    assert isinstance(tool_question(**changes), UserInputRequest)


def test_one_of_several_questions_is_not_an_approval() -> None:
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
