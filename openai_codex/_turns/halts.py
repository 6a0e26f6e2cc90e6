"""Threads on which no turn is to run: those that run are stopped, and so is each that is about to start.

It knows the entries of the table of work, and not who halts a thread or why.
"""

from __future__ import annotations

import time
import weakref
from typing import TYPE_CHECKING, Any

from openai_codex._turns.work import NAMED, remove

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_codex._turns.work import Work


class Halts:
    """The threads of one client that are halted, each by one holder or several. Each change is one step of a list.

    `halt` adds the holder first and then looks at the turns of the thread. A call that starts a turn adds its entry to the
    table of work first and then calls `on_start`. The second of the two stops the turn. Holders are kept weakly: when a
    holder is collected that did not release its thread, the halt ends.
    """

    def __init__(self, works_of: Callable[[str], list[Work]]) -> None:
        self._works_of = works_of
        self._halted: list[tuple[str, weakref.ref[object]]] = []

    def halt(self, thread_id: str, holder: object) -> None:
        """Have the turns of a thread stopped, until `release`. Waits for nothing; callable from any thread."""
        for entry in [each for each in tuple(self._halted) if each[1]() is None]:
            remove(self._halted, entry)
        self._halted.append((thread_id, weakref.ref(holder)))
        for stop in self.stops(thread_id):
            stop.request()

    def release(self, thread_id: str, holder: object) -> None:
        """Let turns run again, as far as this holder is concerned. Those that are being stopped are stopped all the same."""
        mine = thread_id, weakref.ref(holder)
        for entry in [each for each in tuple(self._halted) if each == mine]:  # it may have halted it several times
            remove(self._halted, entry)

    def on_start(self, work: Work) -> None:
        """Have a turn stopped that has started, if its thread is halted."""
        if any(thread_id == work.thread_id and holder() is not None for thread_id, holder in tuple(self._halted)):
            for stop in self.stops(work.thread_id):
                stop.request()

    def stops(self, thread_id: str) -> list[Any]:
        """Return the `TurnStop` of each turn of a thread that is held by a call or a handle."""
        return [stop for work in self._works_of(thread_id) if (stop := work.stop()) is not None]

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
