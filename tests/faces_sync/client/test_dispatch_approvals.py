# Derived from tests/faces_async/client/test_dispatch_approvals.py by `python -m tools.unasync`; do not edit.
"""The runtime asks and the program answers: every kind of request of a person, and every way to leave it unanswered."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from typing import Any, cast

import pytest

from openai_codex import LATER, ApprovalDecision, Codex, ConfigError, accept_all
from openai_codex._approvals.requests import CommandApproval, FileChangeApproval, PermissionsApproval, UserInputRequest
from openai_codex._engine.waiting import Latch
from openai_codex._protocol import ServerRequest
from openai_codex._sync.client import _wait
from openai_codex.testing import Call, QuietHome, ScriptedModel, call, custom_call, reply, say, temporary_home
from openai_codex.types import (
    CommandExecutionThreadItem,
    CurrentTimeReadParams,
    ThreadStartParams,
    TurnStartedNotification,
    TurnStatus,
)
from tests.faces_sync._wait import together
from tests.support.bounds import PATIENCE, STARTED

QUESTION = {
    "id": "color",
    "header": "Color",
    "question": "Which one?",
    "options": [{"label": "red", "description": "warm"}, {"label": "blue", "description": "cold"}],
}


def command(line: str, call_id: str = "command") -> Call:
    arguments = {"cmd": line, "sandbox_permissions": "require_escalated", "justification": "need it"}
    return call("exec_command", arguments, call_id=call_id)


KINDS = {
    "command": command("touch made", "asks"),
    "patch": custom_call("apply_patch", "*** Begin Patch\n*** Add File: made\n+hello\n*** End Patch", call_id="asks"),
    "permissions": call(
        "request_permissions", {"reason": "need it", "permissions": {"network": {"enabled": True}}}, call_id="asks"
    ),
    "question": call("request_user_input", {"questions": [QUESTION]}, call_id="asks"),
}
"""What the model calls so that the runtime asks."""

REFUSED = {
    "command": "rejected by user",
    "patch": "rejected by user",
    "permissions": '{"permissions":{"network":null,"file_system":null}',
    "question": '{"answers":{}}',
}
"""What the model is told when the answer is no."""


@pytest.fixture
def home(scripted_model: ScriptedModel) -> Iterator[QuietHome]:
    """A home in which the runtime asks all that it can ask of a person."""
    features = {"request_permissions_tool": True, "default_mode_request_user_input": True}
    settings = {"approval_policy": "on-request", "sandbox_mode": "read-only"}
    with temporary_home(scripted_model.url, model="gpt-5.5", config=settings, features=features) as home:
        yield home


def comes(latch: Latch) -> None:
    assert _wait.ready(latch, PATIENCE), "it did not come"


def told(model: ScriptedModel, call_id: str = "asks") -> str:
    """What the model was told of its call, without the blanks."""
    return str(model.requests[-1].function_outputs[call_id])


def ask_all(model: ScriptedModel) -> None:
    """Let the model ask for each kind in the thread whose input is the name of that kind."""
    for kind, asking in KINDS.items():
        model.when(kind, reply(asking), say("done"))


def assert_refused(model: ScriptedModel) -> None:
    outputs = {each.last_user_text: str(each.function_outputs.get("asks", "")) for each in model.requests}
    for kind, text in REFUSED.items():
        assert text in outputs[kind]


def yes_to(request: Any) -> Any:
    return {"color": "red"} if isinstance(request, UserInputRequest) else True


def commands(result: Any) -> list[CommandExecutionThreadItem]:
    return [item for item in result.items if isinstance(item, CommandExecutionThreadItem)]


# -- commands ----------------------------------------------------------------------------------------------------------


def test_an_accepted_command_runs(home: QuietHome, scripted_model: ScriptedModel) -> None:
    asked = []

    def approve(request: Any) -> Any:
        asked.append(request)
        return ApprovalDecision.accept()

    scripted_model.queue(reply(command("sleep 0.3; touch made; echo hello")))
    with Codex(home.config(), on_approval=approve) as codex:
        thread = codex.thread_start()
        turn = thread.turn("go")
        result = turn.run(timeout=PATIENCE)
    [request] = asked
    assert isinstance(request, CommandApproval)
    assert (request.thread_id, request.turn_id, request.item_id) == (thread.id, turn.id, "command")
    assert (request.reason, request.cwd) == ("need it", str(home.workspace))
    assert "sleep 0.3; touch made; echo hello" in str(request.command)
    [item] = commands(result)
    assert (item.status, item.aggregated_output) == ("completed", "hello\n")
    assert (home.workspace / "made").exists()
    assert result.final_response == "ok"


def test_a_command_accepted_for_the_session_is_not_asked_about_again(
    home: QuietHome, scripted_model: ScriptedModel
) -> None:
    asked = []

    def approve(request: Any) -> Any:
        asked.append(request.item_id)
        return ApprovalDecision.accept_for_session()

    scripted_model.queue(*(reply(command("sleep 0.3; echo hello", name)) for name in ("first", "again")))
    with Codex(home.config(), on_approval=approve) as codex:
        thread = codex.thread_start()
        result = thread.run("go", timeout=PATIENCE)
    assert asked == ["first"]
    assert [item.status for item in commands(result)] == ["completed", "completed"]


def test_a_command_prefix_that_is_accepted_is_not_asked_about_again(
    home: QuietHome, scripted_model: ScriptedModel
) -> None:
    asked = []

    def approve(request: Any) -> Any:
        asked.append(request.proposed_execpolicy_amendment)
        return ApprovalDecision.accept_command_prefix()

    scripted_model.queue(reply(command("touch first", "first")), reply(command("touch first second", "again")))
    with Codex(home.config(), on_approval=approve) as codex:
        thread = codex.thread_start()
        thread.run("go", timeout=PATIENCE)
    assert asked == [["touch", "first"]]
    assert {path.name for path in home.workspace.iterdir()} == {"first", "second"}
    assert '["touch", "first"]' in (home.path / "rules" / "default.rules").read_text()


@pytest.mark.parametrize("no", [ApprovalDecision.decline(), False])
def test_a_declined_command_does_not_run_and_the_turn_goes_on(
    home: QuietHome, scripted_model: ScriptedModel, no: Any
) -> None:
    def approve(request: Any) -> Any:
        return no

    scripted_model.queue(reply(KINDS["command"]))
    with Codex(home.config(), on_approval=approve) as codex:
        thread = codex.thread_start()
        result = thread.run("go", timeout=PATIENCE)
    assert [item.status for item in commands(result)] == ["declined"]
    assert not (home.workspace / "made").exists()
    assert REFUSED["command"] in told(scripted_model)
    assert result.final_response == "ok"


@pytest.mark.parametrize("kind", ["command", "patch"])
def test_a_cancelled_one_ends_the_turn(home: QuietHome, scripted_model: ScriptedModel, kind: str) -> None:
    def approve(request: Any) -> Any:
        return ApprovalDecision.cancel()

    scripted_model.queue(reply(KINDS[kind]))
    with Codex(home.config(), on_approval=approve) as codex:
        thread = codex.thread_start()
        result = thread.run("go", timeout=PATIENCE)
        assert scripted_model.request_count == 1
        after = thread.run("again", timeout=PATIENCE)
    assert result.status == TurnStatus.interrupted
    assert not (home.workspace / "made").exists()
    assert after.final_response == "ok"


@pytest.mark.parametrize("patient", ["one", "two"])
def test_two_that_are_pending_at_once_are_answered_in_any_order(
    home: QuietHome, scripted_model: ScriptedModel, patient: str
) -> None:
    other_is_asked = Latch()

    def approve(request: Any) -> Any:
        if request.item_id == patient:
            comes(other_is_asked)
        else:
            other_is_asked.set()
        return request.item_id == patient

    scripted_model.queue(reply(command("sleep 0.3; touch one", "one"), command("sleep 0.3; touch two", "two")))
    with Codex(home.config(), on_approval=approve) as codex:
        thread = codex.thread_start()
        result = thread.run("go", timeout=PATIENCE)
    assert {item.id: item.status == "completed" for item in commands(result)} == {
        name: name == patient for name in ("one", "two")
    }
    assert [path.name for path in home.workspace.iterdir()] == [patient]


# -- patches -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "decision",
    [ApprovalDecision.accept(), ApprovalDecision.accept_for_session(), ApprovalDecision.decline()],
    ids=lambda decision: decision.verb,
)
def test_a_patch_shows_what_it_would_change_and_is_applied_if_it_is_accepted(
    home: QuietHome, scripted_model: ScriptedModel, decision: ApprovalDecision
) -> None:
    asked = []

    def approve(request: Any) -> Any:
        asked.append(request)
        return decision

    scripted_model.queue(reply(KINDS["patch"]))
    with Codex(home.config(), on_approval=approve) as codex:
        thread = codex.thread_start()
        result = thread.run("go", timeout=PATIENCE)
    [request] = asked
    assert isinstance(request, FileChangeApproval)
    made = home.workspace / "made"
    assert [(change.path, change.kind.type) for change in request.changes] == [(str(made), "add")]
    assert request.diff == f"--- /dev/null\n+++ {made}\n@@ -0,0 +1,1 @@\n+hello\n"
    assert (made.read_text() if made.exists() else None) == (None if decision.verb == "decline" else "hello\n")
    assert (REFUSED["patch"] in told(scripted_model)) == (decision.verb == "decline")
    assert result.final_response == "ok"


# -- permissions and questions -----------------------------------------------------------------------------------------


def test_permissions_are_granted_or_not(home: QuietHome, scripted_model: ScriptedModel) -> None:
    asked = []
    answers = iter([ApprovalDecision.accept(), ApprovalDecision.grant(network=True), False])

    def approve(request: Any) -> Any:
        asked.append(request)
        return next(answers)

    wanted = {"file_system": {"write": [str(home.user_home)]}, "network": {"enabled": True}}
    names = ("all", "part", "none")
    arguments = {"reason": "need it", "permissions": wanted}
    scripted_model.queue(*(reply(call("request_permissions", arguments, call_id=name)) for name in names))
    with Codex(home.config(), on_approval=approve) as codex:
        thread = codex.thread_start()
        result = thread.run("go", timeout=PATIENCE)
    assert [type(request) for request in asked] == [PermissionsApproval] * 3
    assert (asked[0].reason, asked[0].cwd) == ("need it", str(home.workspace))
    assert asked[0].permissions.network.enabled is True
    assert asked[0].permissions.file_system.write == [str(home.user_home)]
    everything, part, nothing = (told(scripted_model, name) for name in names)
    assert str(home.user_home) in everything
    assert str(home.user_home) not in part
    assert '"enabled":true' in part
    assert REFUSED["permissions"] in nothing
    assert result.final_response == "ok"


def test_permissions_that_are_cancelled_are_not_granted_and_the_turn_goes_on(
    home: QuietHome, scripted_model: ScriptedModel, caplog: pytest.LogCaptureFixture
) -> None:
    def approve(request: Any) -> Any:
        return ApprovalDecision.cancel()

    scripted_model.queue(reply(KINDS["permissions"]))
    with caplog.at_level(logging.WARNING, "openai_codex.handlers"):
        with Codex(home.config(), on_approval=approve) as codex:
            thread = codex.thread_start()
            result = thread.run("go", timeout=PATIENCE)
    assert REFUSED["permissions"] in told(scripted_model)
    assert result.final_response == "ok"
    # Only the runtime itself may have warned of something.
    assert {record.name for record in caplog.records} <= {"openai_codex.runtime"}


@pytest.mark.parametrize("for_session", [False, True])
def test_a_granted_permission_holds_for_the_turn_or_for_the_session(
    home: QuietHome, scripted_model: ScriptedModel, for_session: bool
) -> None:
    decision = ApprovalDecision.accept_for_session() if for_session else ApprovalDecision.accept()

    def approve(request: Any) -> Any:
        return decision

    wanted = {"file_system": {"write": [str(home.user_home)]}}
    asks, first, second = (
        call("request_permissions", {"reason": "need it", "permissions": wanted}),
        *(call("exec_command", {"cmd": f"sleep 0.3; touch {home.user_home / name}"}) for name in ("first", "second")),
    )
    with Codex(home.config(), on_approval=approve) as codex:
        thread = codex.thread_start()
        scripted_model.queue(reply(asks), reply(first))
        thread.run("go", timeout=PATIENCE)
        scripted_model.queue(reply(second))
        thread.run("go on", timeout=PATIENCE)
    assert (home.user_home / "first").exists()
    assert (home.user_home / "second").exists() == for_session


@pytest.mark.parametrize(("answer", "answers"), [({"color": "blue"}, '{"color":{"answers":["blue"]}}'), (None, "{}")])
def test_a_question_of_the_model_is_answered_or_not(
    home: QuietHome, scripted_model: ScriptedModel, answer: Any, answers: str
) -> None:
    asked = []

    def ask(request: Any) -> Any:
        asked.append(request)
        return answer

    scripted_model.queue(reply(KINDS["question"]))
    with Codex(home.config(), on_user_input=ask) as codex:
        thread = codex.thread_start()
        result = thread.run("go", timeout=PATIENCE)
    [request] = asked
    assert isinstance(request, UserInputRequest)
    assert [question.question for question in request.questions] == ["Which one?"]
    assert told(scripted_model) == f'{{"answers":{answers}}}'
    assert result.final_response == "ok"


# -- no answer ---------------------------------------------------------------------------------------------------------


def test_a_handler_that_raises_has_refused(
    home: QuietHome, scripted_model: ScriptedModel, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(request: Any) -> Any:
        raise RuntimeError("a mistake in the handler")

    ask_all(scripted_model)
    with caplog.at_level(logging.WARNING, "openai_codex.handlers"):
        with Codex(home.config(), on_approval=fail, on_user_input=fail) as codex:
            turns = [(codex.thread_start()).turn(kind) for kind in KINDS]
            results = [turn.run(timeout=PATIENCE) for turn in turns]
    assert [result.final_response for result in results] == ["done"] * len(KINDS)
    assert_refused(scripted_model)
    records = [record for record in caplog.records if record.getMessage().startswith("codex.handler_failed")]
    assert [str(record.exc_info[1]) for record in records if record.exc_info] == ["a mistake in the handler"] * len(
        KINDS
    )


def test_a_handler_that_returns_nonsense_has_refused(
    home: QuietHome, scripted_model: ScriptedModel, caplog: pytest.LogCaptureFixture
) -> None:
    def mistaken(request: Any) -> Any:
        return "yes"

    scripted_model.queue(reply(KINDS["command"]))
    with caplog.at_level(logging.WARNING, "openai_codex.handlers"):
        with Codex(home.config(), on_approval=mistaken) as codex:
            thread = codex.thread_start()
            thread.run("go", timeout=PATIENCE)
    assert REFUSED["command"] in told(scripted_model)
    assert "expected an ApprovalDecision or a bool, got str" in caplog.text


def test_what_takes_too_long_is_refused_and_a_late_answer_dropped(
    home: QuietHome, scripted_model: ScriptedModel
) -> None:
    release, all_left = Latch(), Latch()
    handled = []

    def dawdle(request: Any) -> Any:
        try:
            comes(release)
        finally:
            handled.append(request.cancelled)
            if len(handled) == len(KINDS):
                all_left.set()
        return yes_to(request)

    ask_all(scripted_model)
    with Codex(home.config(handler_timeout=STARTED), on_approval=dawdle, on_user_input=dawdle) as codex:
        turns = [(codex.thread_start()).turn(kind) for kind in KINDS]
        results = [turn.run(timeout=PATIENCE) for turn in turns]
        assert [result.final_response for result in results] == ["done"] * len(KINDS)
        assert_refused(scripted_model)
        release.set()
        comes(all_left)
        after = (codex.thread_start()).run("after", timeout=PATIENCE)
    assert after.final_response == "ok"
    assert handled == [True] * len(KINDS)
    assert not (home.workspace / "made").exists()


@pytest.mark.parametrize("parks", [False, True])
def test_an_interrupt_while_it_is_pending_ends_the_request(
    home: QuietHome, scripted_model: ScriptedModel, parks: bool
) -> None:
    all_asked, release, all_left = Latch(), Latch(), Latch()
    asked: list[Any] = []
    seen: list[bool] = []

    def wait(request: Any) -> Any:
        asked.append(request)
        if len(asked) == len(KINDS):
            all_asked.set()
        if parks:
            return LATER
        try:
            comes(release)
        finally:
            seen.append(request.cancelled)
            if len(seen) == len(KINDS):
                all_left.set()
        return yes_to(request)

    ask_all(scripted_model)
    with Codex(home.config(), on_approval=wait, on_user_input=wait) as codex:
        turns = [(codex.thread_start()).turn(kind) for kind in KINDS]
        comes(all_asked)
        assert {request.id for request in codex.pending_requests()} == {request.id for request in asked}
        assert [request.cancelled for request in asked] == [False] * len(KINDS)
        for turn in turns:
            [request] = [request for request in codex.pending_requests() if request.turn_id == turn.id]
            turn.interrupt(timeout=PATIENCE)
            assert request.cancelled
            assert codex.answer(request.id, yes_to(request)) is False
            assert (turn.run(timeout=PATIENCE)).status == TurnStatus.interrupted
        assert codex.pending_requests() == []
        assert [request.cancelled for request in asked] == [True] * len(KINDS)
        release.set()
        if not parks:
            comes(all_left)
        after = (codex.thread_start()).run("after", timeout=PATIENCE)
    assert seen == [True] * (0 if parks else len(KINDS))
    assert after.final_response == "ok"
    assert not (home.workspace / "made").exists()


def test_a_request_may_be_answered_while_its_handler_still_thinks(
    home: QuietHome, scripted_model: ScriptedModel
) -> None:
    asked, release = Latch(), Latch()
    held: list[Any] = []

    def think(request: Any) -> Any:
        held.append(request)
        asked.set()
        comes(release)
        return False

    scripted_model.queue(reply(command("sleep 0.3; touch made")))
    with Codex(home.config(), on_approval=think) as codex:
        thread = codex.thread_start()
        turn = thread.turn("go")
        comes(asked)
        [request] = held
        assert not request.cancelled
        assert codex.answer(request.id, True) is True
        assert request.cancelled
        release.set()
        result = turn.run(timeout=PATIENCE)
    assert [item.status for item in commands(result)] == ["completed"]
    assert (home.workspace / "made").exists()


# -- parked ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("decision", [True, False])
def test_a_parked_command_is_answered_by_its_id_from_any_thread(
    home: QuietHome, scripted_model: ScriptedModel, decision: bool
) -> None:
    asked = Latch()
    in_time = []

    def park(request: Any) -> Any:
        asked.set()
        return LATER

    scripted_model.queue(reply(command("sleep 0.3; touch made")))
    with Codex(home.config(), on_approval=park) as codex:
        thread = codex.thread_start()
        turn = thread.turn("go")
        comes(asked)
        [request] = codex.pending_requests()
        assert isinstance(request, CommandApproval)
        assert (request.thread_id, request.turn_id, request.reason) == (thread.id, turn.id, "need it")
        assert "touch made" in str(request.command)
        with pytest.raises(ConfigError):
            codex.answer(request.id, "yes")
        assert codex.answer("nobody asked that", True) is False
        clerk = threading.Thread(target=lambda: in_time.append(codex.answer(request.id, decision)))
        clerk.start()
        clerk.join(PATIENCE)
        assert in_time == [True]
        assert codex.answer(request.id, True) is False
        assert codex.pending_requests() == []
        result = turn.run(timeout=PATIENCE)
    assert (home.workspace / "made").exists() == decision
    assert result.final_response == "ok"


def test_parked_requests_of_several_threads_are_answered_in_any_order(
    home: QuietHome, scripted_model: ScriptedModel
) -> None:
    asked, all_asked = [], Latch()

    def park(request: Any) -> Any:
        asked.append(request.id)
        if len(asked) == 3:
            all_asked.set()
        return LATER

    for kind in ("command", "patch", "question"):
        scripted_model.when(kind, reply(KINDS[kind]), say(f"{kind} done"))
    with Codex(home.config(), on_approval=park, on_user_input=park) as codex:
        turns = {}
        for kind in ("command", "patch", "question"):
            thread = codex.thread_start()
            turns[kind] = thread.turn(kind)
        comes(all_asked)
        pending = {type(request): request for request in codex.pending_requests()}
        patch = pending[FileChangeApproval]
        assert isinstance(patch, FileChangeApproval)
        assert patch.diff.endswith("+hello\n")
        assert codex.answer(pending[UserInputRequest].id, {"color": "red"}) is True
        assert (turns["question"].run(timeout=PATIENCE)).final_response == "question done"
        assert codex.answer(patch.id, True) is True
        assert (turns["patch"].run(timeout=PATIENCE)).final_response == "patch done"
        assert codex.answer(pending[CommandApproval].id, False) is True
        assert (turns["command"].run(timeout=PATIENCE)).final_response == "command done"


def test_what_is_parked_is_refused_at_the_deadline(home: QuietHome, scripted_model: ScriptedModel) -> None:
    ids = []

    def park(request: Any) -> Any:
        ids.append(request.id)
        return LATER

    scripted_model.queue(reply(KINDS["command"]))
    with Codex(home.config(handler_timeout=STARTED), on_approval=park) as codex:
        thread = codex.thread_start()
        thread.run("go", timeout=PATIENCE)
        assert codex.answer(ids[0], True) is False
    assert REFUSED["command"] in told(scripted_model)


# -- handlers and the client -------------------------------------------------------------------------------------------


def test_a_handler_may_read_the_thread_and_run_another_turn(home: QuietHome, scripted_model: ScriptedModel) -> None:
    found = []

    def consult(request: Any) -> Any:
        read = thread.read()
        advisor = codex.thread_start(ephemeral=True)
        advice = advisor.run(f"May it run {request.command}?", timeout=PATIENCE)
        found.append((read.thread.id, advice.final_response))
        return advice.final_response == "yes"

    scripted_model.when("go", reply(command("sleep 0.3; touch made")), say("done"))
    scripted_model.say("yes")
    with Codex(home.config(), on_approval=consult) as codex:
        thread = codex.thread_start()
        result = thread.run("go", timeout=PATIENCE)
    assert found == [(thread.id, "yes")]
    assert (home.workspace / "made").exists()
    assert result.final_response == "done"


def test_a_handler_may_interrupt_the_turn_that_asks(home: QuietHome, scripted_model: ScriptedModel) -> None:
    started = Latch()

    def stop(request: Any) -> Any:
        comes(started)
        turn.interrupt(timeout=PATIENCE)
        return True

    scripted_model.queue(reply(KINDS["command"]))
    with Codex(home.config(), on_approval=stop) as codex:
        thread = codex.thread_start()
        turn = thread.turn("go")
        started.set()
        result = turn.run(timeout=PATIENCE)
        after = thread.run("again", timeout=PATIENCE)
    assert result.status == TurnStatus.interrupted
    assert not (home.workspace / "made").exists()
    assert after.final_response == "ok"


def test_what_follows_the_end_of_its_own_turn_belongs_into_finally(
    home: QuietHome, scripted_model: ScriptedModel
) -> None:
    started, left = Latch(), Latch()

    def stop(request: Any) -> Any:
        try:
            comes(started)
            turn.interrupt(timeout=PATIENCE)
            return True
        finally:
            assert request.cancelled
            left.set()

    scripted_model.queue(reply(KINDS["command"]))
    with Codex(home.config(), on_approval=stop) as codex:
        thread = codex.thread_start()
        turn = thread.turn("go")
        started.set()
        assert (turn.run(timeout=PATIENCE)).status == TurnStatus.interrupted
        comes(left)


@pytest.mark.parametrize("wrong", [True, "accept", ApprovalDecision.accept()], ids=str)
def test_a_handler_must_be_callable(wrong: Any) -> None:
    for name in ("on_approval", "on_elicitation", "on_token_refresh", "on_user_input"):
        with pytest.raises(ConfigError, match=f"{name}: expected a function, got "):
            Codex(**{name: wrong})


def test_a_handler_is_for_a_request_of_the_runtime_only(home: QuietHome, scripted_model: ScriptedModel) -> None:
    with Codex(home.config()) as codex:
        wrong: Any
        for wrong in (ThreadStartParams, CommandApproval, TurnStartedNotification, ServerRequest, "item/tool/call"):
            with pytest.raises(ConfigError, match="params_type: expected the params class of a server request"):
                codex.handle(wrong, accept_all)
        with pytest.raises(ConfigError, match="handler: expected a function, got True"):
            codex.handle(CurrentTimeReadParams, cast("Any", True))


def test_a_slow_approval_delays_nothing_else(home: QuietHome, scripted_model: ScriptedModel) -> None:
    asked, release = Latch(), Latch()

    def dawdle(request: Any) -> Any:
        asked.set()
        comes(release)
        return True

    scripted_model.when("slow", reply(command("sleep 0.3; touch slow")), say("slow done"))
    scripted_model.when("quick", say("quick done"))
    with Codex(home.config(), on_approval=dawdle) as codex:

        def run() -> Any:
            thread = codex.thread_start(ephemeral=True)
            return (thread.run("quick", timeout=PATIENCE)).final_response

        slow = codex.thread_start()
        turn = slow.turn("slow")
        comes(asked)
        assert together([run, run, run]) == ["quick done"] * 3
        assert not (home.workspace / "slow").exists()
        release.set()
        result = turn.run(timeout=PATIENCE)
    assert result.final_response == "slow done"
    assert (home.workspace / "slow").exists()


def test_accept_all_accepts_every_kind_of_approval(home: QuietHome, scripted_model: ScriptedModel) -> None:
    scripted_model.queue(reply(KINDS["patch"]), reply(command("sleep 0.3; touch more")), reply(KINDS["permissions"]))
    with Codex(home.config(), on_approval=accept_all) as codex:
        thread = codex.thread_start()
        thread.run("go", timeout=PATIENCE)
    assert {path.name for path in home.workspace.iterdir()} == {"made", "more"}
    assert '"enabled":true' in told(scripted_model)
