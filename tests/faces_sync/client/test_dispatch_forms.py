# Derived from tests/faces_async/client/test_dispatch_forms.py by `python -m tools.unasync`; do not edit.
"""MCP servers ask for forms to be filled in and pages to be visited."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from openai_codex import (
    LATER,
    ApprovalDecision,
    Codex,
    ElicitationAnswer,
    ElicitationRequest,
    McpToolApproval,
)
from openai_codex._engine.waiting import Latch
from openai_codex.testing import QuietHome, ScriptedModel, call, reply, say
from openai_codex.types import (
    McpElicitationSchema,
    TurnStatus,
)
from tests.faces_sync.client._asked import (
    Gathered,
    accept,
    answers,
    call_server,
    comes,
    home_with_server,
    statuses,
    told,
)
from tests.support.bounds import PATIENCE


@pytest.fixture
def mcp_home(scripted_model: ScriptedModel) -> Iterator[QuietHome]:
    """A home with an MCP server."""
    with home_with_server(scripted_model) as home:
        yield home


def test_a_form_is_filled_in(mcp_home: QuietHome, scripted_model: ScriptedModel) -> None:
    asked = []

    def fill(request: Any) -> Any:
        asked.append(request)
        return {"name": "Bob"}

    call_server(scripted_model, "ask")
    with Codex(mcp_home.config(), on_elicitation=fill) as codex:
        thread = codex.thread_start()
        turn = thread.turn("go")
        result = turn.run(timeout=PATIENCE)
    [request] = asked
    assert isinstance(request, ElicitationRequest)
    assert (request.thread_id, request.turn_id, request.server_name) == (thread.id, turn.id, "probe")
    assert (request.mode, request.message) == ("form", "Who are you?")
    assert isinstance(request.requested_schema, McpElicitationSchema)
    assert list(request.requested_schema.properties) == ["name"]
    assert '{"action": "accept", "content": {"name": "Bob"}}' in told(scripted_model, "ask")
    assert result.final_response == "ok"


def test_a_form_is_not_filled_in(mcp_home: QuietHome, scripted_model: ScriptedModel) -> None:
    refusals = (
        False,
        None,
        ElicitationAnswer("decline"),
        ElicitationAnswer("cancel"),
        RuntimeError("a mistake"),
        "yes",
    )
    for number in range(len(refusals)):
        call_server(scripted_model, "ask", call_id=f"ask{number}")
    with Codex(mcp_home.config(), on_elicitation=answers(*refusals)) as codex:
        thread = codex.thread_start()
        result = thread.run("go", timeout=PATIENCE)
    for number, refusal in enumerate(refusals):
        action = refusal.action if isinstance(refusal, ElicitationAnswer) else "decline"
        assert f'"action": "{action}"' in told(scripted_model, f"ask{number}")
    assert result.final_response == "ok"


@pytest.mark.parametrize(
    ("answer", "action"),
    [(True, "accept"), (None, "decline"), (ElicitationAnswer("cancel"), "cancel")],
    ids=str,
)
def test_a_page_is_visited_or_not(mcp_home: QuietHome, scripted_model: ScriptedModel, answer: Any, action: str) -> None:
    asked = []

    def visit(request: Any) -> Any:
        asked.append(request)
        return answer

    call_server(scripted_model, "visit")
    with Codex(mcp_home.config(), on_elicitation=visit) as codex:
        thread = codex.thread_start()
        result = thread.run("go", timeout=PATIENCE)
    [request] = asked
    assert isinstance(request, ElicitationRequest)
    assert (request.mode, request.url, request.message) == ("url", "http://127.0.0.1/login", "Log in there.")
    assert request.requested_schema is None
    assert json.loads(told(scripted_model, "visit"))["action"] == action
    assert result.final_response == "ok"


def test_who_approves_does_not_fill_in_forms(mcp_home: QuietHome, scripted_model: ScriptedModel) -> None:
    call_server(scripted_model, "ask")
    with Codex(mcp_home.config(), on_approval=accept) as codex:
        thread = codex.thread_start()
        result = thread.run("go", timeout=PATIENCE)
    assert '"action": "decline"' in told(scripted_model, "ask")
    assert result.final_response == "ok"


def test_what_a_server_asks_may_be_answered_later(mcp_home: QuietHome, scripted_model: ScriptedModel) -> None:
    parked: list[Any] = []
    approval, form = Latch(), Latch()

    def park(request: Any) -> Any:
        parked.append(request)
        (form if isinstance(request, ElicitationRequest) else approval).set()
        return LATER

    call_server(scripted_model, "danger")
    call_server(scripted_model, "ask")
    with Codex(mcp_home.config(), on_approval=park, on_elicitation=park) as codex:
        thread = codex.thread_start()
        turn = thread.turn("go")
        comes(approval)
        assert codex.pending_requests() == parked[:1]
        assert codex.answer(parked[0].id, True)
        comes(form)
        assert codex.pending_requests() == parked[1:]
        assert codex.answer(parked[1].id, {"name": "Bob"})
        result = turn.run(timeout=PATIENCE)
    assert statuses(result) == {"danger": "completed", "ask": "completed"}
    assert '"content": {"name": "Bob"}' in told(scripted_model, "ask")


def test_requests_of_several_kinds_that_are_pending_at_once_are_answered_in_any_order(
    mcp_home: QuietHome, scripted_model: ScriptedModel
) -> None:
    asked = Gathered(3)

    def park(request: Any) -> Any:
        asked.add(request)
        return LATER

    escalated = {"cmd": "true", "sandbox_permissions": "require_escalated", "justification": "need it"}
    scripted_model.when("command", reply(call("exec_command", escalated)), say("command done"))
    for name in ("danger", "ask"):
        scripted_model.when(name, reply(call(name, {}, namespace="mcp__probe")), say(f"{name} done"))
    with Codex(mcp_home.config(), on_approval=park, on_elicitation=park) as codex:
        turns = {}
        for kind in ("command", "danger", "ask"):
            thread = codex.thread_start()
            turns[kind] = thread.turn(kind)
        comes(asked.all)
        pending = {request.turn_id: request for request in codex.pending_requests()}
        assert len(pending) == 3
        decisions: dict[str, Any] = {"ask": {"name": "Bob"}, "command": False, "danger": ApprovalDecision.accept()}
        for kind, answer in decisions.items():
            assert codex.answer(pending[turns[kind].id].id, answer) is True
            assert (turns[kind].run(timeout=PATIENCE)).final_response == f"{kind} done"


def test_an_interrupt_takes_back_what_a_server_asks(mcp_home: QuietHome, scripted_model: ScriptedModel) -> None:
    asked = {"danger": Latch(), "ask": Latch()}

    def park(request: Any) -> Any:
        asked["danger" if isinstance(request, McpToolApproval) else "ask"].set()
        return LATER

    with Codex(mcp_home.config(), on_approval=park, on_elicitation=park) as codex:
        thread = codex.thread_start()
        for name, latch in asked.items():
            call_server(scripted_model, name)
            turn = thread.turn("go")
            comes(latch)
            [request] = codex.pending_requests()
            assert not request.cancelled
            turn.interrupt(timeout=PATIENCE)
            assert request.cancelled
            assert codex.pending_requests() == []
            assert codex.answer(request.id, True) is False
            assert (turn.run(timeout=PATIENCE)).status == TurnStatus.interrupted


def test_what_a_server_asks_is_refused_at_the_deadline(mcp_home: QuietHome, scripted_model: ScriptedModel) -> None:
    park = answers(LATER, LATER)
    call_server(scripted_model, "danger", "ask")
    config = mcp_home.config(handler_timeout=0.2)
    with Codex(config, on_approval=park, on_elicitation=park) as codex:
        thread = codex.thread_start()
        result = thread.run("go", timeout=PATIENCE)
    assert told(scripted_model, "danger") == "user rejected MCP tool call"
    assert '"action": "decline"' in told(scripted_model, "ask")
    assert result.final_response == "ok"
