# Derived from openai_codex/_async/client/launch.py by `python -m tools.unasync`; do not edit.
"""Starts a runtime and performs the handshake; orders the starts of several programs in one home."""

from __future__ import annotations

import time
import weakref
from functools import partial
from typing import TYPE_CHECKING, Any

from openai_codex import _codec as codec
from openai_codex._sync.client import _wait
from openai_codex._sync.client.ahead import import_ahead
from openai_codex._sync.client.handlers import note_declined
from openai_codex._sync.client.rpc import log_end
from openai_codex._config import JOURNAL_VARIABLE, AppServerConfig, journal_of
from openai_codex._engine import at_exit
from openai_codex._engine.actor import Actor
from openai_codex._engine.reader import Silence
from openai_codex._engine.recent import Recent
from openai_codex._engine.reply import CLIENT_CLOSED
from openai_codex._engine.transport import NO_THREAD, RuntimeStart
from openai_codex._engine.waiting import Deadline
from openai_codex._log import Log, is_library_loaded
from openai_codex._runtime.backoff import Backoff
from openai_codex._runtime.handshake import INITIALIZE, initialize_params
from openai_codex._runtime.imports import load
from openai_codex.errors import CodexError, ConfigError, LaunchError, RequestTimeoutError, TransportClosedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_codex._sync.client.handlers import Handlers
    from openai_codex._engine.backlog import Tally
    from openai_codex._engine.server_requests import OnFailure, OnRequest, PendingRequest
    from openai_codex._engine.transport import HomeLock, Started
    from openai_codex._engine.waiting import Latch
    from openai_codex._journal.recorder import Recorder
    from openai_codex._runtime.report import Metadata

# How long the threads of a runtime that is gone may take to end, in seconds: only a handler that never returns takes it. The
# second one is for a thread that imports the library for the first line of the log.
_THREADS_PATIENCE, _IMPORT_PATIENCE = 0.5, 5.0

# How long the journal may take to be written when the client is closed, in seconds: only a disk that hangs takes it.
_FLUSH_PATIENCE = 5.0

# How long a runtime may take to exit that has not started in time, in seconds: it has no work to finish.
_UNUSED_PATIENCE = 1.0

# How often to check whether another process's start in the same home is over, in seconds: a file lock cannot wake a waiter.
_LOCK_POLL = 0.02

# The delays before a start that exited is repeated. At random, as several programs may have failed at one moment.
_START_AGAIN = Backoff(0.05, 1.0, jitter=0.5)

_log = Log("connection")


class Launcher:
    """Starts runtimes for one client; the caller makes sure that only one start is in progress.

    ``closing`` is set before `starting` is read to stop that runtime, so no start is missed.
    """

    def __init__(
        self,
        config: AppServerConfig,
        handlers: Handlers,
        tally: Tally,
        closing: Latch,
        allows_restart: Callable[[int, float], bool],
    ) -> None:
        self.starting: Actor | None = None
        """The runtime that is being started, until the supervisor has made it the current one or it has failed."""
        self.journal: Recorder | None = None
        """Where to write down what passes between this program and the runtimes."""
        self.early: RuntimeStart | None = None
        """A start that has begun already: the first runtime's."""
        self._config = config
        self._on_request, self._on_failure = _dispatcher_of(handlers)
        self._handlers = weakref.ref(handlers)
        self._reported = handlers.reported
        self._tally = tally
        self._encoder = handlers.encoder
        self._closing = closing
        self._allows_restart = allows_restart

    def launch(self, generation: int, until: Deadline) -> tuple[Actor, Metadata]:
        """Start a runtime and perform the handshake; return it with its metadata. Raises `LaunchError`.

        It takes ``start_timeout`` seconds at most, and no longer than the caller waits.
        """
        deadline = Deadline(min(self._config.start_timeout, until.remaining()))
        start = self.early or RuntimeStart(self._config)
        lock = start.lock
        try:
            self.early = None
            at_exit.give_up_in_forks(start)
            self._open_journal()
            if not start.has_begun() and lock.is_usable() and not self._acquire(lock, deadline):
                raise LaunchError(f"the home is locked: others have been starting in it for {deadline.timeout:g} s")
            failures = 0
            while True:
                try:
                    return self._attempt(start, generation, deadline)
                except LaunchError as error:
                    if not _was_disturbed(error, start):
                        raise
                    failures += 1
                    delay = _START_AGAIN.delay(failures)
                    if deadline.remaining() < delay or not self._acquire(lock, deadline, alone=True):
                        raise
                _wait.ready(self._closing, delay)
        finally:
            start.end()

    def _open_journal(self) -> None:
        """Begin the journal, with the first runtime. Raises `ConfigError` if it cannot be written."""
        if self._config.journal is not None and self.journal is None:
            try:
                self.journal = load("openai_codex._journal.record").open_journal(self._config.journal, self)
            except RuntimeError as error:
                raise LaunchError(NO_THREAD) from error
            except ConfigError as error:
                is_named = self._config.journal == journal_of(None)
                raise ConfigError(JOURNAL_VARIABLE if is_named else error.what, error.reason) from error.__cause__

    def note(self, event: str, **fields: Any) -> None:
        """Note what has happened to the client in the journal, if there is one."""
        if self.journal is not None:
            self.journal.note(event, **fields)

    def close(self) -> None:
        """End the journal, and wait until it is written. After the runtimes have ended; idempotent."""
        if self.journal is not None and not self.journal.exited.is_ready():
            self.journal.note("client_closed")
            self.journal.end()
            if _wait.ready(self.journal.exited, _FLUSH_PATIENCE):
                self.journal.join()

    def finish(self, current: Actor | None) -> None:
        """End a start: what was started is stopped, unless it has become the current runtime."""
        if self.starting is not None and self.starting is not current:
            stop(self.starting, min(self._config.shutdown_timeout, _UNUSED_PATIENCE))
        self.starting = None

    def _acquire(self, lock: HomeLock, deadline: Deadline, *, alone: bool = False) -> bool:
        """Wait for the lock of the home; return ``False`` when the deadline passes."""
        while not lock.try_acquire(alone=alone):
            if deadline.passed():
                return False
            _wait.ready(self._closing, _LOCK_POLL)
            self.check_open()
        return True

    def _attempt(self, start: RuntimeStart, generation: int, deadline: Deadline) -> tuple[Actor, Metadata]:
        config = self._config
        transport = start.process()
        self.starting = actor = self._actor(transport, generation)
        start.hand_over()
        try:
            self._reported.follow(actor)
            metadata = self._initialize(actor, start.said, deadline)
        except BaseException as error:
            actor.abort(error)
            stop(actor, min(config.shutdown_timeout, _UNUSED_PATIENCE))
            if isinstance(error, CodexError):
                self.check_open()
            elif not isinstance(error, RuntimeError):
                raise
            reason = _reason(error, config.start_timeout) if isinstance(error, CodexError) else NO_THREAD
            failure = LaunchError(reason, transport.process_info())
            actor.recent.attach(failure)
            raise failure from error
        version = actor.recent.version = metadata.server_info.version
        actor.recent.note("runtime_ready", version=version)
        actor.notify("initialized")
        actor.silence.armed = True
        if config.endpoint is not None and config.restart is not None:
            load("openai_codex._turns.rejoin").keep_session(actor, config, self._handlers)
        _log_version(metadata, transport)
        return actor, metadata

    def _initialize(self, actor: Actor, said: bytes, deadline: Deadline) -> Metadata:
        """Start the actor, and wait for the reply to the first request, which may have been sent already."""
        reply = actor.router.new_reply(INITIALIZE)
        if said:  # before the reader starts, as the reply may be there
            actor.router.register(reply)
            actor.recent.keep_sent(time.monotonic(), said)
        actor.start()
        self.check_open()
        try:
            if not said:
                actor.send(reply, initialize_params(self._config))
            import_ahead(reply)
            if not _wait.ready(reply, deadline.remaining()):
                raise RequestTimeoutError(INITIALIZE, deadline.timeout)
            return _metadata(reply.result())
        finally:
            log_end(actor, reply, deadline)
            self._reported.log(actor)

    def _actor(self, transport: Started, generation: int) -> Actor:
        config = self._config
        process = transport.process_info()
        record = None if self.journal is None else self.journal.track(generation, process.pid)
        recent = Recent(generation, process.pid, record)
        recent.settings, recent.process = config, process
        actor = Actor(
            transport,
            self._on_request,
            config.max_in_flight,
            recent=recent,
            tally=self._tally,
            silence=Silence(config.ping_interval, config.ping_timeout),
            max_line_bytes=config.max_line_bytes,
            will_restart=partial(self._allows_restart, generation),
            on_failure=self._on_failure,
        )
        if self._encoder is not None:
            actor.encode = self._encoder(actor)
        return actor

    def check_open(self) -> None:
        """Raise `TransportClosedError` if the client was closed."""
        if self._closing.is_ready():
            raise TransportClosedError(CLIENT_CLOSED)


def stop(actor: Actor, timeout: float, recycled: str | None = None) -> None:
    """Stop a runtime and wait until it is gone, at most ``timeout`` seconds. Idempotent. See `Actor.stop`."""
    try:
        for patience in actor.stop(timeout, recycled):
            if _wait.ready(actor.exited, patience):
                break
        if _wait.ready(actor.threads.ended, _THREADS_PATIENCE if is_library_loaded() else _IMPORT_PATIENCE):
            actor.threads.join()
    finally:
        # Also when the caller is cancelled: nothing is left to end it later.
        if not actor.exited.is_ready():
            actor.transport.kill()


def _was_disturbed(error: LaunchError, start: RuntimeStart) -> bool:
    """Return whether a runtime may have exited because another one created or migrated the databases.

    With the lock held alone, that is another one that takes no lock, such as the codex CLI. Then the databases have
    changed; they have not if the configuration is at fault, because the runtime reads that first.
    """
    exited = isinstance(error.__cause__, TransportClosedError)
    lock = start.lock
    return exited and lock.is_usable() and (not lock.is_alone or lock.databases() != start.before)


def _dispatcher_of(handlers: Handlers) -> tuple[OnRequest, OnFailure]:
    """Return what dispatches server requests to handlers, and what notes failures, without keeping the handlers alive.

    The reader thread holds the actor, and handlers may hold the client: with a strong reference, a client that was
    dropped could not be collected before its runtime has ended.
    """
    reference = weakref.ref(handlers)

    def dispatch(pending: PendingRequest) -> None:
        # Imported with the first request: most programs receive none.
        load(f"{__name__.rpartition('.client')[0]}.client.dispatch")
        from openai_codex._sync.client.dispatch import Dispatcher

        alive = reference()
        if alive is not None:  # else the client was collected, and its runtime is being stopped
            Dispatcher(alive).take(pending)

    def note(pending: PendingRequest, reason: str) -> Callable[[], object]:
        alive = reference()
        return bool if alive is None else note_declined(alive.turns, pending, "raised", reason)

    return dispatch, note


_METADATA = ("codexHome", "platformFamily", "platformOs", "userAgent")


def _metadata(raw: Any) -> Metadata:
    # Importing it builds protocol classes, which `import openai_codex` must not do.
    load("openai_codex._runtime.report")
    from openai_codex._runtime.report import Metadata

    # Only what is there: fake servers of programs answer with less than the runtime, and none of it is needed.
    return codec.structure(Metadata, {**dict.fromkeys(_METADATA, ""), **raw} if isinstance(raw, dict) else raw)


def _log_version(metadata: Metadata, transport: Started) -> None:
    from openai_codex._runtime.report import log_version  # loaded with the metadata

    log_version(metadata, transport.process_info().path)


def _reason(error: CodexError, timeout: float) -> str:
    if isinstance(error, RequestTimeoutError):
        return f"no reply to initialize within {timeout:g} s"
    return error.reason if isinstance(error, TransportClosedError) else str(error)
