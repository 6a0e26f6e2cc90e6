"""How the sync face waits and runs handlers: it blocks the calling thread. Its twin in the async face awaits a future.

Written by hand, like its twin; everything else here is derived.
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
    """Return a function that runs a handler on the calling thread, which belongs to the handler pool."""

    def run(handler: Callable[[], Any], done: Callable[[Any], None], _over: Waitable) -> None:
        outcome = handler()
        if inspect.iscoroutine(outcome):
            outcome.close()
            outcome = TypeError("a coroutine needs AsyncCodex")
        done(outcome)

    return run


def mapped(outcome: Any, convert: Callable[[Any], Any]) -> Any:
    """Return the converted outcome; a coroutine is left as it is, for the runner to refuse."""
    return outcome if inspect.iscoroutine(outcome) else convert(outcome)


class LoopGuard:
    """Binds nothing: threads may share a client."""

    def __init__(self) -> None:
        self._is_new = True

    def moved(self) -> bool:
        """Return whether this is the first call."""
        is_new, self._is_new = self._is_new, False
        return is_new


def connect_in_constructor(connect: Callable[[], object]) -> None:
    """Connect at once, so that the constructor returns a client whose runtime is up."""
    connect()
