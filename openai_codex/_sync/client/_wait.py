"""How the sync face waits and runs handlers: it blocks the calling thread. Its twin in the async face awaits a future.

Written by hand, like its twin; everything else here is derived.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from openai_codex import _checks as checks
from openai_codex._engine.waiting import Waitable, block_until_ready, caller_id, caller_name
from openai_codex._runtime.imports import load
from openai_codex.errors import ConfigError

if TYPE_CHECKING:
    from openai_codex._config import AppServerConfig
    from openai_codex._engine.transport import RuntimeStart

__all__ = [
    "Future",
    "LoopGuard",
    "TaskStarter",
    "caller",
    "caller_name",
    "check_plain",
    "connect_in_constructor",
    "early_start",
    "future",
    "ready",
    "spawner",
    "task_starter",
    "undisturbed",
]

ready = block_until_ready


def future(made: Future[Any]) -> Future[Any]:
    """Return a future as it is: those of this face are of `concurrent.futures`."""
    return made


def spawner(drive: Callable[[Any], Any]) -> Callable[[Any, Callable[[Any], None]], None]:
    """Return a function that carries out steps on a Python thread of their own. Callable from any thread."""
    load("openai_codex._engine.threads")
    from openai_codex._engine.threads import ThreadGroup

    def spawn(steps: Any, done: Callable[[Any], None]) -> None:
        def run() -> None:
            try:
                outcome = drive(steps)
            except BaseException as error:  # noqa: BLE001  the error is the outcome
                outcome = error
            done(outcome)

        # A group of its own: one that lasted would keep all threads that have ended.
        ThreadGroup("pool").start("job", run)

    return spawn


def undisturbed(work: Callable[[], None]) -> None:
    """Call a function where no signal handler interrupts it: on the main thread's behalf, on a thread of its own."""
    load("openai_codex._engine.threads")
    from openai_codex._engine.threads import undisturbed

    undisturbed(work)


def caller() -> object:
    """Return what calls: the thread. Code that a signal handler has interrupted cannot go on until the handler returns."""
    return caller_id()


TaskStarter = Callable[[Awaitable[Any], Callable[[Any], None], Waitable], None]


def task_starter() -> TaskStarter:
    """Return a function that rejects the coroutine of a handler: this face has no event loop to run it on."""

    def start(work: Awaitable[Any], done: Callable[[Any], None], _over: Waitable) -> None:
        if inspect.iscoroutine(work):
            work.close()  # else the interpreter would warn that it was never awaited
        done(TypeError("a coroutine needs AsyncCodex"))

    return start


def check_plain(name: str, handler: object) -> None:
    """Raise `ConfigError` for whatever returns a coroutine when it is called."""
    if checks.is_coroutine_function(handler):
        raise ConfigError(name, "expected a plain function, got a coroutine function; it needs AsyncCodex")


class LoopGuard:
    """Binds nothing: threads may share a client or a pool."""

    def __init__(self, _what: str = "client") -> None:
        self._is_new = True

    def moved(self) -> bool:
        """Return whether this is the first call."""
        is_new, self._is_new = self._is_new, False
        return is_new


def early_start(config: AppServerConfig) -> RuntimeStart | None:
    """Start a runtime, which boots while the modules that talk to it are imported: both take about as long."""
    load("openai_codex._engine.transport")
    from openai_codex._engine import at_exit
    from openai_codex._engine.transport import RuntimeStart

    start = RuntimeStart(config)
    at_exit.give_up_in_forks(start)
    try:
        start.begin()
    except BaseException:
        start.end()
        raise
    return start


def connect_in_constructor(connect: Callable[[], object]) -> None:
    """Connect at once, so that the constructor returns a client whose runtime is up."""
    connect()
