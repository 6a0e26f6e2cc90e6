# Derived from openai_codex/_async/client/supervisor.py by `python -m tools.unasync`; do not edit.
"""The runtime of a client and, where it is supervised, the next ones after a death.

It owns their lives and what is subscribed across them; it knows no verb.
"""

from __future__ import annotations

import copy
import time
import weakref
from typing import TYPE_CHECKING, Any

from openai_codex._sync.client import _wait
from openai_codex._sync.client.launch import Launcher, stop
from openai_codex._engine.backlog import Tally
from openai_codex._engine.close_reason import CloseReason
from openai_codex._engine.lasting import LastingSubscriptions
from openai_codex._engine.mailbox import LastingMailbox, Mailbox
from openai_codex._engine.waiting import Deadline, Latch, Lock
from openai_codex._log import Log
from openai_codex._runtime.restart import RestartBackoff
from openai_codex.errors import LaunchError, RequestTimeoutError, TransportClosedError

if TYPE_CHECKING:
    from openai_codex._sync.client.handlers import Handlers
    from openai_codex._config import AppServerConfig
    from openai_codex._engine.actor import Actor
    from openai_codex._engine.topics import Topic
    from openai_codex._runtime.metadata import Metadata

# How long a runtime that has died may take to be gone before the next one is started.
_GONE_PATIENCE = 5.0

_CLOSED = "the client was closed"

_log = Log("connection")


class _Start:
    """One start that is under way: who else needs a runtime waits for it, and shares its failure."""

    def __init__(self) -> None:
        self.done = Latch()
        self.error: Exception | None = None


class Supervisor:
    """Starts a runtime when one is needed: the first time, and after a death if the configuration says so.

    One caller at a time starts one, the others wait for what comes of it; ``_lock`` guards `_under_way`. A runtime that
    is dropped with the client is ended by the garbage collector.
    """

    def __init__(self, config: AppServerConfig, handlers: Handlers) -> None:
        self.actor: Actor | None = None
        """The runtime of today, dead or alive; ``None`` before the first."""
        self.metadata: Metadata | None = None
        """What it has said of itself."""
        self.generation = 0
        """How many have come up."""
        self.tally = Tally()
        self._config = config
        self._handlers = handlers
        self._closing = Latch()
        self._launcher = Launcher(config, handlers, self.tally, self._closing)
        self._loop = _wait.LoopGuard()
        self._lock = Lock()
        self._under_way: _Start | None = None
        self._deaths = RestartBackoff(config.restart)
        self._mourned: Actor | None = None
        self._not_before = 0.0
        self._end: CloseReason | None = None
        self._subscriptions = LastingSubscriptions()
        self._finalizer: weakref.finalize[Any, Any] | None = None

    def current(self, waiting_for: str, deadline: Deadline) -> Actor:
        """Return a runtime to talk to, started if need be.

        One that has died is returned as it is, unless it shall be replaced: every request on it says what happened.
        Raises `LaunchError` when none comes up, `RequestTimeoutError` when somebody else's start or the wait before one
        takes longer than the deadline (a start of one's own takes its ``start_timeout``), and `ConfigError` on another
        event loop.
        """
        self.check_loop()
        while (actor := self.actor) is None or self._is_replaceable(actor):
            self._started(waiting_for, deadline)
        return actor

    def check_loop(self) -> None:
        """Raise `ConfigError` if the client belongs to another event loop than the one that runs.

        If its own is closed it moves to this one, and so do its handlers.
        """
        if self._loop.moved():
            self._under_way = None
            self._handlers.run = _wait.handler_runner()

    def close(self) -> None:
        """Stop the runtime and wait until it is gone; idempotent, bounded by ``shutdown_timeout``."""
        self._closing.set()
        actor = self._launcher.coming or self.actor
        if actor is not None:
            stop(actor, self._config.shutdown_timeout)
        self._end = self._end or CloseReason(_CLOSED, final=True)
        self._subscriptions.end(self._end)

    # -- subscriptions -----------------------------------------------------------------------------------------------

    def mailbox(self, subject: str, methods: frozenset[str] | None = None, limit: int | None = None) -> Mailbox:
        """Make a mailbox of a consumer for `subscribe`, which lives as long as the client may."""
        kind = Mailbox if self._config.restart is None else LastingMailbox
        mailbox = kind(subject, methods, limit)
        mailbox.count_in(self.tally)
        return mailbox

    def subscribe(self, topic: Topic, mailbox: Mailbox) -> None:
        """Deliver events from now on, from this runtime and those that follow. Raises `TransportClosedError`."""
        self._subscriptions.add(topic, mailbox)
        if self._end is not None:  # looked at afterwards, so that an end in between tells the mailbox
            self._subscriptions.remove(mailbox)
            raise self._end.error(mailbox.subject)
        actor = self.actor
        if actor is not None and not self._is_replaceable(actor):
            actor.subscribe(topic, mailbox)

    def unsubscribe(self, topic: Topic, mailbox: Mailbox) -> None:
        """Stop delivering; harmless if it has stopped already."""
        self._subscriptions.remove(mailbox)
        if self.actor is not None:
            self.actor.unsubscribe(topic, mailbox)

    # -- births ------------------------------------------------------------------------------------------------------

    def _is_replaceable(self, actor: Actor) -> bool:
        close_reason = actor.close_reason
        return close_reason is not None and not close_reason.final and self._config.restart is not None

    def _started(self, waiting_for: str, deadline: Deadline) -> None:
        """Start a runtime, or wait for the start that is under way."""
        mine = _Start()
        with self._lock:
            others = self._under_way
            if others is None:
                self._under_way = mine
        if others is not None:
            if not _wait.ready(others.done, deadline.remaining()):
                raise RequestTimeoutError(waiting_for, deadline.timeout or 0.0)
            if others.error is not None:
                raise copy.copy(others.error) from others.error
            return
        try:
            self._start(waiting_for, deadline)
        except Exception as error:
            # That the time of this caller is up is no concern of the others.
            mine.error = None if isinstance(error, RequestTimeoutError) else error
            raise
        finally:
            self._under_way = None
            mine.done.set()

    def _start(self, waiting_for: str, deadline: Deadline) -> None:
        if self.actor is not None:
            if not self._is_replaceable(self.actor):
                return  # another was quicker
            self._mourn(self.actor, waiting_for, deadline)
        self._check_open()
        try:
            actor, self.metadata = self._launcher.launch(self.generation + 1)
        except LaunchError:
            if self.actor is not None:
                self._count(0.0)
            raise
        self._introduce(actor)

    def _check_open(self) -> None:
        if self._closing.is_ready():
            raise TransportClosedError(_CLOSED)

    def _count(self, lifetime: float) -> None:
        self._deaths.add(lifetime)
        self._not_before = time.monotonic() + (self._deaths.delay() or 0.0)

    def _mourn(self, dead: Actor, waiting_for: str, deadline: Deadline) -> None:
        """Count a death once, see that the process is gone, and wait as long as the policy says."""
        close_reason = dead.close_reason
        assert close_reason is not None, "only the dead are replaced"
        if self._mourned is not dead:
            self._mourned = dead
            self._count(close_reason.lifetime)
        stop(dead, _GONE_PATIENCE)
        if self._deaths.delay() is None:
            reason = f"{close_reason.reason}; no other is started after {self._deaths.count} failures in succession"
            self._end = self._end or CloseReason(
                reason, close_reason.process, close_reason.cause, dead.generation, final=True
            )
            self._subscriptions.end(self._end)
            raise self._end.error(waiting_for)
        wait = max(0.0, self._not_before - time.monotonic())
        left = deadline.remaining()
        if _wait.ready(self._closing, wait if left is None else min(wait, left)):
            raise TransportClosedError(_CLOSED, waiting_for)
        if left is not None and left < wait:
            raise RequestTimeoutError(waiting_for, deadline.timeout or 0.0)

    def _introduce(self, actor: Actor) -> None:
        """Make a new runtime the one of the day: first those who listen to it, then those who ask it."""
        if self._finalizer is not None:
            self._finalizer.detach()
        self._finalizer = weakref.finalize(self, actor.let_go)
        self._finalizer.atexit = False
        self.generation = actor.generation
        if actor.generation > 1:
            self._tell_started(actor)
        for topic, mailbox in self._subscriptions.alive():
            actor.subscribe(topic, mailbox)
        self.actor = actor
        if self._closing.is_ready():  # meanwhile, by another thread, which has not seen this one
            self.close()
            raise TransportClosedError(_CLOSED)

    def _tell_started(self, actor: Actor) -> None:
        from openai_codex._runtime.lifecycle import RuntimeStarted, notification

        _log.warning("codex.runtime_restarted", pid=actor.process.pid, generation=actor.generation)
        self._subscriptions.tell(notification(RuntimeStarted(generation=actor.generation, pid=actor.process.pid)))
