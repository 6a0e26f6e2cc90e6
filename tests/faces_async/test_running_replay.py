"""What a program got from the real runtime, it gets from the replay of its journal, and from the runtime with a cassette."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pytest

from openai_codex import (
    ApprovalDecision,
    ApprovalRequest,
    AppServerConfig,
    AsyncCodex,
    Journal,
    RunResult,
    TurnFailedError,
    tool,
)
from openai_codex.testing import (
    OfflineKit,
    ScriptedModel,
    call,
    fail,
    message,
    offline,
    replay,
    reply,
    say,
    spawn,
    temporary_home,
    wait,
)
from tests.faces_async._wait import together
from tests.support.agents import MODELS

THREADS = 6

ASK = {"cmd": "echo asked", "sandbox_permissions": "require_escalated", "justification": "needed"}

Program = Callable[[AsyncCodex], Awaitable[list[RunResult]]]


@tool
def add(a: int, b: int) -> int:
    """Add."""
    return a + b


def accept(request: ApprovalRequest) -> ApprovalDecision:
    return ApprovalDecision.accept()


def write_script(kit: OfflineKit) -> None:
    """Script what the model says to each prompt."""
    model = kit.model
    model.when("add", reply(call("add", {"a": 1, "b": 2})), "three")
    model.when("ask", reply(message("Let me see."), call("exec_command", ASK)), "done")
    model.when("fail", fail(400, "no such model"))
    model.when("stop", say("one two three", gate=model.gate(), hold_after=1))
    for index in range(THREADS):
        model.when(f"count {index}", f"I count to {index}.")
    # One: of two, the model is told in which order they end, and a cassette has the requests of one order.
    model.when_agent(spawn("Count"), wait(), "It is done.", depth=0)
    model.when_agent("3 files", task="Count")


async def plain(codex: AsyncCodex) -> list[RunResult]:
    thread = await codex.thread_start(cwd=str(Path.cwd()))
    return [await thread.run("count 0"), await thread.run("count 1")]


async def tools(codex: AsyncCodex) -> list[RunResult]:
    thread = await codex.thread_start(tools=[add])
    return [await thread.run("add")]


async def approvals(codex: AsyncCodex) -> list[RunResult]:
    thread = await codex.thread_start(approval_policy="on-request", sandbox="read-only")
    return [await thread.run("ask")]


async def failures(codex: AsyncCodex) -> list[RunResult]:
    thread = await codex.thread_start()
    with pytest.raises(TurnFailedError) as caught:
        await thread.run("fail")
    assert caught.value.result is not None
    return [caught.value.result, await thread.run("count 1")]


async def interrupts(codex: AsyncCodex) -> list[RunResult]:
    turn = await (await codex.thread_start()).turn("stop")
    async for text in turn.text():
        assert text
        await turn.interrupt()
    return [await turn.run()]


async def agents(codex: AsyncCodex) -> list[RunResult]:
    results = []
    for model in MODELS.values():
        turn = await (await codex.thread_start(model=model)).turn("go")
        await turn.wait_agents()  # they may end after the turn
        results.append(await turn.run())
    return results


async def reads(codex: AsyncCodex) -> list[RunResult]:
    thread = await codex.thread_start()
    await codex.models()
    result = await thread.run("count 2")
    stored = await thread.read(include_turns=True)
    assert stored.thread.turns
    again = await codex.thread_resume(thread.id)
    fork = await codex.thread_fork(thread.id)
    return [result, await again.run("count 3"), await fork.run("count 4")]


async def many(codex: AsyncCodex) -> list[RunResult]:
    async def one(index: int) -> RunResult:
        thread = await codex.thread_start()
        return await thread.run(f"count {index}")

    return await together([partial(one, index) for index in range(THREADS)])


PROGRAMS = [plain, tools, approvals, failures, interrupts, agents, reads, many]


async def recorded(program: Program, journal: Journal) -> list[RunResult]:
    with offline(None) as kit:
        write_script(kit)
        async with AsyncCodex(kit.home.config(journal=journal), on_approval=accept) as codex:
            return await program(codex)


async def replayed(program: Program, config: AppServerConfig) -> list[RunResult]:
    async with AsyncCodex(config, on_approval=accept) as codex:
        return await program(codex)


def facts(results: list[RunResult]) -> list[dict[str, Any]]:
    """Return all that results have, except which of the threads it was: they may be started in another order."""
    return [{**result.to_dict(), "thread_id": None} for result in results]


def threads(results: list[RunResult]) -> set[str]:
    return {result.thread_id for result in results}


async def check_replay(program: Program, tmp_path: Path, timing: Literal["compressed", "original"]) -> None:
    path = tmp_path / "run.jsonl"
    results = await recorded(program, Journal(str(path)))
    with replay(path, timing=timing) as served:
        again = await replayed(program, served.config)
    assert facts(again) == facts(results)
    assert threads(again) == threads(results)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
async def test_a_replay_has_equal_results(program: Program, tmp_path: Path) -> None:
    await check_replay(program, tmp_path, "compressed")


@pytest.mark.parametrize("program", [interrupts, many], ids=lambda program: program.__name__)
async def test_a_replay_in_recorded_time_has_equal_results(program: Program, tmp_path: Path) -> None:
    await check_replay(program, tmp_path, "original")


# What the runtime makes anew in each run, and why.
_OF_ONE_RUN = {
    "duration": "measured",
    "duration_ms": "measured",
    "started_at": "the time",
    "completed_at": "the time",
    "cwd": "a new directory",
    "process_id": "of the system",
}
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def alike(results: list[RunResult]) -> list[Any]:
    """Return all that results have, as it is in each run: ids as numbers, in the order in which they appear."""
    numbers: dict[str, str] = {}

    def number(found: re.Match[str]) -> str:
        return numbers.setdefault(found[0], f"id {len(numbers)}")

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {plain(key): None if key in _OF_ONE_RUN else plain(each) for key, each in value.items()}
        if isinstance(value, list):
            return [plain(each) for each in value]
        return _UUID.sub(number, value) if isinstance(value, str) else value

    return [plain(as_of_no_time(result.to_dict())) for result in results]


def as_of_no_time(result: dict[str, Any]) -> dict[str, Any]:
    """Return a result without what depends on when its sub-agents ended: before or after the turn, or the parent's wait."""
    waited = {"agents_states": None, "receiver_thread_ids": None}
    items = [{**each, **waited} if each.get("tool") == "wait" else each for each in result["items"]]
    return {**result, "items": [each for each in items if each.get("kind") != "completed"]}


async def with_model(program: Program, url: str) -> list[RunResult]:
    with temporary_home(url) as home:
        async with AsyncCodex(home.config(), on_approval=accept) as codex:
            return await program(codex)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
async def test_a_cassette_has_equal_results(program: Program, tmp_path: Path) -> None:
    path = tmp_path / "cassette.jsonl"
    with offline(None) as kit:
        write_script(kit)
        with ScriptedModel.record(kit.model.url, path) as model:
            results = await with_model(program, model.url)
    with ScriptedModel.replay(path) as model:  # the upstream is gone
        assert alike(await with_model(program, model.url)) == alike(results)
