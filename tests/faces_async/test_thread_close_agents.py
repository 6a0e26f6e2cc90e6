"""A thread that is closed leaves no sub-agent behind, whoever holds the handles of its turns."""

from __future__ import annotations

import gc

import pytest

from openai_codex import AsyncCodex, TurnTimeoutError
from openai_codex.testing import FakeAppServer
from openai_codex.types import TurnStatus
from tests.support.agents import Parent, Version, agents
from tests.support.bounds import PATIENCE, eventually
from tests.support.fake_agents import Child
from tests.support.inside import config_of, trees_of

versions = pytest.mark.parametrize("version", [1, 2])


@versions
@pytest.mark.parametrize("is_held", [True, False])
@pytest.mark.parametrize("parent", ["waits", "leaves"])
async def test_it_stops_the_sub_agents(version: Version, is_held: bool, parent: Parent) -> None:
    with agents("hangs", version=version, depth=2, parent=parent) as tree:
        async with AsyncCodex(tree.config) as codex:
            thread = await codex.thread_start(**tree.thread(ephemeral=True))
            turn = await thread.turn("go")
            held, turn_id = [turn], turn.id
            await tree.gate.reached(PATIENCE)
            if parent == "leaves":
                tree.parent_gate.open()
                await turn.run(timeout=PATIENCE)
            del turn
            if not is_held:
                held.clear()
                gc.collect()
            await thread.close()
            assert trees_of(codex).is_quiet(turn_id)
            await tree.model.idle(PATIENCE)


async def test_a_sub_agent_that_does_not_end_leaves_the_thread_open(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeAppServer() as server:
        server.on("thread/unsubscribe", {"status": "unsubscribed"})
        async with AsyncCodex(server.config()) as codex:
            thread = await codex.thread_start()
            await thread.turn("go")
            gc.collect()
            child = Child(server)
            assert eventually(lambda: trees_of(codex).loaded())
            with monkeypatch.context() as patch, pytest.raises(TurnTimeoutError):
                patch.setattr(config_of(codex), "request_timeout", 1.0)
                await thread.close()
            child.end()
            await thread.close()
            assert server.request_count("thread/unsubscribe") == 1


@versions
async def test_the_turn_of_a_sub_agent_whose_thread_is_closed_ends_alone(version: Version) -> None:
    with agents("hangs", "hangs", version=version) as tree:
        async with AsyncCodex(tree.config) as codex:
            turn = await (await codex.thread_start(**tree.thread())).turn("go")
            await tree.gate.reached(PATIENCE, count=2)
            assert eventually(lambda: [each.status for each in turn.agents()] == [TurnStatus.in_progress] * 2)
            first, second = turn.agents()
            await (await codex.thread_resume(first.thread_id)).close()
            statuses = {each.thread_id: each.status for each in turn.agents()}
            assert statuses == {first.thread_id: TurnStatus.interrupted, second.thread_id: TurnStatus.in_progress}
            await turn.interrupt(timeout=PATIENCE)
            assert trees_of(codex).is_quiet(turn.id)
            await tree.model.idle(PATIENCE)


@versions
async def test_a_sub_agent_whose_thread_is_unsubscribed_still_belongs_to_its_turn(version: Version) -> None:
    with agents("hangs", version=version, parent="leaves") as tree:
        async with AsyncCodex(tree.config) as codex:
            turn = await (await codex.thread_start(**tree.thread())).turn("go")
            await tree.gate.reached(PATIENCE)
            assert eventually(lambda: [each.status for each in turn.agents()] == [TurnStatus.in_progress])
            await codex.thread_unsubscribe(turn.agents()[0].thread_id)
            tree.parent_gate.open()
            assert [each.is_running for each in (await turn.run(timeout=PATIENCE)).agents] == [True]
            await turn.interrupt(timeout=PATIENCE)
            [agent] = await turn.wait_agents(timeout=PATIENCE)
            assert agent.status == TurnStatus.interrupted
            await tree.model.idle(PATIENCE)
