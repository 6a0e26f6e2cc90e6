"""Decisions and answers, with values alone: the response that each becomes, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from openai_codex import ConfigError
from openai_codex import _protocol as protocol
from openai_codex._approvals.decisions import ApprovalDecision, ElicitationAnswer, accept_all
from openai_codex._approvals.kinds import KINDS
from openai_codex._approvals.requests import (
    CommandApproval,
    LegacyCommandApproval,
    McpToolApproval,
    PermissionsApproval,
)
from openai_codex._codec import structure_named
from openai_codex._protocol.methods import SERVER_REQUESTS
from tests.approvals.samples import (
    DECISIONS,
    EXPECTED,
    FIELDS,
    META,
    SAMPLES,
    elicitation,
    other,
    request_of,
    response_to,
    tool_question,
)


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
def test_values_that_are_not_decisions_are_refused(kind: type, decision: Any) -> None:
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


@pytest.mark.parametrize(
    "grant",
    [
        {"read": "/r"},
        {"write": [1]},
        {"for_session": True, "strict_auto_review": True},
        *({flag: value} for flag in ("network", "for_session", "strict_auto_review") for value in ("false", 0, None)),
    ],
)
def test_a_grant_that_cannot_work(grant: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        ApprovalDecision.grant(**grant)


@pytest.mark.parametrize(
    ("decision", "permits"),
    [
        (ApprovalDecision.accept(), True),
        (ApprovalDecision.accept_for_session(), True),
        (ApprovalDecision.allow_host("h"), True),
        (ApprovalDecision.grant(), True),
        (ApprovalDecision.deny_host("h"), False),
        (ApprovalDecision.decline(), False),
        (ApprovalDecision.cancel(), False),
    ],
)
def test_a_decision_is_true_if_it_permits_anything(decision: ApprovalDecision, permits: bool) -> None:
    assert bool(decision) is permits


def test_a_command_prefix_is_a_list_of_words() -> None:
    with pytest.raises(ConfigError, match="prefix: expected a list of str, got 'touch'"):
        ApprovalDecision.accept_command_prefix("touch")
    with pytest.raises(ConfigError, match="prefix: expected at least one word, or None for those that the request pro"):
        ApprovalDecision.accept_command_prefix([])
    with pytest.raises(ConfigError, match=r"prefix\[1\]: expected a str that is not blank"):
        ApprovalDecision.accept_command_prefix(["git", ""])


@pytest.mark.parametrize("rule", [ApprovalDecision.allow_host, ApprovalDecision.deny_host])
@pytest.mark.parametrize("host", ["", " ", 5])
def test_a_rule_for_a_host_names_one(rule: Callable[[Any], object], host: Any) -> None:
    with pytest.raises(ConfigError, match="host"):
        rule(host)


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
def test_a_raw_protocol_response_is_not_taken_for_form_fields(changes: dict[str, Any], answer: Any) -> None:
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


@pytest.mark.parametrize(
    ("name", "value"),
    [("access_token", ""), *(("chatgpt_account_id", value) for value in (5, "", None)), ("chatgpt_plan_type", 5)],
)
def test_fresh_tokens_that_the_runtime_cannot_use(name: str, value: Any) -> None:
    tokens = {"access_token": "secret", "chatgpt_account_id": "acc", name: value}
    with pytest.raises(ConfigError, match=f"{name}: expected") as caught:
        response_to(other("account/chatgptAuthTokens/refresh"), tokens)
    assert "secret" not in repr(caught.value)


def test_the_rest_takes_responses_only() -> None:
    rest = {method for method, kind in KINDS.items() if kind.answer is None and not kind.decisions}
    assert rest == {"item/tool/call", "currentTime/read", "attestation/generate"}
    for method in rest:
        with pytest.raises(ConfigError, match=f"expected a {SERVER_REQUESTS[method][1]}, got int"):
            response_to(other(method), 1)
    response = protocol.CurrentTimeReadResponse(current_time_at=1)
    assert response_to(other("currentTime/read"), response) == {"currentTimeAt": 1}
