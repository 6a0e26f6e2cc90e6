"""Requests of a person that are left unanswered, or answered later."""

from __future__ import annotations

import logging
import threading
from typing import Any

import pytest

from openai_codex import LATER, AsyncCodex, ConfigError
from openai_codex._approvals.requests import CommandApproval, FileChangeApproval, UserInputRequest
from openai_codex._engine.waiting import Latch
from openai_codex.testing import QuietHome, ScriptedModel, reply, say
from openai_codex.types import (
    TurnStatus,
)
from tests.faces_async.client._asked import Gathered, comes
from tests.faces_async.client._people import (
    KINDS,
    REFUSED,
    ask_all,
    assert_refused,
    command,
    commands,
    told,
    yes_to,
)
from tests.support.bounds import PATIENCE, STARTED

# -- no answer ---------------------------------------------------------------------------------------------------------


async def test_a_handler_that_raises_has_refused(
    asking_home: QuietHome, scripted_model: ScriptedModel, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(request: Any) -> Any:
        raise RuntimeError("a mistake in the handler")

    ask_all(scripted_model)
    with caplog.at_level(logging.WARNING, "openai_codex.handlers"):
        async with AsyncCodex(asking_home.config(), on_approval=fail, on_user_input=fail) as codex:
            turns = [await (await codex.thread_start()).turn(kind) for kind in KINDS]
            results = [await turn.run(timeout=PATIENCE) for turn in turns]
    assert [result.final_response for result in results] == ["done"] * len(KINDS)
    assert_refused(scripted_model)
    records = [record for record in caplog.records if record.getMessage().startswith("codex.handler_failed")]
    assert [str(record.exc_info[1]) for record in records if record.exc_info] == ["a mistake in the handler"] * len(
        KINDS
    )


async def test_a_handler_that_returns_nonsense_has_refused(
    asking_home: QuietHome, scripted_model: ScriptedModel, caplog: pytest.LogCaptureFixture
) -> None:
    async def mistaken(request: Any) -> Any:
        return "yes"

    scripted_model.queue(reply(KINDS["command"]))
    with caplog.at_level(logging.WARNING, "openai_codex.handlers"):
        async with AsyncCodex(asking_home.config(), on_approval=mistaken) as codex:
            thread = await codex.thread_start()
            await thread.run("go", timeout=PATIENCE)
    assert REFUSED["command"] in told(scripted_model)
    assert "expected an ApprovalDecision or a bool, got str" in caplog.text


async def test_what_takes_too_long_is_refused_and_a_late_answer_dropped(
    asking_home: QuietHome, scripted_model: ScriptedModel
) -> None:
    release, handled = Latch(), Gathered(len(KINDS))

    async def dawdle(request: Any) -> Any:
        try:
            await comes(release)
        finally:
            handled.add(request.cancelled)
        return yes_to(request)

    ask_all(scripted_model)
    async with AsyncCodex(
        asking_home.config(handler_timeout=STARTED), on_approval=dawdle, on_user_input=dawdle
    ) as codex:
        turns = [await (await codex.thread_start()).turn(kind) for kind in KINDS]
        results = [await turn.run(timeout=PATIENCE) for turn in turns]
        assert [result.final_response for result in results] == ["done"] * len(KINDS)
        assert_refused(scripted_model)
        release.set()
        await comes(handled.all)
        after = await (await codex.thread_start()).run("after", timeout=PATIENCE)
    assert after.final_response == "ok"
    assert handled == [True] * len(KINDS)
    assert not (asking_home.workspace / "made").exists()


@pytest.mark.parametrize("parks", [False, True])
async def test_an_interrupt_while_it_is_pending_ends_the_request(
    asking_home: QuietHome, scripted_model: ScriptedModel, parks: bool
) -> None:
    release, asked, seen = Latch(), Gathered(len(KINDS)), Gathered(len(KINDS))

    async def wait(request: Any) -> Any:
        asked.add(request)
        if parks:
            return LATER
        try:
            await comes(release)
        finally:
            seen.add(request.cancelled)
        return yes_to(request)

    ask_all(scripted_model)
    async with AsyncCodex(asking_home.config(), on_approval=wait, on_user_input=wait) as codex:
        turns = [await (await codex.thread_start()).turn(kind) for kind in KINDS]
        await comes(asked.all)
        assert {request.id for request in codex.pending_requests()} == {request.id for request in asked}
        assert [request.cancelled for request in asked] == [False] * len(KINDS)
        for turn in turns:
            [request] = [request for request in codex.pending_requests() if request.turn_id == turn.id]
            await turn.interrupt(timeout=PATIENCE)
            assert request.cancelled
            assert codex.answer(request.id, yes_to(request)) is False
            assert (await turn.run(timeout=PATIENCE)).status == TurnStatus.interrupted
        assert codex.pending_requests() == []
        assert [request.cancelled for request in asked] == [True] * len(KINDS)
        release.set()
        if not parks:
            await comes(seen.all)
        after = await (await codex.thread_start()).run("after", timeout=PATIENCE)
    assert seen == [True] * (0 if parks else len(KINDS))
    assert after.final_response == "ok"
    assert not (asking_home.workspace / "made").exists()


async def test_a_request_may_be_answered_while_its_handler_still_thinks(
    asking_home: QuietHome, scripted_model: ScriptedModel
) -> None:
    asked, release = Latch(), Latch()
    held: list[Any] = []

    async def think(request: Any) -> Any:
        held.append(request)
        asked.set()
        await comes(release)
        return False

    scripted_model.queue(reply(command("sleep 0.3; touch made")))
    async with AsyncCodex(asking_home.config(), on_approval=think) as codex:
        thread = await codex.thread_start()
        turn = await thread.turn("go")
        await comes(asked)
        [request] = held
        assert not request.cancelled
        assert codex.answer(request.id, True) is True
        assert request.cancelled
        release.set()
        result = await turn.run(timeout=PATIENCE)
    assert [item.status for item in commands(result)] == ["completed"]
    assert (asking_home.workspace / "made").exists()


# -- parked ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("decision", [True, False])
async def test_a_parked_command_is_answered_by_its_id_from_any_thread(
    asking_home: QuietHome, scripted_model: ScriptedModel, decision: bool
) -> None:
    asked = Latch()
    in_time = []

    async def park(request: Any) -> Any:
        asked.set()
        return LATER

    scripted_model.queue(reply(command("sleep 0.3; touch made")))
    async with AsyncCodex(asking_home.config(), on_approval=park) as codex:
        thread = await codex.thread_start()
        turn = await thread.turn("go")
        await comes(asked)
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
        result = await turn.run(timeout=PATIENCE)
    assert (asking_home.workspace / "made").exists() == decision
    assert result.final_response == "ok"


async def test_parked_requests_of_several_threads_are_answered_in_any_order(
    asking_home: QuietHome, scripted_model: ScriptedModel
) -> None:
    asked = Gathered(3)

    async def park(request: Any) -> Any:
        asked.add(request.id)
        return LATER

    for kind in ("command", "patch", "question"):
        scripted_model.when(kind, reply(KINDS[kind]), say(f"{kind} done"))
    async with AsyncCodex(asking_home.config(), on_approval=park, on_user_input=park) as codex:
        turns = {}
        for kind in ("command", "patch", "question"):
            thread = await codex.thread_start()
            turns[kind] = await thread.turn(kind)
        await comes(asked.all)
        pending = {type(request): request for request in codex.pending_requests()}
        patch = pending[FileChangeApproval]
        assert isinstance(patch, FileChangeApproval)
        assert patch.diff.endswith("+hello\n")
        assert codex.answer(pending[UserInputRequest].id, {"color": "red"}) is True
        assert (await turns["question"].run(timeout=PATIENCE)).final_response == "question done"
        assert codex.answer(patch.id, True) is True
        assert (await turns["patch"].run(timeout=PATIENCE)).final_response == "patch done"
        assert codex.answer(pending[CommandApproval].id, False) is True
        assert (await turns["command"].run(timeout=PATIENCE)).final_response == "command done"


async def test_what_is_parked_is_refused_at_the_deadline(asking_home: QuietHome, scripted_model: ScriptedModel) -> None:
    ids = []

    async def park(request: Any) -> Any:
        ids.append(request.id)
        return LATER

    scripted_model.queue(reply(KINDS["command"]))
    async with AsyncCodex(asking_home.config(handler_timeout=STARTED), on_approval=park) as codex:
        thread = await codex.thread_start()
        await thread.run("go", timeout=PATIENCE)
        assert codex.answer(ids[0], True) is False
    assert REFUSED["command"] in told(scripted_model)
