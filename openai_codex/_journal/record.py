"""The thread that writes the journal of a client, and what the reader and all others leave to it.

They put references to lines and frames into a queue, and neither parse nor wait.
"""

from __future__ import annotations

import os
import time
import weakref
from typing import TYPE_CHECKING, Any

from openai_codex._engine import at_exit
from openai_codex._engine.threads import ThreadGroup
from openai_codex._engine.waiting import Deadline, Latch, block_until_ready
from openai_codex._engine.wire import Skipped
from openai_codex._journal.encode import Encoder
from openai_codex._journal.entries import EntryQueue, size_of
from openai_codex._journal.files import Files
from openai_codex._log import Log
from openai_codex.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from openai_codex._engine.wire import Frame
    from openai_codex._journal.settings import Journal

# How long lines are gathered before they are written together, in seconds: what a killed program may lose.
_GATHER = 0.01

# The most bytes of one write, unless one entry has more: a copy of more would not stay in the cache of the processor.
_WRITE = 1 << 16

# How long the exit of runtimes is awaited after the client was closed or collected, in seconds.
_EXITS = 5.0

# How many bytes of reads are looked at together: the more, the less each text of many costs.
_TOGETHER = 1 << 20

# The direction of a read that has a line which is not a frame.
UNREADABLE = "<?"

_log = Log("journal")


def open_journal(journal: Journal, owner: object) -> JournalWriter:
    """Begin the journal of a client; it ends when ``owner`` is collected. Raises `ConfigError` and `RuntimeError`."""
    writer = JournalWriter(journal)
    writer.open()
    weakref.finalize(owner, writer.end).atexit = False  # `at_exit` ends it then, and waits for it
    return writer


class RuntimeRecord:
    """What passes between this program and one runtime, on its way to the journal."""

    def __init__(self, queue: EntryQueue[Entry], client: str, generation: int, pid: int | None) -> None:
        self.pid = pid
        # The client, as those of two containers may share a file, whose runtimes have equal numbers.
        facts = generation, b"null" if pid is None else b"%d" % pid, client.encode()
        self.tail = b'"gen":%d,"pid":%s,"client":"%s","frame":' % facts
        self._queue = queue

    def received(self, size: int, lines: list[bytes], frames: list[Frame]) -> None:
        """Note lines of the runtime, and what each was decoded to."""
        if self._queue.is_full():
            self._queue.lose(len(lines))
        else:
            are_frames = Skipped not in set(map(type, frames))
            self._queue.put((time.monotonic(), self, "<" if are_frames else UNREADABLE, (size, lines)), size)

    def sent(self, at: float, line: bytes) -> None:
        """Note a line that was written."""
        self._queue.put_unless_full((at, self, ">", line), len(line))

    def note(self, event: str, **fields: Any) -> None:
        """Note what has happened to the runtime, or to its client."""
        self._queue.put_unless_full((time.monotonic(), self, "!", {"event": event, **fields}), size_of(fields))


Entry = tuple[float, RuntimeRecord, str, Any]
"""When, of which runtime, in which direction, and what: the size and the lines of a read, a line that was sent, or the fields of
an event."""


class JournalWriter:
    """Writes the journal of one client, on a thread of its own. What it cannot write is counted and logged.

    It ends when the client is closed or collected and its runtimes have exited.
    """

    def __init__(self, journal: Journal) -> None:
        self.client = os.urandom(4).hex()
        self._encoder = Encoder(journal, self.client)
        self._files = Files(journal, self.client, self._encoder.header)
        self._queue: EntryQueue[Entry] = EntryQueue()
        self._threads = ThreadGroup(self.client)
        self.exited = self._threads.ended
        """Set when everything is written and the file is closed."""
        self._closing = Latch()
        self._until = Deadline(None)
        # How many lines are missing in the journal, without a word of it there.
        self._unwritten = 0
        self._is_failing = False
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
        return RuntimeRecord(self._queue, self.client, generation, pid)

    # -- from any thread ---------------------------------------------------------------------------------------------

    def note(self, event: str, **fields: Any) -> None:
        """Note what has happened to the client."""
        self._client.note(event, **fields)

    def end(self) -> None:
        """Write what there is, and end when the runtimes have exited, at most 5 s after the first call. Never blocks."""
        if not self._closing.is_ready():
            self._until = Deadline(_EXITS)
        self._closing.set()
        self._queue.wake()

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
                first = self._queue.wait(self._until.remaining() if self._closing.is_ready() else None)
                block_until_ready(self._closing, _GATHER)
                self._write(self._queue.take(first))
            self._queue.is_closed = True  # before the last look
            self._write(self._queue.take([]))
        finally:
            self._files.close()

    def _write(self, entries: list[Entry]) -> None:
        pieces: list[bytes] = []
        size = lines = 0
        # What wall time was when the monotonic clock was 0; anew each time, as the clock may be set.
        zero = time.time() - time.monotonic()
        for run in _runs(entries):
            for added, count in self._encoded(run, zero):
                pieces += added
                size, lines = size + sum(map(len, added)), lines + count
                if size > _WRITE:
                    self._append(pieces, lines)
                    pieces, size, lines = [], 0, 0
        self._append(pieces, lines)
        self._queue.forget()
        self._write_losses(zero)

    def _encoded(self, run: Sequence[Entry], zero: float) -> Iterator[tuple[list[bytes], int]]:
        """Yield what some entries add, and how many lines: reads of one runtime, or one entry of another kind."""
        _, record, direction, what = run[0]
        is_read = direction.startswith("<")
        counts = [len(each[3][1]) for each in run] if is_read else [1]
        written = 0
        try:
            beginnings = [
                b'{"t":%.6f,"at":%.6f,"dir":"%b",%b' % (at, at + zero, direction[:1].encode(), record.tail)
                for at, *_ in run
            ]
            if is_read:
                reads = [(beginning, each[3][1]) for beginning, each in zip(beginnings, run, strict=True)]
                added = self._encoder.received(reads, record.pid, are_frames=direction == "<")
                for data, count in zip(added, counts, strict=True):
                    written += count
                    yield [data], count
            else:
                yield self._encoder.add(beginnings[0], direction, what, record.pid), 1
        except Exception as error:  # noqa: BLE001  frames and events may hold anything; those that come later are written
            self._note_failure(sum(counts) - written, error)

    def _write_losses(self, zero: float) -> None:
        """Write that entries were lost, if some were since the last time."""
        new = self._queue.lost()
        if new > 0:
            _log.warning("codex.journal_dropped", path=str(self._files.path), count=new)
        self._unwritten += new
        if self._unwritten and (not self._is_failing or self._queue.is_closed):
            fields = {"event": "journal_dropped", "count": self._unwritten}
            pieces = [
                each
                for added, _ in self._encoded([(time.monotonic(), self._client, "!", fields)], zero)
                for each in added
            ]
            if self._append(pieces, 0):
                self._unwritten = 0

    def _append(self, pieces: list[bytes], lines: int) -> bool:
        """Write lines; what cannot be written is counted. Returns whether it was."""
        try:
            if pieces:
                self._files.write(b"".join(pieces))
        except Exception as error:  # noqa: BLE001  whatever fails, the thread goes on
            self._note_failure(lines, error)
            self._is_failing = True
            return False
        # With nothing to write, it is not known whether it would work again.
        self._is_failing = self._is_failing and not pieces
        return True

    def _note_failure(self, lines: int, error: Exception) -> None:
        self._unwritten += lines
        if not self._is_failing:
            reason = getattr(error, "strerror", None) or type(error).__name__
            _log.warning("codex.journal_failed", path=str(self._files.path), reason=reason)


def _runs(entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    """Yield entries: reads of one runtime that follow each other together, each other one by itself."""
    run: list[Entry] = []
    size = 0
    for entry in entries:
        if run and not (entry[2] == run[0][2] == "<" and entry[1] is run[0][1] and size < _TOGETHER):
            yield run
            run, size = [], 0
        run.append(entry)
        size += entry[3][0] if entry[2] == "<" else 0
    if run:
        yield run
