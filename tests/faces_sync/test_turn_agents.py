# Derived from tests/faces_async/test_turn_agents.py by `python -m tools.unasync`; do not edit.
"""A turn with sub-agents on the real runtime: what the client knows of them."""

from __future__ import annotations

import pytest

from openai_codex import Codex
from tests.support.agents import Version, agents
from tests.support.bounds import PATIENCE
from tests.support.inside import trees_of


@pytest.mark.parametrize("version", [1, 2])
def test_the_client_knows_its_sub_agents(version: Version) -> None:
    with agents("answers", "hangs", version=version, depth=2) as tree:
        with Codex(tree.config) as codex:
            turn = (codex.thread_start(**tree.thread(ephemeral=version == 1))).turn("go")
            tree.gate.wait_reached(PATIENCE)
            trees = trees_of(codex)
            assert codex.health().agents == 3
            live = trees.live(turn.id)
            assert len(live) in {2, 3}  # the one that answers may not have ended
            assert {(each.root_thread_id, each.root_turn_id) for each in live} == {(turn.thread_id, turn.id)}
            assert {trees.root_of(each.thread_id, each.turn_id) for each in live} == {turn.id}
            tree.gate.open()
            turn.run()
            assert trees.is_quiet(turn.id)
            assert codex.health().agents == 3
