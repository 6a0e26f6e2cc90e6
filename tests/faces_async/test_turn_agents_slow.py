"""A sub-agent that does not end at once when its turn is given up: nothing that it asks reaches the program any longer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from openai_codex import LATER, AsyncCodex, CommandApproval, ElicitationRequest, TurnTimeoutError
from openai_codex._async.client import agent_stops, cursor
from openai_codex.testing import FakeAppServer
from tests.support.bounds import PATIENCE, STARTED, eventually, within
from tests.support.fake_agents import COMMAND, INTERRUPT, Child, elicit
from tests.support.inside import is_ended, trees_of


@pytest.fixture
def server() -> Iterator[FakeAppServer]:
    with FakeAppServer() as server:
        yield server


async def test_what_it_asks_before_and_after_is_not_for_the_program(server: FakeAppServer) -> None:
    asked: list[CommandApproval] = []

    def later(request: CommandApproval) -> object:
        asked.append(request)
        return LATER

    server.hold(INTERRUPT)
    async with AsyncCodex(server.config(), on_approval=later) as codex:  # type: ignore[arg-type]  # it asks for nothing else
        turn = await (await codex.thread_start()).turn("go")
        child = Child(server)
        child.ask()
        assert eventually(lambda: asked)
        with pytest.raises(TurnTimeoutError):
            await turn.interrupt(timeout=0.05)
        assert asked[0].cancelled
        assert codex.pending_requests() == []
        child.ask()
        server.turn.ask(COMMAND, itemId="I", startedAtMs=0, command="true")  # requests are handled in order
        assert eventually(lambda: len(asked) > 1)
        assert [each.thread_id for each in asked] == [child.thread_id, turn.thread_id]
        assert [each.thread_id for each in codex.pending_requests()] == [turn.thread_id]


@pytest.mark.parametrize("turn_id", [None, "a turn within the turn"])
async def test_so_with_what_names_its_thread_only(server: FakeAppServer, turn_id: str | None) -> None:
    asked: list[ElicitationRequest] = []

    def later(request: ElicitationRequest) -> object:
        asked.append(request)
        return LATER

    server.hold(INTERRUPT)
    async with AsyncCodex(server.config(), on_elicitation=later) as codex:  # type: ignore[arg-type]  # any answer is typed
        turn = await (await codex.thread_start()).turn("go")
        child = Child(server)
        child.elicit(turn_id)
        assert eventually(lambda: asked)
        with pytest.raises(TurnTimeoutError):
            await turn.interrupt(timeout=0.05)
        assert asked[0].cancelled
        assert codex.pending_requests() == []
        child.elicit(turn_id)
        elicit(server, turn.thread_id, turn_id)  # requests are handled in order
        assert eventually(lambda: len(asked) > 1)
        assert [each.thread_id for each in asked] == [child.thread_id, turn.thread_id]


async def test_it_is_interrupted_until_it_is_over(server: FakeAppServer) -> None:
    server.hold(INTERRUPT)
    async with AsyncCodex(server.config()) as codex:
        turn = await (await codex.thread_start()).turn("go")
        child = Child(server)
        with pytest.raises(TurnTimeoutError, match="did not come") as caught:
            await turn.interrupt(timeout=0.05)
        assert caught.value.waiting_for == "its end"
        assert eventually(lambda: len(child.interrupts()) > 1)
        server.turn.complete("interrupted")
        assert eventually(lambda: is_ended(turn))
        with pytest.raises(TurnTimeoutError) as caught:
            await turn.interrupt(timeout=0.05)
        assert caught.value.waiting_for == "the end of its sub-agents"
        child.end()
        await turn.interrupt(timeout=PATIENCE)


async def test_one_that_starts_after_the_end_of_its_turn_is_interrupted_as_well(server: FakeAppServer) -> None:
    async with AsyncCodex(server.config()) as codex:
        turn = await (await codex.thread_start()).turn("go")
        root = server.turn
        await turn.interrupt(timeout=PATIENCE)
        assert root.id == server.turn.id
        child = Child(server)
        assert eventually(child.interrupts)
        child.end()
        await turn.interrupt(timeout=PATIENCE)


async def test_a_run_waits_for_it_within_its_own_time(server: FakeAppServer, caplog: pytest.LogCaptureFixture) -> None:
    async with AsyncCodex(server.config()) as codex:
        turn = await (await codex.thread_start()).turn("go")
        Child(server)
        server.turn.complete()
        assert eventually(lambda: is_ended(turn))
        result = await turn.run(agents="stop", timeout=0.1)
        assert [each.is_running for each in result.agents] == [True]
    noted = [vars(each)["codex"] for each in caplog.records if "agents_not_stopped" in each.getMessage()]
    assert [(each["thread_id"], each["seconds"] <= 0.1) for each in noted] == [(turn.thread_id, True)]
    assert {each.levelname for each in caplog.records if "agents_not_stopped" in each.getMessage()} == {"WARNING"}


async def test_a_run_that_keeps_it_does_not_interrupt_it(server: FakeAppServer) -> None:
    server.hold(INTERRUPT)
    started: list[Child] = []

    def start(request: Any) -> None:
        request.proceed()
        started.append(Child(server))

    server.on("turn/start", start)
    async with AsyncCodex(server.config()) as codex:
        thread = await codex.thread_start()
        with pytest.raises(TurnTimeoutError):
            await thread.run("go", agents="keep", timeout=STARTED)
        # The turn itself is interrupted again and again, and so would be the sub-agent.
        count = server.request_count(INTERRUPT)
        assert eventually(lambda: server.request_count(INTERRUPT) > count + 1)
        assert [child.interrupts() for child in started] == [[]]


@pytest.mark.parametrize("how", ["fail", "complete"])
async def test_an_error_in_the_block_of_a_stream_stops_it_although_the_turn_is_over(
    server: FakeAppServer, how: str
) -> None:
    async with AsyncCodex(server.config()) as codex:
        turn = await (await codex.thread_start()).turn("go")
        child = Child(server)
        server.on(INTERRUPT, lambda request: (request.proceed(), child.end()))
        with pytest.raises(KeyError):
            async with turn.stream():
                server.turn.fail("no") if how == "fail" else server.turn.complete()
                assert eventually(lambda: is_ended(turn))
                raise KeyError(how)
        assert eventually(child.interrupts)
        assert eventually(lambda: trees_of(codex).is_quiet(turn.id))


@pytest.mark.parametrize("starts", [False, True])
async def test_who_gives_up_waits_for_it_once(
    server: FakeAppServer, starts: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    patience = 5.0
    for module in (agent_stops, cursor):
        monkeypatch.setattr(module, "ABANDON_PATIENCE", patience)

    def start(request: Any) -> None:
        request.proceed()
        Child(server)

    server.on("turn/start", start)
    async with AsyncCodex(server.config()) as codex:
        thread = await codex.thread_start()
        run = thread.run if starts else (await thread.turn("go")).run
        arguments = ["go"] if starts else []
        with within(2 * patience), pytest.raises(TurnTimeoutError):
            await run(*arguments, timeout=0.2)


async def test_the_error_of_another_turn_keeps_its_own_sub_agents(server: FakeAppServer) -> None:
    async with AsyncCodex(server.config()) as codex:
        turn = await (await codex.thread_start()).turn("go")
        Child(server)
        assert eventually(turn.agents)
        other = await (await codex.thread_start()).turn("go")
        with pytest.raises(TurnTimeoutError) as caught:
            async with turn.stream():
                await other.run(timeout=0)
    assert caught.value.result is not None
    assert (caught.value.result.id, caught.value.result.agents) == (other.id, ())


async def test_a_stream_without_its_events_drops_those_that_another_stream_has_left(server: FakeAppServer) -> None:
    async with AsyncCodex(server.config()) as codex:
        turn = await (await codex.thread_start()).turn("go")
        child = Child(server)
        delta = {"threadId": child.thread_id, "turnId": child.turn_id, "itemId": "I", "delta": "a"}
        server.notify("item/reasoning/textDelta", delta | {"contentIndex": 0}, times=3)
        child.end()
        server.turn.complete()
        assert eventually(lambda: is_ended(turn))  # so that all events are there, and taken at once
        async for event in turn.stream(agents=True, timeout=PATIENCE):
            if event.thread_id == child.thread_id:
                break
        rest = [event async for event in turn.stream(timeout=PATIENCE)]
    assert {event.thread_id for event in rest} == {turn.thread_id}
    assert rest[-1].method == "turn/completed"
