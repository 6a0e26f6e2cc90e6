# Derived from openai_codex/_async/client/rpc.py by `python -m tools.unasync`; do not edit.
"""One request and its reply, on one runtime."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from openai_codex import _codec as codec
from openai_codex import _protocol as protocol
from openai_codex._sync.client import _wait
from openai_codex._sync.client.ahead import LEADS_TO_A_TURN, STEPS, import_ahead
from openai_codex._log import Log
from openai_codex._runtime.backoff import Attempts, Backoff
from openai_codex.errors import CodexError, RequestTimeoutError, ServerBusyError

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_codex._engine.actor import Actor
    from openai_codex._engine.reply import Reply
    from openai_codex._engine.subscriptions import PendingSubscription
    from openai_codex._engine.waiting import Deadline
    from openai_codex._turns.stops import TurnStop

# How often a request is sent again that the runtime was too busy for, and the delays between.
_ATTEMPTS, _AGAIN = 8, Backoff(0.05, 2.0, jitter=0.2)

_log = Log("connection")


def call(
    actor: Actor,
    params: protocol.ClientRequest[Any],
    deadline: Deadline,
    *,
    subscription: PendingSubscription | None = None,
    starts: TurnStop | None = None,
    on_given_up: Callable[[], None] | None = None,
) -> Any:
    """Send a request, wait for its reply and return the result as decoded JSON. Raises `RequestTimeoutError`.

    ``starts`` is the turn that the request starts. ``on_given_up`` is called when the caller gives up while the runtime may
    have carried the request out.
    """
    reply, settled = actor.router.new_reply(params.METHOD), False
    if starts is not None:
        starts.follow(actor, reply)
        subscription = starts.subscription
    try:
        try:
            actor.send(reply, codec.unstructure(params), subscription)
            if STEPS and params.METHOD in LEADS_TO_A_TURN:
                import_ahead(reply)
            settled = _wait.ready(reply, deadline.remaining())
        finally:
            # Also on cancellation, Ctrl-C and any exception of a signal handler.
            if not settled and actor.abandon(reply) and on_given_up is not None:
                on_given_up()
            # Collecting the fields takes longer than the check, so it is done only if they are logged.
            if _log.is_debugging:
                log_end(actor, reply, deadline)
        if not settled:
            raise RequestTimeoutError(params.METHOD, deadline.timeout)
        return reply.result()
    except CodexError as error:
        actor.recent.attach(error)
        raise


def call_again(actor: Actor, params: protocol.ClientRequest[Any], deadline: Deadline, error: ServerBusyError) -> Any:
    """Repeat a request that the runtime was too busy for, with exponential back-off."""
    until = time.monotonic() + deadline.remaining()
    attempts = Attempts(_ATTEMPTS, _AGAIN, until)
    while True:
        # A runtime that exits ends the delay: the next attempt raises its close reason.
        _wait.ready(actor.exited, attempts.delay_after(error))
        try:
            return call(actor, params, deadline)
        except ServerBusyError as again:
            error = again


def log_end(actor: Actor, reply: Reply, deadline: Deadline) -> None:
    """Log what came of a request, or that its caller gave up."""
    given_up = "timed_out" if deadline.passed() else "cancelled"
    outcome, code = reply.outcome() if reply.is_ready() else (given_up, None)
    fields = {"request_id": reply.request_id, "seconds": round(reply.age(), 6), "pid": actor.pid}
    _log.debug("codex.request_ended", method=reply.method, outcome=outcome, code=code, **fields)
