"""Worker pools and a timer: the threads for work that must not run on the reader. It does not know what the work is."""

from __future__ import annotations

import heapq
import time
from collections import deque
from itertools import count
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from openai_codex._engine.once import Once
from openai_codex._log import Log

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_codex._engine.threads import ThreadGroup

# Handlers may block, each on a person's decision. Further ones wait for a free worker.
_MAX_HANDLERS = 64
_MAX_URGENT = 8

# How many tasks are kept while no thread can be started: logs, of which there may be one for each batch of lines.
_MOST_KEPT = 1_024

# From this many timers on, cancelled ones are removed now and then.
_TIDY_AT = 64

_log = Log("handlers")


class WorkerPool:
    """Runs tasks concurrently, in the order in which they were submitted, on at most ``limit`` threads.

    Threads are started when there is work for them. There is no lock: a finalizer that runs within these methods may
    wait for other threads that submit. First act, then look: a task is put before it is compared how many wait, and a
    worker is counted out before it compares again. So a task that waits while threads may be started starts one. A task
    that raises is logged, and its worker continues.
    """

    def __init__(self, threads: ThreadGroup, role: str, limit: int) -> None:
        self._group = threads
        self._role = role
        self._limit = limit
        self._numbers = count(1)
        self._tasks: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        # One entry for each worker that takes the next task as soon as there is one.
        self._idle: deque[None] = deque()
        self._workers: list[str] = []
        self._closed = False
        # Not exact when two threads count at the same time.
        self._dropped = 0

    def submit(self, task: Callable[[], None]) -> bool:
        """Run ``task`` soon on a worker. Dropped after `close`. Return ``False`` if there is no thread to run it."""
        if not (self._workers or self._closed or self._start_worker()):
            return False
        self.post(task)
        return True

    def post(self, task: Callable[[], None]) -> bool:
        """Run ``task`` soon, or once the system gives a thread for it again. Dropped after `close`.

        While there is no thread, a limited number of tasks is kept. The next thread logs how many were dropped.
        Return ``False`` if this one was.
        """
        if self._closed:
            return True
        if not self._workers and self._tasks.qsize() >= _MOST_KEPT:
            self._dropped += 1
            return False
        self._tasks.put(task)
        self.catch_up()
        return True

    def catch_up(self) -> None:
        """Start a worker if a task waits that none takes."""
        if self._tasks.qsize() > len(self._idle):
            self._start_worker()

    def close(self) -> None:
        """Let the submitted tasks finish, then end the threads. Does not wait. Idempotent."""
        self._closed = True
        self._tasks.put(None)  # each worker leaves it for the next one

    def run_rest(self) -> None:
        """After `close`: run the tasks that no thread could be started for, on a thread that nothing depends on."""
        if not self._workers:
            self._idle.append(None)
            self._work()

    def _start_worker(self) -> bool:
        if self._closed or len(self._workers) >= self._limit:
            return False
        name = f"{self._role}-{next(self._numbers)}"
        self._workers.append(name)
        self._idle.append(None)
        try:
            self._group.start(name, self._work)
        except BaseException as error:
            if not self._group.runs(name):
                self._idle.pop()
                self._workers.remove(name)
            if not isinstance(error, RuntimeError):  # of a signal handler
                raise
            return False  # the system gives no more threads
        return True

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            try:
                self._idle.pop()
                self.catch_up()
                if self._dropped:
                    dropped, self._dropped = self._dropped, 0
                    _log.warning("codex.log_lines_dropped", count=dropped, reason="no thread could be started")
                task()
            except BaseException as error:  # noqa: BLE001  a task may raise anything; it is logged with its traceback
                _log.warning("codex.handler_failed", exc_info=error)
            del task  # an idle thread must not keep alive what a task holds: it may be the client
            self._idle.append(None)
        self._tasks.put(None)


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
    """Fires timers, on one thread that is started with the first of them and owns the heap. Actions must be quick."""

    def __init__(self, threads: ThreadGroup) -> None:
        self._group = threads
        self._numbers = count()
        self._new: SimpleQueue[tuple[float, int, Timer] | None] = SimpleQueue()
        self._heap: list[tuple[float, int, Timer]] = []
        self._tidy_at = _TIDY_AT
        self._closed = False
        self._started = Once()

    def at(self, when: float, action: Callable[[], object]) -> Timer:
        """Run an action at a time of the monotonic clock, in seconds. Nothing fires after `close`."""
        timer = Timer(action)
        # The number decides between two that are due at once: timers cannot be compared.
        self._new.put((when, next(self._numbers), timer))
        self.catch_up()
        return timer

    def catch_up(self) -> None:
        """Start the thread if there are timers and it does not run."""
        if self._new.qsize() and not self._closed and self._started.take():
            try:
                self._group.start("timer", self._run)
            except BaseException as error:
                if not self._group.runs("timer"):
                    self._started.give_back()
                if not isinstance(error, RuntimeError):  # of a signal handler
                    raise

    def close(self) -> None:
        """Drop all timers and end the thread. Does not wait. Idempotent."""
        self._closed = True
        self._new.put(None)

    def _run(self) -> None:
        while self._take_new():
            while self._heap and self._heap[0][0] <= time.monotonic():
                heapq.heappop(self._heap)[2].fire()
        self._heap.clear()

    def _take_new(self) -> bool:
        """Wait until a timer is due or a new one came; return ``False`` when closed."""
        left = self._heap[0][0] - time.monotonic() if self._heap else None
        try:
            entry = self._new.get(timeout=None if left is None else max(0.0, left))
        except Empty:
            return True
        if entry is not None:
            self._add(entry)
        return entry is not None

    def _add(self, entry: tuple[float, int, Timer]) -> None:
        # Most timers are cancelled long before they are due; without this the heap would keep them until then.
        if len(self._heap) >= self._tidy_at:
            self._heap = [entry for entry in self._heap if not entry[2].is_cancelled]
            heapq.heapify(self._heap)
            self._tidy_at = max(_TIDY_AT, 2 * len(self._heap))
        heapq.heappush(self._heap, entry)


class Workers:
    """All threads that work for one connection, beside its reader and writer."""

    def __init__(self, threads: ThreadGroup) -> None:
        self.dispatch: WorkerPool = WorkerPool(threads, "dispatch", 1)
        """Finds the handler of each server request, in order; never blocks."""
        self.urgent: WorkerPool = WorkerPool(threads, "urgent", _MAX_URGENT)
        """Runs handlers that must not wait for other handlers."""
        self.handlers: WorkerPool = WorkerPool(threads, "handler", _MAX_HANDLERS)
        """Runs all other handlers."""
        self.timers: TimerThread = TimerThread(threads)
        """Fires deadlines."""
        self._group = threads
        self._parts = (self.dispatch, self.urgent, self.handlers, self.timers)

    def close(self) -> None:
        """Let all threads end, without waiting. Idempotent."""
        for part in self._parts:
            part.close()

    def catch_up(self) -> None:
        """Start the threads that the system did not give before, where something waits for one."""
        if self._group.was_refused:
            self._group.was_refused = False
            for part in self._parts:
                part.catch_up()
