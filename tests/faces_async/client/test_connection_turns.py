"""What `turns()` says: of a turn that is being interrupted by whom and why, and of one that waits for this program for what."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest

from openai_codex import (
    LATER,
    AsyncCodex,
    AsyncThread,
    AsyncTurnHandle,
    CommandApproval,
    RequestTimeoutError,
    RunningTurn,
    TurnStalledError,
    TurnTimeoutError,
)
from openai_codex._async.client import cursor
from openai_codex._async.client._wait import caller_name
from openai_codex._journal.read import read
from openai_codex.testing import FakeAppServer
from openai_codex.types import TurnInterruptParams
from tests.faces_async._outcome import outcomes
from tests.support.agents import Version, agents
from tests.support.bounds import PATIENCE, STARTED, eventually
from tests.support.fake_agents import COMMAND, INTERRUPT, Child
from tests.support.inside import config_of

ASKED = "codex.turn_interrupt_asked"


@pytest.fixture
def server() -> Iterator[FakeAppServer]:
    with FakeAppServer() as server:
        yield server


def only(codex: AsyncCodex) -> RunningTurn:
    [row] = codex.turns()
    return row


def logged(caplog: pytest.LogCaptureFixture, event: str) -> list[dict[str, Any]]:
    found = [vars(record).get("codex") or {} for record in caplog.records]
    return [each for each in found if each.get("event") == event]


# --------------------------------------------------------------------------------------------- an interrupt was asked for


@attrs.frozen
class At:
    codex: AsyncCodex
    thread: AsyncThread
    turn: AsyncTurnHandle


async def call(at: At) -> None:
    await at.turn.interrupt(timeout=0.05)


async def run_too_long(at: At) -> None:
    await at.turn.run(timeout=0.05)


async def stall(at: At) -> None:
    await at.turn.run(stall_timeout=0.05)


async def leave(at: At) -> None:
    async with at.turn.stream():
        raise LookupError("of the program")


async def close(at: At) -> None:
    await at.thread.close()


async def send(at: At) -> None:
    await at.codex.request(TurnInterruptParams(thread_id=at.turn.thread_id, turn_id=at.turn.id), timeout=0.05)


async def send_for_any(at: At) -> None:
    await at.codex.request(TurnInterruptParams(thread_id=at.turn.thread_id, turn_id=""), timeout=0.05)


WAYS: dict[str, tuple[Callable[[At], Awaitable[None]], type[Exception]]] = {
    "interrupt": (call, TurnTimeoutError),
    "TurnTimeoutError": (run_too_long, TurnTimeoutError),
    "TurnStalledError": (stall, TurnStalledError),
    "LookupError": (leave, LookupError),
    "close": (close, TurnTimeoutError),
    "turn/interrupt": (send, RequestTimeoutError),
    "turn/interrupt of any": (send_for_any, RequestTimeoutError),
}


@pytest.mark.parametrize("way", WAYS)
async def test_a_turn_that_is_being_interrupted_says_by_whom_and_why(
    server: FakeAppServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, way: str
) -> None:
    caplog.set_level(logging.INFO, "openai_codex")
    monkeypatch.setattr(cursor, "ABANDON_PATIENCE", 0.05)
    server.hold(INTERRUPT)  # so the turn goes on
    act, error = WAYS[way]
    async with AsyncCodex(server.config()) as codex:
        thread = await codex.thread_start()
        turn = await thread.turn("go")
        row = only(codex)
        assert (row.interrupt_by, row.interrupt_reason, row.interrupt_age) == (None, None, None)
        with monkeypatch.context() as patch, pytest.raises(error):
            if way == "close":
                patch.setattr(config_of(codex), "request_timeout", 2.0)
            await act(At(codex, thread, turn))
        reason = way.removesuffix(" of any")
        row = only(codex)
        assert (row.interrupt_by, row.interrupt_reason) == (caller_name(), reason)
        assert row.interrupt_age is not None
        assert 0 <= row.interrupt_age <= row.age
        [shown] = codex.health().to_dict()["turns"]
        assert (shown["interrupt_by"], shown["interrupt_reason"]) == (caller_name(), reason)
        with pytest.raises(TurnTimeoutError):
            await turn.interrupt(timeout=0.01)
        assert only(codex).interrupt_reason == reason, "the first one is kept"
        server.turn.complete()
        await turn.run()
        assert codex.turns() == ()
    first, second = logged(caplog, ASKED)
    assert (first["turn_id"], first["by"], first["reason"]) == (turn.id, caller_name(), reason)
    assert second["reason"] == "interrupt"


async def test_each_handle_of_a_turn_may_interrupt_it(server: FakeAppServer) -> None:
    server.hold(INTERRUPT)
    async with AsyncCodex(server.config()) as codex:
        thread = await codex.thread_start()
        handles = [await thread.turn("go")]
        server.on("turn/start", {"turn": {"id": handles[0].id, "items": [], "status": "inProgress"}})
        handles.append(await thread.turn("go on"))
        with pytest.raises(TurnTimeoutError):
            await handles[1].interrupt(timeout=0.05)
        assert only(codex).interrupt_reason == "interrupt"


async def test_what_is_over_is_not_said_to_be_interrupted(
    server: FakeAppServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "openai_codex")
    async with AsyncCodex(server.config()) as codex:
        turn = await (await codex.thread_start()).turn("go")
        server.turn.complete()
        with pytest.raises(LookupError):
            async with turn.stream(timeout=PATIENCE) as events:
                async for _ in events:
                    pass
                raise LookupError("of the program")
    assert logged(caplog, ASKED) == []


async def test_a_goal_that_is_given_up_says_by_whom_and_why(
    codex_config: Any, scripted_model: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "openai_codex")
    scripted_model.hang()
    seen: list[RunningTurn] = []
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start()
        run = partial(codex.run_goal, thread.id, "count", stall_timeout=STARTED, timeout=PATIENCE)

        async def look() -> None:
            while not seen or seen[-1].interrupt_by is None:
                seen.extend(codex.turns())
                if logged(caplog, ASKED) and not codex.turns():
                    return  # it is over already
                await codex.models()

        [error, _] = await outcomes([run, look])
    assert type(error) is TurnStalledError
    [asked] = logged(caplog, ASKED)
    assert asked["turn_id"] == seen[0].turn_id
    assert asked["reason"] == "TurnStalledError"
    assert asked["by"]


# -------------------------------------------------------------------------------------- what a turn waits for, and who asks


def later(_: Any) -> Any:
    return LATER


def ask(server: FakeAppServer) -> None:
    server.turn.ask(COMMAND, itemId="I", startedAtMs=0, command="true")


async def test_a_turn_that_waits_for_this_program_names_the_request(server: FakeAppServer) -> None:
    async with AsyncCodex(server.config(), on_approval=later) as codex:
        turn = await (await codex.thread_start()).turn("go")
        row = only(codex)
        assert (row.request_id, row.request_method, row.request_thread_id) == (None, None, None)
        ask(server)
        ask(server)
        assert eventually(lambda: len(codex.pending_requests()) > 1)
        row, first = only(codex), codex.pending_requests()[0]
        assert (row.waiting_on, row.request_id, row.request_method) == ("approval", first.id, COMMAND)
        assert row.request_thread_id == turn.thread_id
        for pending in codex.pending_requests():
            assert only(codex).request_id == pending.id, "the oldest first"
            assert codex.answer(pending.id, True)
        row = only(codex)
        assert (row.waiting_on, row.request_id, row.request_method) == ("model", None, None)


@pytest.mark.parametrize("version", [1, 2])
async def test_a_turn_whose_sub_agent_asks_waits_for_that(version: Version) -> None:
    asked: list[CommandApproval] = []

    def note(request: CommandApproval) -> object:
        asked.append(request)
        return LATER

    with agents("asks", version=version) as tree:
        async with AsyncCodex(tree.config, on_approval=note) as codex:  # type: ignore[arg-type]  # it asks for nothing else
            turn = await (await codex.thread_start(**tree.thread())).turn("go")
            assert eventually(lambda: asked)
            row = only(codex)
            assert (row.turn_id, row.waiting_on, row.request_id) == (turn.id, "approval", asked[0].id)
            assert row.request_thread_id == asked[0].thread_id != turn.thread_id
            assert row.request_method == COMMAND
            assert [agent.thread_id for agent in turn.agents()] == [row.request_thread_id]
            assert codex.answer(asked[0].id, True)
            assert only(codex).request_id is None


async def test_a_sub_agent_asks_for_the_turn_that_it_works_for_and_for_no_other(server: FakeAppServer) -> None:
    async with AsyncCodex(server.config(), on_approval=later) as codex:
        thread = await codex.thread_start()
        first = await thread.turn("go")
        child = Child(server)
        child.ask()
        assert eventually(codex.pending_requests)
        assert eventually(lambda: only(codex).request_thread_id == child.thread_id)
        assert only(codex).turn_id == first.id
        ask(server)
        assert eventually(lambda: only(codex).request_thread_id == first.thread_id), "its own comes before"
        server.turn.complete()
        await first.run()
        assert codex.turns() == ()
        second = await thread.turn("more")  # the sub-agent goes on, and asks for the turn before
        row = only(codex)
        assert (row.turn_id, row.waiting_on, row.request_id) == (second.id, "model", None)
        assert [each.thread_id for each in codex.pending_requests()] == [child.thread_id]


async def test_an_answer_from_elsewhere_names_its_caller(
    server: FakeAppServer, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.INFO, "openai_codex")
    path = tmp_path / "run.jsonl"

    def decide(request: CommandApproval) -> Any:
        return LATER if request.item_id == "I" else True

    async with AsyncCodex(server.config(journal=path), on_approval=decide) as codex:  # type: ignore[arg-type]
        await (await codex.thread_start()).turn("go")
        await server.turn.ask(COMMAND, itemId="at once", startedAtMs=0, command="true").answered(PATIENCE)
        ask(server)
        assert eventually(codex.pending_requests)
        assert codex.answer(codex.pending_requests()[0].id, True)
        assert eventually(lambda: len(logged(caplog, "codex.server_request_answered")) > 1)
    found = [each.frame for each in read(path) if each.event == "server_request_answered"]
    expected = {"handler": None, "answer": caller_name()}
    # By two threads, in any order.
    assert {each["by"]: each["caller"] for each in logged(caplog, "codex.server_request_answered")} == expected
    assert {each["by"]: each.get("caller") for each in found} == expected
