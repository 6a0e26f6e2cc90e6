"""A turn whose sub-agents come before the reply to its request has them all the same."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from openai_codex._engine.actor import Actor
from openai_codex._engine.mailbox import Mailbox
from tests.turns.test_agent_events import Client, ended, spawned, started


def tree(number: int) -> list[Any]:
    turn, kid = f"R{number}", f"K{number}"
    child = [spawned("T", turn, kid), started(kid, f"k{number}", turn), ended(kid, f"k{number}")]
    return [started("T", turn), *child, ended("T", turn)]


def test_agents_of_an_ended_turn_are_kept_by_its_handle() -> None:
    client, mailbox = Client(), Mailbox("the events of a turn")
    workers = SimpleNamespace(handlers=SimpleNamespace(post=client.tasks.append))
    exited, requests = SimpleNamespace(add_waiter=bool), SimpleNamespace(workers=workers)
    recent = SimpleNamespace(record=None)
    actor = SimpleNamespace(generation=1, exited=exited, server_requests=requests, close_reason=None, recent=recent)
    client.turns.expect("key", "T")
    client.send(*tree(0))
    turn = client.turns.start("key", "R0", cast("Actor", actor), mailbox)
    for number in range(1, 100):
        client.send(*tree(number))
    assert [each.thread_id for each in turn.agents()] == ["K0"]
