"""How the async face waits, runs handlers and belongs to an event loop. Its twin in the sync face blocks the thread.

Written by hand, like its twin; everything else in that face is derived from this one.
"""

from __future__ import annotations

import asyncio
import math
import weakref
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from openai_codex._async.client._loop import waker_of
from openai_codex._engine.waiting import Latch, Waitable
from openai_codex._engine.waiting import caller_name as thread_name
from openai_codex.errors import ConfigError

if TYPE_CHECKING:
    from openai_codex._config import AppServerConfig
    from openai_codex._engine.transport import RuntimeStart

sleep = asyncio.sleep
"""Waits for some seconds."""

Future = asyncio.Future
future = asyncio.wrap_future
"""Makes a future of this face from one of `concurrent.futures`."""


class _FutureWaiter:
    """A task that waits on a future of its loop."""

    __slots__ = ("_is_woken", "future", "waker")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.future: asyncio.Future[bool] = loop.create_future()
        self.waker = waker_of(loop)
        self._is_woken = False

    def wake(self) -> Callable[[], None] | None:
        # Each batch of events wakes a waiter until its task has run: to be due once is enough.
        if not self._is_woken:
            self.waker.add(self.future)
            self._is_woken = True
        return self.waker.call()


async def ready(source: Waitable, timeout: float | None) -> bool:
    """Wait until ``source`` is ready, at most ``timeout`` seconds; return whether it is. Cancelling loses nothing."""
    waiter = None if source.is_ready() else _FutureWaiter(asyncio.get_running_loop())
    if waiter is None or not source.add_waiter(waiter):
        await asyncio.sleep(0)  # else a consumer that is always behind would never let other tasks run
        return True
    if timeout is not None and timeout < math.inf:
        waiter.waker.limit(waiter.future, timeout)
    woken = False
    try:
        woken = await waiter.future
    finally:
        source.discard_waiter(waiter)
        waiter.waker.lift(waiter.future)
    return woken or source.is_ready()


def caller() -> object:
    """Return what calls: the running task. A task cannot wait for itself."""
    return asyncio.current_task()


TaskStarter = Callable[[Awaitable[Any], Callable[[Any], None], Waitable], None]


def task_starter() -> TaskStarter:
    """Return a function that runs the coroutine of a handler as a task of the running loop. Callable from any thread.

    The outcome, or the exception that was raised, is passed to the second argument. The task is cancelled when the
    third is ready, because an answer is no longer needed then.
    """
    loop = asyncio.get_running_loop()

    def start(work: Awaitable[Any], done: Callable[[Any], None], over: Waitable) -> None:
        loop.call_soon_threadsafe(_HandlerTask, loop, work, done, over)

    return start


def spawner(drive: Callable[[Any], Awaitable[Any]]) -> Callable[[Any, Callable[[Any], None]], None]:
    """Return a function that carries out steps as a task of the running loop. Callable from any thread."""
    start, over = task_starter(), Latch()
    return lambda steps, done: start(drive(steps), done, over)


def undisturbed(work: Callable[[], None]) -> None:
    """Call a function. From Python 3.11 on, `asyncio.run` keeps Ctrl-C from interrupting what runs on its loop."""
    work()


class _HandlerTask:
    """Runs one coroutine of a handler until it has an outcome. Made on the loop."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, work: Awaitable[Any], done: Callable[[Any], None], over: Waitable
    ) -> None:
        self._loop = loop
        self._done = done
        self._over = over
        self._task = loop.create_task(self._run(work))
        if not over.add_waiter(self):
            self.wake()

    async def _run(self, work: Awaitable[Any]) -> None:
        try:
            outcome: Any = await work
        except Exception as error:  # noqa: BLE001  the error is the outcome
            outcome = error
        except BaseException as error:
            if not self._over.is_ready():  # not cancelled by `wake`: without an answer the runtime would wait for ever
                self._done(error)
            raise
        self._done(outcome)
        # A request that is left for later may stay open for long; it must not keep the handler, and so the client.
        self._over.discard_waiter(self)

    def wake(self) -> None:
        """Cancel the task because the request is over, unless this task ended it: a handler may close its client."""
        if _current_task() is not self._task:
            with suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._task.cancel)


def caller_name() -> str:
    """Return the name of the task that calls, for the log."""
    task = _current_task()
    return thread_name() if task is None else task.get_name()


def _current_task() -> asyncio.Task[Any] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:  # a thread without a loop
        return None


def check_plain(name: str, handler: object) -> None:
    """Do nothing: a handler of this face may be a coroutine function."""


class LoopGuard:
    """Binds a client, or what else it is, to the event loop that it is used on, until that loop is closed."""

    def __init__(self, what: str = "client") -> None:
        self._what = what
        self._loop: weakref.ref[asyncio.AbstractEventLoop] | None = None

    def moved(self) -> bool:
        """Return whether it is on this loop for the first time. Raises `ConfigError` if it is bound to another."""
        running = asyncio.get_running_loop()
        loop = None if self._loop is None else self._loop()
        if loop is running:
            return False
        if loop is not None and not loop.is_closed():
            raise ConfigError(self._what, f"it is in use on another event loop; make one {self._what} per loop")
        self._loop = weakref.ref(running)
        return True


def early_start(_config: AppServerConfig) -> RuntimeStart | None:
    """Do nothing: the runtime is not needed before this face connects."""
    return None


def connect_in_constructor(connect: Callable[[], Awaitable[object]]) -> None:
    """Do nothing: a constructor cannot await, so this face connects on entry or on the first call."""
