"""A transport without a process, for tests of the engine that choose what comes and when there is room."""

from __future__ import annotations

import queue

from openai_codex import ProcessInfo


class Pipe:
    """The process of an actor, without a process: what a test feeds is its output."""

    name = "fuzz"

    def __init__(self) -> None:
        self._output: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self.written: list[bytes] = []
        """What was written, in order: whole lines, or the pieces for which there was room."""
        self.is_input_closed = False

    def feed(self, chunk: bytes) -> None:
        """Let the reader have these bytes at once; none are the end."""
        self._output.put(chunk)

    def short(self) -> int:
        return 4096

    def read(self, patience: float) -> bytes | None:
        try:
            chunk = self._output.get(timeout=patience)
        except queue.Empty:
            return None
        if chunk == b"":
            self._output.put(chunk)  # an end stays one, however often it is looked at
        return chunk

    def has_exited(self) -> bool:
        return False

    def try_write(self, data: bytes | memoryview) -> int:
        self.written.append(bytes(data))
        return len(data)

    def write_short(self, data: bytes) -> int | None:
        self.written.append(data)
        return len(data)

    def end(self, _: float) -> int:
        return 0

    def process_info(self) -> ProcessInfo:
        return ProcessInfo(("fuzz",), None, 0)

    def rss(self) -> None:
        return None

    def wait_writable(self, _: float) -> bool:
        return True

    def close_input(self) -> None:
        self.is_input_closed = True

    def _nothing(self) -> None:
        """There is no process that it could be done to."""

    terminate = kill = release = after_fork = _nothing
