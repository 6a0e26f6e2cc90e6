"""Journals of the real runtime, played to programs that do the same as then, something else, or in another order."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from openai_codex import (
    ApprovalDecision,
    AppServerConfig,
    Codex,
    CodexError,
    ConfigError,
    InvalidRequestError,
    Journal,
    Restart,
    RunResult,
    TransportClosedError,
)
from openai_codex._engine.wire import PING_ID
from openai_codex._journal.read import read
from openai_codex.testing import FakeAppServer, OfflineKit, ScriptError, call, hang, offline, replay, reply, say
from tests.support.bounds import PATIENCE, eventually
from tests.support.programs import running

if TYPE_CHECKING:
    from collections.abc import Iterator

ASK = {"cmd": "true", "sandbox_permissions": "require_escalated", "justification": "needed"}
SECRET = "sk-proj-0123456789abcdefghijklmnopqrstuvwxyz"  # noqa: S105  it is no secret
DELAY = 0.3


@pytest.fixture(scope="module")
def kit() -> Iterator[OfflineKit]:
    with offline() as kit:
        for index in range(3):
            kit.model.when(f"count {index}", f"I count to {index}.")
        kit.model.when("slow", say("slow", delay=DELAY))
        kit.model.when("ask", reply(call("exec_command", ASK)), "done")
        kit.model.when("hang", hang())
        yield kit


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.jsonl"


def run_all(config: AppServerConfig, *prompts: str) -> list[RunResult]:
    """Run each prompt on a thread of its own, one after another."""
    with Codex(config) as codex:
        return [codex.thread_start().run(prompt) for prompt in prompts]


def methods(path: Path) -> list[str | None]:
    return [each.method for each in read(path)]


def without_thread(result: RunResult) -> dict[str, Any]:
    return {**result.to_dict(), "thread_id": None}


def test_a_request_that_is_not_in_the_journal_is_an_error_and_reported(kit: OfflineKit, path: Path) -> None:
    run_all(kit.home.config(journal=path), "count 0")
    with pytest.raises(ScriptError) as reported, replay(path) as served, Codex(served.config) as codex:
        thread = codex.thread_start()
        with pytest.raises(InvalidRequestError) as caught:
            thread.run("count 1")
        # What is in the journal is still played.
        assert thread.run("count 0").final_response == "I count to 0."
        with pytest.raises(InvalidRequestError, match="expected next: no request, it ends here"):
            codex.models()
    asked, _, expected = str(caught.value).partition("expected next:")
    assert 'turn/start {"input":[{"type":"text","text":"count 1"}]' in asked
    assert 'turn/start {"input":[{"type":"text","text":"count 0"}]' in expected
    assert [str(path) in problem for problem in reported.value.problems] == [True, True]
    assert str(caught.value).partition(": ")[2] in reported.value.problems[0]


def test_an_error_of_the_program_is_not_replaced(kit: OfflineKit, path: Path) -> None:
    run_all(kit.home.config(journal=path), "count 0")
    with pytest.raises(InvalidRequestError), replay(path) as served:
        run_all(served.config, "count 1")


def test_equal_threads_may_be_used_in_another_order(kit: OfflineKit, path: Path) -> None:
    results = run_all(kit.home.config(journal=path), "count 0", "count 1", "count 2")
    with replay(path) as served:
        # A thread waits for none of the requests of the others, which the program has not started yet.
        again = run_all(served.config, "count 2", "count 0", "count 1")
    assert [without_thread(again[index]) for index in (1, 2, 0)] == list(map(without_thread, results))
    assert {each.thread_id for each in again} == {each.thread_id for each in results}
    with replay(path) as served, Codex(served.config) as codex:
        threads = [codex.thread_start() for _ in results]
        again = [thread.run(f"count {index}") for index, thread in zip((1, 2, 0), threads, strict=True)]
    assert [without_thread(again[index]) for index in (2, 0, 1)] == list(map(without_thread, results))


def test_a_journal_of_a_killed_program_is_played_to_its_end(kit: OfflineKit, path: Path) -> None:
    program = f"""
        config.journal = {str(path)!r}
        with Codex(config) as codex:
            thread = codex.thread_start()
            print(thread.run("count 0").final_response, flush=True)
            thread.run("hang")
    """
    with running(program, kit.config) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "I count to 0.\n"
        assert eventually(lambda: methods(path).count("turn/started") == 2)
        process.kill()
        process.wait(PATIENCE)
    with pytest.raises(ScriptError) as reported, replay(path) as served, Codex(served.config) as codex:
        thread = codex.thread_start()
        assert thread.run("count 0").final_response == "I count to 0."
        with pytest.raises(TransportClosedError, match="the journal ends here"):
            thread.run("hang")
    assert "the journal ends here, while this was under way: turn" in str(reported.value)


def test_a_runtime_that_died_dies_again_and_is_replaced(kit: OfflineKit, path: Path) -> None:
    def program(config: AppServerConfig, *, end: bool) -> tuple[str | None, str]:
        with Codex(attrs.evolve(config, restart=Restart(initial_delay=0))) as codex:
            thread = codex.thread_start()
            thread.run("count 0")
            turn = thread.turn("hang")
            if end:
                assert eventually(lambda: methods(path).count("turn/started") == 2)
                os.kill(codex.health().pid or 0, signal.SIGKILL)
            with pytest.raises(TransportClosedError) as caught:
                turn.run()
            return thread.run("count 1").final_response, str(caught.value.process and caught.value.process.exit_code)

    recorded = program(kit.home.config(journal=path), end=True)
    with replay(path) as served:
        assert program(served.config, end=False) == recorded == ("I count to 1.", "-9")


@pytest.mark.parametrize("content", ["keep", "hash", "cut"])
def test_a_redacted_journal_is_played(kit: OfflineKit, path: Path, content: Any) -> None:
    prompt = f"count to a number that is large, with {SECRET}, at once"

    def program(config: AppServerConfig) -> RunResult:
        with Codex(config) as codex:
            codex.login_api_key(SECRET)
            codex.logout()
            return codex.thread_start(base_instructions="Be brief, but not too brief, and kind.").run(prompt)

    result = program(kit.home.config(journal=Journal(str(path), content=content)))
    assert SECRET not in path.read_text()
    with replay(path) as served:
        again = program(served.config)
    assert (again.status, again.id, len(again.items)) == (result.status, result.id, len(result.items))
    assert (again.usage, again.final_response == "ok") == (result.usage, content != "hash")


@pytest.mark.parametrize("content", ["keep", "hash", "cut"])
def test_a_client_that_makes_a_path_of_a_hash_is_answered(kit: OfflineKit, path: Path, content: Any) -> None:
    def program(config: AppServerConfig) -> str:
        with Codex(config) as codex:
            thread = codex.thread_start(ephemeral=False)
            thread.run("count 0")
            assert thread.id in [each.id for each in codex.threads()]  # it looks for those that are not listed
            return thread.id

    recorded = program(kit.home.config(journal=Journal(str(path), content=content)))
    with replay(path) as served:
        assert program(served.config) == recorded


def test_a_hashed_request_that_is_refused_says_why(kit: OfflineKit, path: Path) -> None:
    run_all(kit.home.config(journal=Journal(str(path), content="hash")), "count 0")
    with pytest.raises(InvalidRequestError, match="cannot answer what a program makes"), replay(path) as served:
        run_all(served.config, "count to one")


def test_one_of_several_clients_is_chosen(kit: OfflineKit, path: Path) -> None:
    for index in range(2):
        run_all(kit.home.config(journal=path), f"count {index}")
    clients = list(dict.fromkeys(each.header.client for each in read(path) if each.header is not None))
    with pytest.raises(ConfigError) as caught:
        replay(path)
    assert [repr(client) in str(caught.value) for client in clients] == [True, True]
    assert caught.value.what == "client"
    with pytest.raises(ConfigError, match=f"no client 'x', but '{clients[0]}'"):
        replay(path, client="x")
    for index, client in enumerate(clients):
        with replay(path, client=client) as served:
            assert run_all(served.config, f"count {index}")[0].final_response == f"I count to {index}."


def test_a_decision_that_differs_is_reported_and_a_result_is_not(kit: OfflineKit, path: Path) -> None:
    def program(config: AppServerConfig, decision: ApprovalDecision) -> str | None:
        with Codex(config, on_approval=lambda _: decision) as codex:
            return codex.thread_start(approval_policy="on-request", sandbox="read-only").run("ask").final_response

    assert program(kit.home.config(journal=path), ApprovalDecision.accept()) == "done"
    with pytest.raises(ScriptError) as reported, replay(path) as served:
        assert program(served.config, ApprovalDecision.decline()) == "done"
    before, _, now = str(reported.value).partition(", and is now ")
    assert ('"accept"' in before, '"decline"' in now) == (True, True)


def test_the_recorded_time_passes_if_asked_to(kit: OfflineKit, path: Path) -> None:
    run_all(kit.home.config(journal=path), "slow")
    with replay(path, timing="original") as served:
        began = time.monotonic()
        run_all(served.config, "slow")
        # The clock of a loop may be late, and is early by its resolution at most.
        assert time.monotonic() - began > 0.9 * DELAY


def test_a_silent_runtime_is_alive(path: Path, tmp_path: Path) -> None:
    replayed = tmp_path / "replayed.jsonl"

    def signs_of_life() -> int:
        """How many answers to the client's own requests are in the journal, which is written a little later."""
        lines = replayed.read_bytes().splitlines() if replayed.exists() else []
        return sum(b'"dir":"<"' in line and f'"id":"{PING_ID}"'.encode() in line for line in lines)

    with FakeAppServer() as server, Codex(server.config(journal=path)) as codex:
        turn = codex.thread_start().turn("wait")
        server.turn.complete()
        turn.run()
    pings = {"ping_interval": 0.05, "ping_timeout": PATIENCE}
    with replay(path) as served, Codex(attrs.evolve(served.config, journal=replayed, **pings)) as codex:
        assert eventually(lambda: signs_of_life() > 2)
        assert eventually(lambda: codex.health().state == "running")


def test_a_file_that_cannot_be_played_is_refused(kit: OfflineKit, path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        replay(path)
    run_all(kit.home.config(journal=path), "count 0")
    with pytest.raises(ConfigError, match="timing: expected 'compressed' or 'original'"):
        replay(path, timing="fast")  # type: ignore[arg-type]  # what is tested
    header, *lines = path.read_bytes().splitlines(keepends=True)
    later = [line for line in lines if b'"initialize"' not in line]
    for content, told in (([header], "has no frames"), ([header, *later], "files were deleted")):
        path.write_bytes(b"".join(content))
        with pytest.raises(ConfigError, match=told):
            replay(path)


def test_a_replay_is_used_once(kit: OfflineKit, path: Path) -> None:
    run_all(kit.home.config(journal=path), "count 0")
    served = replay(path)
    with pytest.raises(ScriptError, match="not started"):
        _ = served.config
    with served:
        run_all(served.config, "count 0")
    with pytest.raises(ScriptError, match="only once"), served:
        pass


def test_entries_that_were_lost_are_reported(kit: OfflineKit, path: Path) -> None:
    results = run_all(kit.home.config(journal=path), "count 0")
    newest = json.loads(path.read_bytes().splitlines()[-1])
    with path.open("ab") as file:
        file.write(json.dumps({**newest, "frame": {"event": "journal_dropped", "count": 3}}).encode() + b"\n")
    with pytest.raises(ScriptError) as reported, replay(path) as served:
        assert run_all(served.config, "count 0")[0].to_dict() == results[0].to_dict()
    assert "entries were lost" in str(reported.value)


def test_a_start_that_is_not_in_the_journal_is_refused(kit: OfflineKit, path: Path) -> None:
    run_all(kit.home.config(journal=path), "count 0")
    with pytest.raises(ScriptError) as reported, replay(path) as served:
        run_all(served.config, "count 0")
        with pytest.raises(CodexError, match="expected next: no request, it ends here"):
            run_all(served.config, "count 0")
    assert "initialize" in str(reported.value)
