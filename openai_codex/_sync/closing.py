# Derived from openai_codex/_async/closing.py by `python -m tools.unasync`; do not edit.
"""Closes a thread: stops what it is doing, and unsubscribes, archives or deletes it."""

from __future__ import annotations

import sys
from contextlib import suppress
from types import TracebackType
from typing import Any

from openai_codex import _checks as checks
from openai_codex import _protocol as protocol
from openai_codex._sync import lazy, operations
from openai_codex._sync.client import _wait
from openai_codex._sync.client.rpc import call
from openai_codex._engine.waiting import Deadline, Latch
from openai_codex._runtime.not_pickled import NotPickled
from openai_codex._turns.work import Place, within
from openai_codex.errors import (
    CodexError,
    ConfigError,
    InvalidRequestError,
    MethodNotFoundError,
    TransportClosedError,
    TurnTimeoutError,
)

if sys.version_info >= (3, 11):
    from typing import Self
else:
    from typing_extensions import Self

# How long an interrupt may take to be answered, in seconds: the runtime leaves the reply out when two callers interrupt.
_REPLY_WITHIN = 0.2

# How long a call that interrupts the start of a turn waits for the end of it, in seconds.
_UNDO_PATIENCE = 2.0

# How many times a close waits for a reply, or for the end of turns, at most.
_REQUESTS = 4


class Closable(NotPickled):
    """A handle of a thread that can be closed, also by ``with``."""

    _TO_PICKLE = "pickle its id, with which thread_resume of another client continues it"

    id: str
    _connection: lazy.Connection
    # Of the class, so that handles that are never closed do not pay for it.
    _closed_by: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self.close()
        except CodexError:
            if error is None:  # else the error of the block says more
                raise

    def close(self, *, archive: bool = False, delete: bool = False) -> None:
        """Give the thread up: stop its turn, and stop receiving its events (`thread/unsubscribe`). Idempotent.

        A turn that is running is interrupted, and a goal that `run_goal` follows is paused, so whoever waits for them
        gets an interrupted result. All sub-agents of turns of the thread are stopped, also of turns that have ended. If it
        is the thread of a sub-agent itself, its turn is stopped, and nothing else of the turn that it works for.

        A turn that is about to start is stopped, too. Calls that wait for the thread wait for this one and go on then. `run`
        and `turn` of this handle raise `ConfigError` from then on; `Codex.thread_resume` continues a stored thread, and
        so does another handle when it starts a turn, without the tools and the settings that the runtime does not store.
        The client releases the tools of the thread and all that it has noted about it. Where the runtime has exited,
        nothing is sent and none is started.

        The runtime itself frees the memory of a stored thread only if it is archived or deleted, and that of an
        ephemeral one never; see `Restart`.

        Args:
            archive: Archive the thread instead (`thread/archive`): listings omit it then. An ephemeral thread, which
                is not stored, is unsubscribed.
            delete: Delete the thread instead (`thread/delete`), as above.

        Raises:
            ConfigError: Both are given, or one is not a bool. Nothing was sent. Also in a signal handler that interrupts
                `run_goal` of this thread: the goal is paused when the handler returns, and then `close` succeeds.
            InvalidRequestError: The thread cannot be archived or deleted, for instance because it no longer exists.
            TurnTimeoutError: A turn or a sub-agent did not end within the client's ``request_timeout``. The thread is not
                closed.

        Also raises what `request` raises. Cancelling leaves the thread open; `close` can be called again.
        """
        params = _closing_request(self.id, archive=archive, delete=delete)
        if self._closed_by is None or self._closed_by != params.METHOD != protocol.ThreadUnsubscribeParams.METHOD:
            _close(self._connection, self.id, params)
            self._closed_by = params.METHOD

    def _closed_error(self) -> ConfigError:
        return ConfigError("thread", f"{self.id} was closed; thread_resume continues a stored thread")


def _closing_request(thread_id: str, *, archive: bool, delete: bool) -> protocol.ClientRequest[Any]:
    both = (checks.flag("archive", archive), checks.flag("delete", delete))
    if all(both):
        raise ConfigError("delete", "a thread is either archived or deleted; give one of them")
    if archive:
        return protocol.ThreadArchiveParams(thread_id=thread_id)
    if delete:
        return protocol.ThreadDeleteParams(thread_id=thread_id)
    return protocol.ThreadUnsubscribeParams(thread_id=thread_id)


def _close(connection: lazy.Connection, thread_id: str, params: protocol.ClientRequest[Any]) -> None:
    unsubscribe = protocol.ThreadUnsubscribeParams(thread_id=thread_id)
    is_loaded, work = connection.has_loaded(thread_id), None
    place = connection.work.place(thread_id, joins=True)  # it is told of each change
    try:
        # A call in a signal handler that interrupts this one cannot wait for it.
        with within(thread_id):
            # Other calls wait for it, as for a turn: of one that began meanwhile, the end would not be seen.
            work = connection.work.begin(unsubscribe, _REQUESTS * connection.request_timeout)
            work.joins, work.given_up, work.is_unwanted = (
                frozenset(),
                True,
                True,
            )  # it starts no turn, and is part of none
            connection.work.halts.halt(thread_id, place)
            if is_loaded:
                _stop(connection, place, Deadline(connection.request_timeout))
            _unload(connection, params, is_loaded=is_loaded)
    finally:
        connection.work.halts.release(thread_id, place)
        if work is not None:
            connection.work.discard(work)
        connection.work.leave(place)


def _unload(connection: lazy.Connection, params: protocol.ClientRequest[Any], *, is_loaded: bool) -> None:
    """Send the request that ends the subscription; what is kept about the thread goes with its success."""
    thread_id: str = params.thread_id  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]  all of the three have one
    unsubscribe = protocol.ThreadUnsubscribeParams(thread_id=thread_id)
    if params.METHOD != unsubscribe.METHOD:
        try:
            connection.request(params)
        except (InvalidRequestError, MethodNotFoundError):
            # The runtime refuses it for a thread that is not stored. Then there is nothing to archive or delete.
            if not _is_ephemeral(connection, thread_id):
                raise
        else:
            return
    try:
        if is_loaded:
            connection.request(unsubscribe)
            return
    except TransportClosedError:  # a runtime that is gone sends no more events either
        pass
    connection.threads.forget(thread_id)


def _stop(connection: lazy.Connection, place: Place, deadline: Deadline) -> None:
    """Stop all work of a thread and wait for its end: without a subscription the end would not be seen."""
    thread_id = place.thread_id
    if not _stop_turns(connection, place, deadline):  # one whose handle was dropped, or work without a handle
        params = protocol.TurnInterruptParams(thread_id=thread_id, turn_id="")
        with suppress(CodexError):  # no turn runs, or the connection has ended
            call(connection.running(), params, Deadline(min(_REPLY_WITHIN, deadline.remaining())))
    ends = operations.stop_thread(connection.handlers.trees, connection.running(), thread_id)
    for turn_id, end in ends.items():
        if not _wait.ready(end, deadline.remaining()):
            raise TurnTimeoutError(thread_id, turn_id or None, deadline.timeout)


def _stop_turns(connection: lazy.Connection, place: Place, deadline: Deadline) -> bool:
    """Stop the turns that have a handle, and those that are about to start; return whether there was one that had."""
    halts, thread_id, has_handle = connection.work.halts, place.thread_id, False
    while True:
        place.changed = changed = Latch()  # before it looks, so that it is woken by any change after that
        for each in [each for each in connection.watched() if each.thread_id == thread_id and each.is_running()]:
            has_handle = True
            if not each.stop(deadline.remaining(), "close"):
                raise TurnTimeoutError(thread_id, None, deadline.timeout)
        if place.is_nested:  # what this call has interrupted does not go on before it returns; the reader ends its turn
            for stop in [stop for stop in halts.stops(thread_id) if stop.request()]:
                _wait.ready(stop.ended, min(_UNDO_PATIENCE, deadline.remaining()))
        if place.is_nested or halts.is_quiet(thread_id):
            return has_handle
        if deadline.passed():
            raise TurnTimeoutError(
                thread_id, None, deadline.timeout, waiting_for="the end of a turn that was about to start"
            )
        _wait.ready(changed, deadline.remaining())


def _is_ephemeral(connection: lazy.Connection, thread_id: str) -> bool:
    try:
        return (connection.request(protocol.ThreadReadParams(thread_id=thread_id))).thread.ephemeral
    except InvalidRequestError:  # it is not loaded, so it is not ephemeral
        return False
