"""Code of a program that runs at any moment of a run: a signal handler that calls the clients, a log handler that raises."""

from __future__ import annotations

import contextlib
import logging
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from openai_codex import AsyncCodex
    from tools.soak.journal import Journal

# How often the signal comes, in seconds, and how many log records are handled for each one that raises.
_INTERVAL, _RECORDS = 0.02, 10


class _Raising(logging.Handler):
    """A log handler that fails now and then."""

    def __init__(self) -> None:
        super().__init__()
        self._count = 0

    def emit(self, record: logging.LogRecord) -> None:
        self._count += 1
        if self._count % _RECORDS == 0:
            raise RuntimeError(record.msg)


@contextlib.contextmanager
def foreign_code(clients: Callable[[], Sequence[AsyncCodex]], journal: Journal) -> Generator[None]:
    """Run it during a block, on the main thread, which calls the clients meanwhile."""
    logger, raising = logging.getLogger("openai_codex"), _Raising()

    def call(*_: object) -> None:
        for client in clients():
            client.health()
            client.pending_requests()
        journal.counts["calls in signal handlers"] += 1

    logger.addHandler(raising)
    before = signal.signal(signal.SIGALRM, call)
    signal.setitimer(signal.ITIMER_REAL, _INTERVAL, _INTERVAL)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        logger.removeHandler(raising)
