"""What a child process writes to stderr: its last lines, for errors; and each of them, for a log that debugs."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

from openai_codex._engine.once import Once
from openai_codex._log import Log
from openai_codex._runtime.display import hide

if TYPE_CHECKING:
    from openai_codex._engine.transport.output import OutputPipe

STDERR_BYTES = 1 << 16
STDERR_LINES = 50
STDERR_LINE_LENGTH = 2_000

# The lines may be many, and the runtime waits for whoever handles them: so they are for debugging alone.
_log = Log("runtime")

_ANSI = re.compile(r"\x1b\[[0-9;]*m")


class Stderr:
    """What the child writes to stderr: its last bytes are kept. Changed by the thread that drains it only.

    Its lines are log events, too, on a logger of their own.
    """

    def __init__(self, pipe: OutputPipe, pid: int) -> None:
        self.pipe: OutputPipe = pipe
        self._pid = pid
        self.tail: bytes = b""
        self._line = b""
        self.right: Once = Once()
        """Taken by who reads the pipe, or closes it without reading."""

    def lines(self) -> tuple[str, ...]:
        """Return the last lines without secrets, each of them cut off."""
        tail = self.tail
        if len(tail) == STDERR_BYTES:  # its beginning may be the rest of a secret, which nothing masks
            tail = tail.partition(b"\n")[2] or tail.partition(b" ")[2]
        # Secrets are removed first: one may be cut here, or have several lines.
        shown = _shown(tail).splitlines()[-STDERR_LINES:]
        return tuple(line[:STDERR_LINE_LENGTH].rstrip() for line in shown)

    def drain(self) -> None:
        """Read until the end. The target of that thread."""
        if not self.right.take():
            return
        # Whatever fails: a child whose stderr is not read stops at a full pipe.
        with suppress(OSError):
            while self._take():
                pass
        self.pipe.close()

    def _take(self) -> bool:
        try:
            chunk = self.pipe.read(None)
            self.tail = (self.tail + (chunk or b""))[-STDERR_BYTES:]
            if _log.is_debugging:
                self._log_lines(chunk or b"")
        except MemoryError:
            return True
        return bool(chunk)

    def _log_lines(self, chunk: bytes) -> None:
        *lines, rest = (self._line + chunk).split(b"\n")
        self._line = rest[:STDERR_BYTES]  # of a longer line, what follows is not shown
        if not chunk:
            lines.append(rest)
        for line in lines:
            text = _shown(line)[:STDERR_LINE_LENGTH].strip()
            if text:
                _log.debug("codex.runtime_stderr", pid=self._pid, text=text)


def _shown(data: bytes) -> str:
    """Return what was written as text without colours and secrets. Called before it is cut: a half of one is not found."""
    return hide(_ANSI.sub("", data.decode(errors="replace")))
