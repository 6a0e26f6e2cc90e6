"""Each end of a turn with sub-agents, in both versions, at both depths, of a stored and an ephemeral thread at once.

The two threads share a runtime: each end leaves the agents of the other turn alone, and the provider has nothing to do in
the end.
"""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

import attrs
import pytest

from openai_codex import (
    AsyncCodex,
    AsyncThread,
    AsyncTurnHandle,
    Restart,
    TransportClosedError,
    TurnFailedError,
    TurnStalledError,
    TurnTimeoutError,
)
from openai_codex.types import TurnStatus
from tests.faces_async._outcome import at_some_pace
from tests.support.agents import Behaviour, Depth, Parent, Tree, Version, agents
from tests.support.bounds import PATIENCE, eventually
from tests.support.inside import trees_of

kinds = pytest.mark.parametrize(("version", "depth"), [(1, 1), (1, 2), (2, 1), (2, 2)])


@attrs.frozen
class Pair:
    """A stored and an ephemeral thread, each with a turn whose children hang at the model."""

    tree: Tree
    codex: AsyncCodex
    threads: tuple[AsyncThread, ...]
    turns: tuple[AsyncTurnHandle, ...]

    def roots(self) -> set[str | None]:
        """Return the turns for which somebody asks the model."""
        return {each.agent.root_turn_id for each in self.tree.model.active_requests}


@asynccontextmanager
async def pair(*children: Behaviour, version: Version, depth: Depth, parent: Parent = "waits") -> AsyncIterator[Pair]:
    with agents(*children, version=version, depth=depth, parent=parent) as tree:
        async with AsyncCodex(tree.home.config(restart=Restart(initial_delay=0))) as codex:
            threads = [await codex.thread_start(**tree.thread(ephemeral=each)) for each in (False, True)]
            turns = [await thread.turn("go") for thread in threads]
            await tree.gate.reached(PATIENCE, count=2 * children.count("hangs"))
            tree.parent_gate.open()
            yield Pair(tree, codex, tuple(threads), tuple(turns))


def are_known(turn: AsyncTurnHandle, depth: Depth) -> bool:
    """Say whether the client knows the agents of a turn and that they work: the model hears of them earlier."""
    return [each.depth for each in turn.agents() if each.status == TurnStatus.in_progress] == [*range(1, depth + 1)]


async def interrupt(turn: AsyncTurnHandle, _: AsyncThread) -> None:
    await turn.interrupt(timeout=PATIENCE)
    assert (await turn.run()).status == TurnStatus.interrupted


async def time_out(turn: AsyncTurnHandle, _: AsyncThread) -> None:
    with pytest.raises(TurnTimeoutError):
        await turn.run(timeout=0)


async def stall(turn: AsyncTurnHandle, _: AsyncThread) -> None:
    with pytest.raises(TurnStalledError) as caught:
        await turn.run(stall_timeout=0.3, timeout=PATIENCE)
    deepest = max(turn.agents(), key=lambda each: each.depth or 0)
    assert caught.value.agent == deepest.thread_id
    assert str(caught.value.agent) in str(caught.value)


async def fail(turn: AsyncTurnHandle, _: AsyncThread) -> None:
    with pytest.raises(TurnFailedError):
        await turn.run(timeout=PATIENCE)


async def outlive(turn: AsyncTurnHandle, _: AsyncThread) -> None:
    result = await turn.run(timeout=PATIENCE)
    assert result.final_response == "parent done"
    assert all(each.is_running for each in result.agents)
    await turn.interrupt(timeout=PATIENCE)  # of what is left of it


async def close(turn: AsyncTurnHandle, thread: AsyncThread) -> None:
    await thread.close()
    assert (await turn.run()).status == TurnStatus.interrupted


End = Callable[[AsyncTurnHandle, AsyncThread], Awaitable[None]]

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
async def test_all_agents_of_a_turn_are_over_with_it(version: Version, depth: Depth, end: End, parent: Parent) -> None:
    async with pair("hangs", version=version, depth=depth, parent=parent) as at:
        for turn, thread, left in zip(at.turns, at.threads, ({at.turns[1].id}, set[str]()), strict=True):
            assert eventually(partial(are_known, turn, depth))
            await end(turn, thread)
            # Who gives up waits for them, but not for long.
            assert eventually(partial(trees_of(at.codex).is_quiet, turn.id))
            assert eventually(lambda: not any(each.is_running for each in turn.agents()))  # noqa: B023  as below
            assert eventually(lambda: at.roots() == left)  # noqa: B023  it is called in this step only
        await at.tree.model.idle(PATIENCE)


@kinds
async def test_nothing_goes_on_after_the_runtime_was_killed(version: Version, depth: Depth) -> None:
    async with pair("hangs", version=version, depth=depth) as at:
        pid = at.codex.health().pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        for turn in at.turns:
            with pytest.raises(TransportClosedError):
                await turn.run(timeout=PATIENCE)
        await at.codex.account()  # by the next runtime
        await at.tree.model.idle(PATIENCE)
        assert (at.codex.health().generation, at.codex.health().agents) == (2, 0)
        assert all(trees_of(at.codex).is_quiet(turn.id) for turn in at.turns)


@pytest.mark.parametrize("version", [1, 2])
async def test_a_dead_child_stalls_its_parent_and_a_healthy_one_does_not(version: Version) -> None:
    """The healthy one speaks for longer than the limit, and is done before the other one counts as dead."""

    async def trial(pace: float) -> None:
        with agents("hangs", "talks", version=version, pace=0.1 * pace) as tree:
            async with AsyncCodex(tree.config) as codex:
                thread = await codex.thread_start(**tree.thread())
                with pytest.raises(TurnStalledError) as caught:
                    await thread.run("go", stall_timeout=1.5 * pace, timeout=PATIENCE)
                await tree.model.idle(PATIENCE)
        assert caught.value.result is not None
        ends = {each.status: each.thread_id for each in caught.value.result.agents}
        assert set(ends) == {TurnStatus.interrupted, TurnStatus.completed}
        assert caught.value.agent == ends[TurnStatus.interrupted]

    await at_some_pace(trial, AssertionError)
