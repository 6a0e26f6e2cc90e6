"""How the sync face waits: by blocking the calling thread. Its twin in the async face awaits a future.

Written by hand, like its twin; everything else here is derived. It knows threads and `Waitable`s.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from openai_codex._engine.waiting import Lock, Waitable, block_until_ready

__all__ = ["Lock", "Runner", "connect_in_constructor", "handler_runner", "mapped", "ready"]

ready = block_until_ready


Runner = Callable[[Callable[[], Any], Callable[[Any], None], Waitable], None]


def handler_runner() -> Runner:
    """Return what runs a handler: the calling thread, which is one of the handler pool, does."""

    def run(handler: Callable[[], Any], done: Callable[[Any], None], _over: Waitable) -> None:
        outcome = handler()
        if inspect.iscoroutine(outcome):
            outcome.close()
            outcome = TypeError("a handler that is a coroutine needs AsyncCodex")
        done(outcome)

    return run


def mapped(outcome: Any, made: Callable[[Any], Any], failed: Callable[[Exception], Any]) -> Any:
    """Return what ``made`` makes of an outcome; one that would have to be awaited has failed here."""
    if inspect.iscoroutine(outcome):
        outcome.close()
        return failed(TypeError("a coroutine needs AsyncCodex"))
    return made(outcome)


def connect_in_constructor(connect: Callable[[], object]) -> None:
    """Connect at once: the constructor of this face returns a client that works."""
    connect()
