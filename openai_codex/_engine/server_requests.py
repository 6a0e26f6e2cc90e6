"""The runtime's requests to the client: each from its arrival until it needs no answer any longer.

It knows ids and waiters; what a request is about, and what an answer says, is not known here.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from openai_codex._engine import wire
from openai_codex._engine.backlog import keep_newest
from openai_codex._engine.once import Once
from openai_codex._engine.transport import NO_THREAD
from openai_codex._engine.waiting import Waitable, wake_all
from openai_codex._log import Log
from openai_codex._notification import address_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openai_codex._engine.wire import RequestId, ServerRequest
    from openai_codex._engine.workers import Workers


TurnKey = tuple[str | None, str | None]
"""The ids of a thread and of a turn."""

INTERNAL_ERROR = -32603


# Of how many threads to remember when they last asked: a request of a sub-agent may end after the turn that it belongs to.
_THREADS_KEPT = 1_024

_log = Log("actor")


class PendingRequest(Waitable):
    """One server request. Ready when it is over: answered, withdrawn, or the connection ended.

    The first answer is sent; later ones are dropped.
    """

    def __init__(self, request: ServerRequest, requests: PendingRequests) -> None:
        super().__init__()
        self.request = request
        self.key: RequestId = requests.key(request.id)
        """Its id for the program: unique among all runtimes of the client."""
        self.thread_id: str | None
        self.turn_id: str | None
        self.thread_id, self.turn_id, _ = address_of(request.method, request.params)
        self.arrived_at: float = time.monotonic()
        self.typed: Any = None
        """The request as the dispatcher has read it. Set and read by the dispatcher, so that it is parsed once."""
        self.outcome: tuple[str, bytes] | None = None
        """By whom it was answered, and with which line; ``None`` until then, and if it was withdrawn."""
        self._requests = requests
        self._right_to_end = Once()

    def is_ready(self) -> bool:
        """Return whether it is over."""
        return self._right_to_end.is_taken()

    def answer(self, line: bytes, by: str = "handler") -> bool:
        """Send an answer, unless the request is over; return whether it was sent."""
        if not self._right_to_end.take():
            return False
        self.outcome = by, line
        try:
            self._end()
        finally:
            self._requests.send(line)  # whatever interrupts the caller
        return True

    def withdraw(self) -> bool:
        """End it without an answer: the runtime needs none. Return ``False`` if it was over."""
        first = self._right_to_end.take()
        if first:
            self._end()
        return first

    def note(self, event: str, **fields: Any) -> None:
        """Note in the journal what has become of it, if there is a journal."""
        ids = {"request_id": self.request.id, "thread_id": self.thread_id, "turn_id": self.turn_id}
        self._requests.note(event, method=self.request.method, **ids, **fields)

    def _end(self) -> None:
        self._requests.remove(self)
        wake_all(self.waiters())

    def act_after(self, seconds: float, action: Callable[[], object]) -> None:
        """Run an action, which answers the request, unless it is over within ``seconds`` of its arrival."""
        timer = self._requests.workers.timers.at(self.arrived_at + seconds, lambda: self.is_ready() or action())
        # As a waiter of the request the timer is cancelled by any other answer.
        if not self.add_waiter(timer):
            timer.wake()

    def run(self, task: Callable[[], None], *, urgent: bool = False) -> None:
        """Run a task on a worker, unless the request is over by then; urgent ones have workers of their own.

        Raises `RuntimeError` where the system gives no thread for it.
        """
        pool = self._requests.workers.urgent if urgent else self._requests.workers.handlers
        if not pool.submit(lambda: None if self.is_ready() else task()):
            raise RuntimeError(NO_THREAD)


OnRequest = Callable[[PendingRequest], None]
"""Has a server request answered, now or later. Runs on one thread for all requests, so it must not block."""


OnFailure = Callable[[PendingRequest, str], Callable[[], object]]
"""Notes a request, and why it is about to be answered with an error: ``OnRequest`` has raised, or no thread could call it.
Returns a function that removes the note. It may run on the reader thread, so it must neither block nor log."""


class PendingRequests:
    """The server requests of one runtime that need an answer, oldest first. Each change of a table is one step."""

    def __init__(
        self,
        send: Callable[[bytes], None],
        workers: Workers,
        on_request: OnRequest,
        generation: int = 1,
        *,
        on_failure: OnFailure = lambda _pending, _reason: bool,
        note: Callable[..., object] | None = None,
    ) -> None:
        self.send = send
        self._note = note
        self.workers = workers
        self.on_request = on_request
        self._on_failure = on_failure
        self._generation = generation
        self._closed = False
        self._pending: dict[RequestId, PendingRequest] = {}
        self._at_loss: dict[RequestId, ServerRequest] = {}
        # When the last request of a thread ended, until the turn does.
        self._ended_at: dict[str, float] = {}

    def note(self, event: str, **fields: Any) -> None:
        """Note in the journal what has become of a request, if there is a journal."""
        if self._note is not None:
            self._note(event, **fields)

    def key(self, request_id: RequestId) -> RequestId:
        """Return an id that is unique within the client: each runtime counts its own from 0."""
        return request_id if self._generation == 1 else f"{self._generation}:{request_id}"

    def open(self, request: ServerRequest) -> PendingRequest | None:
        """Register a request. After `close` it is over from the start. ``None`` if it is one of `keep`."""
        if self._at_loss.get(request.id) == request:
            return None
        pending = PendingRequest(request, self)
        self._pending[request.id] = pending
        if self._closed:  # first act, then look: the other thread closes first and then withdraws what is there
            pending.withdraw()
        return pending

    def keep(self) -> None:
        """Note what is pending when the connection is lost. The runtime sends it again on the next one, and `open` ignores it then."""
        self._at_loss = {pending.request.id: pending.request for pending in self.pending()}

    def dispatch(self, pending: PendingRequest) -> None:
        """Have a request answered, on the worker for that. Without a thread for it the request fails at once."""
        if not self.workers.dispatch.submit(partial(self._handle, pending)):
            self._fail(pending, NO_THREAD)
            # On a worker, when there is one: this is the reader thread, and a log handler may block.
            self.workers.handlers.post(partial(_log_failure, pending, RuntimeError(NO_THREAD)))

    def _handle(self, pending: PendingRequest) -> None:
        try:
            self.on_request(pending)
        except Exception as error:  # noqa: BLE001  without an answer the runtime would wait for ever
            self._fail(pending, type(error).__name__)
            _log_failure(pending, error)

    def _fail(self, pending: PendingRequest, reason: str) -> None:
        # Noted first: the turn may end as soon as the runtime has the answer.
        undo = self._on_failure(pending, reason)
        if not pending.answer(wire.encode_error(pending.request.id, INTERNAL_ERROR, reason)):
            undo()

    def pending(self) -> list[PendingRequest]:
        """Return the requests that need an answer, oldest first."""
        return list(self._pending.values())

    def last_pending_at(self, thread_id: str) -> float:
        """Return when a thread last had a pending request, in seconds of the monotonic clock; ``-inf`` if never.

        By thread and not by turn, because a question may name no turn or one within the turn; a thread has only one
        turn at a time.
        """
        if any(thread_id == pending.thread_id for pending in self.pending()):
            return time.monotonic()
        return self._ended_at.get(thread_id, -math.inf)

    def withdraw(self, *, ids: Iterable[object] = (), turns: Iterable[TurnKey] = ()) -> None:
        """End the requests that the runtime has resolved, and all requests of turns that ended."""
        # By exact type, as ids come from outside: ``True`` is not an id, though it equals 1.
        resolved = {id for id in ids if type(id) in {int, str}}
        ended = {turn for turn in turns if None not in turn}  # the end of a login is not the end of a turn
        for pending in self.pending():
            if pending.request.id in resolved or (pending.thread_id, pending.turn_id) in ended:
                pending.withdraw()
        for thread_id, _ in ended:
            self._ended_at.pop(thread_id or "", None)

    def close(self) -> None:
        """End all requests: the connection is gone."""
        self._closed = True
        for pending in self.pending():
            pending.withdraw()

    def remove(self, pending: PendingRequest) -> None:
        """Remove a request that is over."""
        if pending.thread_id is not None:
            # Before it is removed: else `last_pending_at` could find it in neither table.
            keep_newest(self._ended_at, pending.thread_id, time.monotonic(), _THREADS_KEPT)
        if self._pending.get(pending.request.id) is pending:
            self._pending.pop(pending.request.id, None)


def _log_failure(pending: PendingRequest, error: Exception) -> None:
    ids = {"request_id": pending.key, "thread_id": pending.thread_id, "turn_id": pending.turn_id}
    _log.warning("codex.handler_failed", method=pending.request.method, exc_info=error, **ids)
