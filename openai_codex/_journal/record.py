"""The thread that writes the journal of a client, and what the reader and all others leave to it.

They put references to lines and frames into a queue, and neither parse nor wait.
"""

from __future__ import annotations

import os
import time
import weakref
from contextlib import suppress
from operator import itemgetter
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from openai_codex._engine import at_exit
from openai_codex._engine.threads import ThreadGroup
from openai_codex._engine.waiting import Deadline, Latch, block_until_ready
from openai_codex._journal.encode import Encoder, text_of
from openai_codex._journal.files import Files
from openai_codex._log import Log
from openai_codex.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_codex._engine.wire import Frame
    from openai_codex._journal.settings import Journal

# How long lines are gathered before they are written together, in seconds: what a killed program may lose.
_GATHER = 0.01

# How much may wait to be written: bytes of one runtime, and entries.
_MOST_BYTES, _MOST_ENTRIES = 1 << 26, 1 << 16

# The most bytes of one write, unless one entry has more: a copy of more would not stay in the cache of the processor.
_WRITE = 1 << 17

# How long the exit of runtimes is awaited after the client was closed or collected, in seconds.
_EXITS = 5.0

_log = Log("journal")


def open_journal(journal: Journal, owner: object) -> JournalWriter:
    """Begin the journal of a client; it ends when ``owner`` is collected. Raises `ConfigError` and `RuntimeError`."""
    writer = JournalWriter(journal)
    writer.open()
    weakref.finalize(owner, writer.end).atexit = False  # `at_exit` ends it then, and waits for it
    return writer


class RuntimeRecord:
    """What passes between this program and one runtime, on its way to the journal."""

    def __init__(self, writer: JournalWriter, generation: int, pid: int | None) -> None:
        self.writer = writer
        self.pid = pid
        self.tail = b'"gen":%d,"pid":%s,"frame":' % (generation, b"null" if pid is None else b"%d" % pid)
        # Changed by the reader only,
        self.bytes_in = self.dropped = 0
        # and by the thread of the journal.
        self.bytes_out = self.dropped_before = 0

    def received(self, size: int, lines: list[bytes], frames: list[Frame]) -> None:
        """Note lines of the runtime, and what each was decoded to."""
        if self.bytes_in - self.bytes_out > _MOST_BYTES or self.writer.is_full():
            self.dropped += len(lines)
            return
        self.bytes_in += size
        self.writer.put((time.monotonic(), self, "<", (size, lines, text_of(frames))))

    def sent(self, at: float, line: bytes) -> None:
        """Note a line that was written."""
        self.writer.put_unless_full((at, self, ">", line))

    def note(self, event: str, **fields: Any) -> None:
        """Note what has happened to the runtime, or to its client."""
        self.writer.put_unless_full((time.monotonic(), self, "!", {"event": event, **fields}))


Entry = tuple[float, RuntimeRecord, str, Any]


class JournalWriter:
    """Writes the journal of one client, on a thread of its own. What it cannot write is counted and logged.

    It ends when the client is closed or collected and its runtimes have exited.
    """

    def __init__(self, journal: Journal) -> None:
        self.client = os.urandom(4).hex()
        self._encoder = Encoder(journal, self.client)
        self._files = Files(journal, self.client, self._encoder.header)
        self._queue: SimpleQueue[Entry | None] = SimpleQueue()
        self._threads = ThreadGroup(self.client)
        self.exited = self._threads.ended
        """Set when everything is written and the file is closed."""
        self._closing = Latch()
        self._until = Deadline(None)
        # One for each entry that was lost, added from any thread in one step.
        self._lost: list[None] = []
        self._unwritten = 0
        self._is_failing = False
        self._records: list[RuntimeRecord] = []
        self._client = self.track(0, None)

    def open(self) -> None:
        """Open the file and start the thread. Raises `ConfigError`, and `RuntimeError` where the system starts no thread."""
        try:
            self._files.open()
        except OSError as error:
            raise ConfigError("journal", f"{self._files.path} cannot be written: {error.strerror}") from error
        try:
            self._threads.start("journal", self._run)
        except BaseException:
            self._files.close()
            raise
        at_exit.watch(self)

    def track(self, generation: int, pid: int | None) -> RuntimeRecord:
        """Start the record of a runtime."""
        record = RuntimeRecord(self, generation, pid)
        self._records = [*self._records[-1:], record]  # of earlier ones nothing comes any more
        return record

    # -- from any thread ---------------------------------------------------------------------------------------------

    def is_full(self) -> bool:
        """Return whether no more entries are accepted."""
        return self._queue.qsize() > _MOST_ENTRIES or self.exited.is_ready()

    def put(self, entry: Entry) -> None:
        """Leave an entry to the thread."""
        self._queue.put(entry)

    def put_unless_full(self, entry: Entry) -> None:
        """Leave an entry to the thread, or count it as lost."""
        if not self.is_full():
            self._queue.put(entry)
        elif not self.exited.is_ready():
            self._lost.append(None)

    def note(self, event: str, **fields: Any) -> None:
        """Note what has happened to the client."""
        self._client.note(event, **fields)

    def end(self) -> None:
        """Write what there is, and end when the runtimes have exited. Never blocks; idempotent."""
        self._until = Deadline(_EXITS)
        self._closing.set()
        self._queue.put(None)

    def join(self) -> None:
        """After `exited`: return when the thread is no longer listed."""
        self._threads.join()

    # -- at the end of the program, and in a fork --------------------------------------------------------------------

    def stop(self, timeout: float) -> Iterator[float]:
        """End, and let the caller wait for `exited`."""
        self.end()
        yield timeout

    def after_fork(self) -> None:
        """Give the journal up in a forked child: the parent writes it."""
        self._files.after_fork()
        self._threads.after_fork()

    # -- the thread --------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not (self._closing.is_ready() and (not self._encoder.running or self._until.passed())):
                self._attempt(self._gathered())
            self._attempt(self._gathered(wait=False))
        finally:
            self._files.close()

    def _attempt(self, entries: list[Entry]) -> None:
        """Write entries; whatever fails, those that come later are written."""
        try:
            self._write(entries)
        except Exception as error:  # noqa: BLE001  frames and events may hold anything
            self._unwritten += len(entries)
            _log.warning("codex.journal_failed", path=str(self._files.path), reason=type(error).__name__)

    def _gathered(self, *, wait: bool = True) -> list[Entry]:
        entries: list[Entry | None] = []
        with suppress(Empty):
            if wait:
                entries.append(self._queue.get(timeout=self._until.remaining() if self._closing.is_ready() else None))
                block_until_ready(self._closing, _GATHER)
            while True:
                entries.append(self._queue.get_nowait())
        found = [entry for entry in entries if entry is not None]
        found.sort(key=itemgetter(0))  # a line is noted after it was written, and its answer may be first
        return found

    def _write(self, entries: list[Entry]) -> None:
        pieces: list[bytes] = []
        size = lines = 0
        # What wall time was when the monotonic clock was 0; anew each time, as the clock may be set.
        zero = time.time() - time.monotonic()
        losses = self._losses()
        for at, record, direction, what in [*entries, *losses]:
            count_before = len(pieces)
            beginning = b'{"t":%.6f,"at":%.6f,"dir":"%s",%s' % (at, at + zero, direction.encode(), record.tail)
            lines += self._encoder.add(pieces, beginning, direction, what, record.pid)
            record.bytes_out += what[0] if direction == "<" else 0
            size += sum(map(len, pieces[count_before:]))
            if size > _WRITE:
                self._append(b"".join(pieces), lines)
                pieces, size, lines = [], 0, 0
        if pieces and self._append(b"".join(pieces), lines - len(losses)) and losses:
            self._unwritten = 0

    def _losses(self) -> list[Entry]:
        """Return the event that entries were lost, if some were since the last time."""
        new = len(self._lost)
        del self._lost[:new]
        for record in self._records:
            dropped, record.dropped_before = record.dropped - record.dropped_before, record.dropped
            new += dropped
        if new > 0:
            _log.warning("codex.journal_dropped", path=str(self._files.path), count=new)
        self._unwritten += new
        if not self._unwritten:
            return []
        return [(time.monotonic(), self._client, "!", {"event": "journal_dropped", "count": self._unwritten})]

    def _append(self, data: bytes, lines: int) -> bool:
        try:
            self._files.write(data)
        except OSError as error:
            self._unwritten += lines
            if not self._is_failing:
                _log.warning("codex.journal_failed", path=str(self._files.path), reason=error.strerror or str(error))
            self._is_failing = True
            return False
        self._is_failing = False
        return True
