"""The newest bytes from and to one runtime, for the report of an error. It knows neither frames nor what a report is."""

from __future__ import annotations

import time
import weakref
from collections import deque
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from openai_codex._journal.recorder import Record
    from openai_codex.errors import ProcessInfo

# How much is kept: bytes that were read, reads (up to twice as many before the oldest are dropped), lines that were sent, and
# bytes of each of these. With four times as many bytes a stream is 5 % slower: they do not stay in the processor's cache.
_BYTES, _READS, _SENT, _LINE = 1 << 16, 256, 32, 1 << 13

# How many records of runtimes that are gone are kept, for errors that outlive their client.
_RUNTIMES = 4


class Recent:
    """The newest bytes from and to one runtime, as they came: they are cut, parsed and redacted only for a report."""

    known: ClassVar[set[weakref.ref[Recent]]] = set()
    """All that exist, for errors that do not say to which of them they belong."""
    _newest: ClassVar[deque[Recent]] = deque(maxlen=_RUNTIMES)
    _of_errors: ClassVar[weakref.WeakKeyDictionary[BaseException, Recent]] = weakref.WeakKeyDictionary()

    def __init__(self, generation: int, pid: int | None, record: Record | None = None) -> None:
        self.generation = generation
        self.pid = pid
        self.record = record
        self.version: str | None = None
        """The version of the runtime, once it has said it."""
        self.settings: object = None
        """The settings of the client."""
        self.started_at: float = time.monotonic()
        self.has_ended: bool = False
        """Whether its output has ended."""
        self.process: ProcessInfo | None = None
        """What is known about its process; complete after its end."""
        self.received: deque[tuple[float, bytes]] = deque()
        self.sent: deque[tuple[float, bytes]] = deque(maxlen=_SENT)
        self.is_cut: bool = False
        """Whether something that was read is no longer kept."""
        self._size = 0
        self.known.add(weakref.ref(self, self.known.discard))
        self._newest.append(self)

    def keep(self, chunk: bytes) -> None:
        """Note what was read. Called by the reader only."""
        self.received.append((time.monotonic(), chunk))
        self._size += len(chunk)
        if self._size >= _BYTES or len(self.received) > 2 * _READS:
            self._drop()

    def _drop(self) -> None:
        # The oldest read goes when the others are enough: a large one would leave nothing before it.
        while self._size - len(self.received[0][1]) >= _BYTES or len(self.received) > _READS:
            self._size -= len(self.received.popleft()[1])
            self.is_cut = True

    def keep_sent(self, at: float, line: bytes) -> None:
        """Note a line that was written, and when that began."""
        self.sent.append((at, line[:_LINE]))
        if self.record is not None:
            self.record.sent(at, line)

    def note(self, event: str, **fields: Any) -> None:
        """Note an event in the journal, if there is one."""
        if self.record is not None:
            self.record.note(event, **fields)

    def note_end(self, reason: str, process: ProcessInfo) -> None:
        """Note why the connection ended, and the last lines on stderr."""
        self.process, self.has_ended = process, True
        self.note("connection_closed", reason=reason, stderr=process.stderr_tail)

    def attach(self, error: BaseException) -> None:
        """Note that an error is of this runtime. Not in the error itself, which can be pickled."""
        self._of_errors[error] = self

    @classmethod
    def of(cls, error: BaseException) -> Recent | None:
        """Return what an error was attached to."""
        try:
            return cls._of_errors.get(error)
        except TypeError:  # of a class of Python, which has no weak references: it is in the chain of one of ours
            return None
