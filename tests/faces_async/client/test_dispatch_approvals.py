"""The runtime asks and the program answers: every kind of request of a person."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from openai_codex import ApprovalDecision, AsyncCodex
from openai_codex._approvals.requests import CommandApproval, FileChangeApproval, PermissionsApproval, UserInputRequest
from openai_codex._engine.waiting import Latch
from openai_codex.testing import QuietHome, ScriptedModel, call, reply
from openai_codex.types import (
    TurnStatus,
)
from tests.faces_async.client._asked import comes
from tests.faces_async.client._people import (
    KINDS,
    REFUSED,
    command,
    commands,
    told,
)
from tests.support.bounds import PATIENCE

# -- commands ----------------------------------------------------------------------------------------------------------


async def test_an_accepted_command_runs(asking_home: QuietHome, scripted_model: ScriptedModel) -> None:
    asked = []

    async def approve(request: Any) -> Any:
        asked.append(request)
        return ApprovalDecision.accept()

    scripted_model.queue(reply(command("sleep 0.3; touch made; echo hello")))
    async with AsyncCodex(asking_home.config(), on_approval=approve) as codex:
        thread = await codex.thread_start()
        turn = await thread.turn("go")
        result = await turn.run(timeout=PATIENCE)
    [request] = asked
    assert isinstance(request, CommandApproval)
    assert (request.thread_id, request.turn_id, request.item_id) == (thread.id, turn.id, "command")
    assert (request.reason, request.cwd) == ("need it", str(asking_home.workspace))
    assert "sleep 0.3; touch made; echo hello" in str(request.command)
    [item] = commands(result)
    assert (item.status, item.aggregated_output) == ("completed", "hello\n")
    assert (asking_home.workspace / "made").exists()
    assert result.final_response == "ok"


async def test_a_command_accepted_for_the_session_is_not_asked_about_again(
    asking_home: QuietHome, scripted_model: ScriptedModel
) -> None:
    asked = []

    async def approve(request: Any) -> Any:
        asked.append(request.item_id)
        return ApprovalDecision.accept_for_session()

    scripted_model.queue(*(reply(command("sleep 0.3; echo hello", name)) for name in ("first", "again")))
    async with AsyncCodex(asking_home.config(), on_approval=approve) as codex:
        thread = await codex.thread_start()
        result = await thread.run("go", timeout=PATIENCE)
    assert asked == ["first"]
    assert [item.status for item in commands(result)] == ["completed", "completed"]


async def test_a_command_prefix_that_is_accepted_is_not_asked_about_again(
    asking_home: QuietHome, scripted_model: ScriptedModel
) -> None:
    asked = []

    async def approve(request: Any) -> Any:
        asked.append(request.proposed_execpolicy_amendment)
        return ApprovalDecision.accept_command_prefix()

    scripted_model.queue(reply(command("touch first", "first")), reply(command("touch first second", "again")))
    async with AsyncCodex(asking_home.config(), on_approval=approve) as codex:
        thread = await codex.thread_start()
        await thread.run("go", timeout=PATIENCE)
    assert asked == [["touch", "first"]]
    assert {path.name for path in asking_home.workspace.iterdir()} == {"first", "second"}
    assert '["touch", "first"]' in (asking_home.path / "rules" / "default.rules").read_text()


@pytest.mark.parametrize("no", [ApprovalDecision.decline(), False])
async def test_a_declined_command_does_not_run_and_the_turn_goes_on(
    asking_home: QuietHome, scripted_model: ScriptedModel, no: Any
) -> None:
    async def approve(request: Any) -> Any:
        return no

    scripted_model.queue(reply(KINDS["command"]))
    async with AsyncCodex(asking_home.config(), on_approval=approve) as codex:
        thread = await codex.thread_start()
        result = await thread.run("go", timeout=PATIENCE)
    assert [item.status for item in commands(result)] == ["declined"]
    assert not (asking_home.workspace / "made").exists()
    assert REFUSED["command"] in told(scripted_model)
    assert result.final_response == "ok"


@pytest.mark.parametrize("kind", ["command", "patch"])
async def test_a_cancelled_one_ends_the_turn(asking_home: QuietHome, scripted_model: ScriptedModel, kind: str) -> None:
    async def approve(request: Any) -> Any:
        return ApprovalDecision.cancel()

    scripted_model.queue(reply(KINDS[kind]))
    async with AsyncCodex(asking_home.config(), on_approval=approve) as codex:
        thread = await codex.thread_start()
        result = await thread.run("go", timeout=PATIENCE)
        assert scripted_model.request_count == 1
        after = await thread.run("again", timeout=PATIENCE)
    assert result.status == TurnStatus.interrupted
    assert not (asking_home.workspace / "made").exists()
    assert after.final_response == "ok"


@pytest.mark.parametrize("patient", ["one", "two"])
async def test_two_that_are_pending_at_once_are_answered_in_any_order(
    asking_home: QuietHome, scripted_model: ScriptedModel, patient: str
) -> None:
    other_is_asked = Latch()

    async def approve(request: Any) -> Any:
        if request.item_id == patient:
            await comes(other_is_asked)
        else:
            other_is_asked.set()
        return request.item_id == patient

    scripted_model.queue(reply(command("sleep 0.3; touch one", "one"), command("sleep 0.3; touch two", "two")))
    async with AsyncCodex(asking_home.config(), on_approval=approve) as codex:
        thread = await codex.thread_start()
        result = await thread.run("go", timeout=PATIENCE)
    assert {item.id: item.status == "completed" for item in commands(result)} == {
        name: name == patient for name in ("one", "two")
    }
    assert [path.name for path in asking_home.workspace.iterdir()] == [patient]


# -- patches -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "decision",
    [ApprovalDecision.accept(), ApprovalDecision.accept_for_session(), ApprovalDecision.decline()],
    ids=lambda decision: decision.verb,
)
async def test_a_patch_shows_what_it_would_change_and_is_applied_if_it_is_accepted(
    asking_home: QuietHome, scripted_model: ScriptedModel, decision: ApprovalDecision
) -> None:
    asked = []

    async def approve(request: Any) -> Any:
        asked.append(request)
        return decision

    scripted_model.queue(reply(KINDS["patch"]))
    async with AsyncCodex(asking_home.config(), on_approval=approve) as codex:
        thread = await codex.thread_start()
        result = await thread.run("go", timeout=PATIENCE)
    [request] = asked
    assert isinstance(request, FileChangeApproval)
    made = asking_home.workspace / "made"
    assert [(change.path, change.kind.type) for change in request.changes] == [(str(made), "add")]
    assert request.diff == f"--- /dev/null\n+++ {made}\n@@ -0,0 +1,1 @@\n+hello\n"
    assert (made.read_text() if made.exists() else None) == (None if decision.verb == "decline" else "hello\n")
    assert (REFUSED["patch"] in told(scripted_model)) == (decision.verb == "decline")
    assert result.final_response == "ok"


# -- permissions and questions -----------------------------------------------------------------------------------------


async def test_permissions_are_granted_or_not(asking_home: QuietHome, scripted_model: ScriptedModel) -> None:
    asked = []
    answers = iter([ApprovalDecision.accept(), ApprovalDecision.grant(network=True), False])

    async def approve(request: Any) -> Any:
        asked.append(request)
        return next(answers)

    wanted = {"file_system": {"write": [str(asking_home.user_home)]}, "network": {"enabled": True}}
    names = ("all", "part", "none")
    arguments = {"reason": "need it", "permissions": wanted}
    scripted_model.queue(*(reply(call("request_permissions", arguments, call_id=name)) for name in names))
    async with AsyncCodex(asking_home.config(), on_approval=approve) as codex:
        thread = await codex.thread_start()
        result = await thread.run("go", timeout=PATIENCE)
    assert [type(request) for request in asked] == [PermissionsApproval] * 3
    assert (asked[0].reason, asked[0].cwd) == ("need it", str(asking_home.workspace))
    assert asked[0].permissions.network.enabled is True
    assert asked[0].permissions.file_system.write == [str(asking_home.user_home)]
    everything, part, nothing = (told(scripted_model, name) for name in names)
    assert str(asking_home.user_home) in everything
    assert str(asking_home.user_home) not in part
    assert '"enabled":true' in part
    assert REFUSED["permissions"] in nothing
    assert result.final_response == "ok"


async def test_permissions_that_are_cancelled_are_not_granted_and_the_turn_goes_on(
    asking_home: QuietHome, scripted_model: ScriptedModel, caplog: pytest.LogCaptureFixture
) -> None:
    async def approve(request: Any) -> Any:
        return ApprovalDecision.cancel()

    scripted_model.queue(reply(KINDS["permissions"]))
    with caplog.at_level(logging.WARNING, "openai_codex.handlers"):
        async with AsyncCodex(asking_home.config(), on_approval=approve) as codex:
            thread = await codex.thread_start()
            result = await thread.run("go", timeout=PATIENCE)
    assert REFUSED["permissions"] in told(scripted_model)
    assert result.final_response == "ok"
    # Only the runtime itself may have warned of something.
    assert {record.name for record in caplog.records} <= {"openai_codex.runtime"}


@pytest.mark.parametrize("for_session", [False, True])
async def test_a_granted_permission_holds_for_the_turn_or_for_the_session(
    asking_home: QuietHome, scripted_model: ScriptedModel, for_session: bool
) -> None:
    decision = ApprovalDecision.accept_for_session() if for_session else ApprovalDecision.accept()

    async def approve(request: Any) -> Any:
        return decision

    wanted = {"file_system": {"write": [str(asking_home.user_home)]}}
    asks, first, second = (
        call("request_permissions", {"reason": "need it", "permissions": wanted}),
        *(
            call("exec_command", {"cmd": f"sleep 0.3; touch {asking_home.user_home / name}"})
            for name in ("first", "second")
        ),
    )
    async with AsyncCodex(asking_home.config(), on_approval=approve) as codex:
        thread = await codex.thread_start()
        scripted_model.queue(reply(asks), reply(first))
        await thread.run("go", timeout=PATIENCE)
        scripted_model.queue(reply(second))
        await thread.run("go on", timeout=PATIENCE)
    assert (asking_home.user_home / "first").exists()
    assert (asking_home.user_home / "second").exists() == for_session


@pytest.mark.parametrize(("answer", "answers"), [({"color": "blue"}, '{"color":{"answers":["blue"]}}'), (None, "{}")])
async def test_a_question_of_the_model_is_answered_or_not(
    asking_home: QuietHome, scripted_model: ScriptedModel, answer: Any, answers: str
) -> None:
    asked = []

    async def ask(request: Any) -> Any:
        asked.append(request)
        return answer

    scripted_model.queue(reply(KINDS["question"]))
    async with AsyncCodex(asking_home.config(), on_user_input=ask) as codex:
        thread = await codex.thread_start()
        result = await thread.run("go", timeout=PATIENCE)
    [request] = asked
    assert isinstance(request, UserInputRequest)
    assert [question.question for question in request.questions] == ["Which one?"]
    assert told(scripted_model) == f'{{"answers":{answers}}}'
    assert result.final_response == "ok"
