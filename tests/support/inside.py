"""What tests look at inside a client. No other test helper reaches into one."""

from __future__ import annotations

import os
import signal
import sqlite3
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from openai_codex import AppServerConfig, AsyncCodex, AsyncCodexPool, AsyncTurnHandle, Codex, CodexPool, TurnHandle
from openai_codex._async.client.recycling import AsyncRecyclingConnection
from openai_codex._engine.actor import Actor
from openai_codex._engine.reply import Reply
from openai_codex._engine.subscriptions import PendingSubscription
from openai_codex._engine.waiting import Latch
from openai_codex._jobs import run
from openai_codex._jobs.clients import Clients
from openai_codex._jobs.state import State
from openai_codex._sync.client.recycling import RecyclingConnection
from openai_codex._sync.driving import drive
from openai_codex._turns.trees import Trees


def actor_of(codex: AsyncCodex | Codex) -> Actor:
    """Return the connection of the current runtime of a client, or of the last one."""
    return codex._connection.running()


def request(
    actor: Actor, method: str, params: dict[str, Any] | None, subscription: PendingSubscription | None = None
) -> Reply:
    """Send a request and return its reply, as a client does that nothing interrupts."""
    reply = actor.router.new_reply(method)
    actor.send(reply, params, subscription)
    return reply


def connection_of(codex: AsyncCodex | Codex) -> object:
    """Return the root of all objects of a client."""
    return codex._connection


def config_of(codex: AsyncCodex | Codex) -> AppServerConfig:
    """Return the configuration that a client uses, so that a test can change it for one call or the next runtime."""
    return codex._connection.config


def trees_of(codex: AsyncCodex | Codex) -> Trees:
    """Return what a client knows of the turns of sub-agents."""
    return codex._connection.handlers.trees


def has_begun(turn: AsyncTurnHandle | TurnHandle) -> bool:
    """Say whether the runtime has announced a turn."""
    return turn._stop._work.announced is not None


def is_ended(turn: AsyncTurnHandle | TurnHandle) -> bool:
    """Say whether the end of a turn was taken."""
    return turn._cursor.is_ended()


def calls_waiting(codex: AsyncCodex | Codex, thread_id: str) -> int:
    """Count the calls that wait until a thread has no other work, and those that hold its place."""
    return len(codex._connection.work._queue(thread_id))


def forget_work(codex: AsyncCodex | Codex, thread_id: str) -> None:
    """Make a client unaware of what a thread is doing."""
    codex._connection.work.forget(thread_id)


def turns_running(codex: AsyncCodex | Codex, thread_id: str) -> int:
    """Count the requests of the turn that runs in a thread: a turn that is announced before its reply is no other one."""
    return sum(work.running for work in codex._connection.work._of(thread_id) if work.params is not None)


def is_idle(codex: AsyncCodex | Codex) -> bool:
    """Say whether the client knows of no work and of no call that waits for a thread."""
    work = codex._connection.work
    return not any(work._works) and not any(work._places)


def is_draining(codex: AsyncCodex | Codex) -> bool:
    """Say whether new work waits for the next runtime."""
    return bool(_recycling(codex)._drains)


def recycle_soon(codex: AsyncCodex | Codex) -> None:
    """End the time for which a replacement of the runtime was put off."""
    _recycling(codex)._not_before = 0.0


def _recycling(codex: AsyncCodex | Codex) -> AsyncRecyclingConnection | RecyclingConnection:
    connection = codex._connection
    assert isinstance(connection, (AsyncRecyclingConnection, RecyclingConnection))
    return connection


def end_latch_of(turn: AsyncTurnHandle | TurnHandle) -> Latch:
    """Return what is set when the end of a turn was put into its mailbox."""
    return turn._cursor._mailbox.ended


def open_turn_count(codex: AsyncCodex | Codex) -> int:
    """Return how many turns a client holds whose end is not logged, or that are about to start."""
    turns = codex._connection.handlers.turns
    return len(turns._open) + len(turns._expected)


def warm_clients() -> list[Codex]:
    """Return the clients that stay open for the next job, oldest first."""
    return [slot.client for slot in run._clients._slots if slot.client is not None]


def users_of(clients: Clients) -> int:
    """Count the jobs that use clients, or wait for one."""
    return sum(len(slot.users) for slot in clients._slots)


def close_warm_clients() -> None:
    """Close them: the homes of tests do not stay."""
    drive(run._clients.close())


def pool_clients(pool: AsyncCodexPool | CodexPool) -> list[Any]:
    """Return the clients of a pool."""
    return [slot.client for slot in pool._clients._slots if slot.client is not None]


def kill_runtimes(pool: AsyncCodexPool | CodexPool) -> None:
    """Kill the runtimes of a pool."""
    for client in pool_clients(pool):
        os.kill(client.health().pid, signal.SIGKILL)


def is_waited_for(pool: AsyncCodexPool | CodexPool) -> bool:
    """Say whether somebody waits for a change of a pool."""
    return bool(pool._fleet._watchers)


def is_closing(pool: AsyncCodexPool | CodexPool) -> bool:
    """Say whether a pool starts nothing any longer."""
    return pool._fleet.closing.is_ready()


def reading_cursor(state: State) -> sqlite3.Cursor:
    """Begin to read a state as another thread may do, and have it in the middle."""
    cursor = state._db.execute("SELECT value FROM json_each('[1, 2, 3]'), (SELECT count(*) FROM jobs)")
    cursor.fetchone()
    return cursor


def worker_pids(executor: ProcessPoolExecutor) -> list[int]:
    """Return the ids of the processes of an executor."""
    return list(executor._processes or ())
