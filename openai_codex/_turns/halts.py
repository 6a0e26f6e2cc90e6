"""Threads on which no turn is to run: those that run are stopped, and so is each that is about to start.

It knows the entries of the table of work, and not who halts a thread or why.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from openai_codex._turns.work import NAMED

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_codex._turns.work import Work


class Halts:
    """The threads of one client that are halted. Any thread adds and removes them, each in one step of the table.

    Who halts a thread notes that first and then looks at its turns. Who has started a turn has made it visible first, and
    then looks whether its thread is halted. The second of the two stops the turn.
    """

    def __init__(self, works_of: Callable[[str], list[Work]]) -> None:
        self._works_of = works_of
        self._threads: set[str] = set()

    def halt(self, thread_id: str) -> None:
        """Have the turns of a thread stopped, until `release`. Waits for nothing; callable from any thread."""
        self._threads.add(thread_id)
        for work in self._works_of(thread_id):
            _stop(work)

    def release(self, thread_id: str) -> None:
        """Let turns run again. Those that are being stopped are stopped all the same."""
        self._threads.discard(thread_id)

    def on_start(self, work: Work) -> None:
        """Have a turn stopped that has started, if its thread is halted."""
        if work.thread_id in self._threads:
            _stop(work)

    def is_quiet(self, thread_id: str) -> bool:
        """Return whether no turn of a thread runs that has a handle, and none is about to start by a request of this client."""
        now = time.monotonic()
        return not any(
            work.method in NAMED
            and not work.given_up
            and work.expires > now
            and (not work.ids or work.stop() is not None)
            for work in self._works_of(thread_id)
        )


def _stop(work: Work) -> None:
    if (stop := work.stop()) is not None:
        stop.request()
