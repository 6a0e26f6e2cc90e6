# Derived from tests/faces_async/test_running.py by `python -m tools.unasync`; do not edit.
"""Calls that meet on one thread: `run` waits for the thread's work, `turn` joins it, and each gets its own answer."""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import attrs
import pytest

from openai_codex import (
    AppServerConfig,
    Codex,
    ConfigError,
    ExternalMessage,
    InvalidRequestError,
    RequestTimeoutError,
    RunResult,
    Thread,
    TransportClosedError,
    TurnTimeoutError,
)
from openai_codex._engine.waiting import Deadline, Latch
from openai_codex._sync.client._wait import ready
from openai_codex.testing import FakeAppServer, Gate, QuietHome, ScriptedModel, say
from openai_codex.types import TextUserInput, TurnInterruptParams, TurnStartParams, TurnStatus
from tests.faces_sync._outcome import outcomes
from tests.faces_sync._wait import together
from tests.support.bounds import PATIENCE
from tests.support.inside import actor_of, calls_waiting, is_idle, turns_running

REVIEW = '{"findings":[],"overall_correctness":"","overall_explanation":"fine","overall_confidence_score":0.5}'

Steps = list[Callable[[], Awaitable[Any]]]


def until(condition: Callable[[], bool]) -> None:
    """Return when something is so in the client, which tells nobody."""
    deadline = Deadline(PATIENCE)
    while not condition():
        assert not deadline.passed()
        ready(Latch(), 0.005)


def wait_in_turn(codex: Codex, thread: Thread, questions: list[str], gate: Gate) -> Steps:
    """Return steps that run these questions one after the other is queued, and open the gate when all are."""

    def ask(number: int, question: str) -> str | None:
        until(lambda: calls_waiting(codex, thread.id) >= number)
        return (thread.run(question, timeout=PATIENCE)).final_response

    def release() -> None:
        until(lambda: calls_waiting(codex, thread.id) >= len(questions))
        gate.open()

    return [*(partial(ask, *each) for each in enumerate(questions)), release]


# --- run waits


def test_runs_on_one_thread_come_after_each_other_and_each_gets_its_own_answer(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    gate, names = Gate(), ["A", "B", "C", "D"]
    scripted_model.when("A", say("answer to A", gate=gate))
    for name in names[1:]:
        scripted_model.when(name, f"answer to {name}")
    with Codex(codex_config) as codex:
        thread = codex.thread_start()
        answers = together(wait_in_turn(codex, thread, names, gate))
        assert is_idle(codex)
    assert answers == [*(f"answer to {name}" for name in names), None]
    assert [request.last_user_text for request in scripted_model.requests] == names


def test_two_handles_of_one_thread_share_its_queue(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    gate = Gate()
    scripted_model.when("A", say("answer to A", gate=gate))
    scripted_model.when("B", "answer to B")
    with Codex(codex_config) as codex:
        thread = codex.thread_start()
        turn = thread.turn("A")
        gate.wait_reached()
        steps = wait_in_turn(codex, codex.thread(thread.id), ["B"], gate)
        assert (together(steps))[0] == "answer to B"
        assert (turn.run()).final_response == "answer to A"


def a_turn(codex: Codex, thread: Thread) -> None:
    thread.turn("work")  # the handle is dropped: the turn goes on


def a_compaction(codex: Codex, thread: Thread) -> None:
    thread.compact()


def a_review(codex: Codex, thread: Thread) -> None:
    codex.review(thread.id)


def a_goal(codex: Codex, thread: Thread) -> None:
    codex.thread_set_goal(thread.id, "win")


def a_request(codex: Codex, thread: Thread) -> None:
    codex.request(TurnStartParams(thread_id=thread.id, input=[TextUserInput(text="work")]))


Start = Callable[[Codex, Thread], Awaitable[None]]


@pytest.mark.parametrize("start", [a_turn, a_compaction, a_review, a_goal, a_request])
def test_a_run_waits_for_all_work_of_the_thread(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, start: Start
) -> None:
    gate = Gate()
    with Codex(codex_config) as codex:
        thread = codex.thread_start(approval_policy="never")
        thread.run("before")
        scripted_model.queue(say(REVIEW, gate=gate))
        scripted_model.when("mine", "my answer")
        start(codex, thread)
        answer, _ = together(wait_in_turn(codex, thread, ["mine"], gate))
    assert answer == "my answer"
    assert scripted_model.requests[1].last_user_text != "mine"


def test_a_run_waits_for_a_shell_command_and_knows_its_output(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, codex_home: QuietHome
) -> None:
    go = codex_home.workspace / "go"
    with Codex(codex_config) as codex:
        thread = codex.thread_start(cwd=codex_home.workspace)
        thread.run("before")
        codex.thread_shell_command(thread.id, f"until [ -e {go} ]; do sleep 0.02; done; echo the-output")

        def release() -> None:
            until(lambda: calls_waiting(codex, thread.id) > 0)
            go.touch()

        result, _ = together([partial(thread.run, "mine", timeout=PATIENCE), release])
    assert result.final_response == "ok"
    assert "the-output" in str(scripted_model.requests[-1].json)


def test_the_wait_is_a_part_of_the_timeout_and_leaves_nothing_behind(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    gate = Gate()
    scripted_model.when("A", say("answer to A", gate=gate))
    with Codex(codex_config) as codex:
        thread = codex.thread_start()
        turn = thread.turn("A")
        gate.wait_reached()
        with pytest.raises(
            TurnTimeoutError, match=r"the end of the thread's current work did not come within 0\.2 s"
        ) as caught:
            thread.run("late", timeout=0.2)
        assert (caught.value.turn_id, caught.value.timeout) == (None, 0.2)
        answer, _ = together(wait_in_turn(codex, thread, ["B"], gate))
        assert answer == "ok"
        assert (turn.run()).status == TurnStatus.completed
        assert is_idle(codex)
    assert all("late" not in request.user_texts for request in scripted_model.requests)


@pytest.mark.parametrize("restart", [False, True])
def test_the_death_of_the_runtime_wakes_all_who_wait(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, restart: bool
) -> None:
    gate = Gate()
    scripted_model.when("A", say("answer to A", gate=gate))
    with Codex(attrs.evolve(codex_config, restart=restart)) as codex:
        thread = codex.thread_start()
        thread.run("before")
        turn = thread.turn("A")
        gate.wait_reached()

        def kill() -> None:
            until(lambda: calls_waiting(codex, thread.id) == 2)
            pid = actor_of(codex).pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)

        runs = [partial(thread.run, name, timeout=PATIENCE) for name in ("B", "C")]
        _, first, *others = outcomes([kill, turn.run, *runs])
        assert isinstance(first, TransportClosedError)
        if restart:  # they were never sent, so the next runtime does them
            assert [each.final_response for each in others] == ["ok", "ok"]
        else:
            assert [type(each) for each in others] == [TransportClosedError] * 2
        assert is_idle(codex)


def test_closing_the_client_wakes_all_who_wait() -> None:
    with FakeAppServer() as server:
        codex = Codex(server.config())
        thread = codex.thread_start()
        thread.turn("A")

        def close() -> None:
            until(lambda: calls_waiting(codex, thread.id) == 1)
            codex.close()

        _, error = outcomes([close, partial(thread.run, "B")])
        assert isinstance(error, TransportClosedError)


def test_a_request_that_is_refused_does_not_block_the_thread() -> None:
    with FakeAppServer() as server:
        with Codex(server.config()) as codex:
            thread = codex.thread_start()
            server.refuse("turn/start", -32600, "no")
            with pytest.raises(InvalidRequestError):
                thread.run("A")
            assert is_idle(codex)


# --- turn joins


def test_a_turn_joins_the_one_that_runs_and_says_so(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    gate = Gate()
    scripted_model.queue(say("first", gate=gate), say("to both"))
    with Codex(codex_config) as codex:
        thread = codex.thread_start()
        first = thread.turn("A")
        gate.wait_reached()
        second = thread.turn("B")
        assert (first.joined, second.joined, second.id) == (False, True, first.id)
        gate.open()
        results: list[RunResult] = [turn.run(timeout=PATIENCE) for turn in (first, second)]
        assert [result.final_response for result in results] == ["to both"] * 2
        assert not (thread.turn("C")).joined


@dataclass
class Verdict:
    fine: bool


OPTIONS: list[dict[str, Any]] = [
    {"approval_mode": "deny_all"},
    {"approval_policy": "never"},
    {"approvals_reviewer": "auto_review"},
    {"cwd": "/"},
    {"effort": "high"},
    {"model": "gpt-5.5"},
    {"output_schema": {"type": "object"}},
    {"output_type": Verdict},
    {"personality": "friendly"},
    {"sandbox": "read-only"},
    {"sandbox_policy": "read-only"},
    {"service_tier": "flex"},
    {"source": "test"},
    {"summary": "detailed"},
    {"turn_service_tier": "flex"},
]


def test_options_that_cannot_hold_for_the_running_turn_are_refused_before_anything_is_sent() -> None:
    with FakeAppServer() as server:
        with Codex(server.config()) as codex:
            thread = codex.thread_start()
            thread.turn("A", model="one")
            for options in OPTIONS:
                for call in (thread.turn, thread.run):
                    with pytest.raises(ConfigError, match="cannot hold for the running turn") as caught:
                        call(ExternalMessage("t", "news"), **options)
                    assert next(iter(options))[:7] in caught.value.what
            assert server.request_count("turn/start") == 1
            assert (thread.turn("B", model="one")).joined
            assert server.request_count("turn/start") == 2


def test_an_external_message_joins_the_turn_that_runs(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    gate = Gate()
    scripted_model.queue(say("first", gate=gate), say("to both"))
    with Codex(codex_config) as codex:
        thread = codex.thread_start()
        turn = thread.turn("A")
        gate.wait_reached()

        def release() -> None:
            until(lambda: turns_running(codex, thread.id) == 2)
            gate.open()

        message = ExternalMessage("monitor", "the build is red")
        result, _ = together([partial(thread.run, message, timeout=PATIENCE), release])
        assert (result.id, result.final_response) == (turn.id, "to both")
    assert "the build is red" in str(scripted_model.requests[-1].json)


@pytest.mark.parametrize("start", [a_compaction, a_review])
def test_a_turn_waits_for_work_that_takes_no_input(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, start: Start
) -> None:
    gate = Gate()
    with Codex(codex_config) as codex:
        thread = codex.thread_start(approval_policy="never")
        thread.run("before")
        scripted_model.queue(say(REVIEW, gate=gate))
        scripted_model.when("mine", "my answer")
        start(codex, thread)
        gate.wait_reached()
        with pytest.raises(RequestTimeoutError) as caught:
            thread.turn("mine", timeout=0.2)
        assert caught.value.timeout == 0.2

        def release() -> None:
            until(lambda: calls_waiting(codex, thread.id) > 0)
            gate.open()

        turn, _ = together([partial(thread.turn, "mine"), release])
        assert not turn.joined
        assert (turn.run(timeout=PATIENCE)).final_response == "my answer"


def test_work_that_was_interrupted_blocks_nobody(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    gate = Gate()
    with Codex(codex_config) as codex:
        thread = codex.thread_start()
        thread.run("before")
        scripted_model.queue(say("summary", gate=gate))
        thread.compact()
        gate.wait_reached()
        codex.request(TurnInterruptParams(thread_id=thread.id, turn_id=""))
        assert (thread.run("mine", timeout=PATIENCE)).final_response == "ok"
        gate.open()


def test_a_handle_waits_for_its_turn_however_many_runs_are_queued(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    gate = Gate()
    scripted_model.when("A", say("answer to A", gate=gate))
    with Codex(codex_config) as codex:
        thread = codex.thread_start()
        turn = thread.turn("A")
        gate.wait_reached()
        steps = wait_in_turn(codex, thread, ["B"], gate)
        answers = together([partial(turn.run, timeout=PATIENCE), *steps])
        assert [answers[0].final_response, answers[1]] == ["answer to A", "ok"]
