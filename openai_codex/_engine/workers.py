"""Pools of threads for the work that must not run on the reader, started when there is some."""

from __future__ import annotations

import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from openai_codex._engine.timer import TimerThread
from openai_codex._log import Log

if TYPE_CHECKING:
    from collections.abc import Callable

_log = Log("handlers")


class WorkerPool:
    """Runs tasks concurrently, in the order in which they came, on at most ``most`` daemon threads.

    ``_lock`` guards the queue and the counts. A task that raises is logged; the pool lives on.
    """

    def __init__(self, name: str, most: int) -> None:
        self._name = name
        self._most = most
        self._lock = threading.Lock()
        self._filled = threading.Condition(self._lock)
        self._tasks: deque[Callable[[], None]] = deque()
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._closed = False

    def submit(self, task: Callable[[], None]) -> None:
        """Run ``task`` soon on a thread of the pool. After `close` it is dropped."""
        with self._lock:
            if self._closed:
                return
            self._tasks.append(task)
            if self._idle < len(self._tasks) and len(self._threads) < self._most:
                self._start_thread()
            self._filled.notify()

    def close(self) -> None:
        """Let the tasks that were submitted finish, and then the threads end. Does not wait. Idempotent."""
        with self._lock:
            self._closed = True
            self._filled.notify_all()

    def is_running(self) -> bool:
        """Say whether a thread has not ended yet, but for the calling one."""
        me = threading.current_thread()
        return any(thread.is_alive() and thread is not me for thread in tuple(self._threads))

    def _start_thread(self) -> None:
        name = f"{self._name}-{len(self._threads) + 1}"
        thread = threading.Thread(target=self._work, name=name, daemon=True)
        # Where no more threads can be had, the task waits for one that there is; the reader must not fail of it.
        with suppress(RuntimeError):
            thread.start()
            self._threads.append(thread)

    def _work(self) -> None:
        while (task := self._next()) is not None:
            try:
                task()
            except Exception:  # noqa: BLE001  a task of any kind; it is logged with its traceback
                _log.warning("codex.handler_failed", exc_info=True)
            del task  # a thread that has nothing to do must not keep what it holds: that may be the client

    def _next(self) -> Callable[[], None] | None:
        with self._lock:
            self._idle += 1
            while not self._tasks and not self._closed:
                self._filled.wait()
            self._idle -= 1
            return self._tasks.popleft() if self._tasks else None


# Handlers may block, each waiting for a person; beyond so many the next waits for one of them.
_MOST_HANDLERS = 64
_MOST_URGENT = 8


class Workers:
    """The threads that work for one actor beside its reader: handlers that block hold up nothing but further ones."""

    def __init__(self, pid: int) -> None:
        self.dispatch = WorkerPool(f"codex-dispatch-{pid}", 1)
        """For what needs no time: it finds out who answers a request."""
        self.urgent = WorkerPool(f"codex-urgent-{pid}", _MOST_URGENT)
        """For handlers that must not wait for others."""
        self.handlers = WorkerPool(f"codex-handler-{pid}", _MOST_HANDLERS)
        """For all other handlers."""
        self.alarm = TimerThread(f"codex-alarm-{pid}")
        """For deadlines."""
        self._parts = (self.dispatch, self.urgent, self.handlers, self.alarm)

    def close(self) -> None:
        """End them all, without waiting. Idempotent."""
        for part in self._parts:
            part.close()

    def is_running(self) -> bool:
        """Say whether one of the threads has not ended yet."""
        return any(part.is_running() for part in self._parts)
