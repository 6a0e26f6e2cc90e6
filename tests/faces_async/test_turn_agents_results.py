"""A result, and the partial result of an error, describe sub-agents as they are when the call ends: after their stop."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import attrs
import pytest

from openai_codex import (
    AsyncCodex,
    AsyncThread,
    AsyncTurnHandle,
    OutputError,
    RunResult,
    TurnFailedError,
    TurnStalledError,
    TurnTimeoutError,
)
from openai_codex._async.client import agent_stops, cursor
from openai_codex.types import TurnStatus
from tests.faces_async._outcome import outcomes
from tests.support.agents import Parent, Tree, Version, agents
from tests.support.bounds import PATIENCE, eventually

versions = pytest.mark.parametrize("version", [1, 2])

STOPPED = [TurnStatus.interrupted]


def statuses(result: RunResult | None) -> list[TurnStatus | None]:
    assert result is not None
    return [each.status for each in result.agents]


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a caller that gives up wait for the ends of agents as long as a loaded machine needs for them."""
    monkeypatch.setattr(agent_stops, "ABANDON_PATIENCE", PATIENCE)
    monkeypatch.setattr(cursor, "ABANDON_PATIENCE", PATIENCE)


async def give_up_a_run(turn: AsyncTurnHandle) -> RunResult | None:
    with pytest.raises(TurnTimeoutError) as caught:
        await turn.run(timeout=0.05)
    return caught.value.result


async def stall(turn: AsyncTurnHandle) -> RunResult | None:
    with pytest.raises(TurnStalledError) as caught:
        await turn.run(stall_timeout=0.05, timeout=PATIENCE)
    return caught.value.result


async def give_up_a_stream(turn: AsyncTurnHandle) -> RunResult | None:
    with pytest.raises(TurnTimeoutError) as caught:
        async with turn.stream(timeout=0.05) as events:
            async for _ in events:
                pass
    return caught.value.result


@versions
@pytest.mark.parametrize("give_up", [give_up_a_run, stall, give_up_a_stream])
async def test_of_a_turn_that_was_given_up(
    version: Version, give_up: Callable[[AsyncTurnHandle], Awaitable[RunResult | None]]
) -> None:
    with agents("hangs", version=version) as tree:
        async with AsyncCodex(tree.config) as codex:
            turn = await (await codex.thread_start(**tree.thread())).turn("go")
            await tree.gate.reached(PATIENCE)
            assert eventually(lambda: [each.status for each in turn.agents()] == [TurnStatus.in_progress])
            assert statuses(await give_up(turn)) == STOPPED


@versions
async def test_agents_that_the_caller_keeps_are_running(version: Version) -> None:
    with agents("hangs", version=version) as tree:
        async with AsyncCodex(tree.config) as codex:
            turn = await (await codex.thread_start(**tree.thread())).turn("go")
            await tree.gate.reached(PATIENCE)
            assert eventually(lambda: [each.status for each in turn.agents()] == [TurnStatus.in_progress])
            with pytest.raises(TurnTimeoutError) as caught:
                await turn.run(agents="keep", timeout=0.05)
            assert statuses(caught.value.result) == [TurnStatus.in_progress]


@attrs.frozen
class Verdict:
    """What the parent does not answer."""

    holds: bool


async def of_a_thread(thread: AsyncThread) -> RunResult:
    return await thread.run("go", agents="stop", timeout=PATIENCE)


async def of_a_turn(thread: AsyncThread) -> RunResult:
    return await (await thread.turn("go")).run(agents="stop", timeout=PATIENCE)


async def of_a_type(thread: AsyncThread) -> RunResult[Verdict]:
    return await thread.run("go", agents="stop", output_type=Verdict, timeout=PATIENCE)


async def of_a_turn_with_a_type(thread: AsyncThread) -> RunResult[Verdict]:
    return await (await thread.turn("go", output_type=Verdict)).run(agents="stop", timeout=PATIENCE)


Run = Callable[[AsyncThread], Awaitable[RunResult]]


async def ended(run: Run, version: Version, parent: Parent) -> RunResult | TurnFailedError | OutputError:
    """Return how a run ends that stops its agents, and whose parent ends while its child is silent."""
    with agents("hangs", version=version, parent=parent) as tree:
        async with AsyncCodex(tree.config) as codex:
            thread = await codex.thread_start(**tree.thread())
            outcome, _ = await outcomes([partial(run, thread), partial(let_go, tree)])
            await tree.model.idle(PATIENCE)
    assert isinstance(outcome, (RunResult, TurnFailedError, OutputError))
    return outcome


async def let_go(tree: Tree) -> None:
    await tree.gate.reached(PATIENCE)
    tree.parent_gate.open()


@versions
@pytest.mark.parametrize("run", [of_a_thread, of_a_turn])
async def test_of_a_turn_that_has_completed(version: Version, run: Run) -> None:
    result = await ended(run, version, "leaves")
    assert isinstance(result, RunResult)
    assert result.status == TurnStatus.completed
    assert statuses(result) == STOPPED
    assert result.total_usage == result.turn_usage


@versions
@pytest.mark.parametrize("run", [of_a_thread, of_a_turn])
async def test_of_a_turn_that_has_failed(version: Version, run: Run) -> None:
    error = await ended(run, version, "fails")
    assert isinstance(error, TurnFailedError)
    assert statuses(error.result) == STOPPED


@versions
@pytest.mark.parametrize("run", [of_a_type, of_a_turn_with_a_type])
async def test_of_an_answer_that_does_not_fit(version: Version, run: Run) -> None:
    error = await ended(run, version, "leaves")
    assert isinstance(error, OutputError)
    assert statuses(error.result) == STOPPED
