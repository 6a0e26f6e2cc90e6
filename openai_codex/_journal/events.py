"""The runtimes, threads and turns of a history that is being made, and what notifications tell about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openai_codex._journal import labels
from openai_codex._journal.history import Ask, Happening, History, Item, Runtime, Thread, Turn
from openai_codex._journal.labels import field, text_at

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_codex._journal.read import Envelope

Frame = dict[str, Any]


class Events:
    """A history that grows by the notifications of runtimes."""

    def __init__(self) -> None:
        self.history = History()
        self._runtimes: dict[tuple[str, int, Any], Runtime] = {}
        self._threads: dict[tuple[str, str], Thread] = {}
        self._turns: dict[tuple[str, str], Turn] = {}
        self._asks: dict[tuple[int, str], Ask] = {}
        self._totals: dict[str, Any] = {}
        self._now = 0.0
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
            turn.why = labels.interrupter(turn)
        elif error is not None:
            turn.why, turn.error_kind = (
                labels.short(text_at(error, "message")),
                labels.word(field(error, "codexErrorInfo")),
            )
            self._note("failed turn", turn.why, runtime)
        for item in turn.items.values():
            if item.ended is None:
                item.ended, item.status = self._now, "no end"

    def _item_started(self, _: Runtime, turn: Turn | None, params: Frame) -> None:
        item = params.get("item")
        if turn is None or not isinstance(item, dict):
            return
        kind = text_at(item, "type")
        turn.items[text_at(item, "id")] = Item(self._now, text_at(item, "id"), kind, labels.label(item))
        if kind != "userMessage" and turn.first_token is None:
            turn.first_token = self._now

    def _item_completed(self, runtime: Runtime, turn: Turn | None, params: Frame) -> None:
        item = params.get("item")
        if turn is None or not isinstance(item, dict):
            return
        if text_at(item, "id") not in turn.items:
            self._item_started(runtime, turn, params)
        known = turn.items[text_at(item, "id")]
        known.ended, known.status = self._now, labels.word(item.get("status")) or "completed"
        known.label = labels.label(item) or known.label
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
            "retry" if will_retry else "warning" if "error" not in params else "error", labels.short(text), runtime
        )
