"""The actor: one connection to one runtime, and the calls by which all other code uses it.

It turns bytes into frames and frames into settled replies, filled mailboxes and handled server requests. It knows no
verb of the API.
"""

from __future__ import annotations

import sys
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from openai_codex._engine import at_exit, wire
from openai_codex._engine.backlog import Tally
from openai_codex._engine.outbox import Outbox
from openai_codex._engine.reader import Reader, Silence
from openai_codex._engine.reply import CLIENT_CLOSED, CloseReason, Reply, reason_of_end
from openai_codex._engine.router import Dispatch, Load, Router
from openai_codex._engine.server_requests import OnRequest, PendingRequests
from openai_codex._engine.threads import ThreadGroup
from openai_codex._engine.waiting import Latch, Waiter, block_until_ready, wake_all
from openai_codex._engine.workers import Workers
from openai_codex._log import Log

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_codex._engine.mailbox import Mailbox
    from openai_codex._engine.subscriptions import PendingSubscription, Topic
    from openai_codex._engine.transport import Transport

# How long a runtime that closed its output may take to exit before it is killed, in seconds.
_EXIT_GRACE = 2.0

# How long the runtime of a client that was garbage-collected may take to exit after SIGTERM, in seconds.
_COLLECTED_GRACE = 3.0

_log = Log("actor")


class Actor:
    """One connection to one runtime, from start to end. All methods may be called from any thread.

    The reader thread owns the transport's output. ``_lock`` guards the router and ``_close_reason``: whatever registers
    a waiter checks the close reason under the same lock, so no wait can start on a connection that has ended. The
    reader settles replies, fills mailboxes and wakes waiters after it released the lock; it runs no code of the user,
    writes nothing and waits for nothing but output. Everything else is left to the workers.
    """

    def __init__(
        self,
        transport: Transport,
        on_request: OnRequest,
        max_in_flight: int,
        *,
        generation: int = 1,
        tally: Tally | None = None,
        silence: Silence | None = None,
        max_line_bytes: int = sys.maxsize,
    ) -> None:
        self.transport = transport
        info = transport.process_info()
        self.pid = info.pid
        """The process id of the runtime; ``None`` if it is not a process of this machine."""
        self.generation = generation
        """Which runtime of its client this is, counted from 1."""
        self.exited = Latch()
        """Set when the runtime is gone and the reader has delivered everything."""
        self.threads = ThreadGroup(transport.name)
        """All threads of this connection; they have nothing left to do after `exited`, and end soon."""
        self.tally = Tally() if tally is None else tally
        """What was lost or skipped, on this connection and on earlier ones of the client."""
        self.silence = Silence() if silence is None else silence
        """How long the runtime has sent nothing. Armed when the handshake is over."""
        self.started_at = time.monotonic()
        self._lock = threading.Lock()
        self._router = Router(max_in_flight, self.tally)
        self._close_reason: CloseReason | None = None
        self._let_go = False
        self._workers = Workers(self.threads)
        self._outbox = Outbox(transport, self.threads, self._on_broken_input)
        self.server_requests = PendingRequests(self._outbox.send, self._workers, on_request, generation)
        """The runtime's requests that need an answer."""
        callbacks = (self._on_frames, self._on_lost_frames, self._on_end)
        steps = self._on_silence
        self._reader = Reader(transport, *callbacks, max_line_bytes, silence=self.silence, on_silence=steps)
        # Before the reader starts: from then on there is something to stop.
        at_exit.watch(self)
        self.threads.start("reader", self._reader.run)
        _log.info("codex.process_started", pid=self.pid, command="".join(info.command[:1]), generation=generation)

    # -- calls -------------------------------------------------------------------------------------------------------

    def request(
        self, method: str, params: dict[str, Any] | None, subscription: PendingSubscription | None = None
    ) -> Reply:
        """Send a request; never blocks. ``params=None`` leaves the member out.

        ``subscription`` collects the events of the turn or login that the request starts. Raises `ConfigError` if the
        params cannot be written as JSON, and `TransportClosedError` if the connection has ended; nothing was sent then.
        """
        reply = Reply(method)
        request_id = self._router.next_id()
        line = wire.encode_request(request_id, method, *(() if params is None else (params,)))
        with self._lock:
            if self._close_reason is not None:
                raise self._close_reason.error(method)
            self._router.register(request_id, reply, subscription)
            admitted = self._router.admit(request_id, line)
        if admitted is not None:
            self._outbox.send(admitted, request_id)
        return reply

    def notify(self, method: str) -> None:
        """Send a notification without params; never blocks."""
        self._outbox.send(wire.encode_notification(method))

    def abandon(self, reply: Reply) -> bool:
        """Give up waiting for a reply: it is dropped when it comes.

        Returns whether the runtime may have received the request; ``False`` if none of it was or will be written.
        """
        with self._lock:
            admitted, lines = self._router.abandon(reply.request_id)
            # Under the lock: a request that is admitted later must not overtake these lines.
            self._outbox.post(lines)
        return admitted and not self._outbox.withdraw(reply.request_id)

    def subscribe(self, topic: Topic, mailbox: Mailbox) -> None:
        """Deliver the events of ``topic`` to ``mailbox`` from now on. Raises `TransportClosedError`."""
        with self._lock:
            if self._close_reason is not None:
                raise self._close_reason.error(mailbox.subject)
            self._router.subscriptions.add(topic, mailbox)

    def unsubscribe(self, topic: Topic, mailbox: Mailbox) -> None:
        """Stop delivering; harmless if that was done before."""
        with self._lock:
            self._router.subscriptions.remove(topic, mailbox)

    @property
    def close_reason(self) -> CloseReason | None:
        """Why the connection ended; ``None`` while it is open."""
        return self._close_reason

    def load(self) -> Load:
        """Count the requests in flight and the unread events."""
        with self._lock:
            return self._router.load()

    # -- the end -----------------------------------------------------------------------------------------------------

    def stop(self, timeout: float) -> Iterator[float]:
        """Stop the runtime step by step; every waiter is woken first.

        A generator, so that both faces can wait in their own way: each step yields how many seconds to wait for
        `exited` before the next, stronger one. First the input is closed, then the runtime is terminated, then killed.
        They take at most ``timeout`` seconds together; there are none if the runtime is gone.
        """
        self.threads.leave()
        if self.exited.is_ready():
            return
        self._close(CLIENT_CLOSED, final=True)
        self._outbox.close()
        # Half of the time for an orderly exit, in which the runtime also ends the commands of its threads.
        yield timeout * 0.5
        self.transport.terminate()
        yield timeout * 0.3
        self.transport.kill()
        yield timeout * 0.2

    def let_go(self) -> None:
        """End the connection of a client that was garbage-collected; the reader thread does the rest.

        The collector may run on any thread and while that thread holds any lock, so this takes none.
        """
        self._let_go = True
        self._reader.kill_after(_COLLECTED_GRACE)
        self.transport.terminate()

    def after_fork(self) -> None:
        """Give the connection up in a forked child: the runtime, the threads and their locks belong to the parent."""
        self._lock = threading.Lock()
        replies, mailboxes = self._router.everyone()
        for waitable in (self.exited, *replies, *mailboxes, *(mailbox.ended for mailbox in mailboxes)):
            waitable.renew_lock()
        reason = "it belongs to the process that this one was forked from"
        self._close_reason = CloseReason(reason, generation=self.generation, final=True)
        _wake(self._close_reason, replies, mailboxes)
        self.server_requests.after_fork()
        self.exited.set()
        self.threads.after_fork()
        self.transport.after_fork()

    def _close(
        self, reason: str, cause: BaseException | None = None, *, final: bool = False, frozen: bool = False
    ) -> None:
        """Record the close reason, unless there is one, and wake everything that waits."""
        info, lifetime = self.transport.process_info(), time.monotonic() - self.started_at
        close_reason = CloseReason(reason, info, cause, self.generation, final, lifetime, frozen)
        with self._lock:
            if self._close_reason is not None:
                return
            self._close_reason = close_reason
            replies, mailboxes = self._router.everyone()
        _wake(close_reason, replies, mailboxes)
        self.server_requests.close()

    def _on_broken_input(self, error: OSError) -> None:
        self._workers.urgent.submit(partial(self._end_after_broken_input, error))

    def _end_after_broken_input(self, error: OSError) -> None:
        """Kill a runtime that reads no more. Usually it has exited, and the reader reports that with more detail."""
        if not block_until_ready(self.exited, _EXIT_GRACE):
            self._close(f"the runtime closed its input: {error.strerror}", error)
            self.transport.kill()

    # -- on the reader thread ----------------------------------------------------------------------------------------

    def _on_frames(self, frames: list[wire.Frame]) -> int:
        dispatch = Dispatch()
        try:
            with self._lock:
                self._router.dispatch(frames, dispatch)
                self._outbox.post(dispatch.to_write)  # under the lock, as above
            self._carry_out(dispatch)
        except BaseException:
            # These are no longer pending, so nothing else would wake their callers.
            for reply, response in dispatch.settled:
                wake_all(reply.settle(response))
            raise
        return len(dispatch.delivered)

    def _carry_out(self, dispatch: Dispatch) -> None:
        self.tally.late += dispatch.late
        self.tally.skipped += len(dispatch.skipped)
        opened = [self.server_requests.open(request) for request in dispatch.server_requests]
        if dispatch.resolved or dispatch.turns_ended:
            # Before a consumer can see the end of a turn: its server requests are over by then.
            self.server_requests.withdraw(ids=dispatch.resolved, turns=dispatch.turns_ended)
        for mailbox, topic in dispatch.bound:
            mailbox.keep(topic.covers)
        waiters: list[Waiter] = []
        for mailbox, events in dispatch.delivered.items():
            waiters += mailbox.put(events, last=mailbox in dispatch.ended)
        for reply, response in dispatch.settled:
            waiters += reply.settle(response)
        wake_all(waiters)
        for pending in opened:
            self.server_requests.dispatch(pending)
        if dispatch.skipped:
            # A log handler of the program may block or raise, so it runs on a worker.
            fields = {"reason": dispatch.skipped[0].reason, "count": len(dispatch.skipped), "pid": self.pid}
            self._workers.handlers.submit(partial(_log.warning, "codex.line_skipped", **fields))

    def _on_lost_frames(self) -> None:
        """Count and log a batch of frames that raised an exception here; the connection continues."""
        self.tally.skipped += 1
        self._workers.handlers.submit(
            partial(_log.warning, "codex.frames_lost", pid=self.pid, exc_info=sys.exc_info()[1])
        )

    def _on_silence(self) -> None:
        """Ask a silent runtime for a sign of life, past all queues and limits, and end one that gives none."""
        ask, frozen = self.silence.add_step()
        if ask and not self._outbox.post([(0, wire.PING)]):
            self.silence.end()  # no thread to write it: the runtime is not to blame
        if frozen:
            reason = f"the runtime is frozen: it has sent nothing for {self.silence.seconds:g} s, even when asked to"
            self._workers.handlers.submit(partial(_log.warning, "codex.runtime_frozen", pid=self.pid))
            self._close(reason, frozen=True)
            self.transport.kill()  # SIGKILL also ends a stopped process

    def _on_end(self, cause: BaseException | None) -> None:
        exit_code = None
        try:
            self._outbox.close()
            exit_code = self.transport.end(_EXIT_GRACE)
        finally:
            try:
                self._close(reason_of_end(self.transport.process_info(), cause), cause)
                self.transport.release()
                uptime = round(time.monotonic() - self.started_at, 3)
                fields = {"pid": self.pid, "exit_code": exit_code, "uptime": uptime}
                was_ended = self._let_go or (self._close_reason is not None and self._close_reason.final)
                log = _log.info if was_ended else _log.warning
                self._workers.handlers.submit(partial(log, "codex.process_exited", **fields))
            finally:
                self._workers.close()
                self.exited.set()


def _wake(close_reason: CloseReason, replies: list[Reply], mailboxes: set[Mailbox]) -> None:
    """Give the close reason to all waiters of a connection. Called without a lock."""
    for reply in replies:
        wake_all(reply.settle(close_reason))
    for mailbox in mailboxes:
        wake_all(mailbox.fail(close_reason))
