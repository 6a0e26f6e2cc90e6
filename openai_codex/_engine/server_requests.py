"""What the runtime asks of us: each request from its arrival until it needs no answer any more.

It knows ids and who waits; what a request is about, and what an answer says, is not known here.
"""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING, Any

from openai_codex._engine.waiting import Waitable, wake_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from openai_codex._engine.waiting import Waiter
    from openai_codex._engine.wire import RequestId, ServerRequest
    from openai_codex._engine.workers import Workers


TurnKey = tuple[str | None, str | None]
"""A thread's id and a turn's."""


class PendingRequest(Waitable):
    """One request of the runtime. Ready when it is over: answered, withdrawn, or the connection is gone.

    Whoever answers first wins; a later answer is dropped. ``_lock`` guards `_over`.
    """

    def __init__(self, request: ServerRequest, calls: PendingRequests, *, over: bool = False) -> None:
        super().__init__()
        self.request = request
        self.key = calls.key(request.id)
        """What the program calls it by."""
        self.thread_id = _text(request.params.get("threadId"))
        self.turn_id = _text(request.params.get("turnId"))
        self.arrived_at = time.monotonic()
        self.typed: Any = None
        """The params as a protocol type, once somebody has made it of them."""
        self._calls = calls
        self._over = over

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
        """Answer so when nobody else has within so many seconds of its arrival."""
        appointment = self._calls.workers.alarm.at(
            self.arrived_at + seconds, lambda: self.is_ready() or self.answer(make_line())
        )
        if not self.add_waiter(appointment):
            appointment.wake()

    def run(self, task: Callable[[], None], *, urgent: bool = False) -> None:
        """Run a task on the handler pool, unless the request is over by then; an urgent one waits for no other kind."""
        pool = self._calls.workers.urgent if urgent else self._calls.workers.handlers
        pool.submit(lambda: None if self.is_ready() else task())

    def _end(self) -> bool:
        with self._lock:
            first, self._over = not self._over, True
            waiters: list[Waiter] = self._take_waiters()
        if first:
            self._calls.forget(self)
        wake_all(waiters)
        return first


class PendingRequests:
    """The requests of one runtime that wait for an answer, oldest first. ``_lock`` guards the tables."""

    def __init__(
        self,
        send: Callable[[bytes], None],
        workers: Workers,
        generation: int = 1,
    ) -> None:
        self.send = send
        self.workers = workers
        self._generation = generation
        self._closed = False
        self._lock = threading.Lock()
        self._pending: dict[RequestId, PendingRequest] = {}
        # When the last request of a thread came to its end, until its turn is over.
        self._ended_at: dict[str, float] = {}

    def key(self, request_id: RequestId) -> RequestId:
        """Return an id that no other request of this client has: each runtime counts its own from 0."""
        return request_id if self._generation == 1 else f"{self._generation}:{request_id}"

    def open(self, request: ServerRequest) -> PendingRequest:
        """Expect an answer to a request; nobody does any more after `close`, and it is over at once."""
        with self._lock:
            pending = PendingRequest(request, self, over=self._closed)
            if not self._closed:
                self._pending[request.id] = pending
        return pending

    def pending(self) -> list[PendingRequest]:
        """Return those that wait for an answer."""
        with self._lock:
            return list(self._pending.values())

    def last_held_up(self, thread_id: str) -> float:
        """Return when a thread waited last for an answer of ours, by the monotonic clock; the far past if it never did.

        By thread, as a question may be asked for a turn within the turn, or name none; a thread has one at a time.
        """
        with self._lock:
            if any(thread_id == pending.thread_id for pending in self._pending.values()):
                return time.monotonic()
            return self._ended_at.get(thread_id, -math.inf)

    def withdraw(self, *, ids: Iterable[object] = (), turns: Iterable[TurnKey] = ()) -> None:
        """The runtime has resolved these, or these turns are over. What cannot be an id is passed over."""
        known = {id for id in ids if type(id) in {int, str}}  # exactly: true is no id, though it equals 1
        over = {turn for turn in turns if None not in turn}  # the end of a login is the end of no turn
        for pending in self.pending():
            if pending.request.id in known or (pending.thread_id, pending.turn_id) in over:
                pending.withdraw()
        with self._lock:
            for thread_id, _ in over:
                self._ended_at.pop(thread_id or "", None)

    def close(self) -> None:
        """The connection is gone: nothing needs an answer any more."""
        with self._lock:
            self._closed = True
        for pending in self.pending():
            pending.withdraw()

    def after_fork(self) -> None:
        """In a fork: nothing can be answered here, and whoever held a lock is not there any more."""
        self._lock = threading.Lock()
        for pending in self._pending.values():
            pending.renew_lock()
        self.close()

    def forget(self, pending: PendingRequest) -> None:
        """Take one out of the table."""
        with self._lock:
            if self._pending.get(pending.request.id) is pending:
                del self._pending[pending.request.id]
                if pending.thread_id is not None:
                    self._ended_at[pending.thread_id] = time.monotonic()


def _text(value: object) -> str | None:
    """Take what should be a text for one only if it is: what the runtime sends may have any shape."""
    return value if isinstance(value, str) else None
