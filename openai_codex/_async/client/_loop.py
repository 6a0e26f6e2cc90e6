"""Wakes the futures of an event loop from other threads, and ends their waits in time.

It owns the state that all waits on one loop share, and does not know the objects they wait for. The sync face has no such
module: a blocked thread needs no loop.
"""

from __future__ import annotations

import math
import weakref
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable


class LoopWaker:
    """Resolves futures of one loop: one call into the loop wakes all futures of a batch, one timer serves all limits.

    A timer per wait would be a fifth of the cost of a request.

    Lock-free, because a fork could copy a lock that is held: `add` appends before it tests `_called`, and the loop
    clears `_called` before it drains `_due`. So every future is drained after its append, or a call is scheduled for
    it. A spurious call is harmless.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = weakref.ref(loop)
        self._due: deque[asyncio.Future[bool]] = deque()
        self._called = False
        self._limits: dict[asyncio.Future[bool], float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = math.inf

    def limit(self, future: asyncio.Future[bool], seconds: float) -> None:
        """Resolve a future to ``False`` after ``seconds``, unless `lift` is called before. Call it on the loop."""
        at = self._limits[future] = future.get_loop().time() + seconds
        # Later limits are found when the timer fires.
        if at < self._timer_at:
            self._set_timer(future.get_loop(), at)

    def lift(self, future: asyncio.Future[bool]) -> None:
        """Remove the limit of a future; harmless if there is none."""
        self._limits.pop(future, None)

    def add(self, future: asyncio.Future[bool]) -> Callable[[], None] | None:
        """Mark a future as due, from any thread; return the call that wakes the loop, unless one is scheduled."""
        self._due.append(future)
        if self._called:
            return None
        self._called = True
        return self._call

    def _set_timer(self, loop: asyncio.AbstractEventLoop, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._timer_at = loop.call_at(at, self._expire, loop), at

    def _expire(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer, self._timer_at = None, math.inf
        now = loop.time()
        # A copy: the collector may end a wait in between.
        for future in [future for future in list(self._limits) if self._limits.get(future, math.inf) <= now]:
            self.lift(future)
            _resolve(future, False)
        soonest = min(list(self._limits.values()), default=math.inf)
        if soonest < math.inf:
            self._set_timer(loop, soonest)

    def _call(self) -> None:
        loop = self._loop()
        if loop is not None:
            try:
                loop.call_soon_threadsafe(self._settle)
            except RuntimeError:
                self._due.clear()  # the loop is closed, so nothing can wait on it

    def _settle(self) -> None:
        self._called = False
        while self._due:
            _resolve(self._due.popleft(), True)


# Weak on both sides: only waiters and the timer keep a waker alive, so the loop can be collected.
_wakers: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, weakref.ref[LoopWaker]] = weakref.WeakKeyDictionary()


def waker_of(loop: asyncio.AbstractEventLoop) -> LoopWaker:
    """Return the waker that all waits on this loop share."""
    reference = _wakers.get(loop)
    waker = None if reference is None else reference()
    if waker is None:
        waker = LoopWaker(loop)
        _wakers[loop] = weakref.ref(waker)
    return waker


def _resolve(future: asyncio.Future[bool], value: bool) -> None:
    # The wait may have been cancelled, or its limit may have passed at the same moment.
    if not future.done():
        future.set_result(value)
