"""Requests for tests of handlers: what the handler gets is what the runtime would have sent."""

from __future__ import annotations

from typing import Any

import pytest

from openai_codex import ApprovalDecision
from openai_codex._approvals.kinds import respond
from openai_codex.testing import (
    command_approval,
    elicitation_request,
    file_change_approval,
    mcp_tool_approval,
    permissions_approval,
    user_input_request,
)


def test_a_command_has_what_a_handler_looks_at() -> None:
    request = command_approval("git log -n 3", cwd="/repo", reason="to look", proposed_prefix=["git"])
    assert (request.script, request.argv) == ("git log -n 3", ("git", "log", "-n", "3"))
    assert (request.cwd, request.reason, request.proposed_execpolicy_amendment) == ("/repo", "to look", ["git"])
    assert (request.thread_id, request.turn_id, request.item_id, request.cancelled) == ("thread", "turn", "item", False)
    assert command_approval("ls").id != request.id
    assert command_approval(["ls", "a b"]).argv == ("ls", "a b")
    context = command_approval("curl x", host="example.com").network_approval_context
    assert context is not None
    assert context.host == "example.com"


def test_a_patch_has_its_changes_or_they_were_not_seen() -> None:
    request = file_change_approval({"a.py": "hello\n"}, kind="add", reason="new", grant_root="/g")
    assert request.changes is not None
    assert [change.path for change in request.changes] == ["a.py"]
    assert "+hello" in (request.diff or "")
    assert (request.reason, request.grant_root) == ("new", "/g")
    assert file_change_approval(None).diff is None


def test_permissions_and_tools_and_questions_and_forms() -> None:
    permissions = permissions_approval(network=True, write=["/w"], reason="r").permissions
    assert permissions.network is not None
    assert permissions.file_system is not None
    assert (permissions.network.enabled, permissions.file_system.write) == (True, ["/w"])
    call = mcp_tool_approval("danger", {"x": 1}, persist=["session"])
    assert (call.tool_title, call.arguments, call.persist, call.server_name) == (
        "danger",
        {"x": 1},
        ("session",),
        "server",
    )
    questions = user_input_request({"Which one?": ["a", "b"], "Why?": ()}).questions
    assert [(each.id, each.question, each.is_other) for each in questions] == [
        ("q0", "Which one?", False),
        ("q1", "Why?", True),
    ]
    form = elicitation_request("Your name?", {"name": {"type": "string"}})
    assert (form.mode, form.message, set(form.requested_schema.properties)) == ("form", "Your name?", {"name"})
    assert elicitation_request("Log in", url="https://example.com").url == "https://example.com"


REQUESTS: list[tuple[str, Any]] = [
    ("item/commandExecution/requestApproval", command_approval("ls")),
    ("item/fileChange/requestApproval", file_change_approval({"a": "d"})),
    ("item/permissions/requestApproval", permissions_approval(network=True)),
    ("mcpServer/elicitation/request", mcp_tool_approval("t")),
]


@pytest.mark.parametrize(("method", "request_"), REQUESTS, ids=[method for method, _ in REQUESTS])
def test_they_accept_the_decisions_of_real_ones(method: str, request_: Any) -> None:
    for decision in (ApprovalDecision.accept(), ApprovalDecision.decline(), True):
        assert respond(method, request_, decision)
