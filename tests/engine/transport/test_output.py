"""The end of a child as its pipes tell it, and as the system does where that is not enough."""

from __future__ import annotations

import fcntl
import io
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from openai_codex._engine.transport import ChildProcess
from openai_codex._engine.transport.output import OutputPipe
from openai_codex.testing import FakeAppServer

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="only Linux tells of an exit by a descriptor")

# Says its last words and exits; what it has started holds its output.
PROGRAM = "import os, time; os.write(1, b'last words'); os.fork() or time.sleep(1000)"


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, start_new_session=True) as child:
        yield child
        os.killpg(child.pid, signal.SIGKILL)


def test_an_exit_is_the_end_of_the_output_once_all_was_read(child: subprocess.Popen[bytes]) -> None:
    assert child.stdout is not None
    pipe = OutputPipe(child.stdout, child.pid)
    [exit_descriptor] = [exit.fileno() for exit in pipe._exit]
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert [pipe.read(20.0), pipe.read(20.0), pipe.read(None)] == [b"last words", b"", b""]
    pipe.close()
    pipe.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(exit_descriptor)


def test_silence_is_not_the_end() -> None:
    reading, writing = os.pipe()
    pipe = OutputPipe(io.FileIO(reading), os.getpid())
    assert pipe.read(0.01) is None
    os.write(writing, b"words")
    assert pipe.read(20.0) == b"words"
    os.close(writing)
    assert pipe.read(20.0) == b""
    pipe.close()


class Looks:
    """Sees the exit before the words that came just before it."""

    def __init__(self, pipe: OutputPipe) -> None:
        [exit_descriptor] = [exit.fileno() for exit in pipe._exit]
        self._seen = [[(exit_descriptor, select.POLLIN)], [(pipe._fd, select.POLLIN), (exit_descriptor, select.POLLIN)]]

    def poll(self, _: float | None) -> list[tuple[int, int]]:
        return self._seen.pop(0)


def test_words_that_were_not_seen_before_the_exit_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    pipe = OutputPipe(io.FileIO(reading), os.getpid())
    os.write(writing, b"last words")
    monkeypatch.setattr(pipe, "_poll", Looks(pipe))
    assert pipe.read(20.0) == b"last words"
    pipe.close()
    os.close(writing)


# A program that leaves its children to the system: their exit codes are lost.
CARELESS = """
import json, os, signal, sys, threading, time
from openai_codex import AppServerConfig, Codex, TransportClosedError
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
config = AppServerConfig(launch_args_override=json.loads(sys.argv[1]))
codex = Codex(config)
codex.close()
codex = Codex(config)
os.kill(codex.health().pid, signal.SIGKILL)
try: codex.models()
except TransportClosedError as error: print(error.reason)
codex.close()
def left(): return [thread.name for thread in threading.enumerate() if thread.name.startswith("codex-")]
until = time.monotonic() + 30
while left() and time.monotonic() < until: time.sleep(0.01)
print(left())
"""


def test_a_program_that_ignores_the_end_of_its_children_is_served_as_well() -> None:
    with FakeAppServer() as server:
        command = [sys.executable, "-c", CARELESS, json.dumps(server.config().launch_args_override)]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.stdout == "the runtime exited\n[]\n"
    assert [line.partition(" ")[0] for line in ended.stderr.splitlines()] == ["codex.process_exited"]


@pytest.mark.skipif(not hasattr(fcntl, "F_GETPIPE_SZ"), reason="only Linux has pipes of a size")
def test_only_what_the_runtime_tells_has_a_wider_pipe() -> None:
    process = ChildProcess((sys.executable, "-c", "import sys; sys.stdin.read()"), None, None)
    try:
        sizes = [fcntl.fcntl(pipe._fd, fcntl.F_GETPIPE_SZ) for pipe in (process._stdout, process._stderr.pipe)]
    finally:
        process.close_input()
        process.end(10)
        process.release()
    assert sizes == [1 << 18, 1 << 16]


def test_a_pipe_that_cannot_be_widened_is_good_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError("the user has too much in pipes already")

    monkeypatch.setattr(fcntl, "fcntl", refuse)
    reading, writing = os.pipe()
    with io.FileIO(reading) as output, io.FileIO(writing, "w") as source:
        pipe = OutputPipe(output, os.getpid())
        pipe.widen()
        source.write(b"line")
        assert pipe.read(20.0) == b"line"
        for exit in pipe._exit:
            exit.close()
