"""What handlers may do with the client while a request is open."""

from __future__ import annotations

from typing import Any, cast

import pytest

from openai_codex import ApprovalDecision, AsyncCodex, ConfigError, accept_all
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
from tests.faces_async._wait import together
from tests.faces_async.client._asked import comes
from tests.faces_async.client._people import (
    KINDS,
    command,
    told,
)
from tests.support.bounds import PATIENCE


async def test_a_handler_may_read_the_thread_and_run_another_turn(
    asking_home: QuietHome, scripted_model: ScriptedModel
) -> None:
    found = []

    async def consult(request: Any) -> Any:
        read = await thread.read()
        advisor = await codex.thread_start(ephemeral=True)
        advice = await advisor.run(f"May it run {request.command}?", timeout=PATIENCE)
        found.append((read.thread.id, advice.final_response))
        return advice.final_response == "yes"

    scripted_model.when("go", reply(command("sleep 0.3; touch made")), say("done"))
    scripted_model.say("yes")
    async with AsyncCodex(asking_home.config(), on_approval=consult) as codex:
        thread = await codex.thread_start()
        result = await thread.run("go", timeout=PATIENCE)
    assert found == [(thread.id, "yes")]
    assert (asking_home.workspace / "made").exists()
    assert result.final_response == "done"


async def test_a_handler_may_interrupt_the_turn_that_asks(
    asking_home: QuietHome, scripted_model: ScriptedModel
) -> None:
    started = Latch()

    async def stop(request: Any) -> Any:
        await comes(started)
        await turn.interrupt(timeout=PATIENCE)
        return True

    scripted_model.queue(reply(KINDS["command"]))
    async with AsyncCodex(asking_home.config(), on_approval=stop) as codex:
        thread = await codex.thread_start()
        turn = await thread.turn("go")
        started.set()
        result = await turn.run(timeout=PATIENCE)
        after = await thread.run("again", timeout=PATIENCE)
    assert result.status == TurnStatus.interrupted
    assert not (asking_home.workspace / "made").exists()
    assert after.final_response == "ok"


async def test_what_follows_the_end_of_its_own_turn_belongs_into_finally(
    asking_home: QuietHome, scripted_model: ScriptedModel
) -> None:
    started, left = Latch(), Latch()

    async def stop(request: Any) -> Any:
        try:
            await comes(started)
            await turn.interrupt(timeout=PATIENCE)
            return True
        finally:
            assert request.cancelled
            left.set()

    scripted_model.queue(reply(KINDS["command"]))
    async with AsyncCodex(asking_home.config(), on_approval=stop) as codex:
        thread = await codex.thread_start()
        turn = await thread.turn("go")
        started.set()
        assert (await turn.run(timeout=PATIENCE)).status == TurnStatus.interrupted
        await comes(left)


@pytest.mark.parametrize("wrong", [True, "accept", ApprovalDecision.accept()], ids=str)
async def test_a_handler_must_be_callable(wrong: Any) -> None:
    for name in ("on_approval", "on_elicitation", "on_token_refresh", "on_user_input"):
        with pytest.raises(ConfigError, match=f"{name}: expected a function, got "):
            AsyncCodex(**{name: wrong})


async def test_a_handler_is_for_a_request_of_the_runtime_only(
    asking_home: QuietHome, scripted_model: ScriptedModel
) -> None:
    async with AsyncCodex(asking_home.config()) as codex:
        wrong: Any
        for wrong in (ThreadStartParams, CommandApproval, TurnStartedNotification, ServerRequest, "item/tool/call"):
            with pytest.raises(ConfigError, match="params_type: expected the params class of a server request"):
                codex.handle(wrong, accept_all)
        with pytest.raises(ConfigError, match="handler: expected a function, got True"):
            codex.handle(CurrentTimeReadParams, cast("Any", True))


async def test_a_slow_approval_delays_nothing_else(asking_home: QuietHome, scripted_model: ScriptedModel) -> None:
    asked, release = Latch(), Latch()

    async def dawdle(request: Any) -> Any:
        asked.set()
        await comes(release)
        return True

    scripted_model.when("slow", reply(command("sleep 0.3; touch slow")), say("slow done"))
    scripted_model.when("quick", say("quick done"))
    async with AsyncCodex(asking_home.config(), on_approval=dawdle) as codex:

        async def run() -> Any:
            thread = await codex.thread_start(ephemeral=True)
            return (await thread.run("quick", timeout=PATIENCE)).final_response

        slow = await codex.thread_start()
        turn = await slow.turn("slow")
        await comes(asked)
        assert await together([run, run, run]) == ["quick done"] * 3
        assert not (asking_home.workspace / "slow").exists()
        release.set()
        result = await turn.run(timeout=PATIENCE)
    assert result.final_response == "slow done"
    assert (asking_home.workspace / "slow").exists()


async def test_accept_all_accepts_every_kind_of_approval(asking_home: QuietHome, scripted_model: ScriptedModel) -> None:
    scripted_model.queue(reply(KINDS["patch"]), reply(command("sleep 0.3; touch more")), reply(KINDS["permissions"]))
    async with AsyncCodex(asking_home.config(), on_approval=accept_all) as codex:
        thread = await codex.thread_start()
        await thread.run("go", timeout=PATIENCE)
    assert {path.name for path in asking_home.workspace.iterdir()} == {"made", "more"}
    assert '"enabled":true' in told(scripted_model)
