"""One of many that use a client: it chooses operations by its own dice, and has what they are made of."""

from __future__ import annotations

import time
import traceback
from collections import deque
from typing import TYPE_CHECKING, Any

import attrs

from openai_codex.types import TurnStatus
from tools.soak.asked import TOOLS
from tools.soak.ledger import Entry
from tools.soak.verdict import Held, expect, expect_text, is_legitimate
from tools.soak.wishes import Wish

if TYPE_CHECKING:
    import random
    import threading
    from collections.abc import Callable, Coroutine, Sequence

    from openai_codex import AsyncCodex, RunResult
    from openai_codex._async.events import AsyncEvents
    from openai_codex._async.thread import AsyncThread
    from tools.soak.faces import Face
    from tools.soak.ledger import Ledger
    from tools.soak.lives import Life
    from tools.soak.room import Room

PATIENCE = 40.0
"""How long a turn, or whatever usually takes moments, may take on a machine that has more to do, in seconds."""

DEADLINE = 3 * PATIENCE + 30.0
"""How long an operation may take, in seconds: it waits up to three times as long as its patience is."""

# How often to look for something that nobody announces, in seconds.
_POLL = 0.01

# How many threads that outlive an operation a worker keeps, and how many turns they take before they are left.
_MOST_KEPT, _MOST_TURNS = 2, 8


@attrs.frozen
class Operation:
    """One thing to do."""

    name: str
    weight: int
    """How often it is done, in relation to the others."""
    do: Callable[[Worker], Coroutine[Any, Any, str]]
    """Returns what came of it, in a word or two."""
    faces: tuple[str, ...] = ("async", "sync")


@attrs.frozen
class Heritage:
    """A stored thread that another client had."""

    id: str
    gone: threading.Event
    """Whether that client has given it up: it is closed."""
    completed: int


class Worker:
    """Does one operation after another until it is told to stop."""

    def __init__(self, name: str, room: Room, dice: random.Random, ledger: Ledger) -> None:
        self.name = name
        self.room = room
        self.dice = dice
        self.unread: list[AsyncEvents] = []
        """Subscriptions that nobody reads."""
        self.kept: list[Held] = []
        """Threads that outlive an operation."""
        self.heritage: deque[Heritage] = deque(maxlen=_MOST_KEPT)
        """Threads that have outlived their client."""
        self._threads: dict[str, Held] = {}
        self._ledger = ledger
        self._wishes = 0

    @property
    def face(self) -> Face:
        """The face that its client has."""
        return self.room.face

    @property
    def life(self) -> Life:
        """The client of the day, and what was done to it."""
        return self.room.life

    @property
    def client(self) -> AsyncCodex:
        """The client of the day."""
        return self.room.life.client

    async def work(self, operations: Sequence[Operation], stopped: Callable[[], bool]) -> None:
        """Do operations of this face at random until ``stopped``."""
        mine = [each for each in operations if self.face.name in each.faces]
        weights = [each.weight for each in mine]
        while not stopped():
            await self._do(self.dice.choices(mine, weights)[0])
        for events in self.unread:
            await events.close()

    async def _do(self, operation: Operation) -> None:
        life = self.life
        mark = life.mark()
        entry = Entry(f"{self.face.name}: {operation.name}", self.name, DEADLINE, self.face.here())
        self._ledger.begin(entry)
        outcome = "VIOLATION"
        try:
            outcome = await operation.do(self)
        except Exception as error:  # noqa: BLE001  whatever it is, it is judged
            if is_legitimate(error, life, mark, self._threads):
                outcome = type(error).__name__
            else:
                self._ledger.violation(f"{entry.name}, {self.name}, after {entry.age:.2f} s: {_told(error)}")
        finally:
            self._ledger.end(entry, outcome)
            self._tidy()

    # -- what operations are made of ---------------------------------------------------------------------------------

    def wish(self, kind: str = "say", *, pieces: int | None = None, pace: float = 0.0) -> Wish:
        """Make a wish of this kind, with a tag that no other has."""
        self._wishes += 1
        return Wish(kind, f"{self.name}-{self._wishes}", pieces or self.dice.choice([1, 5, 20, 80]), pace)

    async def pause(self, most: float) -> None:
        """Wait for a moment of random length, at most so many seconds."""
        await self.face.sleep(self.dice.uniform(0, most))

    async def until(self, done: Callable[[], object], what: str) -> None:
        """Wait for what nobody announces."""
        give_up = time.monotonic() + PATIENCE
        while not done():
            expect(time.monotonic() < give_up, f"{what}: not within {PATIENCE:g} s")
            await self.face.sleep(_POLL)

    async def run(self, held: Held, wish: Wish) -> RunResult[Any]:
        """Run a turn to its end."""
        held.begun += 1
        result = await held.handle.run(wish.prompt(), timeout=PATIENCE)
        held.completed += result.status == TurnStatus.completed
        return result

    async def check(self, held: Held) -> None:
        """Run one more turn on a thread, which must be as usable as ever, and be done with it."""
        wish = self.wish()
        expect_text(await self.run(held, wish), wish)
        await self.done(held)

    # -- threads -----------------------------------------------------------------------------------------------------

    async def thread(self, *, stored: bool | None = None) -> Held:
        """Return a thread: a new one that is not stored, or one of those that are kept."""
        if stored is None:
            stored = self.dice.random() < 1 / 2
        if not stored:
            return await self.start(ephemeral=True)
        if len(self.kept) < _MOST_KEPT:
            held = await self.start(ephemeral=False)
            self.kept.append(held)
            return held
        held = self.dice.choice(self.kept)
        if held.begun < _MOST_TURNS:
            return held
        self.kept.remove(held)
        await self.done(held)
        return await self.thread(stored=True)

    async def start(self, **settings: Any) -> Held:
        """Start a thread."""
        life = self.life
        settings = {"approval_policy": "on-request", "tools": TOOLS, **settings}
        return self.hold(await life.client.thread_start(**settings), life, ephemeral=settings["ephemeral"])

    def hold(self, handle: AsyncThread, life: Life, *, ephemeral: bool, completed: int = 0) -> Held:
        """Remember what a thread is, for when it is lost."""
        held = self._threads[handle.id] = Held(handle, life, ephemeral, completed=completed)
        return held

    async def done(self, held: Held) -> None:
        """Unsubscribe from a thread, unless it is kept."""
        if held not in self.kept:
            await held.life.client.thread_unsubscribe(held.handle.id)

    def _tidy(self) -> None:
        """Forget the threads that are not kept, and of those whose client is closed all but the id."""
        left = [held for held in self.kept if held.life.closing]
        self.heritage += [Heritage(held.handle.id, held.life.gone, held.completed) for held in left if held.is_stored]
        self.kept = [held for held in self.kept if held not in left]
        self._threads = {held.handle.id: held for held in self.kept}


def _told(error: Exception) -> str:
    return "".join(traceback.format_exception(type(error), error, error.__traceback__))
