# Derived from tests/faces_async/client/test_connection_tables.py by `python -m tools.unasync`; do not edit.
"""Every table of a client that is keyed by an id from outside: it does not grow with the life of the client."""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from openai_codex import Codex, tool
from openai_codex._engine import recent, server_requests, subscriptions
from openai_codex._sync.client._wait import ready
from openai_codex._tools import registry
from openai_codex._turns import agent_events, trees
from openai_codex.testing import FakeAppServer
from tests.faces_sync._outcome import outcomes
from tests.support.bounds import PATIENCE, eventually
from tests.support.fake_agents import Child
from tests.support.inside import actor_of, connection_of

ROUND = 40
SIZED = (dict, set, list, deque)


@pytest.fixture
def server() -> Iterator[FakeAppServer]:
    with FakeAppServer() as server:
        server.on("thread/unsubscribe", {"status": "unsubscribed"})
        server.on("turn/interrupt", {})
        yield server


def tables(root: object) -> Iterator[tuple[str, Any]]:
    """Yield each container that objects of this package reach from ``root``, with the attribute that holds it."""
    seen: set[int] = set()
    todo = [root]
    while todo:
        owner = todo.pop()
        if id(owner) in seen or not type(owner).__module__.startswith("openai_codex."):
            continue
        seen.add(id(owner))
        names = {
            *getattr(owner, "__dict__", ()),
            *(n for c in type(owner).__mro__ for n in getattr(c, "__slots__", ())),
        }
        for name in names:
            value = getattr(owner, name, None)
            if isinstance(value, SIZED):
                yield f"{type(owner).__name__}.{name}", value
                todo += list(value.values() if isinstance(value, dict) else value)
            else:
                todo.append(value)


def sizes(connection: object) -> dict[str, int]:
    gc.collect()
    return {name: len(value) for name, value in tables(connection)}


@tool
def work() -> str:
    """Work."""
    return "worked"


def use_a_thread(codex: Codex, server: FakeAppServer, *, close: bool) -> None:
    thread = codex.thread_start(ephemeral=True, tools=[work])
    turn = thread.turn("Hi")
    server.child.turn(thread.id, turn.id).complete()
    turn.run()
    # In a turn of which the client sees no end, as with sub-agents.
    server.child.ask("item/tool/call", _call(thread.id)).wait_answer()
    (thread.close() if close else codex.thread_unsubscribe(thread.id))


def _call(thread_id: str) -> dict[str, Any]:
    return {"threadId": thread_id, "turnId": "other", "callId": "c", "tool": "work", "arguments": {}}


@pytest.mark.parametrize("close", [True, False], ids=["close", "unsubscribe"])
def test_no_table_grows_with_the_threads_that_were_used(
    server: FakeAppServer, monkeypatch: pytest.MonkeyPatch, close: bool
) -> None:
    for module in (registry, server_requests):
        monkeypatch.setattr(module, "_THREADS_KEPT", 16)
    monkeypatch.setattr(registry, "_TURNS_KEPT", 16)
    monkeypatch.setattr(recent, "_READS", 2)
    for name in ("_ENDED_KEPT", "_UNLOADED_KEPT"):
        monkeypatch.setattr(trees, name, 16)
    with Codex(server.config()) as codex:
        for _ in range(ROUND):
            use_a_thread(codex, server, close=close)
        before = sizes(connection_of(codex))
        for _ in range(ROUND):
            use_a_thread(codex, server, close=close)
        after = sizes(connection_of(codex))
    assert len(before) > 10, "the walk has found the tables"
    assert {name: n for name, n in after.items() if n > before.get(name, 0) + 8} == {}
    assert (after["ToolRegistry._tables"], after["ThreadRegistry._generations"]) == (0, 0)


@pytest.mark.parametrize("close", [True, False], ids=["close", "unsubscribe"])
def test_no_table_grows_with_the_sub_agents_that_were_there(
    server: FakeAppServer, monkeypatch: pytest.MonkeyPatch, close: bool
) -> None:
    for module in (registry, server_requests):
        monkeypatch.setattr(module, "_THREADS_KEPT", 16)
    monkeypatch.setattr(registry, "_TURNS_KEPT", 16)
    monkeypatch.setattr(recent, "_READS", 2)
    for name in ("_ENDED_KEPT", "_UNLOADED_KEPT"):
        monkeypatch.setattr(trees, name, 16)
    monkeypatch.setattr(agent_events, "_OVER_KEPT", 16)
    monkeypatch.setattr(trees, "_GIVEN_UP_FOR", 0.0)
    monkeypatch.setattr(subscriptions, "_CACHED_TURNS", 16)
    with Codex(server.config()) as codex:
        for _ in range(ROUND // 2):
            use_agents(codex, server, close=close)
        before = sizes(connection_of(codex))
        for _ in range(ROUND // 2):
            use_agents(codex, server, close=close)
        # They look again when they are due.
        assert eventually(lambda: sizes(connection_of(codex))["Undos._active"] == 0)
        after = sizes(connection_of(codex))
    assert before["Trees._ended"] > 0, "the walk has found the tables"
    assert {name: n for name, n in after.items() if n > before.get(name, 0) + 4} == {}
    names = (
        "Trees._live",
        "Trees._roots",
        "Trees._threads",
        "Trees._loaded",
        "AgentEvents._work",
        "AgentEvents._known",
    )
    assert {name: after[name] for name in names} == dict.fromkeys(names, 0)


def use_agents(codex: Codex, server: FakeAppServer, *, close: bool) -> None:
    """Have one sub-agent end, one stopped and unloaded, and one unloaded before it has begun."""
    thread = codex.thread_start(ephemeral=True)
    turn = thread.turn("Hi")
    ended, stopped, late = (Child(server, f"{name} of {turn.id}", begins=False) for name in ("one", "two", "three"))
    ended.begin()
    ended.end("completed")
    stopped.begin()
    usage = {"total": {"totalTokens": 1}, "last": {"totalTokens": 1}}
    for child in (ended, stopped, late):
        about = {"threadId": child.thread_id, "turnId": child.turn_id}
        server.notify("thread/tokenUsage/updated", {**about, "tokenUsage": usage})
        server.notify("item/started", {**about, "item": {"type": "reasoning", "id": "r"}})
    server.notify("thread/archived", {"threadId": late.thread_id})
    stopped.ask()
    server.on("turn/interrupt", lambda request: (request.proceed(), stopped.end()))
    turn.interrupt(timeout=PATIENCE)
    for child in (ended, stopped):
        server.notify("thread/archived", {"threadId": child.thread_id})
    (thread.close() if close else codex.thread_unsubscribe(thread.id))


def test_tools_of_threads_that_nobody_closes_are_bounded(
    server: FakeAppServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_THREADS_KEPT", 16)
    with Codex(server.config()) as codex:
        outcomes([partial(codex.thread_start, ephemeral=True, tools=[work])] * ROUND)
        assert sizes(connection_of(codex))["ToolRegistry._tables"] == 16


def test_nothing_is_kept_of_a_thread_that_is_closed_after_its_runtime_has_died(server: FakeAppServer) -> None:
    with Codex(server.config(restart=True)) as codex:
        thread = codex.thread_start(ephemeral=True, tools=[work])
        connection: Any = connection_of(codex)
        connection.pause_goal_when_resumed(thread.id)
        server.child.kill()
        assert ready(actor_of(codex).exited, PATIENCE)
        thread.close()
        left = sizes(connection)
    names = ("ThreadRegistry._generations", "ThreadRegistry._to_pause", "ToolRegistry._tables")
    assert {name: left[name] for name in names} == dict.fromkeys(names, 0)
