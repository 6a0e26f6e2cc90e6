"""Makes the history of a journal from its envelopes, one after another.

Nothing in a frame is relied on: a newer runtime may leave it out, and a line before it may be lost.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from openai_codex._journal import told
from openai_codex._journal.history import LOST, Ask, Happening, History, Item, Request, Runtime, Thread, Turn
from openai_codex._journal.read import Envelope, entries_of
from openai_codex._journal.told import field, text_at
from openai_codex._protocol.methods import DELTAS
from openai_codex.errors import ConfigError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

Frame = dict[str, Any]

# What a client is told of the end of a runtime, in this order: the first says why, the second how.
_CLOSED, _EXITED = "connection_closed", "process_exited"
_OPEN_END = "the journal has no end of it: the program was killed, or still runs"


def load(path: str | os.PathLike[str]) -> History:
    """Return the history of a journal.

    Args:
        path: A file or a directory, as `read` takes it.

    Raises:
        ConfigError: It does not exist, or is no journal.
    """
    building = Building()
    for line, item in entries_of(path):
        if isinstance(item, Envelope):
            building.add(item)
        elif item is not None:
            building.history.headers.append(item)
        elif line.strip():
            building.history.unreadable += 1
    history = building.history
    if not history.headers and not history.lines:
        raise ConfigError("path", f"{path} is no journal, or an empty one")
    building.finish()
    return history


class Building:
    """A history that grows by one envelope after another."""

    def __init__(self) -> None:
        self.history = History()
        self._zeros: dict[str, float] = {}
        self._runtimes: dict[tuple[str, int, Any], Runtime] = {}
        self._threads: dict[tuple[str, str], Thread] = {}
        self._turns: dict[tuple[str, str], Turn] = {}
        self._requests: dict[tuple[int, str], tuple[Request, Frame]] = {}
        self._asks: dict[tuple[int, str], Ask] = {}
        self._totals: dict[str, Any] = {}
        self._now = 0.0
        self._directions: dict[str, Callable[[Runtime, Envelope], None]] = {
            ">": self._sent,
            "<": self._received,
            "!": self._happened,
        }
        self._events: dict[str, Callable[[Runtime, Turn | None, Frame], None]] = {
            "turn/started": self._turn_started,
            "turn/completed": self._turn_completed,
            "item/started": self._item_started,
            "item/completed": self._item_completed,
            "thread/tokenUsage/updated": self._usage_updated,
            "thread/name/updated": self._renamed,
            "serverRequest/resolved": self._resolved,
            "error": self._warned,
            "warning": self._warned,
            "configWarning": self._warned,
            "guardianWarning": self._warned,
            "deprecationNotice": self._warned,
        }

    def add(self, envelope: Envelope) -> None:
        """Add what an envelope tells."""
        history, client = self.history, envelope.header.client if envelope.header else ""
        self._now = envelope.t + self._zeros.setdefault(client, envelope.at - envelope.t)
        history.began = min(history.began or self._now, self._now)
        history.ended = max(history.ended, self._now)
        history.lines += 1
        runtime = self._runtime(client, envelope)
        runtime.last = self._now
        add = self._directions.get(envelope.dir)
        if add is not None:
            with suppress(AttributeError, KeyError, TypeError):  # of another shape than this version knows
                add(runtime, envelope)

    def finish(self) -> None:
        """Settle what has no end in the journal."""
        for turn in self._turns.values():
            if turn.ended is None and not turn.status:
                turn.silent(turn.until)
                turn.status, turn.why = LOST, turn.runtime.why or _OPEN_END
        self.history.turns.sort(key=lambda turn: turn.began)

    def _runtime(self, client: str, envelope: Envelope) -> Runtime:
        key = client, envelope.gen, envelope.pid
        if key not in self._runtimes:
            self._runtimes[key] = Runtime(self._now, client, envelope.gen, envelope.pid, why="")
            if envelope.gen:
                self.history.runtimes.append(self._runtimes[key])
        return self._runtimes[key]

    def _thread(self, client: str, thread_id: str) -> Thread:
        key = client, thread_id
        if key not in self._threads:
            self._threads[key] = Thread(thread_id, client)
            self.history.threads.append(self._threads[key])
        return self._threads[key]

    def _turn(self, runtime: Runtime, thread_id: str, turn_id: str) -> Turn:
        key = runtime.client, turn_id
        if key not in self._turns:
            turn = Turn(self._now, turn_id, thread_id, runtime, last=self._now)
            self._turns[key] = turn
            self.history.turns.append(turn)
            self._thread(runtime.client, thread_id).turns.append(turn)
        return self._turns[key]

    def _note(self, kind: str, text: str, runtime: Runtime | None) -> None:
        self.history.anomalies.append(Happening(self._now, kind, text, runtime))

    # -- by direction ------------------------------------------------------------------------------------------------

    def _sent(self, runtime: Runtime, envelope: Envelope) -> None:
        frame, key = envelope.frame, (id(runtime), repr(envelope.frame.get("id")))
        if envelope.method is None:
            if (ask := self._asks.pop(key, None)) is not None:
                ask.ended, ask.decision = self._now, told.decision(frame)
            return
        params = frame.get("params") or {}
        again, _ = self._requests.get(key, (None, {}))  # some requests are repeated until their effect is seen
        if "id" in frame and (again is None or again.method != envelope.method):
            request = Request(self._now, envelope.method, text_at(params, "threadId"))
            self.history.requests.append(request)
            self._requests[key] = request, params
        if envelope.method == "turn/interrupt":
            turn = self._turns.get((runtime.client, text_at(params, "turnId")))
            if turn is not None and turn.ended is None:
                turn.interrupted = turn.interrupted or self._now

    def _received(self, runtime: Runtime, envelope: Envelope) -> None:
        frame = envelope.frame
        if not frame:
            reason, line = envelope.raw.get("reason"), str(envelope.raw.get("line", ""))
            self._note("unreadable line", told.short(f"{reason}: {line}"), runtime)
        elif envelope.method is None:
            self._answered(runtime, frame)
        elif "id" in frame:
            self._asked(runtime, envelope.method, frame)
        else:
            self._notified(runtime, envelope.method, frame.get("params") or {})

    def _happened(self, runtime: Runtime, envelope: Envelope) -> None:
        event, facts = envelope.event or "", told.facts(envelope.frame)
        self.history.life.append(Happening(self._now, event, facts, runtime))
        if event == "runtime_ready":
            runtime.version = text_at(envelope.frame, "version")
        elif event == "journal_dropped":
            self.history.dropped += int(envelope.frame["count"])
            self._note("lines dropped by the journal", str(envelope.frame["count"]), runtime)
        elif event in {_CLOSED, _EXITED} and runtime.ended is None:
            runtime.ended = self._now
        if event in {_CLOSED, _EXITED}:
            runtime.why = "; ".join(filter(None, (runtime.why, told.end(envelope.frame))))
            if event == _EXITED and envelope.frame.get("exit_code") not in {0, None}:
                self._note("runtime exited", runtime.why, runtime)

    # -- responses, server requests, notifications -------------------------------------------------------------------

    def _answered(self, runtime: Runtime, frame: Frame) -> None:
        request, params = self._requests.pop((id(runtime), repr(frame.get("id"))), (None, {}))
        if request is None:
            return  # it was sent before the first line
        request.ended = self._now
        if (error := frame.get("error")) is not None:
            request.error = told.short(text_at(error, "message") or str(error))
            self._note("refused request", f"{request.method}: {request.error}", runtime)
        turn_id = text_at(frame, "result", "turn", "id")
        if turn_id:
            turn = self._turn(runtime, field(frame, "result", "reviewThreadId") or request.thread_id, turn_id)
            turn.asked = turn.began = request.began
            turn.is_cut, turn.prompt = False, told.prompt(params)
            turn.root_turn_id = text_at(frame, "result", "turn", "rootTurnId") or turn.root_turn_id

    def _asked(self, runtime: Runtime, method: str, frame: Frame) -> None:
        params = frame.get("params") or {}
        thread_id = text_at(params, "threadId") or text_at(params, "conversationId")
        ask = Ask(self._now, method, told.kind(method), told.subject(params), thread_id, text_at(params, "turnId"))
        ask.item_id = text_at(params, "itemId") or text_at(params, "callId")
        self.history.asks.append(ask)
        self._asks[id(runtime), repr(frame["id"])] = ask
        if ask.turn_id:
            turn = self._turn(runtime, thread_id, ask.turn_id)
            turn.heard(self._now)
            turn.asks.append(ask)

    def _notified(self, runtime: Runtime, method: str, params: Frame) -> None:
        turn_id = text_at(params, "turnId") or text_at(params, "turn", "id")
        thread_id = text_at(params, "threadId") or text_at(params, "thread", "id")
        turn = None
        if turn_id:
            turn = self._turn(runtime, thread_id, turn_id)
            turn.heard(self._now)
            if turn.first_token is None and method in DELTAS:
                turn.first_token = self._now
        elif thread_id:
            self._thread(runtime.client, thread_id)
        if (handle := self._events.get(method)) is not None:
            handle(runtime, turn, params)

    # -- notifications -----------------------------------------------------------------------------------------------

    def _turn_started(self, _: Runtime, turn: Turn | None, params: Frame) -> None:
        if turn is not None:
            turn.is_cut = False
            turn.root_turn_id = text_at(params, "turn", "rootTurnId") or turn.root_turn_id

    def _turn_completed(self, runtime: Runtime, turn: Turn | None, params: Frame) -> None:
        if turn is None or turn.ended is not None:
            return
        turn.ended, turn.status = self._now, text_at(params, "turn", "status") or "completed"
        error = field(params, "turn", "error")
        if turn.status == "interrupted":
            turn.why = told.interrupter(turn)
        elif error is not None:
            turn.why, turn.error_kind = told.short(text_at(error, "message")), told.word(field(error, "codexErrorInfo"))
            self._note("failed turn", turn.why, runtime)
        for item in turn.items.values():
            if item.ended is None:
                item.ended, item.status = self._now, "no end"

    def _item_started(self, _: Runtime, turn: Turn | None, params: Frame) -> None:
        item = params.get("item")
        if turn is None or not isinstance(item, dict):
            return
        kind = text_at(item, "type")
        turn.items[text_at(item, "id")] = Item(self._now, text_at(item, "id"), kind, told.label(item))
        if kind != "userMessage" and turn.first_token is None:
            turn.first_token = self._now

    def _item_completed(self, runtime: Runtime, turn: Turn | None, params: Frame) -> None:
        item = params.get("item")
        if turn is None or not isinstance(item, dict):
            return
        if text_at(item, "id") not in turn.items:
            self._item_started(runtime, turn, params)
        known = turn.items[text_at(item, "id")]
        known.ended, known.status = self._now, told.word(item.get("status")) or "completed"
        known.label = told.label(item) or known.label
        code = item.get("exitCode")
        known.exit_code = code if isinstance(code, int) else None

    def _usage_updated(self, _: Runtime, turn: Turn | None, params: Frame) -> None:
        if turn is not None:
            known = self._totals.get(turn.thread_id)
            self._totals[turn.thread_id] = turn.usage.note(params["tokenUsage"], known, restated=False)

    def _renamed(self, runtime: Runtime, _: Turn | None, params: Frame) -> None:
        name = text_at(params, "threadName") or text_at(params, "name")
        self._thread(runtime.client, text_at(params, "threadId")).name = name

    def _resolved(self, runtime: Runtime, _: Turn | None, params: Frame) -> None:
        ask = self._asks.pop((id(runtime), repr(params.get("requestId"))), None)
        if ask is not None:  # not by an answer: its turn has ended
            ask.ended, ask.decision = self._now, "none: no longer asked"

    def _warned(self, runtime: Runtime, turn: Turn | None, params: Frame) -> None:
        will_retry = params.get("willRetry") is True
        if turn is not None and will_retry:
            turn.retries += 1
        text = text_at(params, "message") or text_at(params, "summary") or text_at(params, "error", "message")
        self._note(
            "retry" if will_retry else "warning" if "error" not in params else "error", told.short(text), runtime
        )
