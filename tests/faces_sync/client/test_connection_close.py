# Derived from tests/faces_async/client/test_connection_close.py by `python -m tools.unasync`; do not edit.
"""`close`, in every state that a client can be in: bounded, everybody is woken, and nothing is left behind."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from functools import partial

import attrs
import pytest

from openai_codex import (
    AppServerConfig,
    Codex,
    Restart,
    TransportClosedError,
    tool,
)
from openai_codex._approvals.decisions import LATER, Later
from openai_codex._engine.waiting import Deadline, Latch
from openai_codex._sync.client._wait import ready
from openai_codex._sync.client.launch import Launcher
from openai_codex.testing import FakeAppServer, FakeChild, ScriptedModel, call
from openai_codex.types import ModelListParams, ThreadStartedNotification
from tests.faces_sync._outcome import outcomes
from tests.faces_sync._wait import together
from tests.support.bounds import PATIENCE, SOON, nothing_left, within
from tests.support.inside import actor_of

ESCALATION = {"cmd": "true", "sandbox_permissions": "require_escalated", "justification": "x"}


@pytest.fixture
def server() -> Iterator[FakeAppServer]:
    with FakeAppServer() as server:
        yield server


def exit_code(codex: Codex) -> int | None:
    return actor_of(codex).transport.process_info().exit_code


def die(codex: Codex, server: FakeAppServer) -> None:
    """Kill the runtime and wait until its client knows."""
    server.child.kill()
    assert ready(actor_of(codex).exited, PATIENCE)


def be_stubborn(child: FakeChild) -> None:
    child.ignore_eof()
    child.ignore_sigterm()


def be_busy(child: FakeChild) -> None:
    """Write byte by byte, for longer than anybody waits; a line that is no frame shows that it has begun."""
    child.write(b"x\n" + b"x" * 1_000_000, times=50, piece=1)


def be_stopped(child: FakeChild) -> None:
    """Do nothing at all any more."""
    os.kill(child.pid, signal.SIGSTOP)


# --- the ladder


def test_an_idle_runtime_is_asked_to_leave_and_does(codex_config: AppServerConfig) -> None:
    with nothing_left():
        codex = Codex(codex_config)
        codex.models()
        with within(SOON):
            codex.close()
        assert exit_code(codex) == 0


@pytest.mark.parametrize(
    ("misbehave", "timeout", "code"),
    [
        (FakeChild.sync, 60.0, 0),  # does not misbehave
        # It is asked to leave for half of that time, and has a third of it to end when it is terminated.
        (FakeChild.ignore_eof, 10.0, -signal.SIGTERM),
        (FakeChild.stop_reading, 10.0, -signal.SIGTERM),
        (be_busy, 10.0, -signal.SIGTERM),
        (be_stubborn, 0.5, -signal.SIGKILL),
        (be_stopped, 0.5, -signal.SIGKILL),
    ],
)
def test_close_escalates_for_a_child_and_the_processes_it_started(
    server: FakeAppServer, misbehave: Callable[[FakeChild], None], timeout: float, code: int
) -> None:
    with nothing_left():
        codex = Codex(server.config(shutdown_timeout=timeout))
        codex.thread_start()
        descendant = server.child.spawn(holds_output=True)
        misbehave(server.child)
        while misbehave is be_busy and not codex.health().skipped:
            ready(Latch(), 0.01)
        with within(min(timeout, 10.0) + SOON):
            codex.close()
        assert exit_code(codex) == code
        descendant.wait_gone()


@pytest.mark.parametrize(("stubborn", "outlives"), [(False, True), (True, False)])
def test_a_process_out_of_reach_that_holds_the_output_holds_up_nothing(
    server: FakeAppServer, stubborn: bool, outlives: bool
) -> None:
    with nothing_left():
        codex = Codex(server.config(shutdown_timeout=0.5 if stubborn else 60.0))
        codex.thread_start()
        if stubborn:
            be_stubborn(server.child)
        leaver = server.child.spawn(holds_output=True, own_session=True)
        with within(SOON):
            codex.close()
        # What a child that ends in order leaves alone is its own business; of one that is killed nothing is left.
        if not outlives:
            leaver.wait_gone()
        assert leaver.is_alive is outlives


# --- waiters


def test_all_waiters_are_woken() -> None:
    with FakeAppServer(announce_turns=False) as server, nothing_left():
        server.hold("model/list")
        server.on("account/login/start", {"type": "chatgpt", "loginId": "L", "authUrl": "http://127.0.0.1"})
        codex = Codex(server.config(max_in_flight=1))
        turns = [(codex.thread_start()).turn("go") for _ in range(5)]
        login = codex.login_chatgpt()

        def close() -> None:
            server.wait_for_requests("model/list")
            codex.close()

        *found, closed = outcomes(
            [
                *[partial(codex.request, ModelListParams())] * 2,  # the second waits for the first, and is not sent
                turns[0].run,
                partial(turns[1].run, timeout=PATIENCE, stall_timeout=PATIENCE),
                turns[2].stream().__next__,
                turns[3].text().__next__,
                turns[4].items(timeout=PATIENCE).__next__,
                codex.events().__next__,
                login.wait,
                close,
            ]
        )
        assert server.request_count("model/list") == 1
    assert closed is None
    assert [type(error) for error in found] == [TransportClosedError] * 9
    assert {error.reason for error in found if isinstance(error, TransportClosedError)} == {"the client was closed"}


def test_what_comes_later_is_refused_at_once(server: FakeAppServer) -> None:
    codex = Codex(server.config(restart=True))
    thread = codex.thread_start()
    turn = thread.turn("go")
    codex.close()
    with within(SOON):
        found = outcomes([codex.models, codex.thread_start, partial(thread.run, "go"), turn.run])
    assert [type(each) for each in found] == [TransportClosedError] * 4
    with pytest.raises(TransportClosedError):
        codex.events()
    assert server.starts == 1


@pytest.mark.parametrize("stubborn", [False, True])
def test_many_may_close_at_once_and_again(server: FakeAppServer, stubborn: bool) -> None:
    with nothing_left():
        codex = Codex(server.config(shutdown_timeout=0.5 if stubborn else 60.0))
        turn = (codex.thread_start()).turn("go")
        if stubborn:
            be_stubborn(server.child)
        with within(SOON):
            *closed, woken = outcomes([*[codex.close] * 16, turn.run])
        assert closed == [None] * 16
        assert isinstance(woken, TransportClosedError)
        assert exit_code(codex) == (-signal.SIGKILL if stubborn else 0)
        codex.close()


# --- what the runtime waits for


def test_a_request_that_is_left_for_later_is_over(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    asked = Latch()

    def later(_: object) -> Later:
        asked.set()
        return LATER

    scripted_model.reply(call("exec_command", ESCALATION))
    with nothing_left():
        codex = Codex(attrs.evolve(codex_config, handler_timeout=1000), on_approval=later)
        thread = codex.thread_start(approval_policy="on-request")
        turn = thread.turn("go")
        assert ready(asked, PATIENCE)
        [request] = codex.pending_requests()
        assert not request.cancelled
        with within(SOON):
            codex.close()
        assert request.cancelled
        assert not codex.answer(request.id, True)
        assert codex.pending_requests() == []
        assert exit_code(codex) == 0
        with pytest.raises(TransportClosedError):
            turn.run()


def test_the_handler_of_an_approval_may_close(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    closed = Latch()

    def close(_: object) -> bool:
        with within(SOON):
            codex.close()
        closed.set()
        return True

    scripted_model.reply(call("exec_command", ESCALATION))
    with nothing_left():
        codex = Codex(codex_config, on_approval=close)
        thread = codex.thread_start(approval_policy="on-request")
        with pytest.raises(TransportClosedError, match="the client was closed"):
            thread.run("go", timeout=PATIENCE)
        assert ready(closed, PATIENCE)
        assert exit_code(codex) == 0, "it was not killed: the one who closes is not cancelled by it"


def test_a_tool_may_close(codex_config: AppServerConfig, scripted_model: ScriptedModel) -> None:
    closed = Latch()

    @tool
    def leave() -> str:
        """Leave at once."""
        with within(SOON):
            codex.close()
        closed.set()
        return "left"

    scripted_model.reply(call("leave", {}))
    with nothing_left():
        codex = Codex(codex_config)
        thread = codex.thread_start(tools=[leave])
        with pytest.raises(TransportClosedError, match="the client was closed"):
            thread.run("go", timeout=PATIENCE)
        assert ready(closed, PATIENCE)
        assert exit_code(codex) == 0


def test_a_consumer_of_events_may_close(codex_config: AppServerConfig) -> None:
    with nothing_left():
        codex = Codex(codex_config)
        codex.models()
        events = codex.events(ThreadStartedNotification, timeout=PATIENCE)
        codex.thread_start(ephemeral=True)
        seen = []
        with pytest.raises(TransportClosedError, match="the client was closed"):
            for event in events:
                seen.append(event.method)
                codex.close()
    assert seen == ["thread/started"]


# --- starts under way


def test_a_start_that_is_under_way_is_given_up(server: FakeAppServer) -> None:
    with nothing_left():
        codex = Codex(server.config(restart=Restart(initial_delay=0)))
        codex.thread_start()
        die(codex, server)
        server.hold("initialize")

        def close() -> None:
            server.wait_for_requests("initialize", 2)
            with within(SOON):
                codex.close()

        first, second, closed = outcomes([codex.models, codex.models, close])
    assert {str(first), str(second)} == {"connection to the codex runtime closed: the client was closed"}
    assert closed is None
    assert server.starts == 2
    server.child.wait_gone()


def test_a_runtime_that_starts_while_its_client_closes_is_stopped(
    server: FakeAppServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    launch = Launcher.launch

    def launch_and_close(launcher: Launcher, generation: int, until: Deadline) -> object:
        up = launch(launcher, generation, until)
        codex.close()  # as another thread does, just before the client has the new runtime
        return up

    with nothing_left():
        codex = Codex(server.config(restart=Restart(initial_delay=0)))
        codex.thread_start()
        die(codex, server)
        monkeypatch.setattr(Launcher, "launch", launch_and_close)
        with pytest.raises(TransportClosedError, match="the client was closed"):
            codex.models()
    assert server.starts == 2


def test_clients_that_are_closed_together_take_no_longer_than_one(server: FakeAppServer) -> None:
    server.on_start(be_stubborn)
    with nothing_left():
        clients = [Codex(server.config(shutdown_timeout=8.0)) for _ in range(4)]
        together([client.thread_start for client in clients])
        with within(3 * 8.0):
            together([client.close for client in clients])
