# Derived from tests/faces_async/test_turn_agents_ends.py by `python -m tools.unasync`; do not edit.
"""Each end of a turn with sub-agents, in both versions, at both depths, of a stored and an ephemeral thread at once.

The two threads share a runtime: each end leaves the agents of the other turn alone, and the provider has nothing to do in
the end.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial

import attrs
import pytest

from openai_codex import (
    Codex,
    Restart,
    Thread,
    TransportClosedError,
    TurnFailedError,
    TurnHandle,
    TurnStalledError,
    TurnTimeoutError,
)
from openai_codex.types import TurnStatus
from tests.faces_sync._outcome import at_some_pace
from tests.support.agents import Behaviour, Depth, Parent, Tree, Version, agents
from tests.support.bounds import PATIENCE, eventually
from tests.support.inside import trees_of

kinds = pytest.mark.parametrize(("version", "depth"), [(1, 1), (1, 2), (2, 1), (2, 2)])


@attrs.frozen
class Pair:
    """A stored and an ephemeral thread, each with a turn whose children hang at the model."""

    tree: Tree
    codex: Codex
    threads: tuple[Thread, ...]
    turns: tuple[TurnHandle, ...]

    def roots(self) -> set[str | None]:
        """Return the turns for which somebody asks the model."""
        return {each.agent.root_turn_id for each in self.tree.model.active_requests}


@contextmanager
def pair(*children: Behaviour, version: Version, depth: Depth, parent: Parent = "waits") -> Iterator[Pair]:
    with agents(*children, version=version, depth=depth, parent=parent) as tree:
        with Codex(tree.home.config(restart=Restart(initial_delay=0))) as codex:
            threads = [codex.thread_start(**tree.thread(ephemeral=each)) for each in (False, True)]
            turns = [thread.turn("go") for thread in threads]
            tree.gate.wait_reached(PATIENCE, count=2 * children.count("hangs"))
            tree.parent_gate.open()
            yield Pair(tree, codex, tuple(threads), tuple(turns))


def are_known(turn: TurnHandle, depth: Depth) -> bool:
    """Say whether the client knows the agents of a turn and that they work: the model hears of them earlier."""
    return [each.depth for each in turn.agents() if each.status == TurnStatus.in_progress] == [*range(1, depth + 1)]


def interrupt(turn: TurnHandle, _: Thread) -> None:
    turn.interrupt(timeout=PATIENCE)
    assert (turn.run()).status == TurnStatus.interrupted


def time_out(turn: TurnHandle, _: Thread) -> None:
    with pytest.raises(TurnTimeoutError):
        turn.run(timeout=0)


def stall(turn: TurnHandle, _: Thread) -> None:
    with pytest.raises(TurnStalledError) as caught:
        turn.run(stall_timeout=0.3, timeout=PATIENCE)
    deepest = max(turn.agents(), key=lambda each: each.depth or 0)
    assert caught.value.agent == deepest.thread_id
    assert str(caught.value.agent) in str(caught.value)


def fail(turn: TurnHandle, _: Thread) -> None:
    with pytest.raises(TurnFailedError):
        turn.run(timeout=PATIENCE)


def outlive(turn: TurnHandle, _: Thread) -> None:
    result = turn.run(timeout=PATIENCE)
    assert result.final_response == "parent done"
    assert all(each.is_running for each in result.agents)
    turn.interrupt(timeout=PATIENCE)  # of what is left of it


def close(turn: TurnHandle, thread: Thread) -> None:
    thread.close()
    assert (turn.run()).status == TurnStatus.interrupted


End = Callable[[TurnHandle, Thread], Awaitable[None]]

ENDS: list[tuple[End, Parent]] = [
    (interrupt, "waits"),
    (time_out, "waits"),
    (stall, "waits"),
    (fail, "fails"),
    (outlive, "leaves"),
    (close, "waits"),
]


@kinds
@pytest.mark.parametrize(("end", "parent"), ENDS, ids=[end.__name__ for end, _ in ENDS])
def test_all_agents_of_a_turn_are_over_with_it(version: Version, depth: Depth, end: End, parent: Parent) -> None:
    with pair("hangs", version=version, depth=depth, parent=parent) as at:
        for turn, thread, left in zip(at.turns, at.threads, ({at.turns[1].id}, set[str]()), strict=True):
            assert eventually(partial(are_known, turn, depth))
            end(turn, thread)
            # Who gives up waits for them, but not for long.
            assert eventually(partial(trees_of(at.codex).is_quiet, turn.id))
            assert eventually(lambda: not any(each.is_running for each in turn.agents()))  # noqa: B023  as below
            assert eventually(lambda: at.roots() == left)  # noqa: B023  it is called in this step only
        at.tree.model.wait_idle(PATIENCE)


@kinds
def test_nothing_goes_on_after_the_runtime_was_killed(version: Version, depth: Depth) -> None:
    with pair("hangs", version=version, depth=depth) as at:
        pid = at.codex.health().pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        for turn in at.turns:
            with pytest.raises(TransportClosedError):
                turn.run(timeout=PATIENCE)
        at.codex.account()  # by the next runtime
        at.tree.model.wait_idle(PATIENCE)
        assert (at.codex.health().generation, at.codex.health().agents) == (2, 0)
        assert all(trees_of(at.codex).is_quiet(turn.id) for turn in at.turns)


@pytest.mark.parametrize("version", [1, 2])
def test_a_dead_child_stalls_its_parent_and_a_healthy_one_does_not(version: Version) -> None:
    """The healthy one speaks for longer than the limit, and is done before the other one counts as dead."""

    def trial(pace: float) -> None:
        with agents("hangs", "talks", version=version, pace=0.1 * pace) as tree:
            with Codex(tree.config) as codex:
                thread = codex.thread_start(**tree.thread())
                with pytest.raises(TurnStalledError) as caught:
                    thread.run("go", stall_timeout=1.5 * pace, timeout=PATIENCE)
                tree.model.wait_idle(PATIENCE)
        assert caught.value.result is not None
        ends = {each.status: each.thread_id for each in caught.value.result.agents}
        assert set(ends) == {TurnStatus.interrupted, TurnStatus.completed}
        assert caught.value.agent == ends[TurnStatus.interrupted]

    at_some_pace(trial, AssertionError)
