"""The actor: one connection to one runtime, and the calls by which all other code uses it.

It turns bytes into frames, and these into settled replies, filled mailboxes and handled server requests. It knows no verb.
"""

from __future__ import annotations

import sys
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from openai_codex._engine import at_exit, wire
from openai_codex._engine.backlog import Load, Tally
from openai_codex._engine.outbox import Outbox
from openai_codex._engine.reader import Reader, Silence
from openai_codex._engine.recent import Recent
from openai_codex._engine.reply import CLIENT_CLOSED, CloseReason, Reply, reason_of_end, reason_of_failed_write
from openai_codex._engine.router import Dispatch, Router
from openai_codex._engine.server_requests import OnFailure, OnRequest, PendingRequests
from openai_codex._engine.threads import ThreadGroup
from openai_codex._engine.waiting import Latch, block_until_ready, wake_all
from openai_codex._engine.workers import Workers
from openai_codex._log import Log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from openai_codex._engine.mailbox import Mailbox
    from openai_codex._engine.subscriptions import PendingSubscription, Topic
    from openai_codex._engine.transport import Transport
    from openai_codex._engine.undo import Undo

# After how many seconds a runtime is killed: one that has closed its output; and one that has got SIGTERM because its
# client was garbage-collected.
_EXIT_GRACE, _COLLECTED_GRACE = 2.0, 3.0

_log = Log("actor")


class Actor:
    """One connection to one runtime, from start to end. All methods may be called from any thread at any instant.

    It takes no lock. A signal handler, a finalizer or an exception of either may interrupt a caller anywhere,
    and what these call here must not wait for the interrupted code. So each change of shared state is one step of a
    container: first act, then look whether the connection has ended meanwhile. Whatever takes more steps belongs to
    one thread. The reader owns the transport's output and the subscriptions; it settles replies, fills mailboxes and
    wakes waiters, runs no code of the user, writes nothing and waits for nothing but output. The writer owns the queue
    of lines and the transport's input. Everything else is left to the workers.
    """

    def __init__(
        self,
        transport: Transport,
        on_request: OnRequest,
        max_in_flight: int,
        *,
        recent: Recent | None = None,
        tally: Tally | None = None,
        silence: Silence | None = None,
        max_line_bytes: int = sys.maxsize,
        will_restart: Callable[[float], bool] = lambda _: False,
        on_failure: OnFailure = lambda _pending, _reason: bool,
    ) -> None:
        self.transport = transport
        self.recent: Recent = Recent(1, transport.process_info().pid) if recent is None else recent
        self.pid: int | None = self.recent.pid
        self.generation: int = self.recent.generation
        self.path: str | None = transport.process_info().path
        """Its program. `generation` counts the runtimes of its client; `pid` is ``None`` if it is not of this machine."""
        self.exited: Latch = Latch()
        """Set when the runtime is gone and the reader has delivered everything."""
        self.threads: ThreadGroup = ThreadGroup(transport.name)
        """All threads of this connection; they have nothing left to do after `exited`, and end soon."""
        self.tally: Tally = Tally() if tally is None else tally
        """What was lost or skipped, on this connection and on earlier ones of the client."""
        self.silence: Silence = Silence() if silence is None else silence
        """How long the runtime has sent nothing. Armed when the handshake is over."""
        self.started_at: float = time.monotonic()
        self.encode: Callable[..., bytes] = wire.encode_request
        self.router: Router = Router(max_in_flight, self.tally)
        """The pending replies and the subscriptions."""
        # The first one counts; a list, because an append is one step.
        self._close_reasons: list[CloseReason] = []
        self._let_go, self._restarts = False, will_restart
        self._workers = Workers(self.threads)
        post = self._workers.handlers.post
        self._outbox = Outbox(transport, self.router.has_room, self._on_broken_input, post, self.recent.keep_sent)
        requests = partial(PendingRequests, self._outbox.send_first, self._workers, on_request, self.generation)
        self.server_requests: PendingRequests = requests(on_failure=on_failure, note=self.recent.note)
        """The runtime's requests that need an answer."""
        callbacks = self._on_frames, self._on_lost_frames, self._on_end
        watch: dict[str, Any] = {"silence": self.silence, "on_silence": self._on_silence, "recent": self.recent}
        self._reader = Reader(transport, *callbacks, max_line_bytes, **watch)

    def start(self) -> None:
        """Start the reader and the writer. Raises `RuntimeError` where the system gives no more threads."""
        # Before the reader starts: from then on there is something to stop.
        at_exit.watch(self)
        facts = {"command": "".join(self.transport.process_info().command[:1]), "generation": self.generation}
        self.recent.note("process_started", **facts)
        self.threads.start_all({"reader": self._reader.run, "writer": self._outbox.run})
        _log.info("codex.process_started", pid=self.pid, **facts)

    def send(
        self, reply: Reply, params: dict[str, Any] | None, subscription: PendingSubscription | None = None
    ) -> None:
        """Send a request; never blocks. ``params=None`` leaves the member out.

        The reply is one that the router has made: it exists before, so that it can be abandoned at any instant.
        ``subscription`` collects the events of the turn or login that the request starts. Raises `ConfigError` if the
        params cannot be written as JSON, and `TransportClosedError` if the connection has ended; nothing was sent then.
        """
        line = self.encode(reply.request_id, reply.method, params)
        self.router.register(reply, subscription)
        if self._close_reasons:
            self.router.forget(reply.request_id)
            raise self._close_reasons[0].error(reply.method)
        self._outbox.send(line, reply)

    def notify(self, method: str) -> None:
        """Send a notification without params; never blocks."""
        self._outbox.send_first(wire.encode_notification(method))

    def abandon(self, reply: Reply) -> bool:
        """Give up waiting for a reply: it is dropped when it comes. Harmless when repeated.

        Returns whether the runtime may have received the request; ``False`` if none of it was or will be written. A
        request that was received counts as under way until its late reply, because the runtime works on it.
        """
        if self._outbox.withdraw(reply):
            self.router.forget(reply.request_id)
            self._outbox.on_room()  # another request may have been counted with it
            return False
        if self.router.expects(reply):
            self.router.give_up(reply)
        return self.router.may_have_begun(reply)

    def undo(self, undo: Undo) -> None:
        """Stop something at the runtime, past all queues and limits, and repeat that until it is over."""
        self._outbox.undo(undo)

    def subscribe(self, topic: Topic, mailbox: Mailbox) -> None:
        """Deliver the events of ``topic`` to ``mailbox`` from now on. Raises `TransportClosedError`."""
        subscriptions = self.router.subscriptions
        subscriptions.enter(topic, mailbox)
        self.router.change(subscriptions.add, topic, mailbox)
        if self._close_reasons:
            subscriptions.leave(mailbox)
            raise self._close_reasons[0].error(mailbox.subject)

    def unsubscribe(self, topic: Topic, mailbox: Mailbox) -> None:
        """Stop delivering; harmless if that was done before."""
        self.router.subscriptions.leave(mailbox)
        self.router.change(self.router.subscriptions.remove, topic, mailbox)

    def load(self) -> Load:
        """Count the requests in flight and the unread events."""
        return self.router.load()._replace(queued=self._outbox.unsent())

    @property
    def close_reason(self) -> CloseReason | None:
        """Why the connection ended; ``None`` while it is open."""
        return self._close_reasons[0] if self._close_reasons else None

    # -- the end -----------------------------------------------------------------------------------------------------

    def stop(self, timeout: float, recycled: str | None = None) -> Iterator[float]:
        """Stop the runtime step by step; every waiter is woken first.

        A generator, so that both faces can wait in their own way: each step yields how many seconds to wait for `exited`
        before the next, stronger one. The input is closed, then the runtime is terminated, then killed, in ``timeout``
        seconds together; there are no steps if it is gone. ``recycled`` is the reason if another runtime follows.
        """
        self.threads.leave()
        if self.exited.is_ready():
            return
        # Before the input is closed: a runtime that exits at once must find the reason, or its exit counts as a failure.
        self._close(recycled or CLIENT_CLOSED, final=not recycled, recycled=bool(recycled))
        self._outbox.close()
        # Half of the time for an orderly exit, in which the runtime also ends the commands of its threads.
        yield timeout * 0.5
        self.transport.terminate()
        yield timeout * 0.3
        self.transport.kill()
        yield timeout * 0.2

    def abort(self, cause: BaseException) -> None:
        """End a runtime whose `start` has failed: do what the threads that were not started would have done. `stop` does the rest."""
        if is_unread := self._reader.right.take():  # no thread will read, and so none would end the runtime
            self.transport.kill()
        self._outbox.abort()
        if is_unread:
            self._on_end(cause)

    def let_go(self) -> None:
        """End the connection of a client that was garbage-collected. Waits for nothing, as that may be on any thread."""
        self._let_go = True
        self._reader.kill_after(_COLLECTED_GRACE)
        self.transport.terminate()

    def after_fork(self) -> None:
        """Give the connection up in a forked child: the runtime and the threads belong to the parent."""
        reason = "it belongs to the process that this one was forked from"
        self._close_reasons.insert(0, CloseReason(reason, generation=self.generation, final=True))
        self._outbox.close()
        self.router.fail_all(self._close_reasons[0])
        self.server_requests.close()
        self.exited.set()
        self.threads.after_fork()
        self.transport.after_fork()

    def _close(self, reason: str, cause: BaseException | None = None, *, at_end: bool = False, **kind: bool) -> None:
        """Record the close reason, unless there is one, and wake everything that waits."""
        info, age = self.transport.process_info(), time.monotonic() - self.started_at
        closing = CloseReason(reason, info, cause, self.generation, lifetime=age, restarts=self._restarts(age), **kind)
        self._close_reasons.append(closing)
        # Also if there was one: a request may have been registered since, or the other caller interrupted.
        try:
            self.router.fail_all(self._close_reasons[0], at_end=at_end)
        finally:
            self.server_requests.close()

    def _on_broken_input(self, error: BaseException) -> None:
        """Kill a runtime that cannot be written to. One that has exited is reported by the reader, with more detail."""
        if not (isinstance(error, OSError) and block_until_ready(self.exited, _EXIT_GRACE)):
            self._close(reason_of_failed_write(error), error)
            self.transport.kill()

    # -- on the reader thread ----------------------------------------------------------------------------------------

    def _on_frames(self, frames: list[wire.Frame]) -> int:
        if not self.threads.was_refused and (waiters := self.router.settle_alone(frames)) is not None:
            try:
                self._outbox.on_room()
            finally:
                wake_all(waiters)
            return 0
        dispatch, counted = Dispatch(), 0
        try:
            self.router.dispatch(frames, dispatch)
            # Before anyone is woken who may look at the counts.
            if dispatch.late:
                self.tally.late += dispatch.late
                self._report(_log.info, "codex.late_reply", count=dispatch.late)
            self._outbox.on_room()  # after each batch, as the lease of a request may have ended, too
            if skipped := dispatch.skipped:
                self.tally.skipped += (counted := len(skipped))
                self._report(_log.warning, "codex.line_skipped", reason=skipped[0].reason, count=len(skipped))
            if self.threads.was_refused:
                self._workers.catch_up()
            # Last: a woken thread waits for the interpreter until this one has come to its next read.
            dispatch.carry_out(self.server_requests)
        except BaseException:
            # Some of them may have been delivered; which ones is not known.
            self.tally.skipped += len(frames) - counted
            wake_all(dispatch.settle())  # these are no longer pending, so nothing else would wake their callers
            raise
        return len(dispatch.delivered)

    def _on_lost_frames(self, count: int) -> None:
        """Log that a batch of so many frames raised an exception here; the connection continues."""
        self._report(_log.warning, "codex.frames_lost", count=count, exc_info=sys.exc_info()[1])

    def _on_silence(self) -> None:
        """Ask a silent runtime for a sign of life, past all queues and limits, and end one that gives none."""
        self.router.catch_up()
        self._outbox.on_room()
        self._workers.catch_up()
        ask, frozen = self.silence.add_step()
        if ask:
            self._outbox.post(wire.PING)
        if frozen:
            reason = f"the runtime is frozen: it has sent nothing for {self.silence.seconds:g} s, even when asked to"
            self._report(_log.warning, "codex.runtime_frozen")
            self._close(reason, frozen=True)
            self.transport.kill()  # SIGKILL also ends a stopped process

    def _on_end(self, cause: BaseException | None) -> None:
        exit_code = None
        try:
            self._outbox.close()
            exit_code = self.transport.end(_EXIT_GRACE)
        finally:
            try:
                self._close(reason_of_end(self.transport.process_info(), cause), cause, at_end=True)
                self.transport.release()
                uptime = round(time.monotonic() - self.started_at, 3)
                log = _log.info if self._let_go or self._close_reasons[0].is_intended else _log.warning
                self.recent.note_end(self._close_reasons[0].reason, self.transport.process_info())
                self._report(log, "codex.process_exited", exit_code=exit_code, uptime=uptime)
            finally:
                self._workers.close()
                self.exited.set()
                self._workers.handlers.run_rest()

    def _report(self, log: Callable[..., None], event: str, **fields: Any) -> None:
        """Note an event, and log it on a worker, as a log handler of the program may block or raise."""
        self.recent.note(event.partition(".")[2], **fields)
        self._workers.handlers.post(partial(log, event, pid=self.pid, **fields))
