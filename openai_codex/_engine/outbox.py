"""Lines on their way to the runtime: written at once while the transport takes them, else by a writer thread."""

from __future__ import annotations

import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from openai_codex._engine.router import NumberedLine
    from openai_codex._engine.threads import ThreadGroup
    from openai_codex._engine.transport import Transport

# How long the writer waits for room before it checks whether the outbox was closed, in seconds.
_WAIT = 0.1


class Outbox:
    """Sends lines in the order in which they were given; no caller ever blocks on the transport.

    ``_lock`` guards the queue, `_closed` and every write. The writer thread starts when the transport first refuses
    bytes, or when the reader, which must not write, leaves a line here. A request keeps its id in the queue until its
    first byte is written: from then on the line has to be completed.
    """

    def __init__(self, transport: Transport, threads: ThreadGroup, on_broken: Callable[[OSError], None]) -> None:
        self._transport = transport
        self._threads = threads
        self._on_broken = on_broken
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._queue: deque[tuple[int | None, memoryview]] = deque()
        self._closed = False
        self._has_writer = False

    def send(self, line: bytes, request_id: int | None = None) -> None:
        """Write as much of a line as possible now; leave the rest to the writer thread."""
        try:
            with self._lock:
                if self._closed:
                    return
                # Never past the queue: requests would overtake each other.
                written = 0 if self._queue else self._transport.try_write(line)
                if written < len(line):
                    self._enqueue(memoryview(line)[written:], None if written else request_id)
        except OSError as error:
            self._on_broken(error)

    def post(self, requests: Iterable[NumberedLine]) -> bool:
        """Leave requests to the writer thread; return whether there is one. For the reader, which never writes."""
        with self._lock:
            for request_id, line in () if self._closed else requests:
                self._enqueue(memoryview(line), request_id)
            return self._has_writer

    def withdraw(self, request_id: int) -> bool:
        """Remove a request of which no byte was written yet; return whether there was one."""
        with self._lock:
            others = deque(entry for entry in self._queue if entry[0] != request_id)
            withdrawn = len(others) < len(self._queue)
            self._queue = others
        return withdrawn

    def close(self) -> None:
        """Write nothing more and close the runtime's input. Idempotent."""
        with self._lock:
            self._closed = True
            self._queue.clear()
            self._changed.notify()
            self._transport.close_input()

    def _enqueue(self, data: memoryview, request_id: int | None) -> None:
        self._queue.append((request_id, data))
        self._changed.notify()
        if not self._has_writer:
            # Where the system gives no more threads, the next line tries again; the caller may be the reader, which must
            # not fail because of it.
            with suppress(RuntimeError):
                self._threads.start("writer", self._write)
                self._has_writer = True

    def _write(self) -> None:
        try:
            while self._wait_for_work():
                # Without the lock, so that callers can add lines meanwhile.
                self._transport.wait_writable(_WAIT)
                self._write_head()
        except OSError as error:
            self._on_broken(error)

    def _wait_for_work(self) -> bool:
        with self._lock:
            while not self._queue and not self._closed:
                self._changed.wait()
            return not self._closed

    def _write_head(self) -> None:
        with self._lock:
            if self._queue and not self._closed:
                request_id, data = self._queue.popleft()
                written = self._transport.try_write(data)
                # Once begun, a line has to be completed, so it loses the id by which it could be withdrawn.
                if written < len(data):
                    self._queue.appendleft((None if written else request_id, data[written:]))
