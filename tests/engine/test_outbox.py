"""Lines leave in the right order, each at most once; what is withdrawn never does, and whatever ends the pipe ends all."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from openai_codex._engine import lane, outbox
from openai_codex._engine.outbox import Outbox
from openai_codex._engine.reply import Reply
from openai_codex._engine.undo import Undo
from tests.support.bounds import PATIENCE, eventually

SOURCES = {str(Path(module.__file__ or "")) for module in (lane, outbox)}
LAST = b"last"
LONG = b"x" * 100


class Pipe:
    """A transport that keeps what is written, has room or none, and breaks when it is told to."""

    def __init__(self, short: int = 50, piece: int = 1000) -> None:
        self.written: list[bytes] = []
        self.room = threading.Event()
        self.room.set()
        self.is_full = False
        self.broken: BaseException | None = None
        self.ends = 0
        self.on_write: Callable[[bytes], object] = lambda _: None
        self._short = short
        self._piece = piece

    def short(self) -> int:
        return self._short

    def write_short(self, data: bytes) -> int | None:
        return None if self.is_full else self.try_write(data)

    def try_write(self, data: bytes | memoryview) -> int:
        if self.broken is not None:
            raise self.broken
        part = bytes(data[: self._piece])
        self.written.append(part)
        self.on_write(part)
        return len(part)

    def wait_writable(self, timeout: float) -> bool:
        return self.room.wait(timeout)

    def close_input(self) -> None:
        self.ends += 1


class Box(Outbox):
    """An outbox, the requests that are pending, and what it has reported."""

    def __init__(self, pipe: Any, limit: int = 10) -> None:
        self.pending: dict[int, Reply] = {}
        self.limit = limit
        self._sent = 0
        self.failures: list[BaseException] = []
        super().__init__(pipe, self._has_place, self.failures.append, lambda _: None)

    def _has_place(self, waiting: int) -> bool:
        return len(self.pending) - waiting < self.limit

    def request(self, line: bytes) -> Reply:
        self._sent += 1
        reply = self.pending[self._sent] = Reply("method", self._sent)
        self.send(line, reply)
        return reply

    def settle(self, reply: Reply) -> None:
        del self.pending[reply.request_id]
        self.on_room()


@contextmanager
def writing(box: Box) -> Iterator[None]:
    """Run the writer for the time of a block."""
    writer = threading.Thread(target=box.run)
    writer.start()
    try:
        yield
    finally:
        box.close()
        writer.join(PATIENCE)
        assert not writer.is_alive()


class Thing:
    """Something that is to be stopped by one request."""

    thread_id = "T"

    def __init__(self, line: bytes = b"undo") -> None:
        self._lines = [line]
        self.ends = 0

    def is_over(self) -> bool:
        return not self._lines

    def line(self) -> bytes | None:
        return self._lines.pop()

    def end(self) -> None:
        self.ends += 1


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


def test_no_request_overtakes_one_that_waits() -> None:
    pipe = Pipe()
    box = Box(pipe, limit=1)
    first = box.request(b"1")
    box.request(b"2")
    del box.pending[first.request_id]  # there is room, and the writer was not told yet
    box.request(b"3")
    box.send_first(b"answer")
    assert pipe.written == [b"1", b"answer"]
    assert box.unsent() == 2


def test_no_answer_overtakes_one_that_waits() -> None:
    pipe = Pipe()
    box = Box(pipe)
    box.send_first(LONG)
    box.send_first(b"answer")
    assert pipe.written == []
    with writing(box):
        assert eventually(lambda: pipe.written == [LONG, b"answer"])


# -- what is withdrawn ------------------------------------------------------------------------------------------------


class Strike:
    """Acts at one line of the code that writes, on the thread that runs it."""

    def __init__(self, at: int, action: Callable[[], object]) -> None:
        self._left = at
        self._action = action
        self.has_struck = False

    def __call__(self, frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_filename not in SOURCES:
            return None
        if event == "line" and not self.has_struck:
            self._left -= 1
            if self._left == 0:
                self.has_struck = True
                self._action()
        return self

    def run(self, work: Callable[[], object]) -> None:
        before = sys.gettrace()
        sys.settrace(self)
        try:
            work()
        finally:
            sys.settrace(before)


def closes_after_last(box: Box, pipe: Pipe) -> None:
    pipe.on_write = lambda line: box.close() if line == LAST else None


@pytest.mark.parametrize("before", [[], [b"earlier"]], ids=["first", "second"])
def test_a_request_is_withdrawn_or_written_at_every_instant_of_the_writer(before: list[bytes]) -> None:
    outcomes: list[bool] = []
    for instant in range(1, 1000):
        pipe = Pipe(short=0)
        box = Box(pipe)
        for line in before:
            box.request(line)
        reply = box.request(b"1")
        box.request(LAST)
        closes_after_last(box, pipe)
        withdrawn: list[bool] = []
        strike = Strike(instant, lambda box=box, reply=reply, found=withdrawn: found.append(box.withdraw(reply)))
        strike.run(box.run)
        if not strike.has_struck:
            break
        assert pipe.written == [*before, *([] if withdrawn[0] else [b"1"]), LAST], instant
        assert box.unsent() == 0
        outcomes += withdrawn
    assert outcomes == sorted(outcomes, reverse=True), "once it cannot be withdrawn, it never can be again"
    assert set(outcomes) == {True, False}
    assert len(outcomes) > 20


class AlarmError(Exception):
    """What a signal handler raises."""


def alarm() -> None:
    raise AlarmError


@pytest.mark.parametrize("is_full", [False, True])
@pytest.mark.parametrize("short", [0, 50])
def test_a_caller_that_is_interrupted_withdraws_what_it_sent(short: int, *, is_full: bool) -> None:
    interrupted = 0
    for instant in range(1, 1000):
        pipe = Pipe(short)
        pipe.is_full = is_full
        box = Box(pipe)
        reply = box.pending[0] = Reply("method", 0)
        strike = Strike(instant, alarm)
        with suppress(AlarmError):
            strike.run(lambda box=box, reply=reply: box.send(b"1", reply))
        if not strike.has_struck:
            break
        interrupted += 1
        withdrawn = box.withdraw(reply)
        assert box.withdraw(reply) == withdrawn, "the answer stays the same"
        box.request(LAST)
        closes_after_last(box, pipe)
        if LAST not in pipe.written:
            box.run()
        assert pipe.written == ([] if withdrawn else [b"1"]) + [LAST], instant
    assert interrupted > 3


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
    pipe.on_write = lambda _: (box.abort(), ends.append(pipe.ends))
    box.post(b"1")
    box.post(b"2")
    box.run()
    assert ends == [0], "the writer closes the input, after its line"
    assert (pipe.written, pipe.ends) == ([b"1"], 1)
