# Derived from tests/faces_async/client/test_supervisor.py by `python -m tools.unasync`; do not edit.
"""A runtime that dies, and the next one: what continues, what is lost, and what is not done twice."""

from __future__ import annotations

import os
import signal
from typing import Any

import attrs
import pytest

from openai_codex import (
    AppServerConfig,
    Codex,
    InternalRpcError,
    LaunchError,
    RequestTimeoutError,
    Restart,
    RuntimeExited,
    RuntimeStarted,
    ThreadLostError,
    TransportClosedError,
    tool,
)
from openai_codex._approvals.decisions import LATER
from openai_codex._sync.client._wait import ready
from openai_codex.testing import FakeAppServer, FakeRequest, QuietHome, ScriptedModel, call, message
from openai_codex.types import ThreadLoadedListParams, ThreadStartedNotification
from tests.faces_sync._wait import together
from tests.support.inside import actor_of, config_of

AT_ONCE = Restart(initial_delay=0)


def kill(codex: Codex) -> None:
    """End the runtime as the out-of-memory killer does, and wait until it is gone."""
    actor = actor_of(codex)
    os.kill(actor.pid, signal.SIGKILL)
    assert ready(actor.exited, 20)


def test_the_next_operation_after_a_death_starts_another_runtime(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    with Codex(attrs.evolve(codex_config, restart=True)) as codex:
        thread = codex.thread_start()
        thread.run("before")
        first = codex.health()
        kill(codex)
        dead = codex.health()
        result = thread.run("after")
        second = codex.health()
    assert result.final_response == "ok"
    assert "before" in str(scripted_model.requests[-1].json), "the thread was resumed with its history"
    assert (first.alive, first.generation, first.restarts, first.threads) == (True, 1, 0, 1)
    assert (dead.alive, dead.uptime, dead.rss, dead.threads) == (False, 0.0, None, 0)
    assert (second.alive, second.generation, second.restarts, second.threads) == (True, 2, 1, 1)
    assert second.pid != first.pid


def test_a_turn_that_was_acknowledged_is_never_sent_twice(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    @tool
    def work() -> str:
        """Work."""
        return "worked"

    with Codex(attrs.evolve(codex_config, restart=AT_ONCE)) as codex:
        thread = codex.thread_start(tools=[work])
        thread.run("warm up")
        scripted_model.reply(message("first part"), call("work", {}))
        scripted_model.hang()
        turn = thread.turn("pay once")
        scripted_model.wait_for_requests(3)
        kill(codex)
        with pytest.raises(TransportClosedError) as caught:
            turn.run()
        thread.run("next")
    partial = caught.value.result
    assert partial is not None
    assert partial.final_response == "first part"
    assert "killed by SIGKILL" in str(caught.value)
    asked = [request.last_user_text for request in scripted_model.requests]
    assert asked == ["warm up", "pay once", "pay once", "next"], "the second of a turn has the outcome of the tool"


def test_settings_of_a_thread_survive(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    with Codex(attrs.evolve(codex_config, restart=AT_ONCE)) as codex:
        thread = codex.thread_start(developer_instructions="Be terse.")
        thread.run("before", effort="high")
        kill(codex)
        thread.run("after")
    body = scripted_model.requests[-1].json
    assert body["reasoning"]["effort"] == "high"
    assert "Be terse." in str(body["input"])


@pytest.mark.parametrize("ephemeral", [True, False])
def test_a_thread_that_was_nowhere_but_in_the_runtime_is_lost(codex_config: AppServerConfig, ephemeral: bool) -> None:
    with Codex(attrs.evolve(codex_config, restart=AT_ONCE)) as codex:
        thread = codex.thread_start(ephemeral=ephemeral)
        if ephemeral:
            thread.run("before")
        kill(codex)
        for _ in range(2):
            with pytest.raises(ThreadLostError, match=thread.id) as caught:
                thread.run("after")
        assert (caught.value.thread_id, caught.value.generation) == (thread.id, 2)
        assert ((codex.thread_start()).run("go on")).final_response == "ok"


def test_a_thread_whose_file_is_empty_is_lost(codex_home: QuietHome) -> None:
    with Codex(codex_home.config(restart=AT_ONCE)) as codex:
        thread = codex.thread_start()
        thread.run("before")
        kill(codex)
        cut_rollout(codex_home, thread.id)
        with pytest.raises(ThreadLostError, match=thread.id) as caught:
            thread.run("after")
    refusal = caught.value.__cause__
    assert isinstance(refusal, InternalRpcError)
    assert (refusal.code, refusal.method) == (-32603, "thread/resume")
    assert caught.value.reason == refusal.message


def cut_rollout(home: QuietHome, thread_id: str) -> None:
    """Leave nothing in the file of a thread, as after a kill before the first write."""
    [file] = home.path.rglob(f"rollout-*{thread_id}.jsonl")
    file.write_bytes(b"")


def test_a_subscription_tells_of_the_change_and_goes_on(codex_config: AppServerConfig) -> None:
    with Codex(attrs.evolve(codex_config, restart=AT_ONCE)) as codex:
        events = codex.events(RuntimeExited, RuntimeStarted, ThreadStartedNotification, timeout=20)
        codex.thread_start()
        payloads = [(events.__next__()).payload]
        kill(codex)
        codex.thread_start()
        payloads += [(events.__next__()).payload for _ in range(3)]
    kinds = [type(payload) for payload in payloads]
    assert kinds == [ThreadStartedNotification, RuntimeExited, RuntimeStarted, ThreadStartedNotification]
    exited, started = payloads[1:3]
    assert isinstance(exited, RuntimeExited)
    assert isinstance(started, RuntimeStarted)
    assert (exited.generation, exited.exit_code, started.generation) == (1, -9, 2)
    assert exited.pid != started.pid
    with pytest.raises(TransportClosedError):
        for _ in events:
            pass


def test_many_operations_after_a_death_share_one_runtime(codex_config: AppServerConfig) -> None:
    with Codex(attrs.evolve(codex_config, restart=AT_ONCE)) as codex:
        kill(codex)
        lists = together([codex.models] * 10)
        assert [len(each.data) for each in lists] == [len(lists[0].data)] * 10
        assert codex.health().generation == 2


def test_deaths_in_succession_come_to_an_end(codex_config: AppServerConfig) -> None:
    with Codex(attrs.evolve(codex_config, restart=Restart(limit=1, initial_delay=0))) as codex:
        events = codex.events(timeout=20)
        kill(codex)
        codex.models()
        kill(codex)
        for _ in range(2):
            with pytest.raises(TransportClosedError, match="no other is started after 2 failures in succession"):
                codex.models()
        with pytest.raises(TransportClosedError, match="no other is started after 2 failures in succession"):
            for _ in events:
                pass


def test_a_runtime_that_lived_long_starts_a_new_succession(codex_config: AppServerConfig) -> None:
    restart = Restart(limit=1, initial_delay=0, settled_after=0)
    with Codex(attrs.evolve(codex_config, restart=restart)) as codex:
        for generation in (2, 3, 4):
            kill(codex)
            codex.models()
            assert codex.health().generation == generation


def test_a_close_ends_the_wait_before_a_start(codex_config: AppServerConfig) -> None:
    codex = Codex(attrs.evolve(codex_config, restart=Restart(initial_delay=1000, max_delay=1000)))
    with codex:
        kill(codex)

        def operation() -> str:
            try:
                codex.models()
            except TransportClosedError as error:
                return error.reason
            return "answered"

        texts = together([operation, operation, close_of(codex)])
    assert texts == ["the client was closed"] * 2 + ["closed"]


def close_of(codex: Codex) -> object:
    def close() -> str:
        codex.close()
        return "closed"

    return close


def test_an_answer_to_a_dead_runtime_does_not_reach_the_next(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    escalation = call("exec_command", {"cmd": "true", "sandbox_permissions": "require_escalated", "justification": "x"})
    asked: list[object] = []

    def later(request: object) -> object:
        asked.append(request)
        return LATER

    with Codex(attrs.evolve(codex_config, restart=AT_ONCE), on_approval=later) as codex:
        ids = []
        for _ in range(2):
            scripted_model.reply(escalation)
            thread = codex.thread_start(approval_policy="on-request")
            thread.turn("go")
            while not codex.pending_requests():
                codex.models()
            ids.append(codex.pending_requests()[0].id)
            kill(codex)
            assert codex.pending_requests() == []
            assert not codex.answer(ids[0], True)
            codex.models()
    assert len(set(ids)) == 2


def test_tools_go_on_in_the_next_runtime(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    @tool
    def double(number: int) -> int:
        """Twice as much."""
        return 2 * number

    with Codex(attrs.evolve(codex_config, restart=AT_ONCE)) as codex:
        thread = codex.thread_start(tools=[double])
        thread.run("before")
        kill(codex)
        scripted_model.reply(call("double", {"number": 21}))
        scripted_model.say("done")
        result = thread.run("after")
    assert result.final_response == "done"
    assert "42" in str(scripted_model.requests[-1].json["input"])


def test_without_supervision_the_dead_stay_dead(codex_config: AppServerConfig) -> None:
    with Codex(codex_config) as codex:
        kill(codex)
        for _ in range(2):
            with pytest.raises(TransportClosedError, match="killed by SIGKILL"):
                codex.models()
        assert (codex.health().alive, codex.health().generation) == (False, 1)


def test_an_abandoned_goal_is_paused_in_the_next_runtime(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    with Codex(attrs.evolve(codex_config, restart=AT_ONCE)) as codex:
        thread = codex.thread_start()
        thread.run("before")
        scripted_model.hang()

        def follow() -> str:
            with pytest.raises(TransportClosedError) as caught:
                codex.run_goal(thread.id, "count to a million")
            return caught.value.reason

        def strike() -> str:
            scripted_model.wait_for_requests(2)
            kill(codex)
            return "struck"

        assert together([follow, strike]) == ["the runtime exited", "struck"]
        codex.thread_goal(thread.id)
        goal = codex.thread_goal(thread.id)
    assert goal is not None
    assert goal.status == "paused"


def test_a_goal_that_may_have_been_set_is_paused_in_the_next_runtime() -> None:
    with FakeAppServer() as server:
        statuses: list[Any] = []

        def die_first(request: FakeRequest) -> None:
            statuses.append(request.params.get("status"))
            if len(statuses) == 1:
                server.child.kill()
            else:
                request.refuse(-32600, "no goal")

        server.on("thread/goal/set", die_first)
        with Codex(server.config(restart=AT_ONCE)) as codex:
            thread = codex.thread_start()
            with pytest.raises(TransportClosedError):
                codex.run_goal(thread.id, "count to a million")
            thread.turn("go")
    assert statuses[1:] == ["paused"]


def test_callers_share_the_failure_of_one_start() -> None:
    with FakeAppServer() as server:
        with Codex(server.config(restart=Restart(initial_delay=0))) as codex:
            config_of(codex).start_timeout = 1.0
            server.hold("initialize")
            server.child.kill()
            assert ready(actor_of(codex).exited, 20)

            def operation() -> str:
                try:
                    codex.thread_start()
                except LaunchError as error:
                    return error.reason
                return "started"

            texts = together([operation] * 8)
            starts = server.starts
        assert set(texts) == {"no reply to initialize within 1 s"}
        assert starts < 8 + 1, "not each of them tried for itself"


def test_a_wait_before_a_start_ends_at_the_callers_deadline(codex_config: AppServerConfig) -> None:
    restart = Restart(initial_delay=1000, max_delay=1000)
    with Codex(attrs.evolve(codex_config, restart=restart)) as codex:
        kill(codex)
        with pytest.raises(RequestTimeoutError, match=r"thread/loaded/list within 0\.3 s"):
            codex.request(ThreadLoadedListParams(), timeout=0.3)


def test_a_runtime_with_an_invalid_handshake_is_ended() -> None:
    with FakeAppServer() as server:
        server.on("initialize", lambda _: {"userAgent": 3})
        with pytest.raises(LaunchError, match="payload is not a valid"):
            with Codex(server.config()):
                pass
        server.child.wait_gone()


def test_a_login_by_key_ends_no_subscription(codex_config: AppServerConfig) -> None:
    with Codex(codex_config) as codex:
        events = codex.events(timeout=20)
        codex.login_api_key("sk-of-nobody")
        thread = codex.thread_start(ephemeral=True)
        for event in events:
            if event.method == "thread/started":
                break
        assert event.thread_id == thread.id
