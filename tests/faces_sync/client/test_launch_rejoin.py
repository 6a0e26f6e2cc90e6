# Derived from tests/faces_async/client/test_launch_rejoin.py by `python -m tools.unasync`; do not edit.
"""A connection to a runtime elsewhere that is lost and made again, on the real runtime."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from openai_codex import (
    LATER,
    ApprovalRequest,
    AppServerConfig,
    Codex,
    LaunchError,
    Restart,
    ThreadLostError,
    TransportClosedError,
)
from openai_codex._engine.waiting import Deadline
from openai_codex.testing import Reply, call, hang, message, offline, reply
from openai_codex.types import ActiveThreadStatus, ThreadReadParams, TurnStatus
from tests.faces_sync._wait import together
from tests.support.bounds import PATIENCE, eventually, stop_process, within
from tests.support.remote import TOKEN, Cutter, listening, listening_process

QUICK = Restart(limit=None, initial_delay=0.01, max_delay=0.1)


def behind(cutter: Cutter, restart: Restart = QUICK) -> AppServerConfig:
    """Return the configuration of a client that connects by way of a proxy."""
    return AppServerConfig(endpoint=cutter.endpoint, token=TOKEN, restart=restart)


def ask_for(command: str) -> Reply:
    """Return an answer that runs a command outside of the sandbox, for which the runtime asks."""
    return reply(
        call("exec_command", {"cmd": command, "sandbox_permissions": "require_escalated", "justification": "why"})
    )


def test_a_turn_goes_on_after_a_cut_in_its_middle() -> None:
    with offline() as kit, listening(kit.config) as endpoint, Cutter(endpoint) as cutter:
        with Codex(behind(cutter)) as codex:
            gate = kit.model.gate()
            kit.model.say("the end", gate=gate)
            thread = codex.thread_start()
            turn = thread.turn("Hi")
            gate.wait_reached()
            cutter.cut()
            assert eventually(lambda: cutter.accepted == 2)
            gate.open()
            result = turn.run()
            assert result.final_response == "the end"
            assert len(result.items) == 2
            kit.model.say("and on")
            assert (thread.run("go on")).final_response == "and on"
            assert codex.health().generation == 1


def test_a_turn_that_ended_meanwhile_is_read_whole_and_once() -> None:
    with offline() as kit, listening(kit.config) as endpoint, Cutter(endpoint) as cutter:
        with Codex(behind(cutter)) as codex:
            first, second = kit.model.gate(), kit.model.gate()
            kit.model.reply(message("before"), call("exec_command", {"cmd": "echo one"}), gate=first)
            kit.model.say("the end", gate=second)
            thread = codex.thread_start()
            turn = thread.turn("Hi")
            first.wait_reached()
            cutter.refuses = True
            cutter.cut()
            first.open()
            second.wait_reached()
            second.open()
            with Codex(AppServerConfig(endpoint=endpoint, token=TOKEN)) as other:
                ended(other, thread.id)
            cutter.refuses = False
            items = [item for item in turn.items()]
            result = turn.run()
            assert result.final_response == "the end"
            assert [item.type for item in items].count("commandExecution") == 1
            assert len({item.id for item in items}) == len(items) == len(result.items)


def ended(codex: Codex, thread_id: str) -> None:
    """Wait until a thread has no running turn, as another client sees it."""
    deadline = Deadline(PATIENCE)
    while not deadline.passed():
        read = codex.request(ThreadReadParams(thread_id=thread_id))
        if not isinstance(read.thread.status, ActiveThreadStatus):
            return
    raise AssertionError("the turn has not ended")


def test_an_approval_that_is_pending_across_a_cut_is_asked_once_and_answered() -> None:
    asked, answer = [], threading.Event()

    def approve(request: ApprovalRequest) -> bool:
        asked.append(request)
        return answer.wait(PATIENCE)

    with offline() as kit, listening(kit.config) as endpoint, Cutter(endpoint) as cutter:
        with Codex(behind(cutter), on_approval=approve) as codex:
            kit.model.queue(ask_for("echo approved"))
            kit.model.say("done")
            thread = codex.thread_start(approval_policy="on-request")
            turn = thread.turn("Hi")
            assert eventually(lambda: asked)
            cutter.cut()
            assert eventually(lambda: cutter.accepted == 2)
            answer.set()
            result = turn.run()
            assert result.final_response == "done"
            assert not result.declined
            assert len(asked) == 1


def test_an_approval_that_is_pending_is_answered_by_the_next_client() -> None:
    asked, later = threading.Event(), threading.Event()

    def leave(_request: ApprovalRequest) -> object:
        asked.set()
        return LATER

    def approve(_request: ApprovalRequest) -> bool:
        later.set()
        return True

    with offline() as kit, listening(kit.config) as endpoint:
        config = AppServerConfig(endpoint=endpoint, token=TOKEN)
        kit.model.queue(ask_for("echo approved"))
        kit.model.say("done")
        with Codex(config, on_approval=leave) as codex:
            thread = codex.thread_start(approval_policy="on-request")
            thread.turn("Hi")
            assert eventually(asked.is_set)
        with Codex(config, on_approval=approve) as codex:
            thread = codex.thread_resume(thread.id)
            assert eventually(later.is_set)
            ended(codex, thread.id)
            turns = [turn for turn in thread.turns()]
        assert [turn.status for turn in turns] == [TurnStatus.completed]
        assert b"approved" in kit.model.requests[-1].body


def test_a_request_under_way_ends_with_an_error_and_later_ones_wait() -> None:
    with offline() as kit, listening_process(kit.config) as (endpoint, process), Cutter(endpoint) as cutter:
        with Codex(behind(cutter)) as codex:
            stop_process(process.pid)

            def lost() -> str:
                with pytest.raises(TransportClosedError, match="was lost") as error:
                    codex.models()
                assert error.value.will_restart
                return "lost"

            def cut() -> str:
                assert eventually(lambda: codex.health().requests_in_flight == 1)
                cutter.cut()
                return "cut"

            assert together([lost, cut]) == ["lost", "cut"]
            os.kill(process.pid, signal.SIGCONT)
            assert (codex.models()).data
            assert codex.health().generation == 1


def test_a_turn_that_went_on_is_stopped_with_its_thread() -> None:
    with offline() as kit, listening(kit.config) as endpoint, Cutter(endpoint) as cutter:
        with Codex(behind(cutter)) as codex:
            kit.model.queue(hang())
            thread = codex.thread_start()
            turn = thread.turn("Hi")
            kit.model.wait_for_requests(1)
            cutter.cut()
            assert eventually(lambda: cutter.accepted == 2)
            codex.models()  # waits until the connection is restored
            thread.close()
            assert (turn.run()).status == TurnStatus.interrupted


def test_a_thread_without_a_turn_is_lost_and_says_so() -> None:
    with offline() as kit, listening(kit.config) as endpoint, Cutter(endpoint) as cutter:
        with Codex(behind(cutter)) as codex:
            thread = codex.thread_start()
            cutter.cut()
            assert eventually(lambda: cutter.accepted == 2)
            codex.models()
            with pytest.raises(ThreadLostError, match=thread.id):
                thread.run("Hi")


def test_a_runtime_that_was_killed_takes_its_turn_with_it_and_the_thread_goes_on() -> None:
    with offline() as kit, Cutter("ws://127.0.0.1:1") as cutter:
        with listening(kit.config) as endpoint:
            cutter.lead_to(endpoint)
            codex = Codex(behind(cutter))
            try:
                thread = codex.thread_start()
                kit.model.queue(hang())
                turn = thread.turn("Hi")
                kit.model.wait_for_requests(1)
            except BaseException:
                codex.close()
                raise
        try:
            with listening(kit.config) as endpoint:
                cutter.lead_to(endpoint)
                assert (turn.run()).status == TurnStatus.interrupted
                kit.model.say("on")
                assert (thread.run("again")).final_response == "on"
        finally:
            codex.close()


def test_it_gives_up_after_so_many_attempts() -> None:
    with offline() as kit, listening(kit.config) as endpoint, Cutter(endpoint) as cutter:
        restart = Restart(limit=2, initial_delay=0.01, max_delay=0.01)
        with Codex(behind(cutter, restart)) as codex:
            kit.model.queue(hang())
            turn = (codex.thread_start()).turn("Hi")
            kit.model.wait_for_requests(1)
            cutter.refuses = True
            cutter.cut()
            with pytest.raises(TransportClosedError, match=cutter.endpoint):
                turn.run()
            assert cutter.accepted == 3
            with pytest.raises(LaunchError):
                codex.models()


def test_a_client_that_is_closed_while_it_connects_again_is_closed_at_once() -> None:
    with offline() as kit, listening(kit.config) as endpoint, Cutter(endpoint) as cutter:
        restart = Restart(limit=None, initial_delay=600.0, max_delay=600.0)
        with Codex(behind(cutter, restart)) as codex:
            codex.models()
            cutter.cut()
            with within(PATIENCE):
                codex.close()
            assert codex.health().state == "closed"
