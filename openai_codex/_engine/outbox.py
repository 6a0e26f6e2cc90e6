"""Lines on their way to the runtime: a short one is written by its caller at once, all others by the writer thread."""

from __future__ import annotations

import time
from collections import deque
from contextlib import suppress
from itertools import islice
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from openai_codex._engine.lane import Lane, Ticket
from openai_codex._engine.once import Once
from openai_codex._engine.undo import Undos
from openai_codex._engine.waiting import may_block, never_block

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_codex._engine.reply import Reply
    from openai_codex._engine.transport import Transport
    from openai_codex._engine.undo import Undo

# How long the writer waits for room in the transport before it looks whether the outbox was closed, in seconds.
_WAIT = 0.1

# The most requests that are written together.
_MOST_TOGETHER = 64


class Outbox:
    """Sends lines; no caller ever blocks on the transport, and none holds a lock.

    Requests are sent in the order in which they came, and only while ``has_room`` allows one more under way. Answers and
    undo requests go before them. The queues are changed in single steps. The writer thread alone writes long lines,
    closes the runtime's input and repeats undo requests; it is woken by an entry in ``_wakes``, whose `put` is safe in
    signal handlers and finalizers.
    """

    def __init__(
        self,
        transport: Transport,
        has_room: Callable[[int], bool],
        on_broken: Callable[[BaseException], None],
        post: Callable[[Callable[[], None]], object],
        on_sent: Callable[[float, bytes], object] = lambda _at, _line: None,
    ) -> None:
        self._transport = transport
        self._has_room = has_room
        self._on_broken = on_broken
        self._on_sent = on_sent
        self._lane = Lane()
        self._requests: dict[int, Ticket] = {}
        self._urgent: deque[bytes] = deque()
        self._undos = Undos(post)
        self._wakes: SimpleQueue[None] = SimpleQueue()
        self._closed = False
        self._right_to_end = Once()
        self._broken: BaseException | None = None

    def send(self, line: bytes, reply: Reply) -> None:
        """Send a request, now or when there is room for it. It is among the pending ones already."""
        if not self._requests and self._has_room(1):
            reply.ticket = Ticket(line)
            if self._write_now(reply.ticket, line):
                return
        reply.ticket = self._requests[reply.request_id] = Ticket(line)
        self._wakes.put(None)
        if self._closed:  # first act, then look: the writer may have emptied the queue in between, for the last time
            self._requests.pop(reply.request_id, None)

    def send_first(self, line: bytes) -> None:
        """Send an answer or a notification, before all requests that wait."""
        if not self._write_now(Ticket(line), line):
            self._urgent.append(line)
            self._wakes.put(None)

    def post(self, line: bytes) -> None:
        """Send a line as `send_first` does, but in any case by the writer. For the reader, which never writes."""
        self._urgent.append(line)
        self._wakes.put(None)

    def undo(self, undo: Undo) -> None:
        """Stop something at the runtime, however long it takes."""
        self._undos.add(undo)
        self._wakes.put(None)
        if self._closed:  # first act, then look: the writer may have ended in between
            self._undos.end()

    def withdraw(self, reply: Reply) -> bool:
        """Keep a request from being sent; return ``False`` if any of it was or will be written."""
        withdrawn = reply.ticket is None or reply.ticket.withdraw()
        if withdrawn:
            self._requests.pop(reply.request_id, None)
        return withdrawn

    def unsent(self) -> int:
        """Return how many requests have not been written."""
        return len(self._requests)

    def on_room(self) -> None:
        """Let the writer go on with the requests that wait: one that was under way is over."""
        if self._requests:
            self._wakes.put(None)

    def close(self) -> None:
        """Write nothing more; the writer closes the runtime's input. Idempotent."""
        self._closed = True
        self._wakes.put(None)

    # -- on the caller's thread --------------------------------------------------------------------------------------

    def _write_now(self, ticket: Ticket, line: bytes) -> bool:
        # Never past a line that waits. One that the writer has begun keeps the lane closed.
        if self._urgent or len(line) > self._transport.short() or self._closed:
            return False
        at = time.monotonic()  # the answer may be read before the next line of this function
        try:
            is_written = self._lane.write(ticket, self._transport.write_short)
        except OSError as error:
            self._broken = error
            return False
        if is_written:
            self._on_sent(at, line)
        return is_written

    def abort(self) -> None:
        """Close the runtime's input if no writer does, because its thread was not started."""
        self._closed = True
        if self._right_to_end.take():
            self._end()

    # -- the writer thread -------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Write until the outbox is closed. The target of the writer thread."""
        if not self._right_to_end.take():
            return
        never_block()
        try:
            while not self._closed and self._broken is None:
                self._await_work()
                self._write_all()
        except BaseException as error:  # noqa: BLE001  whatever it is, no line can be sent from now on
            self._broken = error
        finally:
            self._end()

    def _await_work(self) -> None:
        with suppress(Empty):
            self._wakes.get(timeout=self._undos.wait_time())
            while True:  # one pass serves all that woke it
                self._wakes.get_nowait()

    def _write_all(self) -> None:
        if not self._has_next() and self._undos.wait_time() != 0:
            return
        # Before it is decided what to interrupt: no later request may be written before that is.
        self._lane.close()
        try:
            while not self._closed:
                # Those that came later are not written with these: something may have to be stopped before they are.
                waiting = self._oldest()
                if not self._has_next() and self._undos.wait_time() != 0:
                    return
                # Nothing is claimed before there is room in the transport: until then a request can be withdrawn, and what
                # stops something, which is sent again and again, would pile up.
                if self._transport.wait_writable(_WAIT):
                    # It does not wait for the requests that wait, which may be written with answers.
                    self._urgent.extend(self._undos.due())
                    self._write(self._take(waiting))
        finally:
            self._lane.open()

    def _oldest(self) -> list[int]:
        """Return the ids of the requests that have waited longest."""
        while True:
            # One that is added between the two calls makes the iteration raise.
            with suppress(RuntimeError):
                return list(islice(self._requests, _MOST_TOGETHER))

    def _has_next(self) -> bool:
        """Return whether a line may be written."""
        # Of the pending requests all but those in the queue are under way.
        return bool(self._urgent) or (bool(self._requests) and self._has_room(len(self._requests)))

    def _take(self, waiting: list[int]) -> list[bytes]:
        """Take the next line out of its queue, and as many more as a transport with room takes with it.

        ``waiting`` has the ids of the requests that may be taken; those that were withdrawn in between are left out.
        """
        lines: list[bytes] = []
        room = self._transport.short()
        while self._urgent and (not lines or len(self._urgent[0]) <= room):
            lines.append(self._urgent.popleft())
            room -= len(lines[-1])
        for request_id in () if self._urgent else waiting:
            ticket = self._requests.get(request_id)
            if ticket is None:
                continue
            if (lines and ticket.size > room) or not self._has_room(len(self._requests)):
                break
            self._requests.pop(request_id, None)
            if (line := ticket.take()) is not None:
                lines.append(line)
                room -= len(line)
        return lines

    def _write(self, lines: list[bytes]) -> None:
        at = time.monotonic()
        for line in lines:
            self._on_sent(at, line)
        rest = memoryview(b"".join(lines))
        while rest and not self._closed:
            written = self._transport.try_write(rest)
            rest = rest[written:]
            if rest:
                self._transport.wait_writable(_WAIT)

    def _end(self) -> None:
        may_block()
        self._closed = True
        self._lane.close()
        self._requests.clear()
        self._urgent.clear()
        self._undos.end()
        try:
            if self._broken is not None:
                self._on_broken(self._broken)
        finally:
            # Last: at the end of its input a runtime exits, and what has failed here would not be the reason any more.
            self._transport.close_input()
