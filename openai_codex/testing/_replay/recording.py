"""What a journal has of one start of the runtime: what came in and what went out, and which of it belongs together.

A lane is a sequence in which what went out waits for all that came in before it: a thread with its forks and sub-agents; a
request that is of no thread or only reads, with its response; and the events of the runtime itself, which wait for all
requests before them. Lanes do not wait for each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import orjson

from openai_codex._engine.wire import PING_ID, UNDO_ID

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openai_codex._journal.read import Envelope

OF_RUNTIME = ""
"""The lane of events that are of no thread."""

# Requests that change nothing: no event waits for them.
_READING = ("/read", "/list", "/search")

# Why a connection ended, if the runtime ended it, and if it was frozen.
_DIED, _FROZEN = "the runtime ", "the runtime is frozen"


@attrs.define(eq=False)
class Input:
    """A request or notification of the program, or its answer to a request of the runtime.

    Attributes:
        t: When, in seconds.
        frame: The frame without secrets.
        lane: What it belongs to.
        reads: Whether it changes nothing.
        is_answered: Whether the journal has its response.
        given_id: The id of the program's request, once it has arrived.
        arrived: When it arrived now; ``None`` before.
    """

    t: float
    frame: dict[str, Any]
    lane: str = OF_RUNTIME
    reads: bool = False
    is_answered: bool = False
    given_id: Any = None
    arrived: float | None = None

    @property
    def method(self) -> str:
        """The method; empty for an answer."""
        return str(self.frame.get("method", ""))

    @property
    def params(self) -> Any:
        """The params without secrets."""
        return self.frame.get("params")

    @property
    def is_open(self) -> bool:
        """Whether it is a request that the runtime had not answered when it ended."""
        return "id" in self.frame and "method" in self.frame and not self.reads and not self.is_answered


@attrs.define(eq=False)
class Output:
    """A line of the runtime.

    Attributes:
        index: Its place among all entries.
        t: When, in seconds.
        frame: The frame without secrets; empty if the line was none.
        line: The line, if it was no frame.
        lane: What it belongs to.
        reply_to: The request that it answers.
    """

    index: int
    t: float
    frame: dict[str, Any]
    line: bytes = b""
    lane: str = OF_RUNTIME
    reply_to: Input | None = None


Entry = Input | Output


@attrs.define(eq=False)
class Recording:
    """One start of the runtime.

    Attributes:
        number: Which start, from 1.
        began: When, in seconds.
        entries: What came in and went out, in its order.
        lanes: The same by lanes; that of the runtime has all requests, too.
        openings: The requests that started threads, by the ids of these.
        reason: Why its connection ended; ``None`` if the journal ends before.
        exit_code: How the process ended.
        ended: When, in seconds.
        open_turns: The turns whose end is not in it.
    """

    number: int
    began: float = 0.0
    entries: list[Entry] = attrs.field(factory=list)
    lanes: dict[str, list[Entry]] = attrs.field(factory=dict)
    openings: dict[str, Input] = attrs.field(factory=dict)
    reason: str | None = None
    exit_code: int | None = None
    ended: float = 0.0
    open_turns: dict[str, str] = attrs.field(factory=dict)

    @property
    def has_died(self) -> bool:
        """Whether the runtime ended by itself."""
        return self.reason is not None and self.reason.startswith(_DIED) and not self.is_frozen

    @property
    def is_frozen(self) -> bool:
        """Whether the client ended it because it was frozen."""
        return self.reason is not None and self.reason.startswith(_FROZEN)

    @property
    def is_cut(self) -> bool:
        """Whether the journal ends while something is under way."""
        return self.reason is None and bool(self.open_turns or any(each.is_open for each in self.inputs))

    @property
    def inputs(self) -> Iterable[Input]:
        """What came in."""
        return (each for each in self.entries if isinstance(each, Input))


def recordings(envelopes: Iterable[Envelope]) -> list[Recording]:
    """Return the starts that a client has seen, in their order."""
    found: dict[int, list[Envelope]] = {}
    for envelope in envelopes:
        if envelope.gen > 0:
            found.setdefault(envelope.gen, []).append(envelope)
    return [_Reading(number).read(found[generation]) for number, generation in enumerate(sorted(found), 1)]


def thread_of(frame: dict[str, Any]) -> str:
    """Return the id of the thread that a frame is about; empty without one."""
    about = frame.get("params", frame.get("result"))
    if not isinstance(about, dict):
        return ""
    thread = about.get("thread")
    found = about.get("threadId") or (thread.get("id") if isinstance(thread, dict) else "")
    return found if isinstance(found, str) else ""


class _Reading:
    """Reads one start."""

    def __init__(self, number: int) -> None:
        self._recording = Recording(number)
        self._requests: dict[Any, Input] = {}
        self._asked: dict[Any, Output] = {}
        self._undone: list[dict[str, Any]] = []
        # The lane of each thread that is not one of its own.
        self._joined: dict[str, str] = {}

    def read(self, envelopes: list[Envelope]) -> Recording:
        recording = self._recording
        recording.began = envelopes[0].t
        # A line that was sent is noted after it was written, so perhaps after what it caused.
        for envelope in sorted(envelopes, key=lambda each: (each.t, each.dir == "<")):
            getattr(self, _READERS.get(envelope.dir, "_pass"))(envelope)
        self._join_agents()
        for entry in recording.entries:
            entry.lane = self._root(entry.lane)
            recording.lanes.setdefault(entry.lane, []).append(entry)
        recording.lanes[OF_RUNTIME] = [
            each
            for each in recording.entries
            if each.lane == OF_RUNTIME or (isinstance(each, Input) and not each.reads)
        ]
        return recording

    def _pass(self, envelope: Envelope) -> None:
        """Ignore what a later version may write."""

    def _event(self, envelope: Envelope) -> None:
        if envelope.event == "connection_closed":
            self._recording.reason = str(envelope.frame.get("reason"))
        elif envelope.event == "process_exited":
            self._recording.reason = self._recording.reason or "the runtime exited"
            self._recording.exit_code = envelope.frame.get("exit_code")
            self._recording.ended = envelope.t

    def _sent(self, envelope: Envelope) -> None:
        frame = envelope.frame
        id = frame.get("id")
        if id == PING_ID or not frame:
            return
        entry = Input(envelope.t, frame, thread_of(frame) or f"request {len(self._recording.entries)}")
        if "method" not in frame:
            entry.lane = self._asked[id].lane if id in self._asked else OF_RUNTIME
        elif id == UNDO_ID:
            if (what := {**frame, "params": frame.get("params")}) in self._undone:
                return
            self._undone.append(what)
        if "method" in frame:
            if entry.method.endswith(_READING):
                entry.reads, entry.lane = True, f"request {len(self._recording.entries)}"
            self._requests.setdefault(id, entry)
        self._recording.entries.append(entry)

    def _received(self, envelope: Envelope) -> None:
        frame, index = envelope.frame, len(self._recording.entries)
        entry = Output(index, envelope.t, frame, str(envelope.raw.get("line", "")).encode(), thread_of(frame))
        if "method" not in frame and "id" in frame:
            request = None if frame["id"] == PING_ID else self._requests.pop(frame["id"], None)
            if request is None:
                return
            request.is_answered, entry.reply_to = True, request
            if not request.reads:
                self._note_opened(request, frame.get("result"))
            entry.lane = request.lane
        elif "id" in frame:
            self._asked[frame["id"]] = entry
        self._note_turn(frame)
        self._recording.entries.append(entry)

    def _note_opened(self, request: Input, result: Any) -> None:
        """Note which thread a request has started, which until then is of none."""
        if not isinstance(result, dict):
            return
        opened = thread_of({"result": result}) or result.get("reviewThreadId")
        if not opened or opened == request.lane:
            return
        if thread_of(request.frame):  # a fork, or a review: it goes on in the lane of its thread
            self._joined[opened] = request.lane
        else:
            self._recording.openings[opened] = request
            request.lane = opened

    def _note_turn(self, frame: dict[str, Any]) -> None:
        about = frame.get("params", frame.get("result"))
        turn = about.get("turn") if isinstance(about, dict) else None
        if isinstance(turn, dict) and "id" in turn:
            if frame.get("method") == "turn/completed":
                self._recording.open_turns.pop(turn["id"], None)
            elif turn.get("status") == "inProgress":
                self._recording.open_turns[turn["id"]] = thread_of(frame)

    def _join_agents(self) -> None:
        """Join each thread that the program has not opened with the one whose items name it first, its parent."""
        first: dict[str, Entry] = {}
        for entry in self._recording.entries:
            first.setdefault(entry.lane, entry)
        unopened = (
            {lane for lane, entry in first.items() if isinstance(entry, Output)} - self._joined.keys() - {OF_RUNTIME}
        )
        if not unopened:
            return
        for each in self._recording.entries:
            if isinstance(each, Input) or not str(each.frame.get("method")).startswith("item/"):
                continue
            text = orjson.dumps(each.frame["params"]).decode()
            for child in [child for child in unopened if child in text and child != each.lane]:
                if self._root(each.lane) != child:
                    self._joined[child] = each.lane
                    unopened.discard(child)
        self._joined |= dict.fromkeys(unopened, OF_RUNTIME)

    def _root(self, lane: str) -> str:
        while lane in self._joined:
            lane = self._joined[lane]
        return lane


_READERS = {">": "_sent", "<": "_received", "!": "_event"}
