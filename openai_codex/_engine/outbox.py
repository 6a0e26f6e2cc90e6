"""What goes to the runtime: written at once when the pipe has room, by a writer thread when it has not."""

from __future__ import annotations

import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from openai_codex._engine.router import NumberedLine
    from openai_codex._engine.transport import RuntimeProcess

# How long the writer waits for room before it looks whether the outbox was closed.
_PATIENCE = 0.1


class Outbox:
    """Lines on their way to the runtime's stdin, in the order in which they were sent.

    No caller ever blocks on the pipe. ``_lock`` guards the queue, `_closed` and every write; the writer thread starts
    when the pipe is full for the first time, or when the reader, which must not write, leaves it something. A request
    keeps its id here until its first byte is written: what is begun has to be written to its end.
    """

    def __init__(self, process: RuntimeProcess, on_broken: Callable[[OSError], None]) -> None:
        self._process = process
        self._on_broken = on_broken
        self._lock = threading.Lock()
        self._filled = threading.Condition(self._lock)
        self._queue: deque[tuple[int | None, memoryview]] = deque()
        self._closed = False
        self._writer: threading.Thread | None = None

    def send(self, line: bytes, request_id: int | None = None) -> None:
        """Write a line now as far as the pipe takes it; leave the rest to the writer thread."""
        try:
            with self._lock:
                if self._closed:
                    return
                written = 0 if self._queue else self._process.try_write(line)
                if written < len(line):
                    self._enqueue(memoryview(line)[written:], None if written else request_id)
        except OSError as error:
            self._on_broken(error)

    def post(self, requests: Iterable[NumberedLine]) -> None:
        """Leave requests to the writer thread. For the reader, which never touches the pipe."""
        with self._lock:
            for request_id, line in () if self._closed else requests:
                self._enqueue(memoryview(line), request_id)

    def withdraw(self, request_id: int) -> bool:
        """Take back a request of which nothing has been written yet; say whether there was one."""
        with self._lock:
            kept = deque(entry for entry in self._queue if entry[0] != request_id)
            withdrawn = len(kept) < len(self._queue)
            self._queue = kept
        return withdrawn

    def close(self) -> None:
        """Write nothing more and end the runtime's input. Idempotent."""
        with self._lock:
            self._closed = True
            self._queue.clear()
            self._filled.notify()
            self._process.close_stdin()

    def is_running(self) -> bool:
        """Say whether the writer thread has not ended yet; after `close` it does."""
        return self._writer is not None and self._writer.is_alive()

    def _enqueue(self, data: memoryview, request_id: int | None) -> None:
        self._queue.append((request_id, data))
        self._filled.notify()
        if self._writer is None:
            writer = threading.Thread(target=self._write, name=f"codex-writer-{self._process.pid}", daemon=True)
            # Where no more threads can be had, the next line tries again; the reader must not fail of it.
            with suppress(RuntimeError):
                writer.start()
                self._writer = writer

    def _write(self) -> None:
        try:
            while self._wait_for_work():
                self._process.wait_writable(_PATIENCE)
                self._write_head()
        except OSError as error:
            self._on_broken(error)

    def _wait_for_work(self) -> bool:
        with self._lock:
            while not self._queue and not self._closed:
                self._filled.wait()
            return not self._closed

    def _write_head(self) -> None:
        with self._lock:
            if self._queue and not self._closed:
                request_id, data = self._queue.popleft()
                written = self._process.try_write(data)
                if written < len(data):
                    self._queue.appendleft((None if written else request_id, data[written:]))
