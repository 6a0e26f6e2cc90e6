"""The order and the time in which a recording is played, without processes and clocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest

from openai_codex._engine.wire import PING, UNDO_ID
from openai_codex._journal.read import Envelope
from openai_codex._journal.redact import Redactor
from openai_codex.testing._replay.player import Player
from openai_codex.testing._replay.recording import Recording, recordings

if TYPE_CHECKING:
    from collections.abc import Callable

Frame = dict[str, Any]


class FakeStage:
    """Keeps what is sent, and a clock that the test sets."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.sent: list[Frame] = []
        self.due: list[tuple[float, Callable[[], None]]] = []
        self.ends: list[Recording] = []
        self.problems: list[str] = []

    def send(self, data: bytes) -> None:
        self.sent += map(orjson.loads, data.splitlines())

    def later(self, delay: float, action: Callable[[], None]) -> None:
        self.due.append((self.now + delay, action))

    def end(self, recording: Recording) -> None:
        self.ends.append(recording)

    def report(self, problem: str) -> None:
        self.problems.append(problem)

    def taken(self) -> list[Any]:
        """Return what was sent since the last time: names of events, ids of responses."""
        taken, self.sent = self.sent, []
        return [each.get("method", each.get("id")) for each in taken]

    def pass_time(self) -> float:
        """Go to the next thing that is due; return how long it took."""
        self.due.sort(key=lambda pair: pair[0])
        at, action = self.due.pop(0)
        passed, self.now = at - self.now, at
        action()
        return round(passed, 3)


def opened(id: int, thread: str) -> list[tuple[str, Frame]]:
    request = {"id": id, "method": "thread/start", "params": {"model": thread}}
    return [(">", request), ("<", {"id": id, "result": {"thread": {"id": thread}}})]


def turn(id: int, thread: str) -> tuple[str, Frame]:
    return ">", {"id": id, "method": "turn/start", "params": {"threadId": thread}}


def event(name: str, thread: str | None = None, **params: Any) -> tuple[str, Frame]:
    return "<", {"method": name, "params": params if thread is None else {"threadId": thread, **params}}


def about(frame: Frame, thread: str) -> Frame:
    return {**frame, "params": {**frame["params"], "threadId": thread}}


def happened(name: str, **facts: Any) -> tuple[str, Frame]:
    return "!", {"event": name, **facts}


def playing(*steps: tuple[str, Frame], paced: bool = False) -> tuple[Player, FakeStage]:
    """Return what plays these steps, each of which was recorded a second after the one before."""
    envelopes = [Envelope(float(at), 0.0, direction, 1, 7, frame) for at, (direction, frame) in enumerate(steps)]
    [recording] = recordings(envelopes)
    stage = FakeStage()
    player = Player(recording, Redactor(), stage, paced=paced)
    player.begin()
    return player, stage


TWO = [
    *opened(1, "A"),
    *opened(2, "B"),
    turn(3, "A"),
    event("a1", "A"),
    turn(4, "B"),
    event("b1", "B"),
    event("all"),
    event("a2", "A"),
    ("<", {"id": 4, "result": {}}),
    ("<", {"id": 3, "result": {}}),
]


def test_a_thread_waits_for_its_own_requests_only() -> None:
    player, stage = playing(*TWO)
    assert stage.taken() == []
    player.receive({"id": 11, "method": "thread/start", "params": {"model": "B"}})
    assert stage.taken() == [11]
    player.receive({"id": 12, "method": "thread/start", "params": {"model": "A"}})
    player.receive({"id": 13, "method": "turn/start", "params": {"threadId": "A"}})
    assert stage.taken() == [12, "a1", "a2", 13]
    player.receive({"id": 14, "method": "turn/start", "params": {"threadId": "B"}})
    # Events of no thread come in the recorded order, when all requests before them are there.
    assert stage.taken() == ["b1", "all", 14]
    assert stage.problems == []


def test_the_recorded_time_passes_between_two_steps_of_a_thread() -> None:
    player, stage = playing(*opened(1, "A"), turn(2, "A"), *[event("a", "A")] * 2, paced=True)
    player.receive({"id": 1, "method": "thread/start", "params": {"model": "A"}})
    stage.now += 0.25  # the program does not change it
    player.receive({"id": 2, "method": "turn/start", "params": {"threadId": "A"}})
    assert stage.taken() == []
    assert (stage.pass_time(), stage.taken()) == (0.75, [1])
    assert (stage.pass_time(), stage.taken()) == (1.0, ["a"])
    assert (stage.pass_time(), stage.taken()) == (1.0, ["a"])
    assert stage.due == []


@pytest.mark.parametrize("is_open", [True, False], ids=["both are open", "one is not open yet"])
def test_equal_threads_are_exchanged_while_the_other_one_is_opened(is_open: bool) -> None:
    opening: Frame = {"method": "thread/start", "params": {}}
    steps: list[tuple[str, Frame]] = [(">", {"id": id, **opening}) for id in (1, 2)]
    steps += [("<", {"id": id, "result": {"thread": {"id": thread}}}) for id, thread in ((1, "AAA"), (2, "BBB"))]
    work: dict[str, Frame] = {name: {"method": "turn/start", "params": {"input": name}} for name in ("a", "b")}
    for id, (name, thread) in enumerate((("a", "AAA"), ("b", "BBB")), 3):
        steps += [(">", {"id": id, **about(work[name], thread)}), event(name, thread)]
    player, stage = playing(*steps, paced=True)
    player.receive({"id": 11, **opening})
    if is_open:
        stage.now += 1.0
        player.receive({"id": 12, **opening})
    stage.pass_time()
    assert stage.sent.pop() == {"id": 11, "result": {"thread": {"id": "AAA"}}}
    # The program does with its first thread what it did with the second one, whose response is still to come.
    player.receive({"id": 13, **about(work["b"], "AAA")})
    if not is_open:
        player.receive({"id": 12, **opening})
    while stage.due:
        stage.pass_time()
    player.receive({"id": 14, **about(work["a"], "BBB")})
    while stage.due:
        stage.pass_time()
    answers = {each["id"]: each["result"] for each in stage.sent if "id" in each}
    events = {each["method"]: each["params"]["threadId"] for each in stage.sent if "method" in each}
    assert (answers, events) == ({12: {"thread": {"id": "BBB"}}}, {"b": "AAA", "a": "BBB"})
    assert stage.problems == []


def test_a_thread_that_an_agent_has_started_is_of_its_thread() -> None:
    items = event("item/completed", "A", item={"receiverThreadIds": ["child"]})
    later = event("item/completed", "child", item={"receiverThreadIds": ["grandchild"]})
    steps = [
        *opened(1, "A"),
        turn(2, "A"),
        event("c", "child"),
        items,
        event("g", "grandchild"),
        later,
        event("a", "A"),
    ]
    player, stage = playing(*steps)
    player.receive({"id": 1, "method": "thread/start", "params": {"model": "A"}})
    assert stage.taken() == [1]
    player.receive({"id": 2, "method": "turn/start", "params": {"threadId": "A"}})
    assert stage.taken() == ["c", "item/completed", "g", "item/completed", "a"]


def test_what_follows_an_answer_waits_for_it() -> None:
    asked = ("<", {"id": 0, "method": "ask", "params": {"threadId": "A"}})
    steps = [*opened(1, "A"), asked, event("before", "A"), (">", {"id": 0, "result": {}}), event("after", "A")]
    player, stage = playing(*steps)
    player.receive({"id": 1, "method": "thread/start", "params": {"model": "A"}})
    assert stage.taken() == [1, "ask", "before"]
    player.receive({"id": 0, "result": {}})
    player.receive({"id": 0, "result": {}})  # a second answer does nothing
    assert stage.taken() == ["after"]


def test_requests_that_read_are_answered_at_once_and_nothing_waits_for_them() -> None:
    reading = [(">", {"id": 2, "method": "model/list", "params": {}}), ("<", {"id": 2, "result": {}})]
    player, stage = playing(*opened(1, "A"), reading[0], event("a", "A"), event("all"), reading[1])
    player.receive({"id": 5, "method": "thread/start", "params": {"model": "A"}})
    assert stage.taken() == [5, "a", "all"]
    player.receive({"id": 6, "method": "model/list"})
    assert stage.taken() == [6]


def test_what_is_sent_as_often_as_time_permits_need_not_be_in_the_journal() -> None:
    undo = {"id": UNDO_ID, "method": "turn/interrupt", "params": {"threadId": "A"}}
    player, stage = playing(*opened(1, "A"), (">", undo), (">", undo), event("stopped", "A"))
    player.receive({"id": 1, "method": "thread/start", "params": {"model": "A"}})
    assert stage.taken() == [1]
    player.receive(undo)
    player.receive(undo)
    player.receive(orjson.loads(PING))
    assert (stage.taken(), stage.problems) == (["stopped", UNDO_ID, "ping"], [])


@pytest.mark.parametrize(
    ("reason", "ends"),
    [
        ("the runtime exited", True),
        ("the runtime is frozen: it has sent nothing", True),
        ("the client was closed", False),
    ],
)
def test_a_runtime_ends_as_it_did(reason: str, ends: bool) -> None:
    end = [happened("connection_closed", reason=reason), happened("process_exited", exit_code=3)]
    player, stage = playing(*opened(1, "A"), turn(2, "A"), event("a", "A"), *end)
    player.receive({"id": 1, "method": "thread/start", "params": {"model": "A"}})
    assert stage.ends == []
    player.receive({"id": 2, "method": "turn/start", "params": {"threadId": "A"}})
    assert [each.exit_code for each in stage.ends] == ([3] if ends else [])


def test_a_journal_that_ends_within_a_turn_ends_when_all_is_played() -> None:
    started = event("turn/started", "A", turn={"id": "t", "status": "inProgress"})
    completed = event("turn/completed", "A", turn={"id": "t", "status": "completed"})
    for steps, ends in (([started], True), ([started, completed], False)):
        player, stage = playing(*opened(1, "A"), *steps)
        player.receive({"id": 1, "method": "thread/start", "params": {"model": "A"}})
        assert bool(stage.ends) is ends


def test_a_line_that_was_noted_late_is_played_in_its_time() -> None:
    request, response = opened(1, "A")
    envelopes = [Envelope(at, 0.0, way, 1, 7, frame) for at, (way, frame) in ((2.0, response), (1.0, request))]
    [recording] = recordings(envelopes)
    assert [each.t for each in recording.entries] == [1.0, 2.0]


def test_lines_that_were_no_frames_are_sent_as_they_were() -> None:
    envelope = Envelope(1.0, 0.0, "<", 1, 7, {}, None, {"reason": "not JSON", "line": "noise"})
    [recording] = recordings([envelope])
    sent: list[bytes] = []
    stage = FakeStage()
    stage.send = sent.append  # type: ignore[method-assign]  # it is no JSON
    Player(recording, Redactor(), stage, paced=False).begin()
    assert sent == [b"noise\n"]
