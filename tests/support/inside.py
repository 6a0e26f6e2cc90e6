"""What tests look at inside a client. No other test helper reaches into one."""

from __future__ import annotations

from openai_codex import AsyncCodex, AsyncTurnHandle, Codex, TurnHandle
from openai_codex._engine.actor import Actor


def actor_of(codex: AsyncCodex | Codex) -> Actor:
    """Return the connection of the current runtime of a client, or of the last one."""
    return codex._connection.running()


def connection_of(codex: AsyncCodex | Codex) -> object:
    """Return the root of all objects of a client."""
    return codex._connection


def has_begun(turn: AsyncTurnHandle | TurnHandle) -> bool:
    """Say whether the runtime has announced a turn, as far as its events were taken."""
    return turn._cursor._mailbox.begun


def is_ended(turn: AsyncTurnHandle | TurnHandle) -> bool:
    """Say whether the end of a turn was taken."""
    return turn._cursor.is_ended()
