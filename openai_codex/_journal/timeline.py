"""Makes the history of a journal from its envelopes, one after another.

Nothing in a frame is relied on: a newer runtime may leave it out, and a line before it may be lost.
"""

from __future__ import annotations

import heapq
from contextlib import suppress
from typing import TYPE_CHECKING

from openai_codex._journal import labels
from openai_codex._journal.events import Events, Frame
from openai_codex._journal.history import LOST, Ask, Happening, History, Request, Runtime, Turn
from openai_codex._journal.labels import field, text_at
from openai_codex._journal.read import Envelope, entries_of
from openai_codex._protocol.methods import DELTAS
from openai_codex.errors import ConfigError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator

    from openai_codex._journal.read import Header

    Entry = tuple[bytes, Envelope | Header | None]

# The events of the end of a runtime, in this order: the first has the reason, the second the exit code.
_CLOSED, _EXITED = "connection_closed", "process_exited"

# How many lines are put in order.
_HELD = 256
_OPEN_END = "the journal has no end of it: the program was killed, or still runs"
_DROPPED = "its end may be among the {} lines that were not written"


def load(path: str | os.PathLike[str]) -> History:
    """Return the history of a journal.

    Args:
        path: A file or a directory, as `read` takes it.

    Raises:
        ConfigError: It does not exist, or is not a journal.
    """
    building = Building()
    for line, item in _in_order(entries_of(path)):
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


def _in_order(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Yield envelopes by their times: a busy program may note a line that it has sent after the answer was noted."""
    held: list[tuple[float, int, Entry]] = []
    for number, entry in enumerate(entries):
        if isinstance(entry[1], Envelope):
            heapq.heappush(held, (entry[1].t, number, entry))
        while held and (len(held) > _HELD or not isinstance(entry[1], Envelope)):
            yield heapq.heappop(held)[2]
        if not isinstance(entry[1], Envelope):
            yield entry
    while held:
        yield heapq.heappop(held)[2]


class Building(Events):
    """A history that grows by one envelope after another."""

    def __init__(self) -> None:
        super().__init__()
        self._zeros: dict[str, float] = {}
        # When lines were missing, of which client, and how many.
        self._drops: list[tuple[float, str, int]] = []
        self._requests: dict[tuple[int, str], tuple[Request, Frame]] = {}
        self._decided: dict[tuple[int, str], Ask] = {}
        self._directions: dict[str, Callable[[Runtime, Envelope], None]] = {
            ">": self._sent,
            "<": self._received,
            "!": self._happened,
        }
        self._notes: dict[str, Callable[[Runtime, Frame], None]] = {
            "turn_interrupt_asked": self._interrupt_asked,
            "turn_abandoned": self._given_up,
            "server_request_answered": self._decided_by,
            "server_request_declined": self._decided_by,
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
            with suppress(
                AttributeError, KeyError, TypeError, ValueError, RecursionError
            ):  # of another shape than this version knows
                add(runtime, envelope)

    def finish(self) -> None:
        """Settle what has no end in the journal."""
        for turn in self._turns.values():
            if turn.ended is None and not turn.status:
                turn.silent(turn.until)
                turn.status, turn.why = (
                    LOST,
                    "; ".join(filter(None, (turn.runtime.why, self._dropped_since(turn)))) or _OPEN_END,
                )
                if turn.given_up:
                    turn.why = f"{turn.given_up}; {turn.why}"
        self.history.turns.sort(key=lambda turn: turn.began)

    def _dropped_since(self, turn: Turn) -> str:
        dropped = sum(count for at, client, count in self._drops if client == turn.runtime.client and at >= turn.last)
        return _DROPPED.format(dropped) if dropped else ""

    # -- by direction ------------------------------------------------------------------------------------------------

    def _sent(self, runtime: Runtime, envelope: Envelope) -> None:
        frame, key = envelope.frame, (id(runtime), repr(envelope.frame.get("id")))
        if envelope.method is None:
            if (ask := self._asks.pop(key, None)) is not None:
                ask.ended, ask.decision = self._now, labels.decision(frame)
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
            self._note("unreadable line", labels.short(f"{reason}: {line}"), runtime)
        elif envelope.method is None:
            self._answered(runtime, frame)
        elif "id" in frame:
            self._asked(runtime, envelope.method, frame)
        else:
            self._notified(runtime, envelope.method, frame.get("params") or {})

    def _happened(self, runtime: Runtime, envelope: Envelope) -> None:
        event, facts = envelope.event or "", labels.facts(envelope.frame)
        if (handle := self._notes.get(event)) is not None:
            handle(runtime, envelope.frame)
        if "turn_id" in envelope.frame:
            return
        self.history.life.append(Happening(self._now, event, facts, runtime))
        if event == "runtime_ready":
            runtime.version = text_at(envelope.frame, "version")
        elif event == "journal_dropped":
            self.history.dropped += int(envelope.frame["count"])
            self._drops.append((self._now, runtime.client, int(envelope.frame["count"])))
            self._note("lines dropped by the journal", str(envelope.frame["count"]), runtime)
        elif event in {_CLOSED, _EXITED} and runtime.ended is None:
            runtime.ended = self._now
        if event in {_CLOSED, _EXITED}:
            runtime.why = "; ".join(filter(None, (runtime.why, labels.end(envelope.frame))))
            if event == _EXITED and envelope.frame.get("exit_code") not in {0, None}:
                self._note("runtime exited", runtime.why, runtime)

    def _interrupt_asked(self, runtime: Runtime, frame: Frame) -> None:
        turn = self._turns.get((runtime.client, text_at(frame, "turn_id")))
        if turn is not None and turn.ended is None:
            turn.interrupted_by = turn.interrupted_by or text_at(frame, "by")

    def _given_up(self, runtime: Runtime, frame: Frame) -> None:
        turn = self._turns.get((runtime.client, text_at(frame, "turn_id")))
        if turn is not None:
            turn.given_up = labels.short(text_at(frame, "reason"))
            if turn.status == "interrupted":
                turn.why = labels.interrupter(turn)

    def _decided_by(self, runtime: Runtime, frame: Frame) -> None:
        ask = self._decided.get((id(runtime), repr(frame.get("request_id"))))
        if ask is not None:
            caller = text_at(frame, "caller")
            ask.by = labels.short(text_at(frame, "by") or text_at(frame, "reason")) + f" ({caller})" * bool(caller)

    # -- responses, server requests, notifications -------------------------------------------------------------------

    def _answered(self, runtime: Runtime, frame: Frame) -> None:
        request, params = self._requests.pop((id(runtime), repr(frame.get("id"))), (None, {}))
        if request is None:
            return  # it was sent before the first line
        request.ended = self._now
        if (error := frame.get("error")) is not None:
            request.error = labels.short(text_at(error, "message") or str(error))
            self._note("refused request", f"{request.method}: {request.error}", runtime)
        turn_id = text_at(frame, "result", "turn", "id")
        if turn_id:
            turn = self._turn(runtime, field(frame, "result", "reviewThreadId") or request.thread_id, turn_id)
            turn.asked = turn.began = request.began
            turn.is_cut, turn.prompt = False, labels.prompt(params)
            turn.root_turn_id = text_at(frame, "result", "turn", "rootTurnId") or turn.root_turn_id

    def _asked(self, runtime: Runtime, method: str, frame: Frame) -> None:
        params = frame.get("params") or {}
        thread_id = text_at(params, "threadId") or text_at(params, "conversationId")
        ask = Ask(self._now, method, labels.kind(method), labels.subject(params), thread_id, text_at(params, "turnId"))
        ask.item_id = text_at(params, "itemId") or text_at(params, "callId")
        self.history.asks.append(ask)
        self._asks[id(runtime), repr(frame["id"])] = self._decided[id(runtime), repr(frame["id"])] = ask
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
