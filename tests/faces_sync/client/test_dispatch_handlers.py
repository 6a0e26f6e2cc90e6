# Derived from tests/faces_async/client/test_dispatch_handlers.py by `python -m tools.unasync`; do not edit.
"""What handlers may do with the client while a request is open."""

from __future__ import annotations

from typing import Any, cast

import pytest

from openai_codex import ApprovalDecision, Codex, ConfigError, accept_all
from openai_codex._approvals.requests import CommandApproval
from openai_codex._engine.waiting import Latch
from openai_codex._protocol import ServerRequest
from openai_codex.testing import QuietHome, ScriptedModel, reply, say
from openai_codex.types import (
    CurrentTimeReadParams,
    ThreadStartParams,
    TurnStartedNotification,
    TurnStatus,
)
from tests.faces_sync._wait import together
from tests.faces_sync.client._asked import comes
from tests.faces_sync.client._people import (
    KINDS,
    command,
    told,
)
from tests.support.bounds import PATIENCE


def test_a_handler_may_read_the_thread_and_run_another_turn(
    asking_home: QuietHome, scripted_model: ScriptedModel
) -> None:
    found = []

    def consult(request: Any) -> Any:
        read = thread.read()
        advisor = codex.thread_start(ephemeral=True)
        advice = advisor.run(f"May it run {request.command}?", timeout=PATIENCE)
        found.append((read.thread.id, advice.final_response))
        return advice.final_response == "yes"

    scripted_model.when("go", reply(command("sleep 0.3; touch made")), say("done"))
    scripted_model.say("yes")
    with Codex(asking_home.config(), on_approval=consult) as codex:
        thread = codex.thread_start()
        result = thread.run("go", timeout=PATIENCE)
    assert found == [(thread.id, "yes")]
    assert (asking_home.workspace / "made").exists()
    assert result.final_response == "done"


def test_a_handler_may_interrupt_the_turn_that_asks(asking_home: QuietHome, scripted_model: ScriptedModel) -> None:
    started = Latch()

    def stop(request: Any) -> Any:
        comes(started)
        turn.interrupt(timeout=PATIENCE)
        return True

    scripted_model.queue(reply(KINDS["command"]))
    with Codex(asking_home.config(), on_approval=stop) as codex:
        thread = codex.thread_start()
        turn = thread.turn("go")
        started.set()
        result = turn.run(timeout=PATIENCE)
        after = thread.run("again", timeout=PATIENCE)
    assert result.status == TurnStatus.interrupted
    assert not (asking_home.workspace / "made").exists()
    assert after.final_response == "ok"


def test_what_follows_the_end_of_its_own_turn_belongs_into_finally(
    asking_home: QuietHome, scripted_model: ScriptedModel
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
    with Codex(asking_home.config(), on_approval=stop) as codex:
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


def test_a_handler_is_for_a_request_of_the_runtime_only(asking_home: QuietHome, scripted_model: ScriptedModel) -> None:
    with Codex(asking_home.config()) as codex:
        wrong: Any
        for wrong in (ThreadStartParams, CommandApproval, TurnStartedNotification, ServerRequest, "item/tool/call"):
            with pytest.raises(ConfigError, match="params_type: expected the params class of a server request"):
                codex.handle(wrong, accept_all)
        with pytest.raises(ConfigError, match="handler: expected a function, got True"):
            codex.handle(CurrentTimeReadParams, cast("Any", True))


def test_a_slow_approval_delays_nothing_else(asking_home: QuietHome, scripted_model: ScriptedModel) -> None:
    asked, release = Latch(), Latch()

    def dawdle(request: Any) -> Any:
        asked.set()
        comes(release)
        return True

    scripted_model.when("slow", reply(command("sleep 0.3; touch slow")), say("slow done"))
    scripted_model.when("quick", say("quick done"))
    with Codex(asking_home.config(), on_approval=dawdle) as codex:

        def run() -> Any:
            thread = codex.thread_start(ephemeral=True)
            return (thread.run("quick", timeout=PATIENCE)).final_response

        slow = codex.thread_start()
        turn = slow.turn("slow")
        comes(asked)
        assert together([run, run, run]) == ["quick done"] * 3
        assert not (asking_home.workspace / "slow").exists()
        release.set()
        result = turn.run(timeout=PATIENCE)
    assert result.final_response == "slow done"
    assert (asking_home.workspace / "slow").exists()


def test_accept_all_accepts_every_kind_of_approval(asking_home: QuietHome, scripted_model: ScriptedModel) -> None:
    scripted_model.queue(reply(KINDS["patch"]), reply(command("sleep 0.3; touch more")), reply(KINDS["permissions"]))
    with Codex(asking_home.config(), on_approval=accept_all) as codex:
        thread = codex.thread_start()
        thread.run("go", timeout=PATIENCE)
    assert {path.name for path in asking_home.workspace.iterdir()} == {"made", "more"}
    assert '"enabled":true' in told(scripted_model)
