"""What is left of a runtime, of its commands and of the program, when one of them is killed: nothing."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from openai_codex import AppServerConfig, Codex, TransportClosedError
from openai_codex._engine.transport import child
from openai_codex._engine.waiting import block_until_ready
from openai_codex.testing import FakeAppServer, ScriptedModel, call
from tests.support.bounds import PATIENCE, eventually
from tests.support.inside import actor_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells whose child a process was"),
]

# A command that writes its number into a file, and one of its own that outlives its shell.
COMMAND = "echo $$ > {file}; sleep 1000 & sleep 1000"


def wait_for_exit(pid: int, timeout: float = 20) -> None:
    """Wait until a process that is no child of this one is gone."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([descriptor], [], [], timeout)[0], f"process {pid} is still there"
    finally:
        os.close(descriptor)


def session_of(pid: int) -> list[int]:
    """Return the processes of the session that a command leads."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if os.getsid(int(entry.name)) == pid:
                    found.append(int(entry.name))
            except ProcessLookupError:
                pass
    return found


def running_command(codex: Codex, model: ScriptedModel, sandbox: str, file: Path) -> tuple[object, list[int]]:
    """Start a turn with a command that does not end; return it, and the processes of the command."""
    model.reply(call("exec_command", {"cmd": COMMAND.format(file=file), "yield_time_ms": 200}))
    thread = codex.thread_start(approval_policy="never", sandbox=sandbox)
    model.hang()
    turn = thread.turn("go")
    model.wait_for_requests(2, PATIENCE)  # the second has the word that the command goes on
    return turn, processes_of_command(file)


def processes_of_command(file: Path) -> list[int]:
    """Return the processes of the command, when all of them are there: it may have been left before it has begun."""
    assert eventually(lambda: file.exists() and file.read_text().endswith("\n"))
    assert eventually(lambda: len(session_of(int(file.read_text()))) >= 3)
    return session_of(int(file.read_text()))


def test_the_commands_of_a_killed_runtime_end(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, tmp_path: Path
) -> None:
    with Codex(codex_config) as codex:
        turn, processes = running_command(codex, scripted_model, "full-access", tmp_path / "pid")
        os.kill(actor_of(codex).pid or 0, signal.SIGKILL)
        with pytest.raises(TransportClosedError, match="killed by SIGKILL"):
            turn.run(timeout=20)  # type: ignore[attr-defined]  # a turn handle
        for pid in processes:
            wait_for_exit(pid)


def test_the_commands_of_a_crashed_runtime_end() -> None:
    with FakeAppServer() as server, Codex(server.config()):
        command = server.child.spawn(own_session=True)
        server.child.exit(101)  # as a panic does
        wait_for_exit(command.pid)


def test_what_a_runtime_leaves_running_when_it_ends_in_order_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[str] = []

    def find(mark: str) -> Iterator[int]:
        searched.append(mark)
        return real(mark)

    real = child.find_marked
    monkeypatch.setattr(child, "find_marked", find)
    with FakeAppServer() as server, Codex(server.config()) as codex:
        left = server.child.spawn(own_session=True)
        server.child.exit(0)
        assert block_until_ready(actor_of(codex).exited, 20)
        os.kill(left.pid, signal.SIGKILL)  # raises if it is gone
        wait_for_exit(left.pid)
    assert searched == []


def test_a_close_ends_the_commands(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, tmp_path: Path
) -> None:
    with Codex(codex_config) as codex:
        _, processes = running_command(codex, scripted_model, "full-access", tmp_path / "pid")
    for pid in processes:
        wait_for_exit(pid)


# The program that is killed: it starts a command and says so.
PROGRAM = """
import json, sys
from openai_codex import AppServerConfig, Codex
codex = Codex(AppServerConfig(**json.loads(sys.argv[1])))
turn = codex.thread_start(approval_policy="never", sandbox="full-access").turn("go")
print(codex.health().pid, flush=True)
turn.run()
"""


def test_nothing_outlives_a_killed_program(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, tmp_path: Path
) -> None:
    file = tmp_path / "pid"
    scripted_model.reply(call("exec_command", {"cmd": COMMAND.format(file=file), "yield_time_ms": 200}))
    scripted_model.hang()
    settings = {"env": dict(codex_config.env or {}), "cwd": codex_config.cwd, "strict_config": True}
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, json.dumps(settings)], stdout=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout is not None
        runtime = int(program.stdout.readline())
        scripted_model.wait_for_requests(2, PATIENCE)
        processes = [runtime, *processes_of_command(file)]
        program.kill()
    for pid in processes:
        wait_for_exit(pid)
