"""The client that workers share, the faults injected into it, and which errors these faults explain.

`SharedClient` opens one client after another; `TrackedClient` is one of them, `ThreadRecord` one of its threads.
"""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

import attrs

from openai_codex import LaunchError, ThreadLostError, TransportClosedError
from tools.soak.handlers import decider

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from openai_codex import AppServerConfig, AsyncCodex
    from openai_codex._async.thread import AsyncThread
    from tools.soak.faces import Face


class TrackedClient:
    """One client. Its runtime is killed, and it is closed, only within `fault`; one fault at a time.

    Attributes:
        kills: The number of its runtimes that were killed.
        closing: Whether its close was started.
        closed: Set when it is closed.
        own_mailboxes: The number of subscriptions of the client itself.
    """

    def __init__(self, client: AsyncCodex) -> None:
        self.client = client
        self.kills = 0
        self.closing = False
        self.closed = threading.Event()
        self.own_mailboxes = client.health().mailboxes
        self._faults = 0
        self._fault = threading.Lock()

    @contextlib.contextmanager
    def fault(self) -> Generator[bool]:
        """Inject a fault in this block; yields ``False`` if another worker is doing so."""
        acquired = self._fault.acquire(blocking=False)
        try:
            yield acquired
        finally:
            if acquired:
                self._faults += 1
                self._fault.release()

    async def close(self) -> None:
        """Close the client; within `fault`."""
        self.closing = True
        await self.client.close()
        self.closed.set()

    def faults(self) -> int:
        """Return the number of faults so far, for `had_fault`."""
        return self._faults

    def had_fault(self, since: int) -> bool:
        """Return whether there was a fault after `since`, or is one now."""
        return self._fault.locked() or self._faults != since


class SharedClient:
    """The current client of all workers of one face.

    Attributes:
        clients: The number of clients so far.
    """

    def __init__(self, face: Face, config: AppServerConfig) -> None:
        self.face = face
        self.clients = 0
        self._current: TrackedClient | None = None
        self._earlier_kills = 0
        self._config = config

    @property
    def current(self) -> TrackedClient:
        """The current client; there is one after the first `open_next`."""
        assert self._current is not None, "no client was opened yet"
        return self._current

    @property
    def is_open(self) -> bool:
        """Whether there is a client."""
        return self._current is not None

    @property
    def kills(self) -> int:
        """The number of runtimes that were killed, of all clients."""
        return self._earlier_kills + (self._current.kills if self._current else 0)

    async def connect(self) -> AsyncCodex:
        """Start another client with the same configuration; the caller closes it."""
        return await self.face.connect(self._config, decider(self.face))

    async def open_next(self) -> None:
        """Start a client and make it the current one."""
        tracked = TrackedClient(await self.connect())
        self._earlier_kills = self.kills
        # No reference to the previous client is kept: it has to be collected like that of a program.
        self._current = tracked
        self.clients += 1


@attrs.define(eq=False)
class ThreadRecord:
    """A thread and its history.

    Attributes:
        handle: The handle of the thread.
        owner: The client that opened it.
        ephemeral: Whether it is not stored.
        begun: The number of turns that were started.
        completed: The number of turns that were completed.
    """

    handle: AsyncThread
    owner: TrackedClient
    ephemeral: bool
    begun: int = 0
    completed: int = 0

    @property
    def is_stored(self) -> bool:
        """Whether it outlives its runtime."""
        return not self.ephemeral and self.completed > 0


def is_explained(error: Exception, client: TrackedClient, since: int, threads: Mapping[str, ThreadRecord]) -> bool:
    """Return whether injected faults explain an error that the operation itself has not provoked.

    They explain `TransportClosedError` after a fault of the client, `ThreadLostError` after a kill of the runtime of a
    thread that is not stored, and `LaunchError` while the client is closed during the start of its next runtime.
    """
    if isinstance(error, ThreadLostError):
        record = threads.get(error.thread_id)
        return record is not None and not record.is_stored and record.owner.kills > 0
    if isinstance(error, TransportClosedError):
        return client.had_fault(since)
    return isinstance(error, LaunchError) and client.closing
