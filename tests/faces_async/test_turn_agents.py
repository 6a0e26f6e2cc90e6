"""A turn with sub-agents on the real runtime: what the client knows of them, and that giving it up stops them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import attrs
import pytest

from openai_codex import (
    LATER,
    AsyncCodex,
    AsyncTurnHandle,
    CommandApproval,
    TurnTimeoutError,
)
from openai_codex.types import TurnStatus
from tests.faces_async._outcome import at_some_pace
from tests.support.agents import Behaviour, Parent, Tree, Version, agents
from tests.support.bounds import PATIENCE, eventually
from tests.support.inside import trees_of

Depth = Literal[1, 2]

versions = pytest.mark.parametrize("version", [1, 2])


@attrs.frozen
class Running:
    """A parent whose children have asked the model, and hang there."""

    tree: Tree
    codex: AsyncCodex
    turn: AsyncTurnHandle


@asynccontextmanager
async def running(
    *children: Behaviour,
    version: Version = 1,
    depth: Depth = 1,
    parent: Parent = "waits",
    ephemeral: bool = False,
    **settings: Any,
) -> AsyncIterator[Running]:
    """Start a turn, and wait until its children hang."""
    with agents(*children, version=version, depth=depth, parent=parent) as tree:
        async with AsyncCodex(tree.home.config(**settings)) as codex:
            turn = await (await codex.thread_start(**tree.thread(ephemeral=ephemeral))).turn("go")
            await tree.gate.reached(PATIENCE, count=children.count("hangs"))
            yield Running(tree, codex, turn)


async def test_the_client_knows_its_sub_agents() -> None:
    async with running("answers", "hangs", version=2, depth=2) as at:
        known = trees_of(at.codex)
        assert eventually(lambda: len(known.live(at.turn.id)) > 1)  # the model hears of them earlier
        live = known.live(at.turn.id)
        assert {(each.root_thread_id, each.root_turn_id) for each in live} == {(at.turn.thread_id, at.turn.id)}
        assert {known.root_of(each.thread_id, each.turn_id) for each in live} == {at.turn.id}
        at.tree.gate.open()
        await at.turn.run()
        assert known.is_quiet(at.turn.id)
        assert at.codex.health().agents == 3


# ------------------------------------------------------------------------------------------------------- what is stopped


@versions
async def test_a_block_of_a_stream_stops_the_sub_agents_of_a_turn_that_fails_or_is_given_up(version: Version) -> None:
    async with running("hangs", version=version, parent="fails") as at:
        at.tree.parent_gate.open()
        async with at.turn.stream(timeout=PATIENCE) as events:
            assert [event.method async for event in events][-1] == "turn/completed"
        await at.tree.model.idle(PATIENCE)
    async with running("hangs", version=version) as at:
        with pytest.raises(TurnTimeoutError):
            async with at.turn.stream(timeout=0.1) as events:
                async for _ in events:
                    pass
        await at.tree.model.idle(PATIENCE)


@versions
async def test_a_sub_agent_that_is_spawned_meanwhile_is_stopped_as_well(version: Version) -> None:
    with agents("hangs", version=version, depth=2, hold_spawn=True) as tree:
        async with AsyncCodex(tree.config) as codex:
            turn = await (await codex.thread_start(**tree.thread())).turn("go")
            await tree.spawn_gate.reached(PATIENCE)
            await turn.interrupt(agents=False, timeout=PATIENCE)
            assert tree.left()
            tree.spawn_gate.open()
            await tree.gate.reached(PATIENCE)  # it has started after the end of its root
            await turn.interrupt(timeout=PATIENCE)
            await tree.model.idle(PATIENCE)


@versions
async def test_what_the_sub_agents_have_asked_is_withdrawn(version: Version) -> None:
    asked: list[CommandApproval] = []

    def later(request: CommandApproval) -> object:
        asked.append(request)
        return LATER

    with agents("asks", version=version) as tree:
        async with AsyncCodex(tree.config, on_approval=later) as codex:  # type: ignore[arg-type]  # it asks for nothing else
            turn = await (await codex.thread_start(**tree.thread())).turn("go")
            assert eventually(lambda: asked)
            with pytest.raises(TurnTimeoutError):
                await turn.run(timeout=0)
            assert eventually(lambda: asked[0].cancelled and codex.pending_requests() == [])
            assert codex.answer(asked[0].id, True) is False
            await tree.model.idle(PATIENCE)
        assert not (tree.home.workspace / "child-0").exists()


# ---------------------------------------------------------------------------------------------------------- what is left


@versions
async def test_a_run_may_stop_the_sub_agents_also_after_it_has_completed(version: Version) -> None:
    async with running("hangs", version=version, parent="leaves") as at:
        at.tree.parent_gate.open()
        assert (await at.turn.run(agents="stop", timeout=PATIENCE)).status == TurnStatus.completed
        assert eventually(lambda: trees_of(at.codex).is_quiet(at.turn.id))
        await at.tree.model.idle(PATIENCE)


@versions
async def test_a_caller_may_keep_the_sub_agents(version: Version) -> None:
    async with running("hangs", version=version) as at:
        with pytest.raises(TurnTimeoutError):
            await at.turn.run(agents="keep", timeout=0)
        await at.turn.interrupt(agents=False, timeout=PATIENCE)
        assert at.tree.left() == ["child 0"]
        at.tree.gate.open()
        await at.tree.model.idle(PATIENCE)
        assert eventually(lambda: trees_of(at.codex).is_quiet(at.turn.id))


async def test_a_sub_agent_that_fails_does_not_fail_its_parent() -> None:
    with agents("fails", "answers", depth=2) as tree:
        async with AsyncCodex(tree.config) as codex:
            thread = await codex.thread_start(**tree.thread(ephemeral=True))
            assert (await thread.run("go", agents="stop", timeout=PATIENCE)).final_response == "parent done"
            await tree.model.idle(PATIENCE)


# ------------------------------------------------------------------------------------------------------ the stall clock

# Shorter than what a sub-agent that talks takes.
STALL = 1.5


@versions
async def test_a_sub_agent_that_talks_is_progress_of_its_parent(version: Version) -> None:
    async def trial(pace: float) -> None:
        with agents("talks", version=version, depth=2, pace=0.1 * pace) as tree:
            async with AsyncCodex(tree.config) as codex:
                turn = await (await codex.thread_start(**tree.thread())).turn("go")
                async for event in turn.stream(timeout=STALL * pace):
                    if event.method == "item/started" and event.params["item"].get("tool") == "wait":
                        break
                result = await turn.run(stall_timeout=STALL * pace, timeout=PATIENCE)
        assert result.final_response == "parent done"

    await at_some_pace(trial, TurnTimeoutError)


@versions
async def test_the_clock_stands_while_a_sub_agent_waits_for_this_program(version: Version) -> None:
    async def trial(pace: float) -> None:
        asked: list[CommandApproval] = []

        def ponder(request: CommandApproval) -> bool:
            asked.append(request)
            time.sleep(2 * STALL * pace)  # the silence itself
            return False

        with agents("asks", version=version) as tree:
            async with AsyncCodex(tree.config, on_approval=ponder) as codex:  # type: ignore[arg-type]  # it asks for nothing else
                thread = await codex.thread_start(**tree.thread())
                result = await thread.run("go", stall_timeout=STALL * pace, timeout=PATIENCE)
        assert (len(asked), result.final_response) == (1, "parent done")

    await at_some_pace(trial, TurnTimeoutError)
