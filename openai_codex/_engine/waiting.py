"""Waiting without polling: objects to wait for, and the thread that blocks on one. It knows no event loop.

A `Waitable` becomes ready once or repeatedly. The code that makes it ready collects its waiters under its lock and wakes
them after releasing it. A woken waiter checks the state itself: a wake-up announces readiness and carries no value,
because a waiter that times out at that moment would lose the value.
"""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Lock = threading.Lock  # for the modules above the engine, which do not import threading


class Waiter(Protocol):
    """A blocked thread, or a future of an event loop."""

    def wake(self) -> Callable[[], None] | None:
        """Let the wait return. Called from any thread; never blocks; harmless when the wait has ended.

        May return a callback, to be run once after all waiters of a batch were woken: one call into a loop serves many.
        """


class Waitable:
    """Base class of what can be waited for. ``_lock`` guards the waiters and the state of the subclass."""

    __slots__ = ("_lock", "_waiters")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiters: list[Waiter] = []

    def is_ready(self) -> bool:
        """Return whether a wait would return at once."""
        raise NotImplementedError  # abstract

    def add_waiter(self, waiter: Waiter) -> bool:
        """Register a waiter; return ``False`` if it is ready already.

        The check and the registration are one step, so no wake-up is lost between them.
        """
        with self._lock:
            if self.is_ready():
                return False
            self._waiters.append(waiter)
            return True

    def discard_waiter(self, waiter: Waiter) -> None:
        """Remove a waiter that gave up; harmless if it was woken."""
        with self._lock:
            if waiter in self._waiters:
                self._waiters.remove(waiter)

    def waiter_count(self) -> int:
        """Return how many threads and tasks wait for it."""
        return len(self._waiters)

    def renew_lock(self) -> None:
        """Replace the lock in a forked child: a thread that does not exist there may hold it."""
        self._lock = threading.Lock()

    def _take_waiters(self) -> list[Waiter]:
        """Remove and return all waiters. The caller holds the lock, and wakes them after releasing it."""
        waiters, self._waiters = self._waiters, []
        return waiters


class Latch(Waitable):
    """Becomes ready once, and stays ready."""

    __slots__ = ("_set",)

    def __init__(self) -> None:
        super().__init__()
        self._set = False

    def is_ready(self) -> bool:
        """Return whether it was set."""
        return self._set

    def trip(self) -> list[Waiter]:
        """Make it ready and return the waiters to wake."""
        with self._lock:
            self._set = True
            return self._take_waiters()

    def set(self) -> None:
        """Make it ready and wake its waiters. Called without a lock."""
        wake_all(self.trip())


class ThreadWaiter:
    """A thread that blocks until it is woken; for a single wait."""

    def __init__(self) -> None:
        # A lock as a binary semaphore: cheaper to create than an Event, and every wait creates one.
        self._gate = threading.Lock()
        self._gate.acquire()

    def wake(self) -> None:
        """Let the thread continue."""
        self._gate.release()

    def block(self, timeout: float | None) -> bool:
        """Block until woken, at most ``timeout`` seconds; return whether it was woken."""
        return self._gate.acquire(timeout=-1 if timeout is None else min(max(timeout, 0.0), threading.TIMEOUT_MAX))


def wake_all(waiters: Iterable[Waiter]) -> None:
    """Wake all of these. Called without a lock."""
    calls: list[Callable[[], None]] = []
    try:
        for waiter in waiters:
            call = waiter.wake()
            if call is not None:
                calls.append(call)
    finally:
        # Even if a waiter raised: a loop whose wake-up was noted but never scheduled would hang.
        for call in calls:
            call()


def block_until_ready(source: Waitable, timeout: float | None) -> bool:
    """Block the calling thread until ``source`` is ready, at most ``timeout`` seconds; return whether it is."""
    waiter = ThreadWaiter()
    if not source.add_waiter(waiter):
        return True
    woken = False
    try:
        woken = waiter.block(timeout)
    finally:
        if not woken:
            source.discard_waiter(waiter)
    return woken or source.is_ready()


class Deadline:
    """A point in time that several waits share, so that together they take no longer than one timeout."""

    def __init__(self, timeout: float | None) -> None:
        self.timeout = math.inf if timeout is None else timeout
        """The limit as the caller gave it, in seconds; infinity means no limit."""
        self._at = time.monotonic() + self.timeout

    def remaining(self) -> float:
        """Return the seconds left, never below 0; infinite if there is no limit."""
        return max(0.0, self._at - time.monotonic())

    def passed(self) -> bool:
        """Return whether the time is up."""
        return time.monotonic() >= self._at
