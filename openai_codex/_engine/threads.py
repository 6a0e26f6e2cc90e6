"""The threads of one connection as a group, which knows when the last of them has ended."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from openai_codex._engine.waiting import Latch

if TYPE_CHECKING:
    from collections.abc import Callable

# How long the interpreter may take to finish a thread whose work is done, in seconds: usually microseconds.
_JOIN_TIMEOUT = 0.1


class ThreadGroup:
    """Starts the threads of one connection. The last one to end sets ``ended``; no thread starts after that.

    This holds because the reader starts first, and before it ends it closes everything that starts threads. Single
    steps of the set of running threads need no lock.
    """

    def __init__(self, name: str) -> None:
        self.ended = Latch()
        """Set when no thread of the group runs, except those that left it."""
        self._name = name
        self._running: set[threading.Thread] = set()
        self._finished: list[threading.Thread] = []

    def start(self, role: str, target: Callable[[], object]) -> None:
        """Start a daemon thread. Raises `RuntimeError` where the system gives no more threads."""
        name = f"codex-{role}-{self._name}"
        # Daemons, because the interpreter must not wait for a handler that blocks; `at_exit` stops the runtimes.
        thread = threading.Thread(target=self._run, args=(target,), name=name, daemon=True)
        self._running.add(thread)
        try:
            thread.start()
        except BaseException:  # also one of a signal handler, that came before the thread was there
            if thread.ident is None:
                self._leave(thread)
            raise

    def leave(self) -> None:
        """Do not wait for the calling thread: a handler that closes its client would wait for itself."""
        self._leave(threading.current_thread())

    def join(self) -> None:
        """After `ended`: return when no thread is listed by `threading.enumerate`.

        The last thread sets `ended` in its last statement, so the interpreter has still to take it off that list.
        """
        for thread in self._finished:
            thread.join(_JOIN_TIMEOUT)

    def after_fork(self) -> None:
        """Give the threads up: a forked child has none of them."""
        self._running.clear()
        self._finished.clear()
        self.ended.set()

    def _run(self, target: Callable[[], object]) -> None:
        try:
            target()
        finally:
            self._finished.append(threading.current_thread())
            self.leave()

    def _leave(self, thread: threading.Thread) -> None:
        self._running.discard(thread)
        if not self._running:
            self.ended.set()
