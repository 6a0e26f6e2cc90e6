"""Waiting without polling: things to wait for, and the thread that waits. What an event loop adds is not known here.

A `Waitable` becomes ready once or again and again; whoever makes it ready collects its waiters under its lock and wakes
them after releasing it. A waiter that is woken looks for itself: readiness is announced, never carried.
"""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Lock = threading.Lock


class Waiter(Protocol):
    """Somebody who waits: a blocked thread, or a future of an event loop."""

    def wake(self) -> Callable[[], None] | None:
        """Make the waiter look again. Called from any thread, never blocks, harmless when nobody waits any more.

        Returns what is left to be called when all who are to be woken at the same time have been told: a call for many.
        """


class Waitable:
    """Base of everything that can be waited for. ``_lock`` guards the waiters and the state of the subclass."""

    __slots__ = ("_lock", "_waiters")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiters: list[Waiter] = []

    def is_ready(self) -> bool:
        """Say whether a wait would return at once."""
        raise NotImplementedError  # abstract: each subclass says what it waits for

    def add_waiter(self, waiter: Waiter) -> bool:
        """Register a waiter; ``False`` means that there is nothing to wait for."""
        with self._lock:
            if self.is_ready():
                return False
            self._waiters.append(waiter)
            return True

    def discard_waiter(self, waiter: Waiter) -> None:
        """Forget a waiter that gave up; harmless if it was woken."""
        with self._lock:
            if waiter in self._waiters:
                self._waiters.remove(waiter)

    def renew_lock(self) -> None:
        """In a fork: whoever held the lock is not there any more."""
        self._lock = threading.Lock()

    def _take_waiters(self) -> list[Waiter]:
        """Hand over the waiters to wake; the caller holds the lock and wakes them after releasing it."""
        waiters, self._waiters = self._waiters, []
        return waiters


class Latch(Waitable):
    """Becomes ready once, and stays so."""

    __slots__ = ("_set",)

    def __init__(self) -> None:
        super().__init__()
        self._set = False

    def is_ready(self) -> bool:
        """Say whether it was set."""
        return self._set

    def trip(self) -> list[Waiter]:
        """Make it ready; return the waiters to wake, none if it was."""
        with self._lock:
            self._set = True
            return self._take_waiters()

    def set(self) -> None:
        """Make it ready and wake all who wait. Hold no lock."""
        wake_all(self.trip())


class ThreadWaiter:
    """A thread that blocks until it is woken; good for one wait."""

    def __init__(self) -> None:
        self._gate = threading.Lock()
        self._gate.acquire()

    def wake(self) -> None:
        """Let the thread go on."""
        self._gate.release()

    def block(self, timeout: float | None) -> bool:
        """Block for at most ``timeout`` seconds; say whether it was woken."""
        return self._gate.acquire(timeout=-1 if timeout is None else min(max(timeout, 0.0), threading.TIMEOUT_MAX))


def wake_all(waiters: Iterable[Waiter]) -> None:
    """Wake everybody. Hold no lock."""
    calls: list[Callable[[], None]] = []
    try:
        for waiter in waiters:
            call = waiter.wake()
            if call is not None:
                calls.append(call)
    finally:  # a loop that was told of nobody's call would be deaf for good
        for call in calls:
            call()


def block_until_ready(source: Waitable, timeout: float | None) -> bool:
    """Block the calling thread until ``source`` is ready, at most ``timeout`` seconds; say whether it is."""
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
    """A point in time that several waits share."""

    def __init__(self, timeout: float | None) -> None:
        self.timeout = math.inf if timeout is None else timeout
        """The seconds that it was made for; infinite if there is no limit."""
        self._at = time.monotonic() + self.timeout

    def remaining(self) -> float:
        """Return the seconds left, never below 0; infinite if there is no limit."""
        return max(0.0, self._at - time.monotonic())

    def passed(self) -> bool:
        """Say whether the time is up."""
        return time.monotonic() >= self._at
