"""Which turn of the program gets a request that was declined: its own ones, and those of its sub-agents."""

from __future__ import annotations

import attrs

from openai_codex import DeclinedRequest
from tests.turns.test_agent_events import CHILD, PARENT, Client, started


def test_what_a_turn_and_its_agents_ask_in_vain_is_in_one_order() -> None:
    client = Client()
    turn = client.turns.expect("key", "T")
    turn.turn_id = "R"
    client.send(started("T", "R"), *PARENT[:1], CHILD[0])
    asked = [("T", "R"), ("K", "k"), ("T", "R"), ("K", None), ("X", "x")]
    for number, (thread, turn_id) in enumerate(asked):
        what = DeclinedRequest("m", number, "missing", thread_id=thread, turn_id=turn_id)
        undo = client.turns.decline(attrs.evolve(what, **client.turns.origin_of(thread, turn_id)._asdict()))
        if number == 2:
            undo()
    assert [each.request_id for each in turn.declined] == [0, 1, 3]
    assert [each.agent_depth for each in turn.declined] == [None, 1, 1]
