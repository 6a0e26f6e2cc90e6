# Derived from openai_codex/_async/client/rpc.py by `python -m tools.unasync`; do not edit.
"""One request and its reply, on one runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openai_codex import _codec as codec
from openai_codex import _protocol as protocol
from openai_codex._sync.client import _wait
from openai_codex._log import Log
from openai_codex.errors import RequestTimeoutError, TransportClosedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_codex._engine.actor import Actor
    from openai_codex._engine.subscriptions import PendingSubscription
    from openai_codex._engine.waiting import Deadline

# How long a caller that gives up waits for the reply to its undo request, in seconds. Usually it takes milliseconds.
_UNDO_PATIENCE = 0.5

_log = Log("connection")


def call(
    actor: Actor,
    params: protocol.ClientRequest[Any],
    deadline: Deadline,
    *,
    subscription: PendingSubscription | None = None,
    undo: protocol.ClientRequest[Any] | None = None,
    meanwhile: Callable[[], None] | None = None,
) -> Any:
    """Send a request, wait for its reply and return the result as decoded JSON. Raises `RequestTimeoutError`.

    ``undo`` is sent when the caller gives up while the runtime may have carried the request out. ``meanwhile`` runs
    after the request is written, so that both sides work at the same time.
    """
    reply = actor.request(params.METHOD, codec.unstructure(params), subscription)
    settled = False
    try:
        if meanwhile is not None:
            meanwhile()
        settled = _wait.ready(reply, deadline.remaining())
    finally:
        # Also on cancellation and Ctrl-C. A request that was never written needs no undo.
        if not settled and actor.abandon(reply) and undo is not None:
            send_undo(actor, undo)
    if not settled:
        raise RequestTimeoutError(params.METHOD, deadline.timeout)
    # Collecting the fields takes longer than the check, so it is done only if they are logged.
    if _log.is_debugging:
        fields = {"request_id": reply.request_id, "seconds": reply.seconds, "pid": actor.pid}
        _log.debug("codex.request_answered", method=reply.method, **fields)
    return reply.result()


def send_undo(actor: Actor, undo: protocol.ClientRequest[Any]) -> None:
    """Send a request that undoes an earlier one, and wait a moment for its reply, which may never come."""
    try:
        reply = actor.request(undo.METHOD, codec.unstructure(undo))
    except TransportClosedError:
        # A runtime that is gone has nothing left to undo.
        return
    try:
        # The runtime leaves out the reply when two callers undo the same thing at once.
        _wait.ready(reply, _UNDO_PATIENCE)
    finally:
        actor.abandon(reply)
