"""Waiting without polling: objects to wait for, and the thread that blocks on one. It knows no event loop.

A `Waitable` becomes ready once or repeatedly. The code that makes it ready changes the state first and then wakes the
waiters. A woken waiter checks the state itself: a wake-up announces readiness and carries no value, because a waiter
that times out at that moment would lose the value.

There is no lock: each change is one step of a built-in container, which neither another thread nor a signal handler can
see half done.
"""

from __future__ import annotations

import math
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Waiter(Protocol):
    """A blocked thread, or a future of an event loop."""

    def wake(self) -> Callable[[], None] | None:
        """Let the wait return. Called from any thread; never blocks; harmless when repeated or when the wait has ended.

        May return a callback, to be run after all waiters of a batch were woken: one call into a loop serves many. If it
        is not run, `wake` returns one again.
        """


class Waitable:
    """Base class of what can be waited for.

    First act, then look: `add_waiter` adds the waiter and then looks at the state, and whoever makes it ready changes
    the state and then looks at the waiters. The second of the two sees what the first did, so no wake-up is lost.
    """

    __slots__ = ("_waiters",)

    def __init__(self) -> None:
        self._waiters: list[Waiter] = []

    def is_ready(self) -> bool:
        """Return whether a wait would return at once."""
        raise NotImplementedError  # abstract

    def add_waiter(self, waiter: Waiter) -> bool:
        """Register a waiter; return ``False`` if it is ready already. The waiter is woken at least once then."""
        self._waiters.append(waiter)
        if self.is_ready():
            self.discard_waiter(waiter)
            return False
        return True

    def discard_waiter(self, waiter: Waiter) -> None:
        """Remove a waiter, which does so itself when its wait is over; harmless if it is not registered."""
        try:
            self._waiters.remove(waiter)
        except ValueError:  # cheaper than to look first, and no other thread can come in between
            return

    def waiter_count(self) -> int:
        """Return how many threads and tasks wait for it."""
        return len(self._waiters)

    def waiters(self) -> list[Waiter]:
        """Return the waiters to wake. They stay registered until each has left its wait: waking twice is harmless."""
        return self._waiters[:]


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
        self._set = True
        return self.waiters()

    def set(self) -> None:
        """Make it ready and wake its waiters."""
        wake_all(self.trip())


class ThreadWaiter:
    """A thread that blocks until it is woken; for a single wait."""

    def __init__(self) -> None:
        # A lock as a binary semaphore: cheaper to create than an Event, and every wait creates one.
        self._gate = threading.Lock()
        self._gate.acquire()

    def wake(self) -> None:
        """Let the thread continue."""
        try:
            self._gate.release()
        except RuntimeError:  # it was woken before
            return

    def block(self, timeout: float | None) -> bool:
        """Block until woken, at most ``timeout`` seconds; return whether it was woken."""
        return self._gate.acquire(timeout=-1 if timeout is None else min(max(timeout, 0.0), threading.TIMEOUT_MAX))


def wake_all(waiters: Sequence[Waiter]) -> None:
    """Wake all of these. If one raises, or a signal handler does meanwhile, the others are woken all the same."""
    try:
        calls = [call for waiter in waiters if (call := waiter.wake()) is not None]
        for call in calls:
            call()
    except BaseException:
        # Again from the first on: how far it came is not known, and waking twice is harmless.
        for waiter in waiters:
            with suppress(BaseException):
                (waiter.wake() or bool)()
        raise


def caller_name() -> str:
    """Return the name of the thread that calls, for the log."""
    return threading.current_thread().name


def caller_id() -> int:
    """Return what identifies the calling thread."""
    return threading.get_ident()


_never_block: set[int] = set()
"""The threads that the waits of others depend on: readers and writers."""


def never_block() -> None:
    """Let no wait on the calling thread last, from now on.

    Such a thread runs code of the program only if the garbage collector runs a finalizer on it. If that waited for a
    runtime, it would wait for itself.
    """
    _never_block.add(threading.get_ident())


def any_may_block() -> None:
    """Undo `never_block` for all threads in a forked child, which has none of them."""
    _never_block.clear()


def may_block() -> None:
    """Undo `never_block` at the end of a thread: the system uses its number again."""
    _never_block.discard(threading.get_ident())


def block_until_ready(source: Waitable, timeout: float | None) -> bool:
    """Block the calling thread until ``source`` is ready or wakes it, at most ``timeout`` seconds; return whether that happened."""
    waiter, woken = ThreadWaiter(), False
    try:
        if not source.add_waiter(waiter):
            return True
        woken = waiter.block(0.0 if threading.get_ident() in _never_block else timeout)
    finally:
        # In any case: an exception of a signal handler may come at any instant.
        source.discard_waiter(waiter)
    return woken or source.is_ready()


class Deadline:
    """A point in time that several waits share, so that together they take no longer than one timeout."""

    def __init__(self, timeout: float | None) -> None:
        self.timeout: float = math.inf if timeout is None else timeout
        """The limit as the caller gave it, in seconds; infinity means no limit."""
        self._at = time.monotonic() + self.timeout

    def remaining(self) -> float:
        """Return the seconds left, never below 0; infinite if there is no limit."""
        return max(0.0, self._at - time.monotonic())

    def passed(self) -> bool:
        """Return whether the time is up."""
        return time.monotonic() >= self._at
