"""What `health()` says: the state of the client, the last exit, the running turns; and it is JSON."""

from __future__ import annotations

import copy
import json
import os
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest

from openai_codex import (
    AppServerConfig,
    AsyncCodex,
    Health,
    LaunchError,
    Restart,
    RunningTurn,
    TransportClosedError,
    tool,
)
from openai_codex._approvals.decisions import LATER
from openai_codex._async.client._wait import ready
from openai_codex.testing import FakeAppServer, ScriptedModel, call, frames
from openai_codex.types import CurrentTimeReadParams, CurrentTimeReadResponse, ModelListParams
from tests.faces_async._outcome import outcomes
from tests.faces_async._wait import together
from tests.support.bounds import PATIENCE, eventually, stop_process
from tests.support.inside import actor_of, config_of, connection_of

NOTHING: dict[str, object] = {"data": [], "nextCursor": None}


@pytest.fixture
def server() -> Iterator[FakeAppServer]:
    with FakeAppServer() as server:
        server.on("model/list", NOTHING)
        server.on("thread/loaded/list", NOTHING)
        yield server


async def end(server: FakeAppServer, codex: AsyncCodex) -> None:
    """Kill the runtime, and wait until it is gone."""
    server.child.kill()
    assert await ready(actor_of(codex).exited, PATIENCE)


# --------------------------------------------------------------------------------------------------------------- state


async def test_the_state_tells_a_runtime_that_will_be_replaced_from_one_that_will_not(server: FakeAppServer) -> None:
    async with AsyncCodex(server.config(restart=Restart(limit=1, initial_delay=0))) as codex:
        states = [codex.health().state]
        server.hold("model/list", times=2)
        closed: list[TransportClosedError] = []
        for expected in ("down", "given_up"):
            [error, _] = await together([partial(refused, codex), partial(kill_at, server, len(closed) + 1)])
            closed.append(error)
            assert await ready(actor_of(codex).exited, PATIENCE)
            states.append(codex.health().state)
            assert states[-1] == expected
            if expected == "down":
                await codex.thread_start()
                states.append(codex.health().state)
        closed.append(await refused(codex))
        states.append(codex.health().state)
    assert states == ["running", "down", "running", "given_up", "given_up"]
    assert codex.health().state == "closed"
    assert [error.will_restart for error in closed] == [True, False, False]
    assert [copy.copy(error).will_restart for error in closed] == [True, False, False]


async def refused(codex: AsyncCodex) -> TransportClosedError:
    with pytest.raises(TransportClosedError) as caught:
        await codex.request(ModelListParams())
    return caught.value


async def kill_at(server: FakeAppServer, count: int) -> TransportClosedError:
    await server.received("model/list", count)
    server.child.kill()
    return TransportClosedError("a placeholder")


async def test_without_supervision_a_dead_runtime_has_given_up_and_a_closed_client_is_closed(
    server: FakeAppServer,
) -> None:
    async with AsyncCodex(server.config()) as codex:
        await end(server, codex)
        assert codex.health().state == "given_up"
        assert not (await refused(codex)).will_restart
    assert codex.health().state == "closed"
    assert not (await refused(codex)).will_restart


async def test_a_turn_that_waited_learns_whether_there_will_be_another_runtime(server: FakeAppServer) -> None:
    for restart in (True, False):
        async with AsyncCodex(server.config(restart=restart)) as codex:
            turn = await (await codex.thread_start()).turn("go")
            await end(server, codex)
            with pytest.raises(TransportClosedError) as caught:
                await turn.run()
            assert caught.value.will_restart is restart


async def test_a_start_in_progress_is_seen(server: FakeAppServer) -> None:
    async with AsyncCodex(server.config(restart=Restart(initial_delay=0))) as codex:
        await end(server, codex)
        server.hold("initialize", times=1)

        async def look() -> str:
            requests = await server.received("initialize", 2)
            state = codex.health().state
            requests[-1].proceed()
            return state

        async def start() -> str:
            await codex.request(ModelListParams())
            return codex.health().state

        assert await together([start, look]) == ["running", "starting"]


async def test_failed_starts_lead_to_the_state_given_up(server: FakeAppServer) -> None:
    config = server.config(restart=Restart(limit=2, initial_delay=0))
    async with AsyncCodex(config) as codex:
        await end(server, codex)
        server.on_start(lambda child: child.exit(7))
        states = []
        for _ in range(3):
            [error] = await outcomes([partial(codex.request, ModelListParams())])
            states.append((type(error), codex.health().state))
        failed = codex.health().last_exit
    assert states == [(LaunchError, "down"), (LaunchError, "given_up"), (TransportClosedError, "given_up")]
    assert failed is not None
    assert (failed.exit_code, failed.signal, failed.generation) == (7, None, 2)


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="Windows cannot stop a process")
async def test_a_frozen_runtime_is_seen_before_it_is_replaced(codex_config: AppServerConfig) -> None:
    config = attrs.evolve(codex_config, restart=Restart(initial_delay=0), ping_interval=0.2, ping_timeout=PATIENCE)
    async with AsyncCodex(config) as codex:
        pid = actor_of(codex).pid
        assert pid is not None
        stop_process(pid)
        assert eventually(lambda: codex.health().state == "frozen")
        assert codex.health().alive
        os.kill(pid, signal.SIGCONT)
        assert eventually(lambda: codex.health().state == "running")


async def test_a_runtime_that_was_killed_because_it_was_frozen_is_the_last_exit(server: FakeAppServer) -> None:
    server.hold("model/list", times=1)
    server.hold("thread/loaded/list", times=9)
    config = server.config(restart=Restart(initial_delay=0), ping_interval=0.2, ping_timeout=0.4)
    async with AsyncCodex(config) as codex:
        error = await refused(codex)
        assert error.will_restart
        assert await ready(actor_of(codex).exited, PATIENCE)
        dead = codex.health()
        config_of(codex).ping_timeout = PATIENCE  # the next one has time to answer
        await codex.request(ModelListParams())
        replaced = codex.health()
    assert (dead.state, replaced.state) == ("down", "running")
    assert dead.last_exit is not None
    assert dead.last_exit.reason.startswith("the runtime is frozen")
    assert dead.last_exit.signal == "SIGKILL"
    assert replaced.last_exit == dead.last_exit


# ----------------------------------------------------------------------------------------------------------- last exit


async def test_the_last_exit_has_code_time_and_stderr_and_stays_after_the_restart(server: FakeAppServer) -> None:
    async with AsyncCodex(server.config(restart=Restart(initial_delay=0))) as codex:
        before = codex.health()
        began = time.time()
        server.child.write_stderr(b"out of memory\n")
        server.child.exit(3)
        assert await ready(actor_of(codex).exited, PATIENCE)
        first = codex.health().last_exit
        await codex.request(ModelListParams())
        kept = codex.health().last_exit
        await end(server, codex)
        second = codex.health().last_exit
    assert before.last_exit is None
    assert first is not None
    assert second is not None
    assert (first.exit_code, first.signal, first.generation, first.pid) == (3, None, 1, before.pid)
    assert "out of memory" in first.stderr_tail
    assert began <= first.at <= time.time()
    assert kept == first
    assert (second.exit_code, second.signal, second.generation) == (-9, "SIGKILL", 2)


async def test_the_program_and_its_version_are_named(codex_config: AppServerConfig) -> None:
    async with AsyncCodex(codex_config) as codex:
        health = codex.health()
        assert health.version == codex.metadata.server_info.version != ""
        assert health.path is not None
        assert Path(health.path).name.startswith("codex")


# -------------------------------------------------------------------------------------------------------------- turns


def only(health: Health) -> RunningTurn:
    [turn] = health.turns
    return turn


async def test_a_running_turn_is_listed_from_its_start_to_its_end(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start(ephemeral=True)
        assert codex.health().turns == ()
        scripted_model.hang()
        turn = await thread.turn("go")
        await scripted_model.received(1)
        listed = only(codex.health())
        assert (listed.thread_id, listed.turn_id, listed.waiting_on) == (thread.id, turn.id, "model")
        assert eventually(lambda: only(codex.health()).last_event is not None), "nothing was taken from the handle"
        assert eventually(lambda: only(codex.health()).silence > 0.05)
        assert listed.age <= only(codex.health()).age
        await turn.interrupt()
        assert codex.health().turns == ()
        await thread.run("more")
        assert codex.health().turns == ()


async def test_the_last_event_counts_whether_it_was_taken_or_not(server: FakeAppServer) -> None:
    async with AsyncCodex(server.config()) as codex:
        turn = await (await codex.thread_start()).turn("go")
        server.turn.delta("Hel")
        assert eventually(lambda: only(codex.health()).last_event == "item/agentMessage/delta")
        stream = turn.stream(timeout=PATIENCE)
        while (await stream.__anext__()).method != "item/agentMessage/delta":
            pass
        assert only(codex.health()).last_event == "item/agentMessage/delta"
        server.turn.notify("turn/plan/updated", plan=[])
        assert eventually(lambda: only(codex.health()).last_event == "turn/plan/updated")
        server.turn.complete()
        await turn.run()
        assert codex.health().turns == ()


ITEMS = {
    "tool": {"type": "commandExecution", "id": "c"},
    "agent": {"type": "collabAgentToolCall", "id": "a", "tool": "wait"},
    "model": {"type": "reasoning", "id": "r", "summary": [], "content": []},
}


async def test_the_tokens_of_a_running_turn_are_told_by_turns(server: FakeAppServer) -> None:
    async with AsyncCodex(server.config()) as codex:
        assert codex.turns() == ()
        turn = await (await codex.thread_start()).turn("go")
        assert [(each.turn_id, each.tokens) for each in codex.turns()] == [(turn.id, None)]
        counts = dict.fromkeys(("inputTokens", "cachedInputTokens", "outputTokens", "reasoningOutputTokens"), 3)
        usage = {"last": {**counts, "totalTokens": 12}, "total": {**counts, "totalTokens": 12}}
        server.turn.notify("thread/tokenUsage/updated", tokenUsage=usage)
        assert eventually(lambda: [each.tokens for each in codex.turns()] == [12])
        server.turn.complete()
        await turn.run()
        assert codex.turns() == ()


@pytest.mark.parametrize("kind", ITEMS)
@pytest.mark.parametrize("taken", [True, False], ids=["taken", "unread"])
async def test_an_open_item_is_what_a_turn_waits_for(server: FakeAppServer, kind: str, taken: bool) -> None:
    async with AsyncCodex(server.config()) as codex:
        turn = await (await codex.thread_start()).turn("go")
        for step in (server.turn.item_started, server.turn.item_completed):
            step(ITEMS[kind])
            server.turn.notify("turn/plan/updated", plan=[])
            assert eventually(lambda: only(codex.health()).last_event == "turn/plan/updated")
            if taken:
                stream = turn.stream(timeout=PATIENCE)
                while (await stream.__anext__()).method != "turn/plan/updated":
                    pass
            awaited = only(codex.health()).waiting_on
            assert awaited == (kind if step == server.turn.item_started else "model")
            server.turn.delta("x")
            assert eventually(lambda: only(codex.health()).last_event != "turn/plan/updated")


REQUESTS: dict[str, tuple[str, dict[str, Any]]] = {
    "item/commandExecution/requestApproval": ("approval", {"itemId": "i", "startedAtMs": 1, "command": "ls"}),
    "item/tool/requestUserInput": ("input", {"itemId": "i", "questions": [], "isBlocking": True}),
    "currentTime/read": ("handler", {}),
}


@pytest.mark.parametrize("method", REQUESTS)
async def test_an_open_server_request_is_what_a_turn_waits_for(server: FakeAppServer, method: str) -> None:
    awaited, params = REQUESTS[method]
    async with AsyncCodex(server.config(), on_approval=later, on_user_input=later) as codex:
        codex.handle(CurrentTimeReadParams, later)
        turn = await (await codex.thread_start()).turn("go")
        server.turn.ask(method, **params)
        assert eventually(codex.pending_requests)
        assert only(codex.health()).waiting_on == awaited
        if awaited == "handler":
            assert codex.answer(codex.pending_requests()[0].id, CurrentTimeReadResponse(current_time_at=1))
            assert only(codex.health()).waiting_on == "model"
        server.turn.complete()
        await turn.run()
        assert codex.health().turns == ()


def later(_: Any) -> Any:
    return LATER


async def test_a_tool_sees_its_own_turn_wait_for_it(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    seen: list[RunningTurn] = []

    @tool
    def look() -> str:
        """Look."""
        assert eventually(codex.turns), "the tool may be called before the reply to the turn's request is taken"
        seen.append(only(codex.health()))
        return "seen"

    async with AsyncCodex(codex_config) as codex:
        scripted_model.reply(call("look", {}))
        thread = await codex.thread_start(ephemeral=True, tools=[look])
        result = await thread.run("go")
    assert [(turn.turn_id, turn.waiting_on) for turn in seen] == [(result.id, "tool")]


async def test_several_handles_of_one_turn_are_one_turn_and_dropped_handles_are_none(server: FakeAppServer) -> None:
    async with AsyncCodex(server.config()) as codex:
        thread = await codex.thread_start()
        server.on("turn/start", {"turn": frames.turn("same")})
        handles = [await thread.turn("go"), await thread.turn("go on")]
        assert only(codex.health()).turn_id == "same"
        handles.clear()
        assert eventually(lambda: codex.health().turns == ())


async def test_turns_are_listed_oldest_first_and_those_of_a_dead_runtime_are_not(server: FakeAppServer) -> None:
    async with AsyncCodex(server.config()) as codex:
        turns = [await (await codex.thread_start()).turn("go") for _ in range(3)]
        assert [turn.turn_id for turn in codex.health().turns] == [turn.id for turn in turns]
        await end(server, codex)
        assert codex.health().turns == ()


async def test_the_turn_of_a_goal_is_listed(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    async with AsyncCodex(codex_config) as codex:
        thread = await codex.thread_start()
        await thread.run("before")
        scripted_model.hang()

        async def follow() -> object:
            return (await outcomes([partial(codex.run_goal, thread.id, "count", timeout=PATIENCE)]))[0]

        async def look() -> object:
            await scripted_model.received(2)
            while not codex.health().turns:
                await codex.request(ModelListParams())
            turn = only(codex.health())
            await codex.close()
            return (turn.thread_id, turn.turn_id != "", turn.waiting_on)

        assert (await together([follow, look]))[1] == (thread.id, True, "model")


async def test_handles_may_come_and_go_while_the_turns_are_listed(server: FakeAppServer) -> None:
    class Handle:
        """Another handle is made and this one dropped while it is asked, as by a finalizer or another thread."""

        def running(self) -> RunningTurn | None:
            held.clear()
            held.append(Handle())
            connection.watch(held[0])
            return None

    held: list[Handle] = [Handle() for _ in range(100)]
    async with AsyncCodex(server.config()) as codex:
        connection: Any = connection_of(codex)
        for handle in held:
            connection.watch(handle)
        del handle
        assert codex.health().turns == ()


# ---------------------------------------------------------------------------------------------------------------- JSON


async def test_a_snapshot_is_json(server: FakeAppServer) -> None:
    async with AsyncCodex(server.config(restart=Restart(initial_delay=0))) as codex:
        await end(server, codex)
        await codex.request(ModelListParams())
        turn = await (await codex.thread_start()).turn("go")
        health = codex.health()
    shown = health.to_dict()
    assert json.loads(json.dumps(shown)) == shown
    assert shown.keys() == attrs.fields_dict(Health).keys()
    assert shown["turns"][0]["turn_id"] == turn.id
    assert shown["last_exit"]["exit_code"] == -9
