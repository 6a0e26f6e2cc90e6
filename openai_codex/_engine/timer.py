"""Small things that are due at a time, done by one thread that is started with the first of them."""

from __future__ import annotations

import heapq
import threading
import time
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING

from openai_codex._log import Log

if TYPE_CHECKING:
    from collections.abc import Callable

# From so many appointments on, those that were cancelled are taken out now and then.
_TIDY_AT = 64

_log = Log("alarm")


class Timer:
    """Something that is due at a time, unless it is cancelled. It is a waiter: to wake it is to cancel it."""

    def __init__(self, action: Callable[[], object]) -> None:
        self._action: Callable[[], object] | None = action

    @property
    def is_cancelled(self) -> bool:
        """Whether it will not be kept."""
        return self._action is None

    def wake(self) -> None:
        """Cancel it, and keep nothing that it holds."""
        self._action = None

    def keep(self) -> None:
        """Do it, if it was not cancelled."""
        action = self._action
        if action is not None:
            try:
                action()
            except Exception:  # noqa: BLE001  the next appointments are kept all the same
                _log.warning("codex.alarm_failed", exc_info=True)


class TimerThread:
    """Keeps appointments, on a thread of its own.

    ``_lock`` guards the heap; actions run without it and must be quick.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._numbers = count()
        self._heap: list[tuple[float, int, Timer]] = []
        self._tidy_at = _TIDY_AT
        self._thread: threading.Thread | None = None
        self._closed = False

    def at(self, when: float, action: Callable[[], object]) -> Timer:
        """Do something at a time of the monotonic clock. After `close` nothing is done."""
        appointment = Timer(action)
        with self._lock:
            if not self._closed:
                self._enter(when, appointment)
        return appointment

    def _enter(self, when: float, appointment: Timer) -> None:
        if len(self._heap) >= self._tidy_at:
            self._heap = [entry for entry in self._heap if not entry[2].is_cancelled]
            heapq.heapify(self._heap)
            self._tidy_at = max(_TIDY_AT, 2 * len(self._heap))
        heapq.heappush(self._heap, (when, next(self._numbers), appointment))
        if self._thread is None:
            thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            # Where no more threads can be had, the next appointment tries again.
            with suppress(RuntimeError):
                thread.start()
                self._thread = thread
        self._changed.notify()

    def close(self) -> None:
        """Keep no further appointment. Does not wait. Idempotent."""
        with self._lock:
            self._closed = True
            self._heap.clear()
            self._changed.notify()

    def is_running(self) -> bool:
        """Say whether the thread has not ended yet, unless it is the calling one."""
        return self._thread is not None and self._thread.is_alive() and self._thread is not threading.current_thread()

    def _run(self) -> None:
        while (due := self._next()) is not None:
            due.keep()
            del due  # it may hold the client, and the next one may be far away

    def _next(self) -> Timer | None:
        """Wait for the next that is due; ``None`` when it is closed."""
        with self._lock:
            while not self._closed:
                left = self._heap[0][0] - time.monotonic() if self._heap else None
                if left is not None and left <= 0:
                    return heapq.heappop(self._heap)[2]
                self._changed.wait(left)
            return None
