"""A request is either withdrawn or written, and never both, at whatever instant that is decided."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from openai_codex._engine import lane, outbox
from openai_codex._engine.reply import Reply
from tests.support.outbox import Box, Pipe
from tests.support.traces import traced_by

SOURCES = {str(Path(module.__file__ or "")) for module in (lane, outbox)}
LAST = b"last"


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
        with traced_by(self):
            work()


def closes_after_last(box: Box, pipe: Pipe) -> None:
    pipe.on_write = lambda data: box.close() if data.endswith(LAST) else None


@pytest.mark.parametrize("short", [0, 50], ids=["one by one", "together"])
@pytest.mark.parametrize("before", [[], [b"earlier"]], ids=["first", "second"])
def test_a_request_is_withdrawn_or_written_at_every_instant_of_the_writer(before: list[bytes], short: int) -> None:
    outcomes: list[bool] = []
    for instant in range(1, 1000):
        pipe = Pipe(short)
        pipe.is_full = True  # so that no caller writes
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
        assert b"".join(pipe.written) == b"".join([*before, *([] if withdrawn[0] else [b"1"]), LAST]), instant
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
