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
    from openai_codex._engine.topics import PendingSubscription
    from openai_codex._engine.waiting import Deadline

# How long a caller that gives up waits for its request to be undone: usually some milliseconds.
_UNDO_PATIENCE = 0.5

_log = Log("connection")


def ask(
    actor: Actor,
    params: protocol.ClientRequest[Any],
    deadline: Deadline,
    *,
    coming: PendingSubscription | None = None,
    undo: protocol.ClientRequest[Any] | None = None,
    meanwhile: Callable[[], None] | None = None,
) -> Any:
    """Send a request and return its result as decoded JSON; until the deadline at the latest.

    ``undo`` is sent when the caller gives up while the runtime may have carried the request out. ``meanwhile`` is called
    when the request is on its way: the runtime is at work, and this side may be, too.
    """
    reply = actor.request(params.METHOD, codec.unstructure(params), coming)
    settled = False
    try:
        if meanwhile is not None:
            meanwhile()
        settled = _wait.ready(reply, deadline.remaining())
    finally:
        if not settled and actor.abandon(reply) and undo is not None:
            take_back(actor, undo)
    if not settled:
        raise RequestTimeoutError(params.METHOD, deadline.timeout or 0.0)
    if _log.is_debugging:
        facts = {"request_id": reply.request_id, "seconds": reply.seconds, "pid": actor.process.pid}
        _log.debug("codex.request_answered", method=reply.method, **facts)
    return reply.result()


def take_back(actor: Actor, undo: protocol.ClientRequest[Any]) -> None:
    """Send what undoes an earlier request, and wait a moment for the reply; it may never come."""
    try:
        reply = actor.request(undo.METHOD, codec.unstructure(undo))
    except TransportClosedError:
        return
    try:
        _wait.ready(reply, _UNDO_PATIENCE)
    finally:
        actor.abandon(reply)
