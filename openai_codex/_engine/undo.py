"""Requests that stop something at the runtime, such as a turn. They are repeated until it is over.

The runtime refuses the interruption of a turn that has not begun, and any request while it is busy. So a single request
is not enough, and its caller may have returned before it succeeds.
"""

from __future__ import annotations

import time
from collections import deque
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Protocol

from openai_codex._engine.once import Once
from openai_codex._engine.waiting import Latch
from openai_codex._log import Log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# The first and the longest interval between two of its requests, and how long all of them may take, in seconds.
_FIRST, _LONGEST, _PATIENCE = 0.05, 1.0, 600.0

_log = Log("actor")


class Stop(Protocol):
    """What is to be stopped. Its methods are called by the writer thread, and must be quick and log nothing."""

    thread_id: str

    def is_over(self) -> bool:
        """Return whether nothing is left to be stopped."""
        ...

    def line(self) -> bytes | None:
        """Return the request that stops it, encoded; ``None`` if none can be sent at present."""
        ...

    def end(self) -> None:
        """Note that no further request will be sent: it is over or given up, or the connection has ended. Called once."""
        ...


class Undo:
    """One thing that is to be stopped. ``done`` is set when it is over or given up, or when the connection has ended."""

    def __init__(self, stop: Stop) -> None:
        self.stop = stop
        self.done: Latch = Latch()
        self.due_at: float = 0.0
        self.interval = _FIRST
        self.until: float = time.monotonic() + _PATIENCE
        self._right_to_end = Once()

    def end(self) -> None:
        """Send no further request. Whoever calls first tells the `Stop`; the connection may end at the same time."""
        if self._right_to_end.take():
            with suppress(Exception):  # whatever fails in one of them must not cost the others their end
                self.stop.end()
        self.done.set()


class Undos:
    """Everything that is to be stopped on one connection. Any thread adds; all else is done by the writer thread.

    ``post`` has a function called on another thread, which may log.
    """

    def __init__(self, post: Callable[[Callable[[], None]], object]) -> None:
        self._post = post
        self._new: deque[Undo] = deque()
        self._active: list[Undo] = []

    def add(self, undo: Undo) -> None:
        """Stop something. The writer has to be woken then."""
        self._new.append(undo)

    def wait_time(self) -> float | None:
        """Return in how many seconds `due` has something to return; ``None`` if there is nothing to stop."""
        if self._new:
            return 0.0
        soonest = min((undo.due_at for undo in self._active), default=None)
        return None if soonest is None else max(0.0, soonest - time.monotonic())

    def due(self) -> Iterator[bytes]:
        """Yield the requests that are to be sent now, and end each `Undo` for which nothing is left to do."""
        while self._new:
            self._active.append(self._new.popleft())
        now = time.monotonic()
        for undo in [undo for undo in self._active if undo.due_at <= now]:
            undo.due_at, undo.interval = now + undo.interval, min(2 * undo.interval, _LONGEST)
            line = None
            # Whatever fails in one of them must not end the writer, and with it the connection: it is tried again.
            with suppress(Exception):
                line = b"" if undo.stop.is_over() else undo.stop.line()
            if line == b"" or now >= undo.until:
                self._active.remove(undo)
                undo.end()
                if line != b"":
                    self._post(partial(_log.warning, "codex.stop_given_up", thread_id=undo.stop.thread_id))
            elif line is not None:
                yield line

    def end(self) -> None:
        """Give everything up: the runtime has ended."""
        for undo in (*self._active, *self._new):
            undo.end()
