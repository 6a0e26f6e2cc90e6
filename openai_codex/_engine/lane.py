"""The right to write to the runtime: callers write short lines themselves, one at a time; the writer thread all others.

It knows neither requests nor their order.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    Write = Callable[[bytes], "int | None"]

# How long the writer waits before it looks again whether a write of another thread is over, in seconds, and how often it
# looks. Such a write does not block, so it takes microseconds unless the system gives that thread no time.
_POLL, _POLLS = 0.0001, 10_000


# Turns a line into the outcome of one that was not written.
_NOTHING: Final = dict[bytes, None]().get


class Ticket:
    """One line that is to be written once: by its caller, or by the writer thread, unless it was withdrawn before.

    Whoever takes the line out of the list has the right to it. For the caller, taking and writing are one step.
    """

    __slots__ = ("_line", "_outcome", "size")

    def __init__(self, line: bytes) -> None:
        self.size: int = len(line)
        """How many bytes the line has."""
        self._line = [line]
        self._outcome: list[int | None] = []

    def write(self, write: Write) -> bool:
        """Write the line now, unless it was withdrawn; return whether it was written."""
        try:
            # In C: no other code runs on this thread between the pop and the write, nor before the outcome is stored.
            self._outcome.extend(map(write, map(list.pop, (self._line,))))
        except IndexError:
            return False
        finally:
            if not self._outcome:
                self._outcome.append(None)
        return self._outcome[0] is not None

    def take(self) -> bytes | None:
        """Return the line to be written by the writer thread; ``None`` if it was withdrawn."""
        try:
            return self._line.pop()
        except IndexError:
            return None

    def is_taken(self) -> bool:
        """Return whether the line was taken: it was written, is being written, or was withdrawn."""
        return not self._line

    def withdraw(self) -> bool:
        """Keep the line from being written; return ``False`` if it was, or is with the writer. Harmless when repeated."""
        with suppress(IndexError):
            # In C, as in `write`: else an interrupted call would forget that it has withdrawn the line.
            self._outcome.extend(map(_NOTHING, map(list.pop, (self._line,))))
        return self._outcome[:1] == [None]

    def settle(self) -> None:
        """Keep the caller from writing; if it has begun, wait until it has written. Called by the writer."""
        if not self.withdraw():
            # Polls and no clock: while the program is stopped, that thread does not get on either.
            for _ in range(_POLLS):
                if self._outcome:
                    return
                time.sleep(_POLL)


_CLOSED: Final = Ticket(b"")


class Lane:
    """At most one caller at a time is in it; none while it is closed.

    It takes no lock, because a caller in the lane may be interrupted for long: a signal handler may run there, and wait
    for something that only the writer can write. So the writer never waits for a caller to leave. It replaces the
    table, which keeps later callers out, and withdraws the line of the one who is in the old table.
    """

    def __init__(self) -> None:
        self._inside: dict[int, Ticket] = {}

    def write(self, ticket: Ticket, write: Write) -> bool:
        """Write a line that the transport takes whole or not at all; return whether it was written. Never blocks."""
        inside = self._inside
        if inside.setdefault(0, ticket) is not ticket:
            return False
        try:
            # First act, then look: the writer may have replaced the table before it could find this ticket there.
            return inside is self._inside and ticket.write(write)
        finally:
            inside.pop(0, None)

    def close(self) -> None:
        """Keep callers out. Called by the writer, which may write when it returns."""
        inside, self._inside = self._inside, {0: _CLOSED}
        ticket = inside.get(0)
        if ticket is not None and ticket is not _CLOSED:
            ticket.settle()

    def open(self) -> None:
        """Let callers in again."""
        self._inside = {}
