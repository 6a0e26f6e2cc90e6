"""How the async face waits: on futures of the running loop. Its twin in the sync face blocks the thread.

Written by hand, like its twin; everything else in that face is derived from this one. It knows loops and `Waitable`s.
"""

from __future__ import annotations

import asyncio
import inspect
import math
import weakref
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from openai_codex._engine.waiting import Waitable
from openai_codex.errors import ConfigError

sleep = asyncio.sleep
"""Waits a while."""


class _Loop:
    """Wakes futures of one loop: from other threads with one call into the loop for all that are due by then, and with
    one timer for all whose time is limited, as a timer each would be a fifth of what a request costs.

    Without a lock, which a fork could find taken. A future is noted before `_called` is looked at, and the loop clears
    `_called` before it takes futures: so each is taken after that look, or a call is made for it. One too many does
    nothing.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = weakref.ref(loop)
        self._due: deque[asyncio.Future[bool]] = deque()
        self._called = False
        self._limits: dict[asyncio.Future[bool], float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._rings_at = math.inf

    def limit(self, future: asyncio.Future[bool], seconds: float) -> None:
        """Let a future be false after so many seconds, unless `lift` is called before. On the loop."""
        at = self._limits[future] = future.get_loop().time() + seconds
        if at < self._rings_at:
            self._ring(future.get_loop(), at)

    def lift(self, future: asyncio.Future[bool]) -> None:
        """Take the limit away."""
        self._limits.pop(future, None)

    def _ring(self, loop: asyncio.AbstractEventLoop, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._rings_at = loop.call_at(at, self._expire, loop), at

    def _expire(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer, self._rings_at = None, math.inf
        now = loop.time()
        for future in [future for future, at in self._limits.items() if at <= now]:
            self.lift(future)
            _resolve(future, False)
        soonest = min(self._limits.values(), default=math.inf)
        if soonest < math.inf:
            self._ring(loop, soonest)

    def add(self, future: asyncio.Future[bool]) -> Callable[[], None] | None:
        """Note a future that is due; return what calls the loop, unless somebody else is about to."""
        self._due.append(future)
        if self._called:
            return None
        self._called = True
        return self._call

    def _call(self) -> None:
        loop = self._loop()
        if loop is not None:
            try:
                loop.call_soon_threadsafe(self._settle)
            except RuntimeError:
                self._due.clear()  # the loop is closed: nobody waits there any more

    def _settle(self) -> None:
        self._called = False
        while self._due:
            _resolve(self._due.popleft(), True)


# Held by who waits and by the timer alone: what is held here must not hold the loop.
_loops: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, weakref.ref[_Loop]] = weakref.WeakKeyDictionary()


def _known(loop: asyncio.AbstractEventLoop) -> _Loop:
    reference = _loops.get(loop)
    known = None if reference is None else reference()
    if known is None:
        known = _Loop(loop)
        _loops[loop] = weakref.ref(known)
    return known


class _LoopWaiter:
    """A task that waits on a future of its loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.future: asyncio.Future[bool] = loop.create_future()
        self.loop = _known(loop)

    def wake(self) -> Callable[[], None] | None:
        return self.loop.add(self.future)


async def ready(source: Waitable, timeout: float | None) -> bool:
    """Wait until ``source`` is ready, at most ``timeout`` seconds; say whether it is. Cancelling loses nothing."""
    loop = asyncio.get_running_loop()
    waiter = _LoopWaiter(loop)
    if not source.add_waiter(waiter):
        await asyncio.sleep(0)  # a consumer that is always behind must leave the loop to others now and then
        return True
    if timeout is not None:
        waiter.loop.limit(waiter.future, timeout)
    woken = False
    try:
        woken = await waiter.future
    finally:
        if not woken:
            source.discard_waiter(waiter)
        if timeout is not None:
            waiter.loop.lift(waiter.future)
    return woken or source.is_ready()


Runner = Callable[[Callable[[], Any], Callable[[Any], None], Waitable], None]


def handler_runner() -> Runner:
    """Return what runs a handler: a coroutine as a task of the running loop, anything else on the calling thread.

    What comes of it, an exception included, is handed to the second argument. The task is cancelled when the third is
    ready: nobody waits for it any more then.
    """
    loop = asyncio.get_running_loop()

    def run(handler: Callable[[], Any], done: Callable[[Any], None], over: Waitable) -> None:
        outcome = handler()
        if inspect.isawaitable(outcome):
            loop.call_soon_threadsafe(_Handling, loop, outcome, done, over)
        else:
            done(outcome)

    return run


class _Handling:
    """One coroutine of a handler on its way to an answer. Made on the loop."""

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
        except Exception as error:  # noqa: BLE001  it is told as what came of it
            outcome = error
        except BaseException as error:
            if not self._over.is_ready():  # not cancelled by us: without an answer the runtime would wait for ever
                self._done(error)
            raise
        self._done(outcome)
        # What is left for later may wait for long, and must not keep what a handler holds: that may be the client.
        self._over.discard_waiter(self)

    def wake(self) -> None:
        """Cancel the task, after its first step: the request is over. A handler that closes its client goes on."""
        if _current_task() is not self._task:
            with suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._task.cancel)


def _current_task() -> asyncio.Task[Any] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:  # a thread without a loop
        return None


def mapped(outcome: Any, made: Callable[[Any], Any]) -> Any:
    """Return what ``made`` makes of an outcome, or a coroutine that does when the outcome is there."""
    return _mapped(outcome, made) if inspect.isawaitable(outcome) else made(outcome)


async def _mapped(outcome: Awaitable[Any], made: Callable[[Any], Any]) -> Any:
    return made(await outcome)


class LoopGuard:
    """Remembers the event loop that a client belongs to: the one it is used on, until that is closed."""

    def __init__(self) -> None:
        self._loop: weakref.ref[asyncio.AbstractEventLoop] | None = None

    def moved(self) -> bool:
        """Say whether the client is on this loop for the first time. Raises `ConfigError` if it belongs to another."""
        running = asyncio.get_running_loop()
        loop = None if self._loop is None else self._loop()
        if loop is running:
            return False
        if loop is not None and not loop.is_closed():
            raise ConfigError("client", "it is in use on another event loop; make one client per loop")
        self._loop = weakref.ref(running)
        return True


def connect_in_constructor(connect: Callable[[], Awaitable[object]]) -> None:
    """Do nothing: a constructor cannot await, so this face connects on entry or on the first call."""


def _resolve(future: asyncio.Future[bool], value: bool) -> None:
    if not future.done():
        future.set_result(value)
