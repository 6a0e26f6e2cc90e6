"""Where spans begin and end: the two tables of a client that know all turns, with tracing.

The span of a turn begins with its request, in the context of the caller, or with the event that announces a turn that was
not requested: for a goal, of a sub-agent. A turn that a consumer of the program holds ends where the consumer notes its
end, before the call returns; any other by a worker.
"""

from __future__ import annotations

import os
import time
import weakref
from contextvars import Context, copy_context
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson
from opentelemetry import context as contexts
from opentelemetry.context import Context as Parent
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from openai_codex._engine import wire
from openai_codex._engine.backlog import keep_newest
from openai_codex._engine.reply import CLIENT_CLOSED
from openai_codex._otel import approval_span, content
from openai_codex._otel.held import HeldTurns
from openai_codex._otel.turn_span import COMPLETED, FAILED, LOST, Instruments, TurnSpan, attempt
from openai_codex._turns.trees import UNLOADED
from openai_codex._turns.work import TURN
from openai_codex._turns.work_table import WorkTable

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_codex._async.client.handlers import AsyncHandlers
    from openai_codex._engine.actor import Actor
    from openai_codex._engine.reply import CloseReason
    from openai_codex._engine.server_requests import PendingRequest
    from openai_codex._engine.waiting import Waiter
    from openai_codex._notification import Notification
    from openai_codex._turns.reported import Reported
    from openai_codex._turns.work import Work

_STARTED, _ITEM_STARTED, _ITEM_COMPLETED = "turn/started", "item/started", "item/completed"

# Of how many ended turns to keep the context: a sub-agent may start after the turn that it works for.
_ENDED_KEPT = 256

_PROPAGATOR = TraceContextTextMapPropagator()


def trace(handlers: AsyncHandlers) -> None:
    """Give a client tables that trace. Before anything else has got hold of the ones that it has."""
    handlers.work = work = TracedWork(handlers.reported)
    handlers.turns = work.turns
    handlers.encoder = work.encoder


class TracedWork(WorkTable):
    """The work of all threads of one client, with a span for each turn. Each change of a table is one step."""

    def __init__(self, reported: Reported) -> None:
        super().__init__()
        self._methods = self.methods() | {_ITEM_STARTED, _ITEM_COMPLETED} | UNLOADED
        self.turns = HeldTurns(self.end, self.sweep)
        self._reported = reported
        self._context = copy_context()
        self._instruments = Instruments()
        self._owner = os.getpid()
        self._generation, self._gone = 0, (0, LOST)
        self._post: Callable[[Callable[[], None]], object] = lambda _: False
        # The turns that were requested, by thread, until the reply.
        self._starting: dict[str, tuple[Work, TurnSpan]] = {}
        self._spans: dict[str, TurnSpan] = {}
        self._ended: dict[str, Parent | None] = {}

    # -- requests, on the threads of their callers -------------------------------------------------------------------

    def encoder(self, actor: Actor) -> Callable[..., bytes]:
        """Return what encodes the requests of a runtime, each with the context of its caller."""
        self._generation, self._post = actor.generation, actor.server_requests.workers.handlers.post
        table = weakref.ref(self)  # the reader thread holds the actor, and contexts may hold the client

        def encode(request_id: int, method: str, params: Any) -> bytes:
            line, alive = wire.encode_request(request_id, method, params), table()
            carrier = {} if alive is None else alive.carrier(method, params)
            # The line is an object that is not empty, and its end.
            return b'%b,"trace":%b}\n' % (line[:-2], orjson.dumps(carrier)) if carrier else line

        return encode

    def carrier(self, method: str, params: dict[str, Any] | None = None) -> dict[str, str]:
        """Return the member ``trace`` of a request; a turn that it starts has a span from now on."""
        carrier: dict[str, str] = {}
        turn = self._begin(params) if method == TURN and params is not None else None
        context, thread_id = (None, None) if turn is None else (turn.context, turn.thread_id)
        attempt(lambda: _PROPAGATOR.inject(carrier, context), thread_id)
        if found := carrier.get("traceparent"):
            # The first version of the format has one flag. The pinned runtime ignores a context with a flag of a later one.
            carrier["traceparent"] = f"{found[:-2]}{int(found[-2:], 16) & 1:02x}"
        return carrier

    def _begin(self, params: dict[str, Any]) -> TurnSpan | None:
        thread_id, now = params["threadId"], time.monotonic()
        works = [work for work in self._of(thread_id) if work.expires > now]
        if len(works) != 1 or works[0].params is None or works[0].ids:
            return None  # the input may be added to another turn; if it is not, the event of its start has a span made
        turn = TurnSpan(self._instruments, thread_id, self._generation, contexts.get_current())
        self._starting[thread_id] = works[0], turn
        attempt(partial(self._start, turn, params), thread_id)
        return turn

    def _start(self, turn: TurnSpan, params: dict[str, Any] | None = None) -> None:
        settings = self._reported.settings_of(turn.thread_id)
        model, provider = (None, None) if settings is None else (settings.model, settings.model_provider)
        turn.start(params, model, provider)

    def accept(self, work: Work, result: Any) -> None:
        """Note the successful reply to a request."""
        super().accept(work, result)
        turn = self._take(work)
        if turn is None:
            return
        turn_id = result.turn.id
        if self._spans.get(turn_id, turn) is not turn:  # the input was added to that turn after all
            turn.turn_id = turn_id
            turn.finish(COMPLETED)
            turn.end()
        elif turn.turn_id is None:
            self._bind(turn, turn_id)

    def give_up(self, work: Work, error: BaseException, turn_id: str | None = None) -> None:
        """Note that a request failed, or that its caller left. Its turn may go on for a moment without a caller."""
        super().give_up(work, error, turn_id)
        # Kept if the turn may still be announced, which must not have another span made.
        turn = self._starting.get(work.thread_id, (None, None))[1] if work.given_up else self._take(work)
        if turn is not None:
            turn.end(error)

    def _take(self, work: Work) -> TurnSpan | None:
        entry = self._starting.get(work.thread_id)
        if entry is None or entry[0] is not work:
            return None
        self._starting.pop(work.thread_id, None)
        return entry[1]

    # -- ends: on threads of consumers, and on workers -----------------------------------------------------------------

    def end(self, turn_id: str | None, error: BaseException | None) -> None:
        """End the span of a turn whose consumer has noted its end; ``error`` is what that handles at this moment."""
        turn = self._spans.get(turn_id or "")
        if turn is not None:
            # It may be of other code, further out. Those of a turn name it; a cancellation is no `Exception`.
            is_own = getattr(error, "turn_id", None) == turn_id or not isinstance(error, Exception)
            self._end(turn, error if is_own or turn.outcome is None else None)

    def sweep(self) -> None:
        """End the spans of turns that are over and have no consumer."""
        for turn in self._spans.copy().values():
            if turn.outcome is not None and not self.turns.attends(turn):
                self._end(turn)

    def _end(self, turn: TurnSpan, error: BaseException | None = None) -> None:
        turn.end(error)
        self._drop(turn)

    def _drop(self, turn: TurnSpan) -> None:
        for turn_id, each in self._spans.copy().items():
            if each is turn:
                keep_newest(self._ended, turn_id, turn.context, _ENDED_KEPT)
                self._spans.pop(turn_id, None)

    # -- server requests, on the dispatch thread -------------------------------------------------------------------------

    def context_for(self, pending: PendingRequest) -> Context | None:
        """Return the context variables of the caller, within the span of the turn."""
        context, turn = super().context_for(pending), self._spans.get(pending.turn_id or "")
        if turn is None:  # some requests name no turn, or one within the turn; a thread has one turn at a time
            running = self._spans.copy().values()
            turn = next((each for each in running if each.thread_id == pending.thread_id), None)
        approval_span.watch(pending, turn, self._instruments, self._post)
        # A turn that was not requested may have been announced this very moment.
        within = None if turn is None else turn.context or turn.parent
        if within is None:
            return context
        inside = (context or self._context).copy()
        inside.run(contexts.attach, within)
        return inside

    # -- on the reader thread ----------------------------------------------------------------------------------------

    def on_event(self, event: Notification) -> None:
        """Note the start or the end of a turn or of an item."""
        method, params = event.method, event.params
        if method == _ITEM_STARTED:
            if content.is_tool(params["item"]) and (turn := self._spans.get(params["turnId"])) is not None:
                turn.begin(params["item"], params.get("startedAtMs"))
        elif method == _ITEM_COMPLETED:
            turn = self._spans.get(params["turnId"])
            if turn is not None and turn.complete(params["item"], params.get("completedAtMs")):
                self._post(turn.flush)
        elif method in UNLOADED:
            self._lose(lambda turn: turn.thread_id == params["threadId"], LOST)
        else:
            super().on_event(event)
            self._bound(method, params["threadId"], params["turn"])

    def _bound(self, method: str, thread_id: str, turn: dict[str, Any]) -> None:
        if method == _STARTED:
            self._announce(thread_id, turn["id"], turn.get("rootTurnId"))
        elif (span := self._spans.get(turn["id"])) is not None:
            span.turn_id = turn["id"]
            span.finish(*_outcome(turn))
            self._end_later(span)

    def _announce(self, thread_id: str, turn_id: str, root_id: str | None) -> None:
        work, requested = self._starting.get(thread_id, (None, None))
        if work is not None and requested is not None and requested.turn_id is None and self.has(work):
            self._bind(requested, turn_id)
            if work.given_up:
                self._starting.pop(thread_id, None)
        elif turn_id not in self._spans and turn_id not in self._ended:
            root = self._spans.get(root_id or "")
            parent = self._ended.get(root_id or "") if root is None else root.context or root.parent
            turn = TurnSpan(self._instruments, thread_id, self._generation, parent or self._starter(thread_id, turn_id))
            turn.note(partial(self._start, turn))
            self._bind(turn, turn_id)
            if root_id is not None and root is None and self.is_reviewed(thread_id):
                self._bind(turn, root_id)  # a review ends with that id
            self._post(turn.flush)
            if turn.generation <= self._gone[0]:  # looked at when the span can be found: the client is being closed
                turn.finish(self._gone[1])
                self._end_later(turn)

    def _starter(self, thread_id: str, turn_id: str) -> Parent:
        context = self.context_of(thread_id, turn_id)
        return Parent() if context is None else context.copy().run(contexts.get_current)

    def _bind(self, turn: TurnSpan, turn_id: str) -> None:
        turn.turn_id = turn_id
        turn.tokens = self.turns.usages.of(turn.thread_id, turn_id)
        self._spans[turn_id] = turn
        if turn.has_ended() and turn.outcome is not None:  # first act, then look: the end may have come in between
            self._drop(turn)

    def _end_later(self, turn: TurnSpan) -> None:
        if turn.has_ended():
            self._drop(turn)
        elif not self.turns.attends(turn):
            self._post(partial(self._end, turn))

    def _lose(self, is_lost: Callable[[TurnSpan], bool], status: str) -> None:
        for turn in self._spans.copy().values():
            if is_lost(turn):
                turn.finish(status)
                self._end_later(turn)

    def forget(self, thread_id: str) -> None:
        """Remove the entries of a thread that is unloaded: the ends of its turns will not be seen."""
        super().forget(thread_id)
        self._starting.pop(thread_id, None)
        self._lose(lambda turn: turn.thread_id == thread_id, LOST)

    def fail(self, close_reason: CloseReason) -> list[Waiter]:
        """Note that all turns of a runtime are lost."""
        waiters = super().fail(close_reason)
        if os.getpid() != self._owner:  # after a fork they still run in the parent, which ends their spans
            self._spans.clear()
        status = "closed" if close_reason.reason == CLIENT_CLOSED else LOST
        self._gone = self._generation if close_reason.final else close_reason.generation, status
        self._lose(lambda turn: close_reason.final or turn.generation <= close_reason.generation, status)
        return waiters


def _outcome(turn: dict[str, Any]) -> tuple[str, str | None]:
    """Return the status of a turn that is over, and the kind of its error."""
    status, error = turn.get("status"), turn.get("error")
    if status != FAILED or not isinstance(error, dict):
        return (status if isinstance(status, str) else LOST), None
    kind = error.get("codexErrorInfo")
    if isinstance(kind, dict):  # a kind with details is an object with one key
        kind = next(iter(kind), None)
    return FAILED, kind if isinstance(kind, str) else None
