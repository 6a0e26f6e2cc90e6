"""Stops the runtimes that are still running when the interpreter exits, and gives them up in forked children.

It knows connections only by a small interface, so that the actor can depend on this module and not the reverse.
"""

from __future__ import annotations

import atexit
import os
import weakref
from typing import TYPE_CHECKING, Protocol

from openai_codex._engine.waiting import Deadline, Latch, any_may_block, block_until_ready

if TYPE_CHECKING:
    from collections.abc import Iterator

# How long runtimes that ignore SIGTERM may delay the exit of the interpreter, in seconds.
_TIMEOUT = 2.0


class Stoppable(Protocol):
    """A connection, as far as this module uses it."""

    exited: Latch
    """Set when the runtime is gone."""

    def stop(self, timeout: float) -> Iterator[float]:
        """Stop the runtime step by step; each step yields the seconds to wait for `exited`."""
        ...

    def after_fork(self) -> None:
        """Give the connection up: this process is a fork of the one that owns it."""


# Weak: a connection that is collected needs no end at exit.
_live: weakref.WeakSet[Stoppable] = weakref.WeakSet()


def watch(connection: Stoppable) -> None:
    """Stop this connection at exit, if it is still open then."""
    _live.add(connection)


def stop(*connections: Stoppable, timeout: float = _TIMEOUT) -> None:
    """Stop connections and block until they are gone, at most ``timeout`` seconds.

    All of them take each step at the same time, so that many connections take no longer than one.
    """
    active = [(connection, connection.stop(timeout)) for connection in connections]
    while active:
        waits = [next(steps, None) for _, steps in active]
        deadline = Deadline(max((wait for wait in waits if wait is not None), default=0.0))
        stepped = [pair for pair, wait in zip(active, waits, strict=True) if wait is not None]
        active = [
            (connection, steps)
            for connection, steps in stepped
            if not block_until_ready(connection.exited, deadline.remaining())
        ]


@atexit.register
def _stop_all() -> None:
    stop(*_live)


def _give_up_all() -> None:
    any_may_block()
    # A copy, because a connection may be collected during the loop.
    for connection in tuple(_live):
        connection.after_fork()
    _live.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_give_up_all)
