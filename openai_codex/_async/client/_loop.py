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

    Lock-free, because a fork could copy a lock that is held. The loop counts its rounds, each before it drains `_due`. Who
    has scheduled a call notes afterwards which round there was before: while that is the newest one, the call is yet to
    come, and serves everything that was appended until then. So a caller that is interrupted at any instant leaves nothing
    behind that others would rely on. A spurious call is harmless.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = weakref.ref(loop)
        self._due: deque[asyncio.Future[bool]] = deque()
        self._rounds = 0
        self._scheduled_after = -1
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

    def add(self, future: asyncio.Future[bool]) -> None:
        """Mark a future as due, from any thread; then `call` has to be asked."""
        self._due.append(future)

    def call(self) -> Callable[[], None] | None:
        """Return the call that wakes the loop; ``None`` if one is scheduled. Harmless when called after another."""
        return None if self._scheduled_after == self._rounds else self._schedule

    def _set_timer(self, loop: asyncio.AbstractEventLoop, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._timer_at = loop.call_at(at, self._expire, loop), at

    def _expire(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer, self._timer_at = None, math.inf
        try:
            now = loop.time()
            # A copy: the collector may end a wait in between.
            for future in [future for future in list(self._limits) if self._limits.get(future, math.inf) <= now]:
                _resolve(future, False)
                self.lift(future)
        finally:  # an exception of a signal handler may come in between
            soonest = min(list(self._limits.values()), default=math.inf)
            if soonest < math.inf:
                self._set_timer(loop, soonest)

    def _schedule(self) -> None:
        loop, rounds = self._loop(), self._rounds
        if loop is not None and self._scheduled_after != rounds:  # else another waiter of the batch has called
            try:
                loop.call_soon_threadsafe(self._settle)
                self._scheduled_after = rounds
            except RuntimeError:
                self._due.clear()  # the loop is closed, so nothing can wait on it

    def _settle(self) -> None:
        self._rounds += 1
        try:
            while self._due:
                _resolve(self._due[0], True)
                self._due.popleft()
        except BaseException:
            self._schedule()  # of a signal handler: the others are not to wait for the next wake-up
            raise


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
