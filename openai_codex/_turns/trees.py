"""Which turns of sub-agents run under which turn of the program. It knows no connection.

The turn that the program has started is the root of a tree: each turn of a sub-agent, at any depth, is announced with
the id of its root, and nothing else of such a turn names it.
"""

from __future__ import annotations

import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from openai_codex._engine.backlog import keep_newest
from openai_codex._engine.mailbox import Listener
from openai_codex._turns.live import GivenUp, Live, Place, Until

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_codex._engine.reply import CloseReason
    from openai_codex._engine.waiting import Waitable, Waiter
    from openai_codex._notification import Notification

_STARTED, _COMPLETED = "turn/started", "turn/completed"
UNLOADED = frozenset({"thread/archived", "thread/closed", "thread/deleted"})
_STATUS = "thread/status/changed"  # it comes also of threads without a subscription

# Of how many root turns to remember the thread when they have ended: a sub-agent may start after its root has ended. And
# how many threads that were unloaded: the item of their spawn may come after that.
_ENDED_KEPT, _UNLOADED_KEPT = 256, 256

# How many loaded sub-agents and turns under way are counted at most. A runtime that loads so many is out of memory before.
_MOST = 65_536

# How long to remember at least that a tree was given up, in seconds: a sub-agent may start after the end of all others.
_GIVEN_UP_FOR, _GIVEN_UP_KEPT = 60.0, 4_096


class Trees(Listener):
    """The turns under way of one client, by their root. The reader alone changes the turns; any thread may look.

    A root goes when its turn ends, a sub-agent's turn when that ends. A sub-agent that was spawned counts as a turn at
    once: it will begin, whatever becomes of its root. Each change is one step of a container.
    """

    def __init__(self, is_reviewed: Callable[[str], bool] = lambda _: True) -> None:
        """Create it; ``is_reviewed`` returns whether the program has a thread reviewed, by a turn that has not ended."""
        super().__init__("the turns of sub-agents", frozenset({_STARTED, _COMPLETED}) | UNLOADED | {_STATUS})
        self._is_reviewed = is_reviewed
        self._roots: dict[Place, str] = {}
        # The thread of each root turn that is under way, and of those that ended last.
        self._threads: dict[str, str] = {}
        self._ended: dict[str, str] = {}
        self._live: dict[str, dict[Place, Live]] = {}
        self._loaded: dict[str, bool] = {}
        self._unloaded: dict[str, bool] = {}
        # Those that work as sub-agents, although the program has ended the subscription to their events.
        self._unseen: dict[str, bool] = {}
        self._given_up: dict[str, GivenUp] = {}
        self._stopped: dict[Place, bool] = {}
        self._callbacks: dict[object, tuple[str, Callable[[], object]]] = {}

    def live(self, root_turn_id: str) -> tuple[Live, ...]:
        """Return the turns of sub-agents that are under way under a root, oldest first; the root itself is not among them."""
        return tuple(self._live.get(root_turn_id, {}).copy().values())

    def is_at_work(self, thread_id: str) -> bool:
        """Return whether a turn of a thread is under way."""
        return any(place[0] == thread_id for place in self._roots.copy())

    def of_thread(self, thread_id: str) -> list[Live]:
        """Return the turns of a thread that are under way, and those of sub-agents that work for turns of it, ended or not.

        Its own turns may be those of a sub-agent, too, which works for a turn of another thread.
        """
        own = [(turn_id, root) for (each, turn_id), root in self._roots.copy().items() if each == thread_id]
        turns = [Live(thread_id, *each, thread_id, 0.0) for each in own if self._threads.get(each[1]) == thread_id]
        below = (live for lives in self._live.copy().values() for live in lives.values())
        return turns + [live for live in below if thread_id in {live.thread_id, live.root_thread_id}]

    def root_of(self, thread_id: str, turn_id: str) -> str | None:
        """Return the root of a turn that is under way: of a root turn its own id. ``None`` for any other turn."""
        root = self._roots.get((thread_id, turn_id))
        return turn_id if root is None and self._threads.get(turn_id) == thread_id else root

    def is_quiet(self, root_turn_id: str) -> bool:
        """Return whether neither a root turn nor a turn under it is under way."""
        return root_turn_id not in self._threads and root_turn_id not in self._live

    def quiet(self, root_turn_id: str) -> Waitable:
        """Return what becomes ready when `is_quiet` is true; for one wait."""
        return Until(partial(self.is_quiet, root_turn_id), partial(self.on_change, root_turn_id))

    def end_of(self, live: Live) -> Waitable:
        """Return what becomes ready when a turn of a sub-agent is over; for one wait."""
        place = (live.thread_id, live.turn_id)
        return Until(lambda: place not in self._roots, partial(self.on_change, live.root_turn_id))

    def on_change(self, root_turn_id: str, callback: Callable[[], object]) -> Callable[[], object]:
        """Have a function called after each start and end of a turn under a root, and of the root, on the reader.

        It must be quick, and write and log nothing. Returns the function that ends that; it must be called.
        """
        key = object()
        self._callbacks[key] = (root_turn_id, callback)
        return partial(self._callbacks.pop, key, None)

    def give_up(self, root_turn_id: str, stop: Callable[[Live], object]) -> None:
        """Have a function called for each turn under a root: for those under way, and on the reader for later ones.

        It may be called twice for one turn, and must be quick, and write and log nothing.
        """
        now = self._prune()
        entry = GivenUp(stop, now + _GIVEN_UP_FOR, self._thread_of(root_turn_id))
        # First: the reader adds a turn, and then looks whether it is to be stopped.
        keep_newest(self._given_up, root_turn_id, entry, _GIVEN_UP_KEPT)
        for live in self.live(root_turn_id):
            self._stop(live)

    def _prune(self) -> float:
        """Forget the trees that were given up long ago and are quiet; return the time."""
        now = time.monotonic()
        for root, given_up in self._given_up.copy().items():
            if given_up.until > now:
                break
            if self.is_quiet(root):
                self._given_up.pop(root, None)
        return now

    def is_given_up(self, thread_id: str | None) -> bool:
        """Return whether a thread is one of a sub-agent whose turn is to be stopped.

        By thread and not by turn, because a request may name no turn or one within the turn; a thread has only one turn
        at a time.
        """
        if not self._given_up:
            return False
        lives = [lives for root, lives in self._live.copy().items() if root in self._given_up]
        return any(live.thread_id == thread_id for each in lives for live in each.values())

    def loaded(self) -> int:
        """Count the sub-agents that the runtime has loaded, those that have ended included."""
        return len(self._loaded)

    def is_unloaded(self, thread_id: str) -> bool:
        """Return whether a thread was unloaded, a short while ago."""
        return thread_id in self._unloaded

    def forget(self, thread_id: str) -> None:
        """Note that no end will come of the turns that the program has started in a thread. On any thread."""
        for place, root in self._roots.copy().items():
            # Not those of a sub-agent: the reader alone changes them.
            if place[0] == thread_id and self._threads.get(root) == thread_id:
                self._end(*place)
                self._tell(root)
        if self.is_at_work(thread_id):
            keep_newest(self._unseen, thread_id, True, _UNLOADED_KEPT)

    # -- on the reader thread ----------------------------------------------------------------------------------------

    def expect(self, thread_id: str, root_turn_id: str, root_thread_id: str | None) -> None:
        """Note that a sub-agent was spawned whose turn has not begun. It is expected under one root, the newest."""
        if any(each == thread_id and turn_id for each, turn_id in self._roots.copy()):
            return  # it has begun, under another root or without the name of one
        before = self._roots.get((thread_id, ""))
        if before is not None and before != root_turn_id:
            self._remove((thread_id, ""), before)
            self._tell(before)
        self._add(Live(thread_id, "", root_turn_id, root_thread_id, time.monotonic()))

    def on_event(self, event: Notification) -> None:
        """Note that a turn has begun or ended, or that a thread is loaded no longer."""
        # Read here and not by the routes of the protocol, as this happens for each turn. Other shapes raise, or fit nothing.
        thread_id = event.params["threadId"]
        if self.loses(event):
            self._lose(thread_id, is_unloaded=event.method in UNLOADED)
            return
        if event.method == _STATUS:
            return
        turn = event.params["turn"]
        turn_id, root = turn["id"], turn.get("rootTurnId")
        if event.method == _STARTED:
            root = self._start(thread_id, turn_id, root if isinstance(root, str) else None)
        else:
            root = self._end(thread_id, turn_id)
        if self._callbacks:
            self._tell(root)

    def loses(self, event: Notification) -> bool:
        """Return whether the turns of a thread end by an event, or are over by it and their ends will not come."""
        if event.method != _STATUS:
            return event.method in UNLOADED
        return event.params["threadId"] in self._unseen and event.params["status"]["type"] != "active"

    def fail(self, close_reason: CloseReason) -> list[Waiter]:
        """Forget everything: the runtime is gone."""
        ids = (self._roots, self._threads, self._ended, self._live, self._loaded, self._unloaded, self._unseen)
        for table in (*ids, self._given_up, self._stopped):
            table.clear()
        self._tell(None)
        return super().fail(close_reason)

    def _lose(self, thread_id: str, *, is_unloaded: bool) -> None:
        self._unseen.pop(thread_id, None)
        if is_unloaded:
            self._loaded.pop(thread_id, None)
            keep_newest(self._unloaded, thread_id, True, _UNLOADED_KEPT)
        for place, root in self._roots.copy().items():
            if place[0] == thread_id:
                self._end(*place)
                self._tell(root)

    def _start(self, thread_id: str, turn_id: str, root: str | None) -> str:
        """Return the root of the turn."""
        for table in (self._unloaded, self._unseen):
            table.pop(thread_id, None)
        expected = self._roots.get((thread_id, ""))
        root = root or expected or turn_id  # runtimes up to 0.160.1 do not name it
        self._place(thread_id, turn_id, root)
        if expected is not None:  # last: in between the tree must not look quiet
            self._remove((thread_id, ""), expected)
            if expected != root:
                self._tell(expected)
        return root

    def _place(self, thread_id: str, turn_id: str, root: str) -> None:
        of_root = self._thread_of(root)
        # A review is announced with another id than that of its root, under which it ends. So its root is not known, like
        # that of a sub-agent whose root has ended long ago.
        if root == turn_id or of_root == thread_id or (of_root is None and self._is_reviewed(thread_id)):
            keep_newest(self._roots, (thread_id, turn_id), root, _MOST)
            keep_newest(self._threads, root, thread_id, _MOST)
            return
        keep_newest(self._loaded, thread_id, True, _MOST)
        self._add(Live(thread_id, turn_id, root, of_root, time.monotonic()))

    def _thread_of(self, root: str) -> str | None:
        """Return the thread of a root turn. When that has ended long ago, it is known as long as the turn may have more."""
        known = self._threads.get(root) or self._ended.get(root)
        if known is None:
            given_up = self._given_up.get(root)
            stopped_in = None if given_up is None else given_up.thread_id
            known = next((live.root_thread_id for live in self.live(root)), stopped_in)
        return known

    def _add(self, live: Live) -> None:
        place, root = (live.thread_id, live.turn_id), live.root_turn_id
        keep_newest(self._roots, place, root, _MOST)
        self._live[root] = {**self._live.get(root, {}), place: live}
        if self._given_up:
            self._stop(live)

    def _end(self, thread_id: str, turn_id: str) -> str:
        """Return the root of the turn."""
        place = (thread_id, turn_id)
        if place not in self._roots:  # a review
            place = next(
                (each for each, root in self._roots.copy().items() if root == turn_id and each[0] == thread_id), place
            )
        root = self._roots.get(place, turn_id)
        if self._threads.get(root) == thread_id:
            keep_newest(self._ended, root, thread_id, _ENDED_KEPT)
            self._threads.pop(root, None)
            if self._given_up:
                self._prune()
        self._remove(place, root)
        return root

    def _remove(self, place: Place, root: str) -> None:
        self._roots.pop(place, None)
        self._stopped.pop(place, None)
        lives = self._live.get(root, {})
        if len(lives) > 1 and place in lives:
            self._live[root] = {each: live for each, live in lives.items() if each != place}
        elif place in lives:
            self._live.pop(root, None)

    def _stop(self, live: Live) -> None:
        """Stop a turn, if its root was given up and that was not done. On any thread."""
        place, given_up = (live.thread_id, live.turn_id), self._given_up.get(live.root_turn_id)
        if given_up is not None and place not in self._stopped:
            given_up.stop(live)
            # Last: what interrupts this call must not cost the stop.
            keep_newest(self._stopped, place, True, _GIVEN_UP_KEPT)

    def _tell(self, root: str | None) -> None:
        """Call the functions for one root, or all of them."""
        for wanted, callback in self._callbacks.copy().values():
            if root in {None, wanted}:
                with suppress(Exception):  # it must not cost the other calls, nor what follows the event
                    callback()
