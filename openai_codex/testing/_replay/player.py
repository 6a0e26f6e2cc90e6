"""`Player`: plays one start of the runtime. It takes the frames of the program, and says what is sent, and when.

Everything runs on one thread. It knows neither processes nor clocks.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Protocol

import attrs
import orjson

from openai_codex._engine.wire import PING_ID, UNDO_ID
from openai_codex._journal.redact import Redactor
from openai_codex.testing import frames
from openai_codex.testing._replay.bindings import Bindings
from openai_codex.testing._replay.matching import has_hashes, is_same_answer, without_hashes
from openai_codex.testing._replay.recording import OF_RUNTIME, Entry, Input, Output, Recording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# The runtime's own code for nearly all refusals.
_REFUSED = -32600

_NO_THREADS: dict[str, Any] = {"data": [], "nextCursor": None}

# How much of a request an error shows, and how many are named that the journal would have next.
_LONGEST, _MOST_NEXT = 400, 3

_HASHES = 'A journal with content="hash" cannot answer what a program makes of a text: it has its length only'


class Stage(Protocol):
    """The process of the fake runtime, a clock, and a list of problems."""

    @property
    def now(self) -> float:
        """The time in seconds."""
        raise NotImplementedError  # abstract

    def send(self, data: bytes) -> None:
        """Write lines of the runtime."""

    def later(self, delay: float, action: Callable[[], None]) -> None:
        """Call a function after so many seconds."""

    def end(self, recording: Recording) -> None:
        """End the process as it was recorded."""

    def report(self, problem: str) -> None:
        """Keep a problem for the end of the context."""


@attrs.define(eq=False)
class _Lane:
    """What has not been played of a lane; and when its last step was, in the journal and now."""

    entries: deque[Entry]
    recorded: float
    played: float
    is_due: bool = False


class Player:
    """Plays a recording.

    Args:
        recording: What the journal has.
        redactor: What redacts requests as the journal is.
        stage: What carries it out.
        paced: Whether the recorded time passes between the steps.
    """

    def __init__(self, recording: Recording, redactor: Redactor, stage: Stage, *, paced: bool) -> None:
        self._recording = recording
        self._redactor = redactor
        self._stage = stage
        self._paced = paced
        self._has_ended = False
        self._began = stage.now
        self._lanes = {name: self._fresh(name) for name in recording.lanes}
        self._answers = {each.frame.get("id"): each for each in recording.inputs if not each.method}
        self._bindings = Bindings(recording, self._exchange)

    def begin(self) -> None:
        """Send what waits for no request."""
        self._advance(*self._lanes)

    def receive(self, frame: dict[str, Any]) -> None:
        """Take a frame of the program."""
        is_request = "method" in frame and not self._redactor.is_plain
        shown = self._redactor.frame(">", without_hashes(frame) if is_request else frame)
        if "method" not in frame:
            self._take_answer(shown)
        elif frame.get("id") == PING_ID:
            self._stage.send(frames.response(PING_ID, _NO_THREADS))
        elif found := self._bindings.find(shown):
            found.given_id = frame.get("id")
            self._arrive(found)
        elif frame.get("id") == UNDO_ID:  # repeated until its effect shows; how often is a matter of time
            self._stage.send(frames.refusal(UNDO_ID, _REFUSED, "not in the journal"))
        elif "id" in frame:
            self._refuse(frame["id"], shown)

    # -- what comes in -----------------------------------------------------------------------------------------------

    def _take_answer(self, answer: dict[str, Any]) -> None:
        recorded = self._answers.pop(answer.get("id"), None)
        if recorded is None:  # it came too late when it was recorded
            return
        if not is_same_answer(recorded.frame, answer):
            self._stage.report(f"an answer differs: it was {_brief(recorded.frame)}, and is now {_brief(answer)}")
        self._arrive(recorded)

    def _arrive(self, found: Input) -> None:
        found.arrived = self._stage.now
        self._advance(found.lane, *([] if found.reads else [OF_RUNTIME]))

    def _refuse(self, id: Any, shown: dict[str, Any]) -> None:
        waiting: dict[str, Input] = {}
        for each in self._recording.inputs:
            if each.method and each.arrived is None:
                waiting.setdefault(each.lane, each)
        alike = sorted(waiting.values(), key=lambda each: each.method != shown["method"])
        expected = [_brief(each.frame) for each in alike]
        problem = f"the journal does not have this request at this point: {_brief(shown)}; expected next: " + (
            "; or ".join(expected[:_MOST_NEXT]) or "no request, it ends here"
        )
        if has_hashes(_brief(shown)):
            problem += f". {_HASHES}"
        self._stage.report(problem)
        self._stage.send(frames.refusal(id, _REFUSED, problem))

    # -- what goes out -----------------------------------------------------------------------------------------------

    def _fresh(self, name: str) -> _Lane:
        return _Lane(deque(self._recording.lanes[name]), self._recording.began, self._began)

    def _advance(self, *names: str) -> None:
        """Send what is due in lanes, in the recorded order, and end with the last of it."""
        lines: list[bytes] = []
        while due := [lane for name in dict.fromkeys(names) if self._is_ready(lane := self._lanes[name], name)]:
            lane = min(due, key=_first_index)
            lines.append(self._play(lane))
        if lines:
            self._stage.send(b"".join(lines))
        self._end_if_over()

    def _is_ready(self, lane: _Lane, name: str) -> bool:
        """Pass what has arrived; return whether a line is due now. If it is due later, come back then."""
        entries = lane.entries
        while entries and isinstance(first := entries[0], Input) and first.arrived is not None:
            entries.popleft()
            lane.recorded, lane.played = max(lane.recorded, first.t), max(lane.played, first.arrived)
        if not entries or isinstance(entries[0], Input):
            return False
        wait = entries[0].t - lane.recorded - (self._stage.now - lane.played) if self._paced else 0.0
        if wait > 0 and not lane.is_due:
            lane.is_due = True
            self._stage.later(wait, lambda: self._come_back(lane, name))
        return wait <= 0

    def _come_back(self, lane: _Lane, name: str) -> None:
        lane.is_due = False
        self._advance(name)

    def _play(self, lane: _Lane) -> bytes:
        output = lane.entries.popleft()
        assert isinstance(output, Output), "it is ready"
        lane.recorded, lane.played = max(lane.recorded, output.t), self._stage.now
        if not output.frame:
            return output.line + b"\n"
        frame = output.frame if output.reply_to is None else {**output.frame, "id": output.reply_to.given_id}
        return self._bindings.shown(orjson.dumps(frame, option=orjson.OPT_APPEND_NEWLINE))

    def _exchange(self, started: str, other: str) -> None:
        """Let the program have another thread than the one that it has started."""
        mine, its = (self._recording.openings[thread] for thread in (started, other))
        if not any(isinstance(each, Output) and each.reply_to is its for each in self._lanes[its.lane].entries):
            return
        # What the program has seen of its thread is what it would have seen of the other. Who waits for that gets this one.
        its.arrived, mine.arrived = mine.arrived, its.arrived
        its.given_id, mine.given_id = mine.given_id, its.given_id
        self._lanes[mine.lane], lane = self._fresh(mine.lane), self._lanes[its.lane]
        lane.recorded, lane.played = its.t, self._stage.now
        while lane.entries and (isinstance(lane.entries[0], Output) or lane.entries[0] is its):
            lane.entries.popleft()
        self._advance(mine.lane)

    # -- the end -----------------------------------------------------------------------------------------------------

    def _end_if_over(self) -> None:
        recording = self._recording
        is_ending = recording.has_died or recording.is_frozen or recording.is_cut
        if not is_ending or self._has_ended or any(map(_is_waiting, self._entries_left())):
            return
        self._has_ended = True
        self._stage.end(recording)

    def _entries_left(self) -> Iterator[Entry]:
        return (entry for lane in self._lanes.values() for entry in lane.entries)


def _is_waiting(entry: Entry) -> bool:
    """Return whether the end has to wait for it: a line, or a request that was not answered before the end."""
    return isinstance(entry, Output) or (entry.is_open and entry.arrived is None)


def _first_index(lane: _Lane) -> int:
    first = lane.entries[0]
    assert isinstance(first, Output), "it is ready"
    return first.index


def _brief(frame: dict[str, Any]) -> str:
    about = {name: value for name, value in frame.items() if name not in {"id", "method"}}
    text = orjson.dumps(about.get("params", about or {})).decode()
    return f"{frame.get('method', '')} {text if len(text) <= _LONGEST else text[:_LONGEST] + '…'}".strip()
