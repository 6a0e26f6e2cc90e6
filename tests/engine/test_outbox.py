"""Lines leave in the right order, each at most once, and whatever ends the pipe ends all."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from openai_codex._engine.lane import Ticket
from openai_codex._engine.undo import Undo
from tests.support.bounds import eventually
from tests.support.outbox import Box, Pipe, Thing, writing

LONG = b"x" * 100


# -- who writes -------------------------------------------------------------------------------------------------------


def test_a_short_line_is_written_by_its_caller() -> None:
    pipe = Pipe()
    box = Box(pipe)
    box.request(b"1")
    box.send_first(b"answer")
    assert pipe.written == [b"1", b"answer"]
    assert box.unsent() == 0


@pytest.mark.parametrize(("line", "is_full"), [(LONG, False), (b"1", True)], ids=["long", "full"])
def test_what_the_caller_cannot_write_is_left_to_the_writer(line: bytes, *, is_full: bool) -> None:
    pipe = Pipe(piece=30)
    pipe.is_full = is_full
    box = Box(pipe)
    box.request(line)
    assert (pipe.written, box.unsent()) == ([], 1)
    with writing(box):
        assert eventually(lambda: b"".join(pipe.written) == line)
    assert box.unsent() == 0


def test_the_reader_writes_nothing_itself() -> None:
    pipe = Pipe()
    box = Box(pipe)
    box.post(b"refusal")
    assert pipe.written == []
    with writing(box):
        assert eventually(lambda: pipe.written == [b"refusal"])


# -- the order --------------------------------------------------------------------------------------------------------


def test_answers_and_what_stops_something_go_before_requests() -> None:
    pipe = Pipe(short=0)
    box = Box(pipe)
    for line in (b"1", b"2", b"3"):
        box.request(line)
    box.undo(Undo(Thing()))
    box.send_first(b"answer")
    box.post(b"refusal")
    with writing(box):
        assert eventually(lambda: len(pipe.written) == 6)
    assert pipe.written == [b"answer", b"refusal", b"undo", b"1", b"2", b"3"]


def test_what_stops_something_goes_before_requests_that_are_written_with_answers() -> None:
    pipe = Pipe()
    box = waiting(pipe, [b"1"])
    box.post(b"answer")
    box.undo(Undo(Thing()))
    box.request(b"2")
    with writing(box):
        assert eventually(lambda: b"".join(pipe.written) == b"answerundo12")


def test_what_stops_something_needs_no_room() -> None:
    pipe = Pipe(short=0)
    box = Box(pipe, limit=0)
    box.request(b"1")
    box.undo(Undo(Thing()))
    with writing(box):
        assert eventually(lambda: pipe.written == [b"undo"])
    assert box.unsent() == 0, "it is dropped at the end"


def test_what_comes_while_a_line_is_written_goes_next() -> None:
    pipe = Pipe(short=0)
    box = Box(pipe)

    def during(line: bytes) -> None:
        if line == b"1":
            box.undo(Undo(Thing()))
            box.post(b"answer")

    pipe.on_write = during
    for line in (b"1", b"2"):
        box.request(line)
    with writing(box):
        assert eventually(lambda: len(pipe.written) == 4)
    assert pipe.written in ([b"1", b"answer", b"undo", b"2"], [b"1", b"undo", b"answer", b"2"])


@pytest.mark.parametrize("short", [0, 50])
def test_requests_are_sent_in_order_and_only_while_there_is_room(short: int) -> None:
    pipe = Pipe(short)
    box = Box(pipe, limit=2)
    replies = [box.request(b"%d" % number) for number in range(6)]
    with writing(box):
        for number in range(2, 6):
            assert eventually(lambda sent=number: len(pipe.written) >= sent)
            box.post(b"answer")  # once it is written, the writer has passed over the requests
            assert eventually(lambda: pipe.written[-1:] == [b"answer"])
            pipe.written.pop()
            assert pipe.written == [b"%d" % each for each in range(number)]
            assert box.unsent() == 6 - number
            box.settle(replies[number - 2])
        assert eventually(lambda: len(pipe.written) == 6)
    assert pipe.written == [b"%d" % number for number in range(6)]


def waiting(pipe: Pipe, lines: list[bytes]) -> Box:
    """Return an outbox whose lines all wait for the writer."""
    box = Box(pipe, limit=1_000)
    pipe.is_full = True
    for line in lines:
        box.request(line)
    return box


@pytest.mark.parametrize(
    ("short", "lines", "written"),
    [
        (0, [b"1", b"2"], [b"1", b"2"]),
        (5, [b"11", b"22", b"3", b"4", LONG, b"5"], [b"11223", b"4", LONG, b"5"]),
        (50, [LONG, b"1", b"2"], [LONG, b"12"]),
        (1_000, [b"x"] * 100, [b"x" * 64, b"x" * 36]),
    ],
    ids=["one by one", "as many as it takes", "a long one by itself", "not too many"],
)
def test_requests_that_wait_are_written_together(short: int, lines: list[bytes], written: list[bytes]) -> None:
    pipe = Pipe(short)
    with writing(waiting(pipe, lines)):
        assert eventually(lambda: pipe.written == written)


def test_requests_that_wait_are_written_together_only_as_far_as_there_is_room() -> None:
    pipe = Pipe()
    box = waiting(pipe, [b"1", b"2", b"3"])
    box.limit = 2
    with writing(box):
        assert eventually(lambda: pipe.written == [b"12"])
        box.post(b"answer")  # once it is written, the writer has passed over the request
        assert eventually(lambda: pipe.written == [b"12", b"answer"])
        assert box.unsent() == 1


class AddsWhenLookedAt(dict[int, Ticket]):
    """The table of requests, to which another thread adds one right after the writer has begun to look at it."""

    def __init__(self, add: Callable[[], object]) -> None:
        self._adds = [add]

    def __iter__(self) -> Iterator[int]:
        looking = super().__iter__()
        while self._adds:
            self._adds.pop()()
        return looking


def test_a_request_may_be_added_while_the_writer_looks_for_those_that_wait() -> None:
    pipe = Pipe(short=0)
    box = Box(pipe)
    box._requests = AddsWhenLookedAt(lambda: box.request(b"2"))  # noqa: SLF001  the race is about this table
    box.request(b"1")
    with writing(box):
        assert eventually(lambda: pipe.written == [b"1", b"2"])
    assert box.failures == []


def test_answers_that_wait_are_written_together_before_requests() -> None:
    pipe = Pipe(short=5)
    box = waiting(pipe, [b"1"])
    for line in (b"aa", b"bb", b"cc"):
        box.post(line)
    with writing(box):
        assert eventually(lambda: pipe.written == [b"aabb", b"cc1"])


def test_what_is_to_be_stopped_goes_before_a_request_that_came_after_it() -> None:
    pipe = Pipe()
    box = waiting(pipe, [b"1"])

    def stop_and_ask(_: float) -> bool:
        if not box.pending.get(2):
            box.undo(Undo(Thing()))  # the writer has looked which requests wait, and not what is to be stopped
            box.request(b"2")
        return True

    pipe.wait_writable = stop_and_ask  # type: ignore[method-assign]  # the instant between the two
    with writing(box):
        assert eventually(lambda: b"".join(pipe.written) == b"undo12")


class Lasting(Thing):
    """Something that is never over."""

    def is_over(self) -> bool:
        return False

    def line(self) -> bytes | None:
        return b"undo"


def test_what_stops_something_does_not_pile_up_while_there_is_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openai_codex._engine.undo._FIRST", 0.001)
    monkeypatch.setattr("openai_codex._engine.undo._LONGEST", 0.001)
    monkeypatch.setattr("openai_codex._engine.outbox._WAIT", 0.002)
    pipe = Pipe(short=0)
    box, looks, lines = Box(pipe), list[None](), list[int]()
    pipe.room.clear()
    wait = pipe.wait_writable
    monkeypatch.setattr(pipe, "wait_writable", lambda timeout: (looks.append(None), wait(timeout))[1])
    for _ in range(5):
        box.undo(Undo(Lasting()))
    with writing(box):
        assert eventually(lambda: len(looks) > 50)
        pipe.on_write = lambda _: lines.append(len(box._urgent))  # noqa: SLF001  it must not grow
        pipe.room.set()
        assert eventually(lambda: lines)
    assert lines[0] <= 5


def test_no_request_overtakes_one_that_waits() -> None:
    pipe = Pipe()
    box = Box(pipe, limit=2)
    under_way = [box.request(b"1"), box.request(b"2")]
    box.request(b"3")
    for reply in under_way:
        del box.pending[reply.request_id]  # there is room, and the writer was not told yet
    box.request(b"4")
    box.send_first(b"answer")
    assert pipe.written == [b"1", b"2", b"answer"]
    assert box.unsent() == 2
    with writing(box):
        assert eventually(lambda: b"".join(pipe.written[3:]) == b"34")


def test_no_answer_overtakes_one_that_waits() -> None:
    pipe = Pipe()
    box = Box(pipe)
    box.send_first(LONG)
    box.send_first(b"answer")
    assert pipe.written == []
    with writing(box):
        assert eventually(lambda: pipe.written == [LONG, b"answer"])


# -- the end ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [BrokenPipeError("gone"), ZeroDivisionError("a mistake")], ids=["broken", "any"])
def test_a_writer_that_fails_tells_it_and_ends_everything(error: Exception) -> None:
    pipe, thing = Pipe(short=0), Thing()
    box = Box(pipe)
    pipe.broken = error
    undo = Undo(thing)
    box.request(b"1")
    box.undo(undo)
    with writing(box):
        assert eventually(lambda: box.failures == [error])
    assert (pipe.written, pipe.ends, box.unsent()) == ([], 1, 0)
    assert undo.done.is_ready()
    assert thing.ends == 1


def test_a_caller_that_meets_the_broken_pipe_leaves_it_to_the_writer() -> None:
    pipe = Pipe()
    box = Box(pipe)
    pipe.broken = BrokenPipeError("gone")
    box.request(b"1")
    assert (box.unsent(), box.failures) == (1, [])
    with writing(box):
        assert eventually(lambda: box.failures == [pipe.broken])
    assert (pipe.written, pipe.ends, box.unsent()) == ([], 1, 0)
    box.request(b"2")
    box.send_first(b"answer")
    assert pipe.written == []


def test_nothing_is_written_after_the_end() -> None:
    pipe = Pipe()
    box = Box(pipe)
    with writing(box):
        box.close()
        box.close()
    assert (pipe.ends, box.failures) == (1, [])
    box.request(b"1")
    box.send_first(b"answer")
    box.post(b"refusal")
    thing = Thing()
    late = Undo(thing)
    box.undo(late)
    assert pipe.written == []
    assert late.done.is_ready()
    assert thing.ends == 1


def test_a_request_that_comes_after_the_end_leaves_nothing() -> None:
    box = Box(Pipe())
    with writing(box):
        box.close()
    box.request(b"1")
    assert box.unsent() == 0


def test_a_writer_that_waits_for_room_in_the_pipe_ends() -> None:
    pipe = Pipe(short=0)
    pipe.room.clear()
    box = Box(pipe)
    reply = box.request(b"1")
    with writing(box):
        assert box.withdraw(reply), "nothing is claimed before the pipe has room"
        box.request(b"2")
    assert (pipe.written, pipe.ends) == ([], 1)


def test_a_long_line_is_not_finished_after_the_end() -> None:
    pipe = Pipe(piece=10)
    box = Box(pipe)
    pipe.on_write = lambda _: box.close()
    box.request(LONG)
    box.run()
    assert (len(pipe.written), pipe.ends) == (1, 1)


def test_without_a_writer_the_end_is_left_to_whoever_aborts() -> None:
    pipe, thing = Pipe(short=0), Thing()
    box = Box(pipe)
    undo = Undo(thing)
    box.undo(undo)
    box.request(b"1")
    box.abort()
    box.abort()
    assert (pipe.written, pipe.ends, box.unsent(), thing.ends) == ([], 1, 0, 1)
    assert undo.done.is_ready()
    box.run()  # a writer that is started late finds nothing to do
    assert (pipe.written, pipe.ends) == ([], 1)


def test_to_abort_is_to_close_where_there_is_a_writer() -> None:
    pipe = Pipe()
    box = Box(pipe)
    ends: list[int] = []
    pipe.on_write = lambda _: (box.post(b"2"), box.abort(), ends.append(pipe.ends))
    box.post(b"1")
    box.run()
    assert ends == [0], "the writer closes the input, after its line"
    assert (pipe.written, pipe.ends) == ([b"1"], 1)
