# Derived from tests/faces_async/test_turn_agents_results.py by `python -m tools.unasync`; do not edit.
"""A result, and the partial result of an error, describe sub-agents as they are when the call ends: after their stop."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import attrs
import pytest

from openai_codex import (
    Codex,
    OutputError,
    RunResult,
    Thread,
    TurnFailedError,
    TurnHandle,
    TurnStalledError,
    TurnTimeoutError,
)
from openai_codex._sync.client import agent_stops, cursor
from openai_codex.types import TurnStatus
from tests.faces_sync._outcome import outcomes
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


def give_up_a_run(turn: TurnHandle) -> RunResult | None:
    with pytest.raises(TurnTimeoutError) as caught:
        turn.run(timeout=0.05)
    return caught.value.result


def stall(turn: TurnHandle) -> RunResult | None:
    with pytest.raises(TurnStalledError) as caught:
        turn.run(stall_timeout=0.05, timeout=PATIENCE)
    return caught.value.result


def give_up_a_stream(turn: TurnHandle) -> RunResult | None:
    with pytest.raises(TurnTimeoutError) as caught:
        with turn.stream(timeout=0.05) as events:
            for _ in events:
                pass
    return caught.value.result


@versions
@pytest.mark.parametrize("give_up", [give_up_a_run, stall, give_up_a_stream])
def test_of_a_turn_that_was_given_up(
    version: Version, give_up: Callable[[TurnHandle], Awaitable[RunResult | None]]
) -> None:
    with agents("hangs", version=version) as tree:
        with Codex(tree.config) as codex:
            turn = (codex.thread_start(**tree.thread())).turn("go")
            tree.gate.wait_reached(PATIENCE)
            assert eventually(lambda: [each.status for each in turn.agents()] == [TurnStatus.in_progress])
            assert statuses(give_up(turn)) == STOPPED


@versions
def test_agents_that_the_caller_keeps_are_running(version: Version) -> None:
    with agents("hangs", version=version) as tree:
        with Codex(tree.config) as codex:
            turn = (codex.thread_start(**tree.thread())).turn("go")
            tree.gate.wait_reached(PATIENCE)
            assert eventually(lambda: [each.status for each in turn.agents()] == [TurnStatus.in_progress])
            with pytest.raises(TurnTimeoutError) as caught:
                turn.run(agents="keep", timeout=0.05)
            assert statuses(caught.value.result) == [TurnStatus.in_progress]


@attrs.frozen
class Verdict:
    """What the parent does not answer."""

    holds: bool


def of_a_thread(thread: Thread) -> RunResult:
    return thread.run("go", agents="stop", timeout=PATIENCE)


def of_a_turn(thread: Thread) -> RunResult:
    return (thread.turn("go")).run(agents="stop", timeout=PATIENCE)


def of_a_type(thread: Thread) -> RunResult[Verdict]:
    return thread.run("go", agents="stop", output_type=Verdict, timeout=PATIENCE)


def of_a_turn_with_a_type(thread: Thread) -> RunResult[Verdict]:
    return (thread.turn("go", output_type=Verdict)).run(agents="stop", timeout=PATIENCE)


Run = Callable[[Thread], Awaitable[RunResult]]


def ended(run: Run, version: Version, parent: Parent) -> RunResult | TurnFailedError | OutputError:
    """Return how a run ends that stops its agents, and whose parent ends while its child is silent."""
    with agents("hangs", version=version, parent=parent) as tree:
        with Codex(tree.config) as codex:
            thread = codex.thread_start(**tree.thread())
            outcome, _ = outcomes([partial(run, thread), partial(let_go, tree)])
            tree.model.wait_idle(PATIENCE)
    assert isinstance(outcome, (RunResult, TurnFailedError, OutputError))
    return outcome


def let_go(tree: Tree) -> None:
    tree.gate.wait_reached(PATIENCE)
    tree.parent_gate.open()


@versions
@pytest.mark.parametrize("run", [of_a_thread, of_a_turn])
def test_of_a_turn_that_has_completed(version: Version, run: Run) -> None:
    result = ended(run, version, "leaves")
    assert isinstance(result, RunResult)
    assert result.status == TurnStatus.completed
    assert statuses(result) == STOPPED
    assert result.total_usage == result.turn_usage


@versions
@pytest.mark.parametrize("run", [of_a_thread, of_a_turn])
def test_of_a_turn_that_has_failed(version: Version, run: Run) -> None:
    error = ended(run, version, "fails")
    assert isinstance(error, TurnFailedError)
    assert statuses(error.result) == STOPPED


@versions
@pytest.mark.parametrize("run", [of_a_type, of_a_turn_with_a_type])
def test_of_an_answer_that_does_not_fit(version: Version, run: Run) -> None:
    error = ended(run, version, "leaves")
    assert isinstance(error, OutputError)
    assert statuses(error.result) == STOPPED
