"""Stops the runtimes that are still running when the interpreter exits, and gives them up in forked children.

It knows connections only by a small interface, so that the actor can depend on this module and not the reverse.
"""

from __future__ import annotations

import atexit
import os
import weakref
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol, TypeVar

from openai_codex._engine.waiting import Deadline, Latch, any_may_block, block_until_ready

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")

# How long runtimes that ignore SIGTERM may delay the exit of the interpreter, in seconds.
_TIMEOUT = 2.0


class Owner(Protocol):
    """What owns a process."""

    def after_fork(self) -> None:
        """Give the process up: the current one is a fork of the one that owns it."""
        ...


class Stoppable(Owner, Protocol):
    """A connection, as far as this module uses it."""

    exited: Latch
    """Set when the runtime is gone."""

    def stop(self, timeout: float) -> Iterator[float]:
        """Stop the runtime step by step; each step yields the seconds to wait for `exited`."""
        ...


# Weak: a connection that is collected needs no end at exit.
_live: weakref.WeakSet[Stoppable] = weakref.WeakSet()
_starting: weakref.WeakSet[Owner] = weakref.WeakSet()


def watch(connection: Stoppable) -> None:
    """Stop this connection at exit, if it is still open then."""
    _live.add(connection)


def give_up_in_forks(owner: Owner) -> None:
    """Have this owner of a process that has no connection yet give it up in forked children."""
    _starting.add(owner)


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
    stop(*_all(_live))


def _all(owners: weakref.WeakSet[T]) -> list[T]:
    while True:
        # A thread that starts a client meanwhile makes the iteration raise.
        with suppress(RuntimeError):
            return list(owners)


def _give_up_all() -> None:
    any_may_block()
    # A copy, because a connection may be collected during the loop.
    for owner in (*_all(_live), *_all(_starting)):
        owner.after_fork()
    _live.clear()
    _starting.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_give_up_all)
