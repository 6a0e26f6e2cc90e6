# Derived from tests/faces_async/client/test_connection_health.py by `python -m tools.unasync`; do not edit.
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
    Codex,
    Health,
    LaunchError,
    Restart,
    RunningTurn,
    TransportClosedError,
    tool,
)
from openai_codex._approvals.decisions import LATER
from openai_codex._sync.client._wait import ready
from openai_codex.testing import FakeAppServer, ScriptedModel, call, frames
from openai_codex.types import CurrentTimeReadParams, CurrentTimeReadResponse, ModelListParams
from tests.faces_sync._outcome import outcomes
from tests.faces_sync._wait import together
from tests.support.bounds import PATIENCE, eventually, stop_process
from tests.support.inside import actor_of, config_of, connection_of

NOTHING: dict[str, object] = {"data": [], "nextCursor": None}


@pytest.fixture
def server() -> Iterator[FakeAppServer]:
    with FakeAppServer() as server:
        server.on("model/list", NOTHING)
        server.on("thread/loaded/list", NOTHING)
        yield server


def end(server: FakeAppServer, codex: Codex) -> None:
    """Kill the runtime, and wait until it is gone."""
    server.child.kill()
    assert ready(actor_of(codex).exited, PATIENCE)


# --------------------------------------------------------------------------------------------------------------- state


def test_the_state_tells_a_runtime_that_will_be_replaced_from_one_that_will_not(server: FakeAppServer) -> None:
    with Codex(server.config(restart=Restart(limit=1, initial_delay=0))) as codex:
        states = [codex.health().state]
        server.hold("model/list", times=2)
        closed: list[TransportClosedError] = []
        for expected in ("down", "given_up"):
            [error, _] = together([partial(refused, codex), partial(kill_at, server, len(closed) + 1)])
            closed.append(error)
            assert ready(actor_of(codex).exited, PATIENCE)
            states.append(codex.health().state)
            assert states[-1] == expected
            if expected == "down":
                codex.thread_start()
                states.append(codex.health().state)
        closed.append(refused(codex))
        states.append(codex.health().state)
    assert states == ["running", "down", "running", "given_up", "given_up"]
    assert codex.health().state == "closed"
    assert [error.will_restart for error in closed] == [True, False, False]
    assert [copy.copy(error).will_restart for error in closed] == [True, False, False]


def refused(codex: Codex) -> TransportClosedError:
    with pytest.raises(TransportClosedError) as caught:
        codex.request(ModelListParams())
    return caught.value


def kill_at(server: FakeAppServer, count: int) -> TransportClosedError:
    server.wait_for_requests("model/list", count)
    server.child.kill()
    return TransportClosedError("a placeholder")


def test_without_supervision_a_dead_runtime_has_given_up_and_a_closed_client_is_closed(
    server: FakeAppServer,
) -> None:
    with Codex(server.config()) as codex:
        end(server, codex)
        assert codex.health().state == "given_up"
        assert not (refused(codex)).will_restart
    assert codex.health().state == "closed"
    assert not (refused(codex)).will_restart


def test_a_turn_that_waited_learns_whether_there_will_be_another_runtime(server: FakeAppServer) -> None:
    for restart in (True, False):
        with Codex(server.config(restart=restart)) as codex:
            turn = (codex.thread_start()).turn("go")
            end(server, codex)
            with pytest.raises(TransportClosedError) as caught:
                turn.run()
            assert caught.value.will_restart is restart


def test_a_start_in_progress_is_seen(server: FakeAppServer) -> None:
    with Codex(server.config(restart=Restart(initial_delay=0))) as codex:
        end(server, codex)
        server.hold("initialize", times=1)

        def look() -> str:
            requests = server.wait_for_requests("initialize", 2)
            state = codex.health().state
            requests[-1].proceed()
            return state

        def start() -> str:
            codex.request(ModelListParams())
            return codex.health().state

        assert together([start, look]) == ["running", "starting"]


def test_failed_starts_lead_to_the_state_given_up(server: FakeAppServer) -> None:
    config = server.config(restart=Restart(limit=2, initial_delay=0))
    with Codex(config) as codex:
        end(server, codex)
        server.on_start(lambda child: child.exit(7))
        states = []
        for _ in range(3):
            [error] = outcomes([partial(codex.request, ModelListParams())])
            states.append((type(error), codex.health().state))
        failed = codex.health().last_exit
    assert states == [(LaunchError, "down"), (LaunchError, "given_up"), (TransportClosedError, "given_up")]
    assert failed is not None
    assert (failed.exit_code, failed.signal, failed.generation) == (7, None, 2)


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="Windows cannot stop a process")
def test_a_frozen_runtime_is_seen_before_it_is_replaced(codex_config: AppServerConfig) -> None:
    config = attrs.evolve(codex_config, restart=Restart(initial_delay=0), ping_interval=0.2, ping_timeout=PATIENCE)
    with Codex(config) as codex:
        pid = actor_of(codex).pid
        assert pid is not None
        stop_process(pid)
        assert eventually(lambda: codex.health().state == "frozen")
        assert codex.health().alive
        os.kill(pid, signal.SIGCONT)
        assert eventually(lambda: codex.health().state == "running")


def test_a_runtime_that_was_killed_because_it_was_frozen_is_the_last_exit(server: FakeAppServer) -> None:
    server.hold("model/list", times=1)
    server.hold("thread/loaded/list", times=9)
    config = server.config(restart=Restart(initial_delay=0), ping_interval=0.2, ping_timeout=0.4)
    with Codex(config) as codex:
        error = refused(codex)
        assert error.will_restart
        assert ready(actor_of(codex).exited, PATIENCE)
        dead = codex.health()
        config_of(codex).ping_timeout = PATIENCE  # the next one has time to answer
        codex.request(ModelListParams())
        replaced = codex.health()
    assert (dead.state, replaced.state) == ("down", "running")
    assert dead.last_exit is not None
    assert dead.last_exit.reason.startswith("the runtime is frozen")
    assert dead.last_exit.signal == "SIGKILL"
    assert replaced.last_exit == dead.last_exit


# ----------------------------------------------------------------------------------------------------------- last exit


def test_the_last_exit_has_code_time_and_stderr_and_stays_after_the_restart(server: FakeAppServer) -> None:
    with Codex(server.config(restart=Restart(initial_delay=0))) as codex:
        before = codex.health()
        began = time.time()
        server.child.write_stderr(b"out of memory\n")
        server.child.exit(3)
        assert ready(actor_of(codex).exited, PATIENCE)
        first = codex.health().last_exit
        codex.request(ModelListParams())
        kept = codex.health().last_exit
        end(server, codex)
        second = codex.health().last_exit
    assert before.last_exit is None
    assert first is not None
    assert second is not None
    assert (first.exit_code, first.signal, first.generation, first.pid) == (3, None, 1, before.pid)
    assert "out of memory" in first.stderr_tail
    assert began <= first.at <= time.time()
    assert kept == first
    assert (second.exit_code, second.signal, second.generation) == (-9, "SIGKILL", 2)


def test_the_program_and_its_version_are_named(codex_config: AppServerConfig) -> None:
    with Codex(codex_config) as codex:
        health = codex.health()
        assert health.version == codex.metadata.server_info.version != ""
        assert health.path is not None
        assert Path(health.path).name.startswith("codex")


# -------------------------------------------------------------------------------------------------------------- turns


def only(health: Health) -> RunningTurn:
    [turn] = health.turns
    return turn


def test_a_running_turn_is_listed_from_its_start_to_its_end(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    with Codex(codex_config) as codex:
        thread = codex.thread_start(ephemeral=True)
        assert codex.health().turns == ()
        scripted_model.hang()
        turn = thread.turn("go")
        scripted_model.wait_for_requests(1)
        listed = only(codex.health())
        assert (listed.thread_id, listed.turn_id, listed.waiting_on) == (thread.id, turn.id, "model")
        assert eventually(lambda: only(codex.health()).last_event is not None), "nothing was taken from the handle"
        assert eventually(lambda: only(codex.health()).silence > 0.05)
        assert listed.age <= only(codex.health()).age
        turn.interrupt()
        assert codex.health().turns == ()
        thread.run("more")
        assert codex.health().turns == ()


def test_the_last_event_counts_whether_it_was_taken_or_not(server: FakeAppServer) -> None:
    with Codex(server.config()) as codex:
        turn = (codex.thread_start()).turn("go")
        server.turn.delta("Hel")
        assert eventually(lambda: only(codex.health()).last_event == "item/agentMessage/delta")
        stream = turn.stream(timeout=PATIENCE)
        while (stream.__next__()).method != "item/agentMessage/delta":
            pass
        assert only(codex.health()).last_event == "item/agentMessage/delta"
        server.turn.notify("turn/plan/updated", plan=[])
        assert eventually(lambda: only(codex.health()).last_event == "turn/plan/updated")
        server.turn.complete()
        turn.run()
        assert codex.health().turns == ()


ITEMS = {
    "tool": {"type": "commandExecution", "id": "c"},
    "agent": {"type": "collabAgentToolCall", "id": "a", "tool": "wait"},
    "model": {"type": "reasoning", "id": "r", "summary": [], "content": []},
}


def test_the_tokens_of_a_running_turn_are_told_by_turns(server: FakeAppServer) -> None:
    with Codex(server.config()) as codex:
        assert codex.turns() == ()
        turn = (codex.thread_start()).turn("go")
        assert [(each.turn_id, each.tokens) for each in codex.turns()] == [(turn.id, None)]
        counts = dict.fromkeys(("inputTokens", "cachedInputTokens", "outputTokens", "reasoningOutputTokens"), 3)
        usage = {"last": {**counts, "totalTokens": 12}, "total": {**counts, "totalTokens": 12}}
        server.turn.notify("thread/tokenUsage/updated", tokenUsage=usage)
        assert eventually(lambda: [each.tokens for each in codex.turns()] == [12])
        server.turn.complete()
        turn.run()
        assert codex.turns() == ()


@pytest.mark.parametrize("kind", ITEMS)
@pytest.mark.parametrize("taken", [True, False], ids=["taken", "unread"])
def test_an_open_item_is_what_a_turn_waits_for(server: FakeAppServer, kind: str, taken: bool) -> None:
    with Codex(server.config()) as codex:
        turn = (codex.thread_start()).turn("go")
        for step in (server.turn.item_started, server.turn.item_completed):
            step(ITEMS[kind])
            server.turn.notify("turn/plan/updated", plan=[])
            assert eventually(lambda: only(codex.health()).last_event == "turn/plan/updated")
            if taken:
                stream = turn.stream(timeout=PATIENCE)
                while (stream.__next__()).method != "turn/plan/updated":
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
def test_an_open_server_request_is_what_a_turn_waits_for(server: FakeAppServer, method: str) -> None:
    awaited, params = REQUESTS[method]
    with Codex(server.config(), on_approval=later, on_user_input=later) as codex:
        codex.handle(CurrentTimeReadParams, later)
        turn = (codex.thread_start()).turn("go")
        server.turn.ask(method, **params)
        assert eventually(codex.pending_requests)
        assert only(codex.health()).waiting_on == awaited
        if awaited == "handler":
            assert codex.answer(codex.pending_requests()[0].id, CurrentTimeReadResponse(current_time_at=1))
            assert only(codex.health()).waiting_on == "model"
        server.turn.complete()
        turn.run()
        assert codex.health().turns == ()


def later(_: Any) -> Any:
    return LATER


def test_a_tool_sees_its_own_turn_wait_for_it(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    seen: list[RunningTurn] = []

    @tool
    def look() -> str:
        """Look."""
        assert eventually(codex.turns), "the tool may be called before the reply to the turn's request is taken"
        seen.append(only(codex.health()))
        return "seen"

    with Codex(codex_config) as codex:
        scripted_model.reply(call("look", {}))
        thread = codex.thread_start(ephemeral=True, tools=[look])
        result = thread.run("go")
    assert [(turn.turn_id, turn.waiting_on) for turn in seen] == [(result.id, "tool")]


def test_several_handles_of_one_turn_are_one_turn_and_dropped_handles_are_none(server: FakeAppServer) -> None:
    with Codex(server.config()) as codex:
        thread = codex.thread_start()
        server.on("turn/start", {"turn": frames.turn("same")})
        handles = [thread.turn("go"), thread.turn("go on")]
        assert only(codex.health()).turn_id == "same"
        handles.clear()
        assert eventually(lambda: codex.health().turns == ())


def test_turns_are_listed_oldest_first_and_those_of_a_dead_runtime_are_not(server: FakeAppServer) -> None:
    with Codex(server.config()) as codex:
        turns = [(codex.thread_start()).turn("go") for _ in range(3)]
        assert [turn.turn_id for turn in codex.health().turns] == [turn.id for turn in turns]
        end(server, codex)
        assert codex.health().turns == ()


def test_the_turn_of_a_goal_is_listed(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    with Codex(codex_config) as codex:
        thread = codex.thread_start()
        thread.run("before")
        scripted_model.hang()

        def follow() -> object:
            return (outcomes([partial(codex.run_goal, thread.id, "count", timeout=PATIENCE)]))[0]

        def look() -> object:
            scripted_model.wait_for_requests(2)
            while not codex.health().turns:
                codex.request(ModelListParams())
            turn = only(codex.health())
            codex.close()
            return (turn.thread_id, turn.turn_id != "", turn.waiting_on)

        assert (together([follow, look]))[1] == (thread.id, True, "model")


def test_handles_may_come_and_go_while_the_turns_are_listed(server: FakeAppServer) -> None:
    class Handle:
        """Another handle is made and this one dropped while it is asked, as by a finalizer or another thread."""

        def running(self) -> RunningTurn | None:
            held.clear()
            held.append(Handle())
            connection.watch(held[0])
            return None

    held: list[Handle] = [Handle() for _ in range(100)]
    with Codex(server.config()) as codex:
        connection: Any = connection_of(codex)
        for handle in held:
            connection.watch(handle)
        del handle
        assert codex.health().turns == ()


# ---------------------------------------------------------------------------------------------------------------- JSON


def test_a_snapshot_is_json(server: FakeAppServer) -> None:
    with Codex(server.config(restart=Restart(initial_delay=0))) as codex:
        end(server, codex)
        codex.request(ModelListParams())
        turn = (codex.thread_start()).turn("go")
        health = codex.health()
    shown = health.to_dict()
    assert json.loads(json.dumps(shown)) == shown
    assert shown.keys() == attrs.fields_dict(Health).keys()
    assert shown["turns"][0]["turn_id"] == turn.id
    assert shown["last_exit"]["exit_code"] == -9
