"""A fake server leaves no process, thread or socket behind, however its test ends."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from openai_codex import Codex, TransportClosedError
from openai_codex.testing import FakeAppServer
from openai_codex.testing._fake import program
from tests.support.bounds import PATIENCE, SOON, eventually


def command_line(server: FakeAppServer) -> tuple[str, ...]:
    command = server.config().launch_args_override
    assert command is not None
    return command


def launch(server: FakeAppServer) -> subprocess.Popen[bytes]:
    """Start a child whose output is not read."""
    return subprocess.Popen(command_line(server), stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)


def threads() -> set[str]:
    return {thread.name for thread in threading.enumerate() if thread.name.startswith("fake-app-server")}


def open_files() -> set[str]:
    return {path.name for path in Path("/proc/self/fd").iterdir()}


def test_a_server_leaves_nothing_behind() -> None:
    def once() -> None:
        with FakeAppServer() as server, Codex(server.config()) as codex:
            codex.thread_start()
            assert len(threads()) == 1

    once()
    before = open_files()
    once()
    assert eventually(lambda: open_files() == before), open_files() ^ before
    assert eventually(lambda: not threads())


def test_closing_ends_every_process() -> None:
    with FakeAppServer() as server:
        codex = Codex(server.config())
        turn = codex.thread_start().turn("Hi")
        server.child.ignore_eof()
        server.child.ignore_sigterm()
        left = [server.child.spawn(), server.child.spawn(own_session=True)]
    assert [process.is_alive for process in (server.child, *left)] == [False] * 3
    with pytest.raises(TransportClosedError):
        turn.run(timeout=PATIENCE)
    codex.close()
    server.close()


@pytest.mark.parametrize("stuck", ["in a full pipe", "stopped"])
def test_a_blocked_child_is_killed(stuck: str) -> None:
    with FakeAppServer() as server, launch(server) as process:
        child = server.wait_child()
        if stuck == "stopped":
            os.kill(child.pid, signal.SIGSTOP)
        else:
            child.write(b"x" * 10_000_000)
        began = time.monotonic()
        server.close()
        assert process.wait(PATIENCE) == -signal.SIGKILL
        assert time.monotonic() - began < SOON


def test_a_connection_without_the_token_is_dropped() -> None:
    with FakeAppServer() as server:
        port = int(command_line(server)[-2])
        for verb in ("hello", "input"):
            with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as stranger:
                stranger.sendall(program.packed(verb, 1, 0, payload=b"wrong token"))
                assert stranger.recv(1) == b""
        assert server.starts == 0


def test_a_child_without_a_server_ends_at_once_and_imports_very_little() -> None:
    with FakeAppServer() as server:
        python, *arguments = command_line(server)
    command = (python, "-X", "importtime", *arguments)
    ended = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    imported = {line.rpartition("|")[2].strip() for line in ended.stderr.splitlines()}
    assert ended.returncode == 0
    assert "_socket" in imported
    assert imported.isdisjoint({"enum", "json", "re", "signal", "socket", "subprocess", "threading", "typing"})


KILLED_RUN = """
import subprocess, sys
from openai_codex import Codex
from openai_codex.testing import FakeAppServer
from tests.support.bounds import PATIENCE

server = FakeAppServer().start()
codex = Codex(server.config())
server.child.ignore_eof()
server.child.ignore_sigterm()
left = [server.child, server.child.spawn(), server.child.spawn(holds_output=True, own_session=True)]
pipe = subprocess.PIPE
unread = subprocess.Popen(server.config().launch_args_override, stdin=pipe, stdout=pipe, start_new_session=True)
left.append(server.wait_child(2))
server.child.write(b"x", times=10_000_000)
print(*(process.pid for process in left), flush=True)
sys.stdin.read()
"""


def test_a_test_run_that_is_killed_leaves_no_process(tmp_path: Path) -> None:
    script = tmp_path / "killed.py"
    script.write_text(KILLED_RUN)
    run = subprocess.Popen([sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with run:
        assert run.stdout is not None
        handles = [os.pidfd_open(int(pid)) for pid in run.stdout.readline().split()]
        run.kill()
        for handle in handles:
            assert select.select([handle], [], [], PATIENCE)[0] == [handle]
            os.close(handle)
    assert len(handles) == 4
