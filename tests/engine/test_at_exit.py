"""Programs that end without closing their client: they end at once and quietly, and so does the runtime."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from openai_codex import AppServerConfig
from openai_codex.testing import FakeAppServer, FakeChild, FakeRequest, ScriptedModel
from tests.support.bounds import PATIENCE, SOON, eventually, within
from tests.support.programs import Ended, end_of, running

pytestmark = pytest.mark.slow


QUIETLY = Ended(0, "", "")

PROGRAMS = {
    "idle": """
        codex = Codex(config)
    """,
    "in the middle of a turn": """
        turn = Codex(config).thread_start().turn("go")
    """,
    "within a stream": """
        stream = Codex(config).thread_start().turn("go").stream()
        assert next(stream).method == "turn/started"
    """,
    "while other threads wait": """
        codex = Codex(config)
        turns = [codex.thread_start().turn("go") for _ in range(3)]
        def wait(turn):
            waiting.release()
            try: turn.run()
            except TransportClosedError: pass
        waiting = threading.Semaphore(0)
        for turn in turns:
            threading.Thread(target=wait, args=(turn,), daemon=True).start()
            waiting.acquire()
    """,
    "by sys.exit": """
        codex = Codex(config)
        sys.exit(0)
    """,
    "with a loop": """
        async def main():
            codex = AsyncCodex(config)
            return await (await codex.thread_start()).turn("go")
        turn = asyncio.run(main())
    """,
    "with a loop that was never closed": """
        async def main():
            codex = AsyncCodex(config)
            return await (await codex.thread_start()).turn("go")
        loop = asyncio.new_event_loop()
        turn = loop.run_until_complete(main())
    """,
    "from a handler that never returns": """
        asked = threading.Event()
        def ask(_):
            asked.set()
            threading.Event().wait()
        codex = Codex(config, on_approval=ask)
        turn = codex.thread_start(approval_policy="on-request").turn("ask")
        asked.wait()
    """,
}


def start_turn_and_ask(request: FakeRequest) -> None:
    """Ask for an approval as soon as the turn has begun."""
    request.proceed()
    turn = request.child.turn(request.params["threadId"], "turn-1")
    turn.ask("item/commandExecution/requestApproval", itemId="i", startedAtMs=0, command="true", cwd="/")


@pytest.fixture
def server() -> Iterator[FakeAppServer]:
    with FakeAppServer() as server:
        server.on("turn/start", start_turn_and_ask)
        yield server


def run(program: str, config: AppServerConfig) -> Ended:
    with running(program, config) as process, within(SOON):
        ended = end_of(process, PATIENCE)
    # What may be said: a request of the runtime was declined before the end, and what the runtime itself warns of.
    may_be_said = ("codex.server_request_declined", "codex.runtime_warning")
    said = [line for line in ended.errors.splitlines(keepends=True) if not line.startswith(may_be_said)]
    return ended._replace(errors="".join(said))


@pytest.mark.parametrize("how", PROGRAMS)
def test_an_end_without_a_close_leaves_nothing(server: FakeAppServer, how: str) -> None:
    assert run(PROGRAMS[how], server.config()) == QUIETLY
    server.child.wait_gone()


@pytest.mark.parametrize("how", ["in the middle of a turn", "with a loop", "from a handler that never returns"])
def test_a_child_that_would_not_leave_is_killed(server: FakeAppServer, how: str) -> None:
    def be_stubborn(child: FakeChild) -> None:
        child.ignore_eof()
        child.ignore_sigterm()

    server.on_start(be_stubborn)
    assert run(PROGRAMS[how], server.config()) == QUIETLY
    server.child.wait_gone()


def test_children_that_would_not_leave_are_ended_together(server: FakeAppServer) -> None:
    server.on_start(FakeChild.ignore_eof)
    assert run("clients = [Codex(config) for _ in range(8)]", server.config()) == QUIETLY
    assert server.starts == 8
    for child in server.children:
        child.wait_gone()


def test_a_start_that_is_under_way_is_given_up(server: FakeAppServer) -> None:
    program = """
        def start():
            try: Codex(config)
            except CodexError: pass
        threading.Thread(target=start, daemon=True).start()
        sys.stdin.readline()
    """
    server.hold("initialize")
    with running(program, server.config()) as process:
        server.wait_for_requests("initialize", timeout=PATIENCE)
        with within(SOON):
            assert end_of(process, PATIENCE) == QUIETLY
    server.child.wait_gone()


def test_an_unhandled_error_is_printed_and_leaves_nothing(server: FakeAppServer) -> None:
    ended = run("Codex(config).nonsense", server.config())
    server.child.wait_gone()
    assert ended.code == 1
    assert ended.errors.endswith("AttributeError: 'Codex' object has no attribute 'nonsense'\n")


def test_the_real_runtime_is_ended_in_the_middle_of_a_turn(
    codex_config: AppServerConfig, scripted_model: ScriptedModel
) -> None:
    scripted_model.hang()
    program = """
        codex = Codex(config)
        stream = codex.thread_start().turn("go").stream()
        while next(stream).method != "item/completed": pass
        print(codex.health().pid)
    """
    ended = run(program, codex_config)
    assert (ended.code, ended.errors) == (0, "")
    assert eventually(lambda: not Path(f"/proc/{int(ended.out)}").exists())
    scripted_model.wait_idle()
