"""The commands of a fake child, observed at its pipes and by its client."""

from __future__ import annotations

import os
import random
import select
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from openai_codex import AsyncCodex, Codex, LaunchError, RequestTimeoutError, TransportClosedError
from openai_codex.testing import FakeAppServer, FakeChild, FakeRequest, ScriptError
from openai_codex.testing._fake import program
from openai_codex.types import ModelListParams
from tests.support.bounds import PATIENCE, STARTED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Launch = Callable[[], subprocess.Popen[bytes]]

NO_MODELS: dict[str, object] = {"data": [], "nextCursor": None}


@pytest.fixture
def server() -> Iterator[FakeAppServer]:
    with FakeAppServer() as server:
        server.on("model/list", NO_MODELS)
        yield server


@pytest.fixture
def launch(server: FakeAppServer) -> Iterator[Launch]:
    """Start a child without a client: the test has the other end of its pipes."""
    launched: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        command = server.config().launch_args_override
        assert command is not None
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True)
        launched.append(process)
        assert server.wait_child(len(launched)).pid == process.pid
        return process

    yield start
    for process in launched:
        with process:  # closes the pipes and reaps
            process.kill()


# --- what it writes


def test_bytes_arrive_as_they_are(server: FakeAppServer, launch: Launch) -> None:
    process = launch()
    server.child.write(b'noise\n\xff\xfe\n{"half')
    server.child.write(b"", times=5)
    server.child.write(b"<>", times=3, piece=1)
    server.child.write_stderr(b"!", times=2)
    server.child.exit(3)
    process.wait(PATIENCE)
    assert process.communicate(timeout=PATIENCE) == (b'noise\n\xff\xfe\n{"half<><><>', b"!!")
    assert process.returncode == 3


def test_pieces_are_system_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[bytes] = []

    def write(fd: int, data: memoryview) -> int:
        # The third call writes only a part.
        taken = data[:1] if len(written) == 2 else data
        written.append(bytes([fd]) + bytes(taken))
        return len(taken)

    monkeypatch.setattr(os, "write", write)
    child = object.__new__(program.Child)
    child.write([1, 2, 3], b"abcd")
    assert written == [b"\1abc", b"\1dab", b"\1c", b"\1d"]


@pytest.mark.parametrize("piece", [None, 4096])
def test_a_frame_of_64_megabytes_is_one_answer(server: FakeAppServer, piece: int | None) -> None:
    def answer(request: FakeRequest) -> None:
        request.reply({"data": [], "nextCursor": "y" * 64_000_000}, piece=piece)

    server.on("model/list", answer)
    with Codex(server.config()) as codex:
        assert codex.request(ModelListParams()).next_cursor == "y" * 64_000_000


def test_a_flood_is_made_by_the_child(server: FakeAppServer) -> None:
    with Codex(server.config()) as codex:
        turn = codex.thread_start().turn("Hi")
        server.turn.delta("word ", times=100_000)
        server.turn.complete()
        assert sum(len(text) for text in turn.text(timeout=PATIENCE)) == 500_000


def test_noise_between_frames_is_skipped(server: FakeAppServer) -> None:
    with Codex(server.config()) as codex:
        server.child.write(b'hello\n\n[1]\n{"a":\n\xff\xfe\n')
        assert codex.request(ModelListParams()).data == []
        server.child.write(b"half a line")
        server.child.exit()
        server.child.wait_gone()
        with pytest.raises(TransportClosedError):
            codex.request(ModelListParams())


def test_stderr_can_be_flooded(server: FakeAppServer) -> None:
    with Codex(server.config()) as codex:
        server.child.write_stderr(b"z" * 99 + b"\n", times=200_000)
        server.child.write_stderr(b"last words\n")
        server.child.sync()
        assert codex.request(ModelListParams()).data == []
        server.child.exit(7)
        with pytest.raises(TransportClosedError) as caught:
            codex.thread_start().turn("Hi").run(timeout=PATIENCE)
    assert caught.value.process.exit_code == 7
    assert caught.value.process.stderr_tail[-1] == "last words"


def test_a_client_skips_hundreds_of_random_lines(server: FakeAppServer) -> None:
    chance = random.Random(1)
    with Codex(server.config()) as codex:
        for _ in range(300):
            server.child.write(chance.randbytes(chance.randrange(200)).replace(b"{", b"") + b"\n")
            assert codex.request(ModelListParams()).data == []
    assert server.starts == 1


# --- how it ends


def test_it_ends_like_any_child_by_default(launch: Launch) -> None:
    by_eof, by_signal = launch(), launch()
    assert by_eof.stdin is not None
    by_eof.stdin.close()
    by_signal.terminate()
    assert (by_eof.wait(PATIENCE), by_signal.wait(PATIENCE)) == (0, -signal.SIGTERM)


def test_it_can_ignore_the_end_of_its_input_and_sigterm(server: FakeAppServer, launch: Launch) -> None:
    process = launch()
    server.child.ignore_eof()
    server.child.ignore_sigterm()
    assert process.stdin is not None
    process.stdin.close()
    process.terminate()
    server.child.sync()
    server.child.kill(signal.SIGTERM)
    assert process.wait(PATIENCE) == -signal.SIGTERM


def test_a_stubborn_child_is_killed_by_its_client(server: FakeAppServer) -> None:
    def be_stubborn(child: FakeChild) -> None:
        child.ignore_eof()
        child.ignore_sigterm()

    server.on_start(be_stubborn)
    with Codex(server.config(shutdown_timeout=0.2)):
        assert server.child.is_alive
    server.child.wait_gone()


async def test_a_death_is_reported_with_its_signal(server: FakeAppServer) -> None:
    async with AsyncCodex(server.config()) as codex:
        turn = await (await codex.thread_start()).turn("Hi")
        server.turn.delta("half")
        server.child.kill()
        with pytest.raises(TransportClosedError, match="SIGKILL"):
            await turn.run()
        await server.child.gone()
    assert repr(server.child) == f"FakeChild(pid={server.child.pid}, gone)"


def test_it_can_close_its_output_and_stay_alive(server: FakeAppServer, launch: Launch) -> None:
    process = launch()
    assert process.stdout is not None
    server.child.write(b"last")
    server.child.close_stdout()
    assert process.stdout.read() == b"last"
    server.child.write(b"lost")
    server.child.sync()
    with pytest.raises(ScriptError, match=r"alive\) cannot close: .*Bad file descriptor"):
        server.child.close_stdout()


def test_commands_after_the_end_of_a_child_are_lost(server: FakeAppServer, launch: Launch) -> None:
    process = launch()
    server.child.exit(1)
    server.child.write(b"too late")
    server.child.wait_gone()
    server.child.write(b"far too late")
    with pytest.raises(ScriptError, match=r"gone\) cannot sync: it has ended"):
        server.child.sync()
    assert process.communicate(timeout=PATIENCE)[0] == b""


def test_a_start_can_fail_in_any_way(server: FakeAppServer) -> None:
    def fail(child: FakeChild) -> None:
        child.write_stderr(b"no config\n")
        child.exit(3)

    server.on_start(fail)
    with pytest.raises(LaunchError) as caught:
        Codex(server.config())
    assert (caught.value.process.exit_code, caught.value.process.stderr_tail) == (3, ("no config",))
    server.on_start(FakeChild.stop_reading)
    with pytest.raises(LaunchError):  # it has come up by then, however busy the machine
        Codex(server.config(start_timeout=2 * STARTED, shutdown_timeout=0.2))
    assert server.requests() == []
    server.on_start(None)
    with Codex(server.config()):
        assert server.starts == 3


# --- what it reads


def test_it_can_stop_reading_and_resume(server: FakeAppServer) -> None:
    with Codex(server.config()) as codex:
        server.child.stop_reading()
        for patience in (STARTED, 0.05):  # one that fills the pipe, and one that is not even begun
            with pytest.raises(RequestTimeoutError):
                codex.request(ModelListParams(cursor="x" * 1_000_000), timeout=patience)
        assert server.request_count("model/list") == 0
        server.child.resume_reading()
        assert codex.request(ModelListParams()).data == []
    assert len(server.requests("model/list")[0].params["cursor"]) == 1_000_000


# --- what it starts


def test_a_spawned_process_outlives_the_child(server: FakeAppServer, launch: Launch) -> None:
    process = launch()
    assert process.stdout is not None
    plain, holder = server.child.spawn(), server.child.spawn(holds_output=True)
    server.child.exit(3)
    assert process.wait(PATIENCE) == 3
    assert plain.is_alive
    assert holder.is_alive
    assert {os.getpgid(each.pid) for each in (plain, holder)} == {process.pid}
    assert select.select([process.stdout], [], [], 0)[0] == []
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait_gone()
    assert process.communicate(timeout=PATIENCE) == (b"", b"")


def test_a_spawned_process_can_leave_the_group(server: FakeAppServer, launch: Launch) -> None:
    process = launch()
    plain, leaver = server.child.spawn(), server.child.spawn(own_session=True)
    os.killpg(process.pid, signal.SIGKILL)
    plain.wait_gone()
    assert leaver.is_alive
    assert os.getsid(leaver.pid) == leaver.pid


def test_a_function_of_the_script_does_not_wait(server: FakeAppServer) -> None:
    def answer(request: FakeRequest) -> object:
        request.child.ignore_eof()
        request.child.sync()
        with pytest.raises(ScriptError, match="must not wait"):
            request.child.spawn()
        return NO_MODELS

    server.on("model/list", answer)
    with Codex(server.config()) as codex:
        assert codex.request(ModelListParams()).data == []
        server.child.exit()
