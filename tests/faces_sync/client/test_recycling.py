# Derived from tests/faces_async/client/test_recycling.py by `python -m tools.unasync`; do not edit.
"""A runtime that has grown is replaced between turns: memory stays flat, nothing is lost, nothing fails."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

import attrs
import pytest

from openai_codex import (
    AppServerConfig,
    Codex,
    LaunchError,
    Restart,
    RuntimeExited,
    RuntimeStarted,
    Thread,
    TransportClosedError,
    tool,
)
from openai_codex._engine.waiting import Deadline
from openai_codex._sync.client import recycling
from openai_codex._sync.client.connection import Connection
from openai_codex.testing import FakeAppServer, FakeRequest, QuietHome, ScriptedModel, call
from openai_codex.types import ModelListParams, ThreadLoadedListParams, ThreadStartParams
from tests.faces_sync._outcome import outcomes
from tests.faces_sync._wait import together
from tests.support.bounds import PATIENCE, eventually
from tests.support.fake_agents import Child
from tests.support.inside import connection_of, is_draining, recycle_soon

NOTHING: dict[str, object] = {"data": [], "nextCursor": None}


@pytest.fixture
def server() -> Iterator[FakeAppServer]:
    with FakeAppServer() as server:
        server.on("model/list", NOTHING)
        server.on("thread/unsubscribe", {"status": "unsubscribed"})
        server.on("thread/archive", {})
        yield server


def each_thread(**settings: Any) -> Restart:
    """Replace the runtime after every thread."""
    return Restart(limit=0, initial_delay=0, max_threads=1, **settings)


def run_once(codex: Codex, server: FakeAppServer) -> Thread:
    """Start a thread and run a turn in it, on the runtime that is current then."""
    thread = codex.thread_start()
    turn = thread.turn("go")
    server.turn.complete()
    turn.run()
    return thread


def drained(codex: Codex) -> None:
    """Wait until something has begun to wait for the next runtime."""
    while not is_draining(codex):
        codex.request(ModelListParams())


# ------------------------------------------------------------------------------------------------- what is replaced


def test_a_program_that_starts_threads_without_end_stays_small_and_keeps_its_threads(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    config = attrs.evolve(codex_config, restart=Restart(limit=0, max_threads=5))
    loaded = []
    with Codex(config) as codex:
        lasting = codex.thread_start()
        lasting.run("remember me")
        for number in range(12):
            (codex.thread_start(ephemeral=True)).run(f"job {number}")
            loaded.append(len((codex.request(ThreadLoadedListParams())).data))
        assert (lasting.run("and now")).final_response == "ok"
        health = codex.health()
    assert max(loaded) <= 5
    assert "remember me" in str(scripted_model.requests[-1].json)
    assert (health.recycled, health.restarts, health.state) == (health.generation - 1, 0, "running")
    assert health.recycled >= 2
    assert health.last_exit is not None
    assert (health.last_exit.exit_code, health.last_exit.reason) == (
        0,
        "it was replaced, because it has loaded 5 threads",
    )


def test_a_replacement_is_announced_and_is_no_failure(server: FakeAppServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="openai_codex")
    with Codex(server.config(restart=each_thread())) as codex:
        events = codex.events(RuntimeExited, RuntimeStarted, timeout=PATIENCE)
        for _ in range(4):
            run_once(codex, server)
        payloads = [(events.__next__()).payload for _ in range(6)]
        assert (codex.health().recycled, codex.health().restarts) == (3, 0)
    assert [type(each) for each in payloads] == [RuntimeExited, RuntimeStarted] * 3
    exited = payloads[0]
    assert isinstance(exited, RuntimeExited)
    assert exited.reason == "it was replaced, because it has loaded 1 threads"
    names = [record.message.split()[0] for record in caplog.records if record.levelno >= logging.WARNING]
    assert names == [], "a replacement is not a warning"
    assert caplog.text.count("codex.runtime_recycled") == 3


def test_requests_at_the_same_moment_share_one_replacement(
    server: FakeAppServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recycling, "_SESSION_AFTER", 0.0)
    with Codex(server.config(restart=each_thread(drain_timeout=PATIENCE))) as codex:
        for generation in (2, 3, 4):
            run_once(codex, server)
            recycle_soon(codex)
            threads = together([codex.thread_start] * 10)
            assert codex.health().generation == generation
            for thread in threads:
                thread.close(archive=True)
    assert {request.child.number for request in server.requests("thread/start")} == {1, 2, 3, 4}


def test_the_limit_of_memory_counts_like_that_of_threads(server: FakeAppServer) -> None:
    for limit, starts in ((1 << 60, 1), (1, 3)):
        before = server.starts
        with Codex(server.config(restart=Restart(max_rss=limit))) as codex:
            for _ in range(3):
                run_once(codex, server)
        assert server.starts - before == starts


def test_threads_that_were_archived_do_not_count_and_those_that_were_closed_do(server: FakeAppServer) -> None:
    restart = Restart(max_threads=3)
    for archive, starts in ((True, 1), (False, 2)):
        before = server.starts
        with Codex(server.config(restart=restart)) as codex:
            for _ in range(4):
                thread = run_once(codex, server)
                thread.close(archive=archive)
        assert server.starts - before == starts


# ------------------------------------------------------------------------------------------------ what is waited for


def test_threads_of_sub_agents_count_until_they_are_unloaded(server: FakeAppServer) -> None:
    with Codex(server.config(restart=Restart(max_threads=3))) as codex:
        for expected in (0, 1):
            turn = (codex.thread_start()).turn("go")
            children = [Child(server, f"{name} of {turn.id}") for name in ("one", "two")]
            for child in children:
                child.end("completed")
            server.turn.complete()
            turn.run(timeout=PATIENCE)
            assert codex.health().agents == 2
            if expected:
                for child in children:
                    server.notify("thread/archived", {"threadId": child.thread_id})
                assert eventually(lambda: codex.health().agents == 0)
            codex.thread_start()
            assert codex.health().recycled == 1


def test_new_work_waits_for_running_turns_and_then_goes_to_the_next_runtime(server: FakeAppServer) -> None:
    with Codex(server.config(restart=each_thread(drain_timeout=PATIENCE))) as codex:
        old = codex.thread_start()
        turn = old.turn("long")

        def finish() -> str:
            drained(codex)
            server.turn.complete()
            return (turn.run()).status

        started, status = together([codex.thread_start, finish])
        assert isinstance(started, Thread)
        assert status == "completed"
        requests = server.requests("thread/start")
    assert [request.child.number for request in requests] == [1, 2]


def test_requests_under_way_are_answered_by_the_runtime_that_got_them(
    server: FakeAppServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recycling, "_ANSWERED_WITHIN", PATIENCE)
    with Codex(server.config(restart=each_thread(drain_timeout=PATIENCE))) as codex:
        run_once(codex, server)
        server.hold("model/list", times=1)

        def answer() -> list[FakeRequest]:
            requests = server.wait_for_requests("model/list", 1)
            while not is_draining(codex):
                codex.request(ThreadLoadedListParams())
            requests[0].reply(NOTHING)
            return requests

        server.on("thread/loaded/list", NOTHING)

        def start() -> Thread:
            server.wait_for_requests("model/list", 1)
            return codex.thread_start()

        listed, _, requests = together([partial(codex.request, ModelListParams()), start, answer])
    assert listed.data == []
    assert [request.child.number for request in requests] == [1]
    assert [request.child.number for request in server.requests("thread/start")] == [1, 2]


def test_work_without_a_handle_is_waited_for(codex_home: QuietHome) -> None:
    with Codex(codex_home.config(restart=each_thread(drain_timeout=PATIENCE))) as codex:
        thread = codex.thread_start()
        thread.run("before")
        codex.thread_shell_command(thread.id, "sleep 0.5; touch done")
        before = codex.health().recycled
        codex.thread_start()
        assert codex.health().recycled == before + 1
        assert (codex_home.workspace / "done").exists(), "the command ran to its end"


def test_a_thread_that_cannot_be_resumed_keeps_its_runtime_until_it_is_closed_or_dropped(
    server: FakeAppServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(recycling, "_SESSION_AFTER", 0.0)
    with Codex(server.config(restart=each_thread(drain_timeout=PATIENCE))) as codex:
        for give_up in (close, drop):
            handles = [codex.thread_start(ephemeral=True)]
            generation = codex.health().generation
            handles.append(codex.thread_start(ephemeral=True))
            assert codex.health().generation == generation
            give_up(handles)
            recycle_soon(codex)
            run_once(codex, server)
            assert codex.health().generation == generation + 1
    assert caplog.text.count("codex.recycling_postponed") == 2, "one warning for each runtime"


def close(handles: list[Thread]) -> None:
    for handle in handles:
        handle.close()


def drop(handles: list[Thread]) -> None:
    handles.clear()


def test_a_thread_that_cannot_be_resumed_may_finish_while_others_wait(
    server: FakeAppServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recycling, "_SESSION_AFTER", PATIENCE)
    with Codex(server.config(restart=each_thread(drain_timeout=PATIENCE))) as codex:
        bound = codex.thread_start(ephemeral=True)

        def finish() -> str:
            drained(codex)
            turn = bound.turn("go")
            server.turn.complete()
            status = (turn.run()).status
            bound.close()
            return status

        _, status = together([codex.thread_start, finish])
    assert status == "completed"
    assert [request.child.number for request in server.requests("thread/start")] == [1, 2]
    assert [request.child.number for request in server.requests("turn/start")] == [1]


def test_a_tool_that_starts_work_does_not_wait_for_its_own_turn(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    inner: list[Callable[[], Awaitable[Any]]] = []

    @tool
    def delegate() -> str:
        """Delegate."""
        return str((inner[0]()).final_response)

    def run_inside() -> Any:
        return (codex.thread_start(ephemeral=True)).run("inside")

    config = attrs.evolve(codex_config, restart=each_thread(drain_timeout=PATIENCE))
    with Codex(config) as codex:
        inner.append(run_inside)
        thread = codex.thread_start(tools=[delegate])
        scripted_model.reply(call("delegate", {}))
        scripted_model.say("from inside")
        result = thread.run("go", timeout=PATIENCE)
        assert (result.status, codex.health().generation) == ("completed", 1)


# --------------------------------------------------------------------------------------------------- when it fails


def test_a_turn_that_does_not_end_puts_the_replacement_off_and_is_left_alone(
    server: FakeAppServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(recycling, "_LOOK_AGAIN", PATIENCE)
    with Codex(server.config(restart=each_thread(drain_timeout=0.2))) as codex:
        turn = (codex.thread_start()).turn("endless")
        codex.thread_start()
        assert (codex.health().recycled, codex.health().turns[0].turn_id) == (0, turn.id)
        codex.thread_start()
        server.turn.complete()
        assert (turn.run()).status == "completed"
    assert server.starts == 1
    assert caplog.text.count("codex.recycling_postponed") == 1, "the next attempt is later"


def test_a_request_that_is_not_answered_puts_the_replacement_off(
    server: FakeAppServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recycling, "_ANSWERED_WITHIN", 0.1)
    with Codex(server.config(restart=each_thread(drain_timeout=PATIENCE))) as codex:
        run_once(codex, server)
        server.hold("model/list", times=1)

        def start() -> int:
            requests = server.wait_for_requests("model/list", 1)
            codex.thread_start()
            requests[0].reply(NOTHING)
            return codex.health().generation

        listed, generation = together([partial(codex.request, ModelListParams()), start])
    assert listed.data == []
    assert generation == 1


def test_the_wait_ends_at_the_callers_deadline(server: FakeAppServer) -> None:
    with Codex(server.config(restart=each_thread(drain_timeout=PATIENCE))) as codex:
        turn = (codex.thread_start()).turn("endless")
        calls = [partial(codex.request, ThreadStartParams(), timeout=0.3)] * 3
        errors = outcomes(calls)
        assert [str(error) for error in errors] == ["no reply to thread/start within 0.3 s"] * 3
        server.turn.complete()
        turn.run()
        codex.thread_start()
        assert codex.health().recycled == 1


def test_closing_the_client_ends_the_wait(server: FakeAppServer) -> None:
    codex = Codex(server.config(restart=each_thread(drain_timeout=PATIENCE)))
    with codex:
        turn = (codex.thread_start()).turn("endless")

        def close_it() -> str:
            drained(codex)
            codex.close()
            return turn.id

        error, other, _ = outcomes([codex.thread_start, codex.thread_start, close_it])
    assert [type(error), type(other)] == [TransportClosedError] * 2
    assert error.reason == "the client was closed"


def test_a_next_runtime_that_does_not_start_is_an_error_of_that_call_alone(server: FakeAppServer) -> None:
    with Codex(server.config(restart=Restart(limit=2, initial_delay=0, max_threads=1))) as codex:
        run_once(codex, server)
        server.on_start(lambda child: child.exit(7))
        with pytest.raises(LaunchError):
            codex.thread_start()
        assert codex.health().state == "down"
        server.on_start(None)
        codex.thread_start()
        assert (codex.health().state, codex.health().recycled, codex.health().restarts) == ("running", 1, 0)


def test_an_open_login_keeps_its_runtime(server: FakeAppServer) -> None:
    server.on("account/login/start", {"type": "chatgpt", "loginId": "l", "authUrl": "http://127.0.0.1/"})
    with Codex(server.config(restart=each_thread())) as codex:
        login = codex.login_chatgpt()
        run_once(codex, server)
        run_once(codex, server)
        assert codex.health().generation == 1
        server.notify("account/login/completed", {"loginId": login.login_id, "success": True, "error": None})
        assert (login.wait(timeout=PATIENCE)).success
        recycle_soon(codex)
        run_once(codex, server)
        assert codex.health().generation == 2


def test_a_goal_keeps_its_runtime_between_its_turns(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    config = attrs.evolve(codex_config, restart=each_thread(drain_timeout=0.2))
    with Codex(config) as codex:
        thread = codex.thread_start()
        thread.run("before")
        scripted_model.hang()
        codex.thread_set_goal(thread.id, "count")
        scripted_model.wait_for_requests(2)
        generation = codex.health().generation
        codex.thread_start()
        assert codex.health().generation == generation
        codex.thread_set_goal(thread.id, status="paused")
        thread.close()
        deadline = Deadline(PATIENCE)
        while codex.health().generation == generation:  # what tells that nothing runs may come later
            assert not deadline.passed()
            recycle_soon(codex)
            (codex.thread_start()).close()


def test_clients_without_a_limit_run_none_of_this(server: FakeAppServer) -> None:
    for restart in (None, True, Restart(limit=1)):
        with Codex(server.config(restart=restart)) as codex:
            assert type(connection_of(codex)) is Connection


def test_a_runtime_that_dies_while_new_work_waits_is_replaced_as_after_any_death(server: FakeAppServer) -> None:
    config = server.config(restart=Restart(initial_delay=0, max_threads=1, drain_timeout=PATIENCE))
    with Codex(config) as codex:
        turn = (codex.thread_start()).turn("endless")

        def kill() -> None:
            drained(codex)
            server.child.kill()

        lost, started, _ = outcomes([turn.run, codex.thread_start, kill])
        assert isinstance(lost, TransportClosedError)
        assert isinstance(started, Thread)
        assert (codex.health().restarts, codex.health().recycled) == (1, 0)
