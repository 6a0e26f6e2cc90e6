"""Ctrl-C in a program that waits: the turn is interrupted, `KeyboardInterrupt` reaches the program, nothing is left."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from openai_codex import AppServerConfig
from openai_codex._engine.waiting import Deadline
from openai_codex.testing import FakeAppServer, FakeChild, ScriptedModel
from tests.support.bounds import PATIENCE, SOON, within
from tests.support.programs import Ended, end_of, running

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what the threads of a program do")


# Each waits for a turn, says that it was interrupted, and what of the client is still under way then.
WAITS = {
    "run": """
        with Codex(config) as codex:
            try: codex.thread_start().run("go")
            except KeyboardInterrupt: print("interrupted", codex.health().requests_in_flight)
    """,
    "run of a handle, with a deadline": """
        with Codex(config) as codex:
            try: codex.thread_start().turn("go").run(timeout=100)
            except KeyboardInterrupt: print("interrupted", codex.health().requests_in_flight)
    """,
    "stream": """
        with Codex(config) as codex:
            try:
                with codex.thread_start().turn("go").stream() as events:
                    for event in events: pass
            except KeyboardInterrupt: print("interrupted", codex.health().requests_in_flight)
    """,
    "task": """
        async def main():
            async with AsyncCodex(config) as codex:
                try: await (await codex.thread_start()).run("go")
                finally: print("interrupted", codex.health().requests_in_flight)
        try: asyncio.run(main())
        except KeyboardInterrupt: pass
    """,
}


def strike(process: subprocess.Popen[str]) -> Ended:
    """Press Ctrl-C when all that a program does is to wait, and let it come to its end."""
    deadline = Deadline(PATIENCE)
    looks = 0
    while looks < 5 and not deadline.passed():
        looks = looks + 1 if is_asleep(process.pid) else 0
        threading.Event().wait(0.01)
    assert looks == 5, "the program never came to wait"
    process.send_signal(signal.SIGINT)
    with within(SOON):
        return end_of(process, PATIENCE)


def is_asleep(pid: int) -> bool:
    """Say whether no thread of a process has anything to do."""
    try:
        stats = [(task / "stat").read_text() for task in Path(f"/proc/{pid}/task").iterdir()]
    except OSError:  # one has ended in between
        return False
    return {stat.rpartition(")")[2].split()[0] for stat in stats} == {"S"}


def interrupts(server: FakeAppServer) -> list[str]:
    """Return which turns the client has asked to stop; it repeats that until they are over."""
    return list(dict.fromkeys(request.params["turnId"] for request in server.requests("turn/interrupt")))


@pytest.mark.parametrize("how", WAITS)
@pytest.mark.parametrize("state", ["asked for", "accepted", "begun"])
def test_the_turn_is_interrupted(how: str, state: str) -> None:
    with FakeAppServer(announce_turns=state == "begun") as server:
        if state == "asked for":
            server.hold("turn/start")
        with running(WAITS[how], server.config()) as process:
            server.wait_for_requests("turn/start", timeout=PATIENCE)
            server.child.sync()
            # A request that has no reply yet is still under way at the runtime.
            assert strike(process) == Ended(0, f"interrupted {int(state == 'asked for')}\n", "")
        server.child.wait_gone(PATIENCE)
        assert set(interrupts(server)) == {"turn-1" if state == "begun" else ""}


@pytest.mark.parametrize("how", WAITS)
def test_a_runtime_that_does_not_answer_delays_no_interrupt(how: str) -> None:
    with FakeAppServer() as server:
        server.hold("turn/interrupt")
        with running(WAITS[how], server.config()) as process:
            server.wait_for_requests("turn/start", timeout=PATIENCE)
            server.child.sync()
            assert strike(process) == Ended(0, "interrupted 0\n", "")
        server.child.wait_gone(PATIENCE)
        assert set(interrupts(server)) == {"turn-1"}


def test_a_program_that_expects_nothing_ends_by_the_signal() -> None:
    program = """
        with Codex(config) as codex:
            codex.thread_start().run("go")
    """
    with FakeAppServer() as server:
        with running(program, server.config()) as process:
            server.wait_for_requests("turn/start", timeout=PATIENCE)
            server.child.sync()
            ended = strike(process)
        server.child.wait_gone(PATIENCE)
        assert interrupts(server) == ["turn-1"]
    assert ended.errors.endswith("KeyboardInterrupt\n")
    assert ended.code == -signal.SIGINT


@pytest.mark.parametrize("client", ["Codex(config)", "asyncio.run(AsyncCodex(config).models())"])
def test_a_start_that_is_under_way_is_given_up(client: str) -> None:
    program = f"""
        try: {client}
        except KeyboardInterrupt: print("interrupted")
    """
    with FakeAppServer() as server:
        server.hold("initialize")
        with running(program, server.config()) as process:
            server.wait_for_requests("initialize", timeout=PATIENCE)
            assert strike(process) == Ended(0, "interrupted\n", "")
        server.child.wait_gone(PATIENCE)


def test_a_close_is_cut_short_but_not_given_up() -> None:
    program = """
        codex = Codex(config)
        print(codex.health().pid, flush=True)
        try: codex.close()
        except KeyboardInterrupt: print("interrupted")
    """

    def be_stubborn(child: FakeChild) -> None:
        child.ignore_eof()
        child.ignore_sigterm()

    with FakeAppServer() as server:
        server.on_start(be_stubborn)
        with running(program, server.config(shutdown_timeout=1000)) as process:
            assert process.stdout is not None
            assert int(process.stdout.readline()) == server.child.pid
            assert strike(process) == Ended(0, "interrupted\n", "")
        server.child.wait_gone(PATIENCE)


def test_the_real_runtime_goes_on_with_the_next_turn(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.hang()
    program = """
        with Codex(config) as codex:
            thread = codex.thread_start()
            try: thread.run("go")
            except KeyboardInterrupt: print("interrupted", thread.run("again").final_response)
    """
    with running(program, codex_config) as process:
        scripted_model.wait_for_requests(1, PATIENCE)
        ended = strike(process)
    # The runtime may warn, about a missing sandbox for instance; no traceback follows.
    warnings = [line.startswith("codex.runtime_warning ") for line in ended.errors.splitlines()]
    assert (ended.code, ended.out, all(warnings)) == (0, "interrupted ok\n", True)
    scripted_model.wait_idle()
    assert scripted_model.abandoned_count == 1
