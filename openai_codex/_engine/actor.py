"""The actor: one reader thread that owns the runtime's pipe, and the calls by which everybody else talks to it.

It turns bytes into frames and frames into settled replies, filled mailboxes and handled server requests. It knows no
verb of the API.
"""

from __future__ import annotations

import atexit
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import attrs

from openai_codex._engine import wire
from openai_codex._engine.death import Death
from openai_codex._engine.handlers import HandlerPool
from openai_codex._engine.outbox import Outbox
from openai_codex._engine.reply import Reply
from openai_codex._engine.router import Coming, Dispatch, Router, Topic
from openai_codex._engine.waiting import Latch, Waiter, block_until_ready, wake_all
from openai_codex.log import Log

if TYPE_CHECKING:
    from openai_codex._engine.mailbox import Mailbox
    from openai_codex._engine.process import RuntimeProcess

Answer = Callable[[wire.ServerCall], bytes]
"""Turns a server request into the line that answers it. Runs on the handler pool."""

# How long a runtime that closed its output may take to exit before it is ended.
_EXIT_GRACE = 2.0

# How long `release` waits for each thread; only a handler of the user's that never returns takes as long.
_JOIN_TIMEOUT = 0.5

_log = Log("actor")


@attrs.define
class Counters:
    """What the reader has met; written by the reader alone."""

    frames: int = 0
    skipped: int = 0
    late: int = 0


class Actor:
    """One connection to one runtime process, from its start to its end.

    The reader thread owns stdout. ``_lock`` guards the router and `_death`: whatever registers a waiter looks at
    `_death` under the same lock, so nobody starts to wait for a connection that has ended. Replies are settled,
    mailboxes filled and waiters woken after the lock is released, on the reader; it runs no code of the user, writes
    to no pipe and waits for nobody. Everything else it leaves to the handler pool.
    """

    def __init__(self, process: RuntimeProcess, answer: Answer, max_in_flight: int) -> None:
        self.process = process
        self.exited = Latch()
        """Set when the process has been reaped and the reader is through."""
        self.counters = Counters()
        self._answer = answer
        self._lock = threading.Lock()
        self._router = Router(max_in_flight)
        self._death: Death | None = None
        self._outbox = Outbox(process, self._on_broken_pipe)
        self._pool = HandlerPool(f"codex-handler-{process.pid}")
        self._lines = wire.LineSplitter()
        self._reader = threading.Thread(target=self._read, name=f"codex-reader-{process.pid}", daemon=True)
        self._started_at = time.monotonic()
        _live.add(self)
        self._reader.start()
        _log.info("codex.process_started", pid=process.pid, command=process.command[0])

    # -- calls, from any thread --------------------------------------------------------------------------------------

    def request(self, method: str, params: dict[str, Any] | None, coming: Coming | None = None) -> Reply:
        """Send a request; never blocks. ``params=None`` leaves the member out.

        Raises `ConfigError` if the params cannot be written as JSON and `TransportClosedError` if the connection is
        gone; nothing was sent then.
        """
        reply = Reply(method)
        with self._lock:
            request_id = self._router.next_id()
        line = wire.encode_request(request_id, method, *(() if params is None else (params,)))
        with self._lock:
            if self._death is not None:
                raise self._death.error(method)
            self._router.register(request_id, reply, coming)
            admitted = self._router.admit(request_id, line)
        if admitted is not None:
            self._outbox.send(admitted)
        return reply

    def tell(self, method: str, params: dict[str, Any]) -> None:
        """Send a request whose reply nobody waits for; never blocks, and does nothing when the connection is gone."""
        with self._lock:
            request_id = self._router.next_id()
        self._outbox.send(wire.encode_request(request_id, method, params))

    def notify(self, method: str) -> None:
        """Send a notification without params; never blocks."""
        self._outbox.send(wire.encode_notification(method))

    def abandon(self, reply: Reply) -> None:
        """Say that nobody waits for this reply any more: it is dropped when it comes."""
        with self._lock:
            lines = self._router.abandon(reply.request_id) if reply.request_id is not None else []
        for line in lines:
            self._outbox.send(line)

    def subscribe(self, topic: Topic, mailbox: Mailbox) -> None:
        """Deliver the events of ``topic`` to ``mailbox`` from now on. Raises `TransportClosedError`."""
        with self._lock:
            if self._death is not None:
                raise self._death.error(mailbox.subject)
            self._router.subscribe(topic, mailbox)

    def unsubscribe(self, topic: Topic, mailbox: Mailbox) -> None:
        """Stop delivering; harmless if it has stopped already."""
        with self._lock:
            self._router.unsubscribe(topic, mailbox)

    @property
    def death(self) -> Death | None:
        """How the connection ended; ``None`` while it lives."""
        return self._death

    # -- the end -----------------------------------------------------------------------------------------------------

    def stop(self, timeout: float) -> Iterator[float]:
        """Stop the runtime step by step; every waiter is woken first.

        A generator: each step yields how many seconds to wait for `exited` before the next, harder one: its input is
        closed, its process group gets SIGTERM, then SIGKILL. Together they take at most ``timeout`` seconds.
        """
        self._die(Death("the client was closed", self.process.facts()))
        self._outbox.close()
        yield timeout * 0.5
        self.process.terminate()
        yield timeout * 0.3
        self.process.kill()
        yield timeout * 0.2

    def release(self) -> None:
        """Wait for the threads to end, after `exited`; they have nothing left to do. Idempotent."""
        for join in (self._reader.join, self._outbox.join, self._pool.close):
            join(_JOIN_TIMEOUT)

    def stop_now(self, timeout: float) -> None:
        """Stop the runtime, blocking: for the end of the interpreter, when no face is left to wait."""
        for patience in self.stop(timeout):
            if block_until_ready(self.exited, patience):
                break

    def _die(self, death: Death) -> None:
        """Record the end, once, and tell everyone who waits."""
        with self._lock:
            if self._death is not None:
                return
            self._death = death
            replies, mailboxes = self._router.everyone()
        for reply in replies:
            wake_all(reply.settle(death))
        for mailbox in mailboxes:
            wake_all(mailbox.fail(death))

    def _on_broken_pipe(self, error: OSError) -> None:
        self._pool.submit(partial(self._end_after_broken_pipe, error))

    def _end_after_broken_pipe(self, error: OSError) -> None:
        """The runtime reads no more. Usually it has exited and the reader tells so; if not, it is of no use."""
        if self.process.wait(_EXIT_GRACE) is None:
            self._die(Death(f"the runtime closed its input: {error.strerror}", self.process.facts(), error))
            self.process.kill()

    # -- the reader thread -------------------------------------------------------------------------------------------

    def _read(self) -> None:
        cause: Exception | None = None
        try:
            while chunk := self.process.read():
                self._feed(chunk)
        except Exception as error:  # noqa: BLE001  whatever it is: those who wait must learn of it
            cause = error
        self._finish(cause)

    def _feed(self, chunk: bytes) -> None:
        frames = [wire.decode(line) for line in self._lines.feed(chunk) if line and not line.isspace()]
        self.counters.frames += len(frames)
        with self._lock:
            dispatch = self._router.dispatch(frames)
        self._carry_out(dispatch)

    def _carry_out(self, dispatch: Dispatch) -> None:
        waiters: list[Waiter] = []
        for mailbox, events in dispatch.delivered.items():
            waiters += mailbox.put(events, last=mailbox in dispatch.ended)
        for reply, response in dispatch.settled:
            waiters += reply.settle(response)
        wake_all(waiters)
        for line in dispatch.to_write:
            self._outbox.post(line)
        for call in dispatch.calls:
            self._pool.submit(partial(self._handle, call))
        self.counters.late += dispatch.late
        if dispatch.skipped:
            self.counters.skipped += len(dispatch.skipped)
            self._pool.submit(partial(_log_skipped, dispatch.skipped, self.process.pid))

    def _finish(self, cause: Exception | None) -> None:
        rest = self._lines.end()
        if rest.strip():
            self._carry_out(Dispatch(skipped=[wire.Skipped("the output ended within a line", len(rest))]))
        exit_code = self.process.wait(_EXIT_GRACE)
        if exit_code is None:
            self.process.kill()
            exit_code = self.process.wait(_EXIT_GRACE)
        self._outbox.close()
        self.process.release()
        self._die(Death(_reason(exit_code, cause), self.process.facts(), cause))
        self._pool.submit(partial(self._log_exit, exit_code))
        self.exited.set()

    # -- on the handler pool -----------------------------------------------------------------------------------------

    def _handle(self, call: wire.ServerCall) -> None:
        self._outbox.send(self._answer(call))

    def _log_exit(self, exit_code: int | None) -> None:
        seconds = round(time.monotonic() - self._started_at, 3)
        _log.info("codex.process_exited", pid=self.process.pid, exit_code=exit_code, uptime=seconds)


def _reason(exit_code: int | None, cause: Exception | None) -> str:
    if cause is not None:
        return f"the reader failed: {type(cause).__name__}"
    return "the runtime closed its output and would not end" if exit_code is None else "the runtime exited"


def _log_skipped(skipped: list[wire.Skipped], pid: int) -> None:
    first = skipped[0]
    _log.warning("codex.line_skipped", reason=first.reason, size=first.size, count=len(skipped), pid=pid)


def _stop_all() -> None:
    """Python ends: no runtime outlives it, also if nobody closed its client."""
    for actor in list(_live):
        actor.stop_now(1.0)


_live: weakref.WeakSet[Actor] = weakref.WeakSet()
atexit.register(_stop_all)
