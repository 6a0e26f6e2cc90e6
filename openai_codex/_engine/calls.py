"""What the runtime asks of us: each request from its arrival until it needs no answer any more.

It knows ids and who waits; what a request is about, and what an answer says, is not known here.
"""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING

from openai_codex._engine.waiting import Waitable, wake_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from openai_codex._engine.waiting import Waiter
    from openai_codex._engine.wire import RequestId, ServerCall


TurnKey = tuple[str | None, str | None]
"""A thread's id and a turn's."""


class PendingCall(Waitable):
    """One request of the runtime. Ready when it is over: answered, withdrawn, or the connection is gone.

    Whoever answers first wins; a later answer is dropped. ``_lock`` guards `_over`.
    """

    def __init__(self, call: ServerCall, calls: Calls) -> None:
        super().__init__()
        self.call = call
        self.key = calls.key(call.id)
        """What the program calls it by."""
        self.thread_id: str | None = call.params.get("threadId")
        self.turn_id: str | None = call.params.get("turnId")
        self._calls = calls
        self._over = False

    def is_ready(self) -> bool:
        """Say whether it needs no answer any more."""
        return self._over

    def answer(self, line: bytes) -> bool:
        """Send an answer, unless the request is over; say whether it was sent."""
        first = self._end()
        if first:
            self._calls.send(line)
        return first

    def withdraw(self) -> None:
        """The runtime needs no answer any more. Harmless when it is over."""
        self._end()

    def answer_after(self, seconds: float, make_line: Callable[[], bytes]) -> None:
        """Answer so when nobody else has by then."""
        timer = threading.Timer(seconds, lambda: self.is_ready() or self.answer(make_line()))
        timer.name = f"codex-deadline-{self.call.id}"
        timer.daemon = True
        timer.start()
        if not self.add_waiter(_Cancel(timer)):
            timer.cancel()

    def _end(self) -> bool:
        with self._lock:
            first, self._over = not self._over, True
            waiters: list[Waiter] = self._take_waiters()
        if first:
            self._calls.forget(self)
        wake_all(waiters)
        return first


class _Cancel:
    """Stops a timer when the call that it is for is over."""

    def __init__(self, timer: threading.Timer) -> None:
        self._timer = timer

    def wake(self) -> None:
        self._timer.cancel()


class Calls:
    """The requests of one runtime that wait for an answer, oldest first. ``_lock`` guards the tables."""

    def __init__(self, send: Callable[[bytes], None], generation: int = 1) -> None:
        self.send = send
        self._generation = generation
        self._lock = threading.Lock()
        self._pending: dict[RequestId, PendingCall] = {}
        # When the last request of a turn came to its end; for turns that are not over.
        self._ended_at: dict[TurnKey, float] = {}

    def key(self, request_id: RequestId) -> RequestId:
        """Return an id that no other request of this client has: each runtime counts its own from 0."""
        return request_id if self._generation == 1 else f"{self._generation}:{request_id}"

    def open(self, call: ServerCall) -> PendingCall:
        """Expect an answer to a request."""
        pending = PendingCall(call, self)
        with self._lock:
            self._pending[call.id] = pending
        return pending

    def pending(self) -> list[PendingCall]:
        """Return those that wait for an answer."""
        with self._lock:
            return list(self._pending.values())

    def last_held_up(self, turn: TurnKey) -> float:
        """Return when a turn waited last for an answer of ours, by the monotonic clock; the far past if it never did."""
        with self._lock:
            if any(turn == (pending.thread_id, pending.turn_id) for pending in self._pending.values()):
                return time.monotonic()
            return self._ended_at.get(turn, -math.inf)

    def withdraw(self, *, ids: Iterable[RequestId] = (), turns: Iterable[TurnKey] = ()) -> None:
        """The runtime has resolved these, or these turns are over."""
        known, over = set(ids), set(turns)
        for pending in self.pending():
            if pending.call.id in known or (pending.thread_id, pending.turn_id) in over:
                pending.withdraw()
        with self._lock:
            for turn in over:
                self._ended_at.pop(turn, None)

    def withdraw_all(self) -> None:
        """The connection is gone."""
        for pending in self.pending():
            pending.withdraw()

    def forget(self, pending: PendingCall) -> None:
        """Take one out of the table."""
        with self._lock:
            if self._pending.get(pending.call.id) is pending:
                del self._pending[pending.call.id]
                self._ended_at[pending.thread_id, pending.turn_id] = time.monotonic()
