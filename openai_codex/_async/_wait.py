"""How the async face waits: on futures of the running loop. Its twin in the sync face blocks the thread.

Written by hand, like its twin; everything else in that face is derived from this one. It knows loops and `Waitable`s.
"""

from __future__ import annotations

import asyncio
import weakref
from typing import TYPE_CHECKING

from openai_codex._engine import waiting

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from openai_codex._engine.waiting import Waitable

Lock = asyncio.Lock
"""Guards what only one task may do at a time."""

sleep = asyncio.sleep
"""Waits a while."""


class _Loop:
    """Wakes futures of one loop from other threads: one call into the loop for all that are due by then.

    ``_lock`` guards `_due`; the loop is called after it is released.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = weakref.ref(loop)
        self._lock = waiting.Lock()
        self._due: list[asyncio.Future[bool]] = []

    def wake(self, future: asyncio.Future[bool]) -> None:
        with self._lock:
            self._due.append(future)
            first = len(self._due) == 1
        loop = self._loop() if first else None
        if loop is not None:
            try:
                loop.call_soon_threadsafe(self._settle)
            except RuntimeError:
                self._take()  # the loop is closed: nobody waits there any more

    def _take(self) -> list[asyncio.Future[bool]]:
        with self._lock:
            due, self._due = self._due, []
        return due

    def _settle(self) -> None:
        for future in self._take():
            _resolve(future, True)


_loops: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Loop] = weakref.WeakKeyDictionary()


class _LoopWaiter:
    """A task that waits on a future of its loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.future: asyncio.Future[bool] = loop.create_future()
        known = _loops.get(loop)
        if known is None:
            known = _loops[loop] = _Loop(loop)
        self._loop = known

    def wake(self) -> None:
        self._loop.wake(self.future)


async def ready(source: Waitable, timeout: float | None) -> bool:
    """Wait until ``source`` is ready, at most ``timeout`` seconds; say whether it is. Cancelling loses nothing."""
    loop = asyncio.get_running_loop()
    waiter = _LoopWaiter(loop)
    if not source.add_waiter(waiter):
        return True
    timer = None if timeout is None else loop.call_later(timeout, _resolve, waiter.future, False)
    try:
        return await waiter.future or source.is_ready()
    finally:
        source.discard_waiter(waiter)
        if timer is not None:
            timer.cancel()


def connect_in_constructor(connect: Callable[[], Awaitable[object]]) -> None:
    """Do nothing: a constructor cannot await, so this face connects on entry or on the first call."""


def _resolve(future: asyncio.Future[bool], value: bool) -> None:
    if not future.done():
        future.set_result(value)
