"""A payload that does not match its type: every problem with its path, and no value."""

from __future__ import annotations

from typing import Any

import pytest

from openai_codex._codec import structure, structure_named, structure_notification, structure_result
from openai_codex._protocol import ThreadItem, TurnStartParams
from openai_codex.errors import DecodeError


def problems(name: str, json: Any) -> tuple[str, ...]:
    with pytest.raises(DecodeError) as caught:
        structure_named(name, json)
    assert caught.value.raw is json
    assert caught.value.type_name == name
    return caught.value.problems


def test_every_problem_is_reported_with_its_path() -> None:
    json = {
        "completedAtMs": "soon",
        "threadId": None,
        "item": "text",
    }
    assert problems("ItemCompletedNotification", json) == (
        "completedAtMs: expected int, found str",
        "item: expected object, found str",
        "threadId: expected str, found null",
        "turnId: is missing",
    )
    steps = [{"step": "a", "status": "pending"}, {"step": 1}]
    assert problems("TurnPlanUpdatedNotification", {"plan": steps, "threadId": "t", "turnId": "u"}) == (
        "plan[1].status: is missing",
        "plan[1].step: expected str, found int",
    )


@pytest.mark.parametrize(
    ("name", "json", "problem"),
    [
        ("Turn", [], "expected object, found array"),
        ("Turn", {"id": "t", "status": 1, "items": []}, "status: expected str, found int"),
        ("Turn", {"id": "t", "status": "failed", "items": {}}, "items: expected array, found object"),
        ("Turn", {"id": "t", "status": "failed", "items": "abc"}, "items: expected array, found str"),
        ("Turn", {"id": "t", "status": "failed", "items": [], "startedAt": True}, "startedAt: expected int or null, found bool"),
        ("Turn", {"id": "t", "status": "failed", "items": [], "startedAt": 1.5}, "startedAt: expected int or null, found float"),
        ("ThreadItem", "text", "expected object, found str"),
        ("AskForApproval", 1, "expected str or object, found int"),
        ("GranularApprovalDetails", {"rules": "yes", "mcp_elicitations": True, "sandbox_approval": True},
         "rules: expected bool, found str"),
        ("McpElicitationSchema", {"type": "object", "properties": {"a": []}}, "properties[a]: expected object, found array"),
        ("RequestId", None, "expected str or int, found null"),
    ],
)  # fmt: skip
def test_kinds_are_not_coerced(name: str, json: Any, problem: str) -> None:
    assert problems(name, json) == (problem,)


@pytest.mark.parametrize(("kind", "wrong"), [(int, True), (int, 1.0), (float, "1"), (float, True), (bool, 1), (str, 1)])
def test_no_primitive_takes_the_place_of_another(kind: type, wrong: Any) -> None:
    with pytest.raises(DecodeError, match=f"expected {kind.__name__}, found"):
        structure(kind, wrong)


def test_an_int_is_good_where_a_number_is_due_and_stays_an_int() -> None:
    schema = structure_named("McpElicitationNumberSchema", {"type": "number", "minimum": 1})
    assert type(schema.minimum) is int


def test_the_text_holds_no_value() -> None:
    with pytest.raises(DecodeError) as caught:
        structure_result("mcpServer/oauth/login", {"authorizationUrl": ["TOP-SECRET"]})
    assert str(caught.value) == (
        "payload is not a valid McpServerOauthLoginResponse: authorizationUrl: expected str, found array"
    )
    assert "TOP-SECRET" not in repr(caught.value)


def test_a_union_alias_is_called_by_what_it_is_made_of() -> None:
    with pytest.raises(DecodeError, match=r"AgentMessageThreadItem.*: expected object, found str"):
        structure(ThreadItem, "text")  # type: ignore[arg-type]


def test_all_ways_in_raise_it() -> None:
    with pytest.raises(DecodeError, match="not a valid AgentMessageDeltaNotification"):
        structure_notification("item/agentMessage/delta", {})
    with pytest.raises(DecodeError, match="not a valid TurnStartParams: input: is missing"):
        structure(TurnStartParams, {"threadId": "t"})


def test_the_cause_is_not_shown() -> None:
    with pytest.raises(DecodeError) as caught:
        structure(TurnStartParams, {})
    assert caught.value.__suppress_context__
