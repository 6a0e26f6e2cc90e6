"""The threads of one connection as a group, which knows when the last of them has ended."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from openai_codex._engine.once import Once
from openai_codex._engine.waiting import Latch, block_until_ready
from openai_codex._log import Log

if TYPE_CHECKING:
    from collections.abc import Callable

# How long the interpreter may take to finish a thread whose work is done, in seconds: usually microseconds.
_JOIN_TIMEOUT = 0.1

_log = Log("actor")


class ThreadGroup:
    """Starts the threads of one connection. The last one to end sets ``ended``; no thread starts after that.

    This holds because the first threads are counted together, before one of them runs, and the reader is one of them:
    before it ends it closes everything that starts threads. Single steps of the set of threads need no lock.
    """

    def __init__(self, name: str) -> None:
        self.ended: Latch = Latch()
        """Set when threads were started and none of them runs any longer, except those that left."""
        self.was_refused: bool = False
        """Whether the system has refused a thread that may still be needed."""
        self._name = name
        self._running: set[threading.Thread] = set()
        self._finished: list[threading.Thread] = []
        self._has_begun = False

    def start(self, role: str, target: Callable[[], object]) -> None:
        """Start a daemon thread. Raises `RuntimeError` where the system gives no more threads."""
        self.start_all({role: target})

    def start_all(self, targets: dict[str, Callable[[], object]]) -> None:
        """Start several daemon threads, by their roles. If this raises, those that were not started never run."""
        rights = {role: Once() for role in targets}
        # Daemons, because the interpreter must not wait for a handler that blocks; `at_exit` stops the runtimes.
        threads = {
            role: threading.Thread(
                target=self._run, args=(target, rights[role]), name=f"codex-{role}-{self._name}", daemon=True
            )
            for role, target in targets.items()
        }
        self._running.update(threads.values())
        self._has_begun = True
        try:
            for thread in threads.values():
                thread.start()
        except BaseException as error:
            # One of a signal handler may come when the system has made a thread that has not begun to run.
            self._running.difference_update(thread for role, thread in threads.items() if rights[role].take())
            self.was_refused = self.was_refused or isinstance(error, RuntimeError)
            raise

    def runs(self, role: str) -> bool:
        """Return whether a thread was started for a role, and has not ended or left."""
        name = f"codex-{role}-{self._name}"
        return any(thread.name == name for thread in self._running.copy())

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

    def _run(self, target: Callable[[], object], right: Once) -> None:
        if not right.take():
            return
        failure: BaseException | None = None
        try:
            target()
        except BaseException as error:  # noqa: BLE001  the program has started no thread, so it is to see no traceback of one
            failure = error
        self._finished.append(threading.current_thread())
        self.leave()
        if failure is not None:  # last: a log handler of the program may block
            _log.warning("codex.thread_failed", thread=threading.current_thread().name, exc_info=failure)

    def _leave(self, thread: threading.Thread) -> None:
        self._running.discard(thread)
        if self._has_begun and not self._running:
            self.ended.set()


def undisturbed(work: Callable[[], None]) -> None:
    """Call a function where no signal handler interrupts it, and return when it has returned; what it raises is raised here.

    Python calls signal handlers on the main thread. There the function gets a thread of its own, and goes on if one raises.
    """
    if threading.current_thread() is not threading.main_thread():
        work()
        return
    failures: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001  the thread that waits raises it
            failures.append(error)

    group = ThreadGroup("undisturbed")
    try:
        group.start("events", run)
    except RuntimeError:  # the system gives no more threads
        work()
        return
    block_until_ready(group.ended, None)
    if failures:
        raise failures[0]
