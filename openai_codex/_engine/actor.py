"""The actor: one reader thread that owns the runtime's pipe, and the calls by which everybody else talks to it.

It turns bytes into frames and frames into settled replies, filled mailboxes and handled server requests. It knows no
verb of the API.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from openai_codex._engine import at_exit, wire
from openai_codex._engine.backlog import Tally
from openai_codex._engine.close_reason import CLIENT_CLOSED, CloseReason, reason_of_end
from openai_codex._engine.outbox import Outbox
from openai_codex._engine.reader import Reader
from openai_codex._engine.reply import Reply
from openai_codex._engine.router import Dispatch, Load, Router
from openai_codex._engine.server_requests import PendingRequest, PendingRequests
from openai_codex._engine.waiting import Latch, Waiter, block_until_ready, wake_all
from openai_codex._engine.workers import Workers
from openai_codex._log import Log

if TYPE_CHECKING:
    from openai_codex._engine.mailbox import Mailbox
    from openai_codex._engine.topics import PendingSubscription, Topic
    from openai_codex._engine.transport import RuntimeProcess

OnRequest = Callable[[PendingRequest], None]
"""Sees to it that a server request is answered, now or later. Runs on one thread for all of them: it must not block."""

# How long a runtime that closed its output may take to exit before it is ended.
_EXIT_GRACE = 2.0

# How long a runtime whose client was dropped may take to end by itself.
_LET_GO_PATIENCE = 3.0

INTERNAL_ERROR = -32603

_log = Log("actor")


class Actor:
    """One connection to one runtime process, from its start to its end.

    The reader thread owns stdout. ``_lock`` guards the router and `_close_reason`: whatever registers a waiter looks at
    `_close_reason` under the same lock, so nobody starts to wait for a connection that has ended. Replies are settled,
    mailboxes filled and waiters woken after the lock is released, on the reader; it runs no code of the user, writes
    to no pipe and waits for nobody. Everything else it leaves to the crew.
    """

    def __init__(
        self,
        process: RuntimeProcess,
        on_request: OnRequest,
        max_in_flight: int,
        *,
        generation: int = 1,
        tally: Tally | None = None,
    ) -> None:
        self.process = process
        self.generation = generation
        """Which runtime of its client this is, counted from 1."""
        self.exited = Latch()
        """Set when the process has been reaped and the reader is through."""
        self.tally = Tally() if tally is None else tally
        """What was lost or skipped, here and with earlier runtimes of the client."""
        self.started_at = time.monotonic()
        self._on_request = on_request
        self._lock = threading.Lock()
        self._router = Router(max_in_flight, self.tally)
        self._close_reason: CloseReason | None = None
        self._disowned = False
        self._workers = Workers(process.pid)
        self._outbox = Outbox(process, self._on_broken_pipe)
        self.server_requests = PendingRequests(self._outbox.send, self._workers, generation)
        """What the runtime has asked and waits for."""
        self._reader = Reader(process, self._on_frames, self._on_odd_frames, self._on_end)
        at_exit.watch(self)
        self._reader.start()
        _log.info("codex.process_started", pid=process.pid, command=process.command[0], generation=generation)

    # -- calls, from any thread --------------------------------------------------------------------------------------

    def request(self, method: str, params: dict[str, Any] | None, coming: PendingSubscription | None = None) -> Reply:
        """Send a request; never blocks. ``params=None`` leaves the member out.

        Raises `ConfigError` if the params cannot be written as JSON and `TransportClosedError` if the connection is
        gone; nothing was sent then.
        """
        reply = Reply(method)
        request_id = self._router.next_id()
        line = wire.encode_request(request_id, method, *(() if params is None else (params,)))
        with self._lock:
            if self._close_reason is not None:
                raise self._close_reason.error(method)
            self._router.register(request_id, reply, coming)
            admitted = self._router.admit(request_id, line)
        if admitted is not None:
            self._outbox.send(admitted, request_id)
        return reply

    def notify(self, method: str) -> None:
        """Send a notification without params; never blocks."""
        self._outbox.send(wire.encode_notification(method))

    def abandon(self, reply: Reply) -> bool:
        """Say that nobody waits for this reply any more: it is dropped when it comes.

        Returns whether the runtime may have got the request: ``False`` if none of it was written yet, and none will be.
        """
        with self._lock:
            admitted, lines = self._router.abandon(reply.request_id)
            self._outbox.post(lines)
        return admitted and not self._outbox.withdraw(reply.request_id)

    def subscribe(self, topic: Topic, mailbox: Mailbox) -> None:
        """Deliver the events of ``topic`` to ``mailbox`` from now on. Raises `TransportClosedError`."""
        with self._lock:
            if self._close_reason is not None:
                raise self._close_reason.error(mailbox.subject)
            self._router.subscribe(topic, mailbox)

    def unsubscribe(self, topic: Topic, mailbox: Mailbox) -> None:
        """Stop delivering; harmless if it has stopped already."""
        with self._lock:
            self._router.unsubscribe(topic, mailbox)

    @property
    def close_reason(self) -> CloseReason | None:
        """How the connection ended; ``None`` while it lives."""
        return self._close_reason

    def load(self) -> Load:
        """Count what is under way and what is unread."""
        with self._lock:
            return self._router.load()

    # -- the end -----------------------------------------------------------------------------------------------------

    def stop(self, timeout: float) -> Iterator[float]:
        """Stop the runtime step by step; every waiter is woken first.

        A generator: each step yields how many seconds to wait for `exited` before the next, harder one: its input is
        closed, its process group gets SIGTERM, then SIGKILL. Together they take at most ``timeout`` seconds; none is
        needed for one that has ended.
        """
        if self.exited.is_ready():
            return
        self._die(CLIENT_CLOSED, final=True)
        self._outbox.close()
        yield timeout * 0.5
        self.process.terminate()
        yield timeout * 0.3
        self.process.kill()
        yield timeout * 0.2

    def is_running(self) -> bool:
        """Say whether threads have not ended yet, after `exited`; they have nothing left to do."""
        return not self._disowned and any(part.is_running() for part in (self._reader, self._outbox, self._workers))

    def let_go(self) -> None:
        """Nobody holds this connection any more: ask the runtime to end, and let the reader see to it that it does.

        Called by the garbage collector, on any thread and within any lock: it takes none.
        """
        self._reader.kill_after(_LET_GO_PATIENCE)
        self.process.terminate()

    def after_fork(self) -> None:
        """In a fork: the runtime, its threads and whoever held a lock belong to the other process."""
        self._lock = threading.Lock()
        replies, mailboxes = self._router.everyone()
        for waitable in (self.exited, *replies, *mailboxes, *(mailbox.ended for mailbox in mailboxes)):
            waitable.renew_lock()
        self._close_reason = CloseReason(
            "it belongs to the process that this one was forked from", generation=self.generation, final=True
        )
        self._close_reason.tell(replies, mailboxes)
        self.server_requests.after_fork()
        self.exited.set()
        self._disowned = True
        self.process.disown()

    def _die(self, reason: str, cause: BaseException | None = None, *, final: bool = False) -> None:
        """Record the end, once, and tell everyone who waits."""
        close_reason = CloseReason(reason, self.process.facts(), cause, self.generation, final, self._lifetime())
        with self._lock:
            if self._close_reason is not None:
                return
            self._close_reason = close_reason
            replies, mailboxes = self._router.everyone()
        close_reason.tell(replies, mailboxes)
        self.server_requests.close()

    def _lifetime(self) -> float:
        return time.monotonic() - self.started_at

    def _on_broken_pipe(self, error: OSError) -> None:
        self._workers.urgent.submit(partial(self._end_after_broken_pipe, error))

    def _end_after_broken_pipe(self, error: OSError) -> None:
        """The runtime reads no more. Usually it has exited and the reader tells so; if not, it is of no use."""
        if not block_until_ready(self.exited, _EXIT_GRACE):
            self._die(f"the runtime closed its input: {error.strerror}", error)
            self.process.kill()

    # -- on the reader thread ----------------------------------------------------------------------------------------

    def _on_frames(self, frames: list[wire.Frame]) -> int:
        with self._lock:
            dispatch = self._router.dispatch(frames)
            # Under the lock, so that what is sent after these cannot overtake them.
            self._outbox.post(dispatch.to_write)
        self._carry_out(dispatch)
        return len(dispatch.delivered)

    def _carry_out(self, dispatch: Dispatch) -> None:
        self.tally.late += dispatch.late
        self.tally.skipped += len(dispatch.skipped)
        asked = [self.server_requests.open(call) for call in dispatch.server_requests]
        if dispatch.resolved or dispatch.turns_over:
            # Before anybody can hear of the end of a turn: its requests are over then.
            self.server_requests.withdraw(ids=dispatch.resolved, turns=dispatch.turns_over)
        waiters: list[Waiter] = []
        for mailbox, events in dispatch.delivered.items():
            waiters += mailbox.put(events, last=mailbox in dispatch.ended)
        for reply, response in dispatch.settled:
            waiters += reply.settle(response)
        wake_all(waiters)
        for pending in asked:
            self._workers.dispatch.submit(partial(self._handle, pending))
        if dispatch.skipped:
            facts = {"reason": dispatch.skipped[0].reason, "count": len(dispatch.skipped), "pid": self.process.pid}
            self._workers.handlers.submit(partial(_log.warning, "codex.line_skipped", **facts))

    def _on_odd_frames(self) -> None:
        """Something in a batch of frames made us fail: it is lost, and told, and the connection goes on."""
        self.tally.skipped += 1
        self._workers.handlers.submit(
            partial(_log.warning, "codex.frames_lost", pid=self.process.pid, exc_info=sys.exc_info())
        )

    def _on_end(self, cause: Exception | None) -> None:
        exit_code = None
        try:
            self._outbox.close()
            exit_code = self.process.end(_EXIT_GRACE)
            self.process.release()
        finally:
            try:
                self._die(reason_of_end(exit_code, cause), cause)
                self.process.kill_descendants()
                facts = {"pid": self.process.pid, "exit_code": exit_code, "uptime": round(self._lifetime(), 3)}
                self._workers.handlers.submit(partial(_log.info, "codex.process_exited", **facts))
                self._workers.close()
            finally:
                self.exited.set()

    # -- on threads of the crew --------------------------------------------------------------------------------------

    def _handle(self, pending: PendingRequest) -> None:
        try:
            self._on_request(pending)
        except Exception as error:  # noqa: BLE001  without an answer the runtime would wait for ever
            pending.answer(wire.encode_error(pending.request.id, INTERNAL_ERROR, type(error).__name__))
            _log.warning("codex.handler_failed", method=pending.request.method, exc_info=True)
