"""What is said of an exit is true, or unknown; a broken pipe is an error whatever the program does with signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from openai_codex import AppServerConfig, Codex, TransportClosedError
from openai_codex._engine.transport import ChildProcess
from openai_codex.types import ModelListParams
from tests.support.children import ECHO, EXITS, child

KILLED = child("""
    shake_hands(); read()
    os.kill(os.getpid(), signal.SIGKILL)
""")
CLOSES_INPUT = child("""
    shake_hands(); read(); os.close(0)
    send({"method": "warning", "params": {}})
    time.sleep(60)
""")

Launch = Callable[[tuple[str, ...]], ChildProcess]


@pytest.fixture
def no_sigchld() -> Iterator[None]:
    old = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGCHLD, old)


@pytest.fixture
def launch() -> Iterator[Launch]:
    started: list[ChildProcess] = []

    def start(command: tuple[str, ...]) -> ChildProcess:
        started.append(ChildProcess(command, None, None))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.end(5)
        process.close_input()


def failure(command: tuple[str, ...]) -> TransportClosedError:
    with Codex(AppServerConfig(launch_args_override=command)) as codex, pytest.raises(TransportClosedError) as caught:
        codex.request(ModelListParams())
    return caught.value


@pytest.mark.usefixtures("no_sigchld")
def test_an_exit_that_the_system_reaped_is_unknown() -> None:
    error = failure(KILLED)
    assert (error.process.exit_code, error.process.exit_code_lost) == (None, True)
    assert error.reason == "the runtime exited"
    assert "exit code unknown: this program ignores SIGCHLD" in str(error)


def test_an_exit_that_the_program_reaped_is_unknown(launch: Launch) -> None:
    process = launch(EXITS)
    os.waitpid(process._pid, 0)
    assert process.end(5) is None
    info = process.process_info()
    assert (info.exit_code, info.exit_code_lost, info.stderr_tail[-1]) == (None, True, "no config")


def test_an_exit_that_was_seen_before_the_program_reaped_it_is_known(launch: Launch) -> None:
    process = launch(EXITS)
    os.waitid(os.P_PID, process._pid, os.WEXITED | os.WNOWAIT)
    assert process.has_exited()
    os.waitpid(process._pid, 0)
    assert process.end(5) == 3
    assert (process.process_info().exit_code, process.process_info().exit_code_lost) == (3, False)


@pytest.mark.parametrize(("command", "code"), [(EXITS, 3), (child("os.kill(os.getpid(), signal.SIGKILL)"), -9)])
def test_an_exit_of_a_child_that_is_left_alone_is_known(launch: Launch, command: tuple[str, ...], code: int) -> None:
    process = launch(command)
    assert process.end(20) == code
    assert process.process_info().exit_code == code


def write_until_broken(process: ChildProcess) -> None:
    process._stdout.read(20)
    with pytest.raises(BrokenPipeError):
        while True:
            process.try_write(b"x" * 65536)


def raises(_number: int, _frame: Any) -> None:
    raise AssertionError("SIGPIPE reached the program")


@pytest.mark.parametrize("action", [raises, signal.SIG_IGN])
def test_a_broken_pipe_does_not_reach_the_handlers_of_the_program(launch: Launch, action: Any) -> None:
    process = launch(child("os.close(0); os.write(1, b'closed'); time.sleep(60)"))
    old = signal.signal(signal.SIGPIPE, action)
    try:
        write_until_broken(process)
        assert signal.SIGPIPE not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
        assert signal.SIGPIPE not in signal.sigpending()
    finally:
        signal.signal(signal.SIGPIPE, old)


def test_a_broken_pipe_does_not_end_a_program_with_the_default_action() -> None:
    """In a process of its own, which would end without a word."""
    program = f"""
        import signal
        from openai_codex import AppServerConfig, Codex, TransportClosedError
        from openai_codex.types import ModelListParams
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        with Codex(AppServerConfig(launch_args_override={CLOSES_INPUT!r}, shutdown_timeout=1)) as codex:
            events = codex.events()
            try:
                codex.request(ModelListParams(), timeout=5)
            except Exception:
                next(events)  # the input is closed now
            try:
                codex.request(ModelListParams())
            except TransportClosedError as error:
                print(error.reason)
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (run.returncode, run.stdout.strip()) == (0, "the runtime closed its input: Broken pipe"), run.stderr


def test_an_orderly_exit_is_known() -> None:
    with Codex(AppServerConfig(launch_args_override=ECHO)) as codex:
        actor = codex._connection.supervisor.actor
    assert actor is not None
    assert actor.transport.process_info().exit_code == 0
