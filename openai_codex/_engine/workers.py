"""Worker pools and a timer: the threads for work that must not run on the reader. It does not know what the work is."""

from __future__ import annotations

import heapq
import threading
import time
from collections import deque
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING

from openai_codex._log import Log

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_codex._engine.threads import ThreadGroup

# Handlers may block, each on a person's decision. Further ones wait for a free worker.
_MAX_HANDLERS = 64
_MAX_URGENT = 8

# From this many timers on, cancelled ones are removed now and then.
_TIDY_AT = 64

_log = Log("handlers")


class WorkerPool:
    """Runs tasks concurrently, in the order in which they were submitted, on at most ``limit`` threads.

    Threads are started when there is work for them. ``_lock`` guards the queue and the counts; tasks run without it. A
    task that raises is logged, and its worker continues.
    """

    def __init__(self, threads: ThreadGroup, role: str, limit: int) -> None:
        self._group = threads
        self._role = role
        self._limit = limit
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._tasks: deque[Callable[[], None]] = deque()
        self._workers = 0
        self._idle = 0
        self._closed = False

    def submit(self, task: Callable[[], None]) -> None:
        """Run ``task`` soon on a worker. Dropped after `close`."""
        with self._lock:
            if self._closed:
                return
            self._tasks.append(task)
            if self._idle < len(self._tasks) and self._workers < self._limit:
                self._start_worker()
            self._changed.notify()

    def close(self) -> None:
        """Let the submitted tasks finish, then end the threads. Does not wait. Idempotent."""
        with self._lock:
            self._closed = True
            self._changed.notify_all()

    def _start_worker(self) -> None:
        # Where the system gives no more threads, the task waits for a worker that exists; the caller may be the reader,
        # which must not fail because of it.
        with suppress(RuntimeError):
            self._group.start(f"{self._role}-{self._workers + 1}", self._work)
            self._workers += 1

    def _work(self) -> None:
        while (task := self._next()) is not None:
            try:
                task()
            except Exception as error:  # noqa: BLE001  a task may raise anything; it is logged with its traceback
                _log.warning("codex.handler_failed", exc_info=error)
            del task  # an idle thread must not keep alive what a task holds: it may be the client

    def _next(self) -> Callable[[], None] | None:
        with self._lock:
            self._idle += 1
            while not self._tasks and not self._closed:
                self._changed.wait()
            self._idle -= 1
            return self._tasks.popleft() if self._tasks else None


class Timer:
    """An action that is due at some time, unless it is cancelled. It is a `Waiter`: waking it cancels it."""

    def __init__(self, action: Callable[[], object]) -> None:
        self._action: Callable[[], object] | None = action

    @property
    def is_cancelled(self) -> bool:
        """Whether it will not fire."""
        return self._action is None

    def wake(self) -> None:
        """Cancel it, and release what its action holds."""
        self._action = None

    def fire(self) -> None:
        """Run the action, unless it was cancelled."""
        action = self._action
        if action is not None:
            try:
                action()
            except Exception as error:  # noqa: BLE001  the timers after it must fire all the same
                _log.warning("codex.timer_failed", exc_info=error)


class TimerThread:
    """Fires timers, on one thread that is started with the first of them.

    ``_lock`` guards the heap; actions run without it and must be quick.
    """

    def __init__(self, threads: ThreadGroup) -> None:
        self._group = threads
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._numbers = count()
        self._heap: list[tuple[float, int, Timer]] = []
        self._tidy_at = _TIDY_AT
        self._is_started = False
        self._closed = False

    def at(self, when: float, action: Callable[[], object]) -> Timer:
        """Run an action at a time of the monotonic clock, in seconds. Nothing fires after `close`."""
        timer = Timer(action)
        with self._lock:
            if not self._closed:
                self._add(when, timer)
        return timer

    def close(self) -> None:
        """Drop all timers and end the thread. Does not wait. Idempotent."""
        with self._lock:
            self._closed = True
            self._heap.clear()
            self._changed.notify()

    def _add(self, when: float, timer: Timer) -> None:
        # Most timers are cancelled long before they are due; without this the heap would keep them until then.
        if len(self._heap) >= self._tidy_at:
            self._heap = [entry for entry in self._heap if not entry[2].is_cancelled]
            heapq.heapify(self._heap)
            self._tidy_at = max(_TIDY_AT, 2 * len(self._heap))
        # The number decides between two that are due at once: timers cannot be compared.
        heapq.heappush(self._heap, (when, next(self._numbers), timer))
        if not self._is_started:
            # Where the system gives no more threads, the next timer tries again.
            with suppress(RuntimeError):
                self._group.start("timer", self._run)
                self._is_started = True
        self._changed.notify()

    def _run(self) -> None:
        while (timer := self._next()) is not None:
            timer.fire()
            del timer  # it may hold the client, and the next one may be far away

    def _next(self) -> Timer | None:
        """Wait until the next timer is due; return ``None`` when closed."""
        with self._lock:
            while not self._closed:
                left = self._heap[0][0] - time.monotonic() if self._heap else None
                if left is not None and left <= 0:
                    return heapq.heappop(self._heap)[2]
                self._changed.wait(left)
            return None


class Workers:
    """All threads that work for one connection, beside its reader and writer."""

    def __init__(self, threads: ThreadGroup) -> None:
        self.dispatch = WorkerPool(threads, "dispatch", 1)
        """Finds the handler of each server request, in order; never blocks."""
        self.urgent = WorkerPool(threads, "urgent", _MAX_URGENT)
        """Runs handlers that must not wait for other handlers."""
        self.handlers = WorkerPool(threads, "handler", _MAX_HANDLERS)
        """Runs all other handlers."""
        self.timers = TimerThread(threads)
        """Fires deadlines."""

    def close(self) -> None:
        """Let all threads end, without waiting. Idempotent."""
        for part in (self.dispatch, self.urgent, self.handlers, self.timers):
            part.close()
