"""How the sync face waits: by blocking the calling thread. Its twin in the async face awaits a future.

Written by hand, like its twin; everything else here is derived. It knows threads and `Waitable`s.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from openai_codex._engine.waiting import Waitable, block_until_ready

__all__ = ["LoopGuard", "Runner", "connect_in_constructor", "handler_runner", "mapped", "ready"]

ready = block_until_ready


Runner = Callable[[Callable[[], Any], Callable[[Any], None], Waitable], None]


def handler_runner() -> Runner:
    """Return what runs a handler: the calling thread, which is one of the handler pool, does."""

    def run(handler: Callable[[], Any], done: Callable[[Any], None], _over: Waitable) -> None:
        outcome = handler()
        if inspect.iscoroutine(outcome):
            outcome.close()
            outcome = TypeError("a coroutine needs AsyncCodex")
        done(outcome)

    return run


def mapped(outcome: Any, made: Callable[[Any], Any]) -> Any:
    """Return what ``made`` makes of an outcome; one that would have to be awaited is left as it is."""
    return outcome if inspect.iscoroutine(outcome) else made(outcome)


class LoopGuard:
    """Has nothing to guard: threads may share a client."""

    def __init__(self) -> None:
        self._is_new = True

    def moved(self) -> bool:
        """Say whether this is the first time."""
        is_new, self._is_new = self._is_new, False
        return is_new


def connect_in_constructor(connect: Callable[[], object]) -> None:
    """Connect at once: the constructor of this face returns a client that works."""
    connect()
