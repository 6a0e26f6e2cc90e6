"""One worker: it selects operations with its own random generator, and has the building blocks of operations."""

from __future__ import annotations

import time
import traceback
from collections import deque
from typing import TYPE_CHECKING, Any

import attrs

from openai_codex.types import TurnStatus
from tools.soak.handlers import TOOLS
from tools.soak.journal import Entry
from tools.soak.prompts import Prompt, expect, expect_result
from tools.soak.shared_client import ThreadRecord, is_explained

if TYPE_CHECKING:
    import random
    import threading
    from collections.abc import Callable, Coroutine, Sequence

    from openai_codex import AsyncCodex, RunResult
    from openai_codex._async.events import AsyncEvents
    from openai_codex._async.thread import AsyncThread
    from tools.soak.faces import Face
    from tools.soak.journal import Journal
    from tools.soak.shared_client import SharedClient, TrackedClient

TIMEOUT = 40.0
"""How long a turn, or anything else that usually takes moments, may take on a busy machine, in seconds."""

DEADLINE = 3 * TIMEOUT + 30.0
"""How long an operation may take, in seconds: it waits up to three times."""

# How often a condition without a notification is checked, in seconds.
_POLL = 0.01

# How many stored threads a worker keeps, and how many turns run on each before it is replaced.
_MOST_KEPT, _MOST_TURNS = 2, 8


@attrs.frozen
class Operation:
    """One kind of operation.

    Attributes:
        name: Its name in the report.
        weight: How often it is selected, relative to the others.
        do: Runs it; returns the outcome in a word or two.
        faces: The faces that have it.
    """

    name: str
    weight: int
    do: Callable[[Worker], Coroutine[Any, Any, str]]
    faces: tuple[str, ...] = ("async", "sync")


@attrs.frozen
class ClosedClientThread:
    """A stored thread of a closed client.

    Attributes:
        id: The id of the thread.
        closed: Set when that client is closed, so that another one may resume the thread.
        completed: The number of completed turns.
    """

    id: str
    closed: threading.Event
    completed: int


class Worker:
    """Runs one operation after another until it is stopped.

    Attributes:
        unread: Subscriptions that are not read.
        kept: Threads that outlive an operation.
        resumable: Threads of closed clients.
    """

    def __init__(self, name: str, shared: SharedClient, chance: random.Random, journal: Journal) -> None:
        self.name = name
        self.shared = shared
        self.random = chance
        self.unread: list[AsyncEvents] = []
        self.kept: list[ThreadRecord] = []
        self.resumable: deque[ClosedClientThread] = deque(maxlen=_MOST_KEPT)
        self._threads: dict[str, ThreadRecord] = {}
        self._journal = journal
        self._prompts = 0

    @property
    def face(self) -> Face:
        """The face of its client."""
        return self.shared.face

    @property
    def tracked(self) -> TrackedClient:
        """The current client and its faults."""
        return self.shared.current

    @property
    def client(self) -> AsyncCodex:
        """The current client."""
        return self.shared.current.client

    async def work(self, operations: Sequence[Operation], stopped: Callable[[], bool]) -> None:
        """Run random operations of this face until ``stopped``."""
        mine = [each for each in operations if self.face.name in each.faces]
        weights = [each.weight for each in mine]
        while not stopped():
            await self._do(self.random.choices(mine, weights)[0])
        for events in self.unread:
            await events.close()

    async def _do(self, operation: Operation) -> None:
        client = self.tracked
        faults = client.faults()
        entry = Entry(f"{self.face.name}: {operation.name}", self.name, DEADLINE, self.face.here())
        self._journal.begin(entry)
        outcome = "VIOLATION"
        try:
            outcome = await operation.do(self)
        except Exception as error:  # noqa: BLE001  every error is checked
            if is_explained(error, client, faults, self._threads):
                outcome = type(error).__name__
            else:
                self._journal.violation(f"{entry.name}, {self.name}, after {entry.age:.2f} s: {_formatted(error)}")
        finally:
            self._journal.end(entry, outcome)
            self._forget_threads()

    # --- building blocks of operations

    def prompt(self, kind: str = "say", *, count: int | None = None, delta_delay: float = 0.0) -> Prompt:
        """Return a prompt of this kind, with a unique tag."""
        self._prompts += 1
        return Prompt(kind, f"{self.name}-{self._prompts}", count or self.random.choice([1, 5, 20, 80]), delta_delay)

    async def pause(self, most: float) -> None:
        """Pause for a random time of at most so many seconds."""
        await self.face.sleep(self.random.uniform(0, most))

    async def until(self, done: Callable[[], object], what: str) -> None:
        """Wait for a condition that has no notification."""
        deadline = time.monotonic() + TIMEOUT
        while not done():
            expect(time.monotonic() < deadline, f"expected {what} within {TIMEOUT:g} s")
            await self.face.sleep(_POLL)

    async def run(self, thread: ThreadRecord, prompt: Prompt) -> RunResult[Any]:
        """Run a turn to its end."""
        thread.begun += 1
        result = await thread.handle.run(prompt.input, timeout=TIMEOUT)
        thread.completed += result.status == TurnStatus.completed
        return result

    async def check(self, thread: ThreadRecord) -> None:
        """Run one more turn to check that the thread is still usable, and release the thread."""
        prompt = self.prompt()
        expect_result(await self.run(thread, prompt), prompt)
        await self.release(thread)

    # --- threads

    async def thread(self, *, stored: bool | None = None) -> ThreadRecord:
        """Return a thread: a new ephemeral one, or one of the stored threads that are kept."""
        if stored is None:
            stored = self.random.random() < 1 / 2
        if not stored:
            return await self.start(ephemeral=True)
        if len(self.kept) < _MOST_KEPT:
            thread = await self.start(ephemeral=False)
            self.kept.append(thread)
            return thread
        thread = self.random.choice(self.kept)
        if thread.begun < _MOST_TURNS:
            return thread
        self.kept.remove(thread)
        await self.release(thread)
        return await self.thread(stored=True)

    async def stored_thread(self) -> ThreadRecord:
        """Return a thread with at least one completed turn, which outlives its runtime."""
        thread = await self.thread(stored=True)
        if not thread.is_stored:
            await self.check(thread)
        return thread

    async def start(self, **settings: Any) -> ThreadRecord:
        """Start a thread."""
        owner = self.tracked
        settings = {"approval_policy": "on-request", "tools": TOOLS, **settings}
        return self.record(await owner.client.thread_start(**settings), owner, ephemeral=settings["ephemeral"])

    def record(self, handle: AsyncThread, owner: TrackedClient, *, ephemeral: bool, completed: int = 0) -> ThreadRecord:
        """Record a thread, to check later whether its loss is explained."""
        thread = self._threads[handle.id] = ThreadRecord(handle, owner, ephemeral, completed=completed)
        return thread

    async def release(self, thread: ThreadRecord) -> None:
        """Close a thread, unless it is kept."""
        if thread not in self.kept:
            await thread.handle.close()

    def _forget_threads(self) -> None:
        """Drop the threads that are not kept, and those of closed clients except for the ids of stored ones."""
        closed = [thread for thread in self.kept if thread.owner.closing]
        self.resumable += [
            ClosedClientThread(thread.handle.id, thread.owner.closed, thread.completed)
            for thread in closed
            if thread.is_stored
        ]
        self.kept = [thread for thread in self.kept if thread not in closed]
        self._threads = {thread.handle.id: thread for thread in self.kept}


def _formatted(error: Exception) -> str:
    return "".join(traceback.format_exception(type(error), error, error.__traceback__))
