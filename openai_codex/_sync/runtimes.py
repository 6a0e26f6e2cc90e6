# Derived from openai_codex/_async/runtimes.py by `python -m tools.unasync`; do not edit.
"""The runtime of a client and, where it is supervised, the next ones after a death.

It owns their lives and what is subscribed across them; it knows no verb.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from openai_codex import protocol
from openai_codex._sync import _wait
from openai_codex._sync.launch import Launcher, stop
from openai_codex._engine.backlog import Tally
from openai_codex._engine.death import Death
from openai_codex._engine.mailbox import LastingMailbox, Mailbox
from openai_codex._engine.waiting import Latch, Lock, wake_all
from openai_codex.errors import LaunchError, TransportClosedError
from openai_codex.log import Log
from openai_codex.restart import Deaths

if TYPE_CHECKING:
    from openai_codex._sync.handlers import Handlers
    from openai_codex._engine.actor import Actor
    from openai_codex._engine.topics import Topic
    from openai_codex.config import AppServerConfig
    from openai_codex.metadata import Metadata

# How long a runtime that has died may take to be gone before the next one is started.
_GONE_PATIENCE = 5.0

_log = Log("connection")


class Runtimes:
    """Starts a runtime when one is needed: the first time, and after a death if the configuration says so.

    ``_starting`` lets one caller start it while the others wait; ``_lock`` guards `_subscriptions`. A runtime that is dropped with the client is ended by
    the garbage collector.
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
        self._starting = _wait.Lock()
        self._loop = _wait.LoopGuard()
        self._deaths = Deaths(config.restart)
        self._mourned: Actor | None = None
        self._lock = Lock()
        self._subscriptions: list[tuple[Topic, weakref.ref[Mailbox]]] = []
        self._finalizer: weakref.finalize[Any, Any] | None = None

    def current(self) -> Actor:
        """Return a runtime to talk to, started if need be. Raises `LaunchError`, and `ConfigError` on another loop.

        One that has died is returned as it is, unless it shall be replaced: every request on it says what happened.
        """
        self.check_loop()
        actor = self.actor
        if actor is None or (actor.death is not None and self._config.restart is not None):
            with self._starting:
                return self._living()
        return actor

    def check_loop(self) -> None:
        """Raise `ConfigError` if the client belongs to another event loop than the one that runs.

        If its own is closed it moves to this one, and so do its handlers.
        """
        if self._loop.moved():
            self._starting = _wait.Lock()
            self._handlers.run = _wait.handler_runner()

    def close(self) -> None:
        """Stop the runtime and wait until it is gone; idempotent, bounded by ``shutdown_timeout``."""
        self._closing.set()
        actor = self._launcher.coming or self.actor
        if actor is not None:
            stop(actor, self._config.shutdown_timeout)
        self._end_subscriptions(Death("the client was closed", final=True))

    # -- subscriptions -----------------------------------------------------------------------------------------------

    def mailbox(self, subject: str, methods: frozenset[str] | None = None, limit: int | None = None) -> Mailbox:
        """Make a mailbox of a consumer for `subscribe`, which lives as long as the client may."""
        kind = Mailbox if self._config.restart is None else LastingMailbox
        mailbox = kind(subject, methods, limit)
        mailbox.count_in(self.tally)
        return mailbox

    def subscribe(self, topic: Topic, mailbox: Mailbox) -> None:
        """Deliver events from now on, from this runtime and those that follow. Raises `TransportClosedError`."""
        with self._lock:
            self._subscriptions = [pair for pair in self._subscriptions if pair[1]() is not None]
            self._subscriptions.append((topic, weakref.ref(mailbox)))
        actor = self.actor
        if actor is not None and (actor.death is None or self._config.restart is None or self._closing.is_ready()):
            actor.subscribe(topic, mailbox)

    def unsubscribe(self, topic: Topic, mailbox: Mailbox) -> None:
        """Stop delivering; harmless if it has stopped already."""
        with self._lock:
            self._subscriptions = [pair for pair in self._subscriptions if pair[1]() is not mailbox]
        if self.actor is not None:
            self.actor.unsubscribe(topic, mailbox)

    def _subscribed(self) -> list[tuple[Topic, Mailbox]]:
        with self._lock:
            return [
                (topic, mailbox) for topic, reference in self._subscriptions if (mailbox := reference()) is not None
            ]

    def _end_subscriptions(self, death: Death) -> None:
        for _, mailbox in self._subscribed():
            wake_all(mailbox.fail(death))

    # -- births ------------------------------------------------------------------------------------------------------

    def _living(self) -> Actor:
        if self.actor is not None and self.actor.death is None:
            return self.actor
        if self._closing.is_ready():
            raise TransportClosedError("the client was closed")
        if self.actor is not None:
            self._mourn(self.actor)
        return self._start()

    def _mourn(self, dead: Actor) -> None:
        """Count a death once, see that the process is gone, and wait as long as the policy says."""
        death = dead.death
        assert death is not None, "only the dead are replaced"
        if self._mourned is not dead:
            self._mourned = dead
            self._deaths.add(death.lifetime)
        stop(dead, _GONE_PATIENCE)
        delay = self._deaths.delay()
        if delay is None:
            reason = f"{death.reason}, the last of {self._deaths.count} deaths in succession; no other is started"
            self._end_subscriptions(Death(reason, death.process, death.cause, dead.generation, final=True))
            raise TransportClosedError(reason, None, death.process)
        if _wait.ready(self._closing, delay):
            raise TransportClosedError("the client was closed")

    def _start(self) -> Actor:
        try:
            actor, raw = self._launcher.launch(self.generation + 1)
        except LaunchError:
            if self.actor is not None:
                self._deaths.add(0.0)
            raise
        self.metadata = _metadata(raw)
        self._own(actor)
        if self._closing.is_ready():  # meanwhile, by another thread, which has not seen this one
            self.close()
            raise TransportClosedError("the client was closed")
        for topic, mailbox in self._subscribed():
            actor.subscribe(topic, mailbox)
        if actor.generation > 1:
            self._tell_started(actor)
        return actor

    def _own(self, actor: Actor) -> None:
        if self._finalizer is not None:
            self._finalizer.detach()
        self._finalizer = weakref.finalize(self, actor.let_go)
        self._finalizer.atexit = False
        self.generation = actor.generation
        self.actor = actor

    def _tell_started(self, actor: Actor) -> None:
        from openai_codex.lifecycle import RuntimeStarted, notification

        _log.warning("codex.runtime_restarted", pid=actor.process.pid, generation=actor.generation)
        notice = notification(RuntimeStarted(generation=actor.generation, pid=actor.process.pid))
        for _, mailbox in self._subscribed():
            if mailbox.wants(notice.method):
                wake_all(mailbox.put([notice]))


def _metadata(raw: Any) -> Metadata:
    from openai_codex.metadata import Metadata  # builds a class, so only when there is something to put into it

    return protocol.structure(Metadata, raw)
