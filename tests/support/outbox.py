"""An outbox on a transport that tests control, and something to be stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from openai_codex._engine.outbox import Outbox
from openai_codex._engine.reply import Reply
from tests.support.bounds import PATIENCE


class Pipe:
    """A transport that keeps what is written, has room or none, and breaks when it is told to."""

    def __init__(self, short: int = 50, piece: int = 1000) -> None:
        self.written: list[bytes] = []
        self.room = threading.Event()
        self.room.set()
        self.is_full = False
        self.broken: BaseException | None = None
        self.ends = 0
        self.on_write: Callable[[bytes], object] = lambda _: None
        self._short = short
        self._piece = piece

    def short(self) -> int:
        return self._short

    def write_short(self, data: bytes) -> int | None:
        return None if self.is_full else self.try_write(data)

    def try_write(self, data: bytes | memoryview) -> int:
        if self.broken is not None:
            raise self.broken
        part = bytes(data[: self._piece])
        self.written.append(part)
        self.on_write(part)
        return len(part)

    def wait_writable(self, timeout: float) -> bool:
        return self.room.wait(timeout)

    def close_input(self) -> None:
        self.ends += 1


class Box(Outbox):
    """An outbox, the requests that are pending, and what it has reported."""

    def __init__(self, pipe: Any, limit: int = 10) -> None:
        self.pending: dict[int, Reply] = {}
        self.limit = limit
        self._sent = 0
        self.failures: list[BaseException] = []
        super().__init__(pipe, self._has_place, self.failures.append, lambda _: None)

    def _has_place(self, waiting: int) -> bool:
        return len(self.pending) - waiting < self.limit

    def request(self, line: bytes) -> Reply:
        self._sent += 1
        reply = self.pending[self._sent] = Reply("method", self._sent)
        self.send(line, reply)
        return reply

    def settle(self, reply: Reply) -> None:
        del self.pending[reply.request_id]
        self.on_room()


@contextmanager
def writing(box: Box) -> Iterator[None]:
    """Run the writer for the time of a block."""
    writer = threading.Thread(target=box.run)
    writer.start()
    try:
        yield
    finally:
        box.close()
        writer.join(PATIENCE)
        assert not writer.is_alive()


class Thing:
    """Something that is to be stopped by one request."""

    thread_id = "T"

    def __init__(self, line: bytes = b"undo") -> None:
        self._lines = [line]
        self.ends = 0

    def is_over(self) -> bool:
        return not self._lines

    def line(self) -> bytes | None:
        return self._lines.pop()

    def end(self) -> None:
        self.ends += 1
