"""The reader: how much of what has come already makes one batch."""

from __future__ import annotations

import threading
from typing import Any, cast

import pytest

from openai_codex._engine import wire
from openai_codex._engine.reader import Reader
from openai_codex._engine.transport import READ_SIZE, Transport
from openai_codex._engine.waiting import Latch, block_until_ready
from openai_codex._engine.wire import Frame, LineSplitter, LongLine
from tests.support.bounds import PATIENCE

FRAME = b'{"method":"m"}'
TEN_FRAMES = (
    b"\n".join([FRAME.ljust(READ_SIZE // 10 - 1)] * 9 + [b""])
    + FRAME.ljust(READ_SIZE - 9 * (READ_SIZE // 10) - 1)
    + b"\n"
)


class Output:
    """A process that has written pieces of output, and may break."""

    def __init__(self, pieces: list[bytes], error: Exception | None) -> None:
        self.pieces = pieces
        self.error = error

    def read(self, _: float) -> bytes:
        if not self.pieces and self.error is not None:
            raise self.error
        return self.pieces.pop(0) if self.pieces else b""


def read_all(output: Output, mailboxes: int) -> tuple[list[int], list[BaseException | None]]:
    """Read to the end as if each batch were for so many mailboxes; return the sizes of the batches, and the end."""
    batches: list[int] = []
    ends: list[BaseException | None] = []

    def on_frames(frames: list[Frame]) -> int:
        batches.append(len(frames))
        return mailboxes

    Reader(cast("Transport", output), on_frames, lambda _: None, ends.append).run()
    return batches, ends


@pytest.mark.parametrize(
    ("mailboxes", "sizes"),
    [
        pytest.param(0, [10] * 12, id="nobody takes it"),
        pytest.param(1, [10, 20, 20, 20, 20, 20, 10], id="one mailbox"),
        pytest.param(4, [10, 70, 40], id="four"),
        pytest.param(10**9, [10, 110], id="very many"),
    ],
)
@pytest.mark.parametrize("error", [None, OSError("broken")], ids=["ends", "breaks"])
def test_a_batch_has_some_frames_for_each_mailbox(mailboxes: int, sizes: list[int], error: Exception | None) -> None:
    assert read_all(Output([TEN_FRAMES] * 12, error), mailboxes) == (sizes, [error])


def test_a_read_that_has_emptied_the_pipe_ends_the_batch() -> None:
    pieces = [TEN_FRAMES, TEN_FRAMES, FRAME + b"\n", TEN_FRAMES, FRAME + b"\n"]
    assert read_all(Output(pieces, None), 10**9) == ([10, 11, 11], [None])


def test_a_batch_is_bounded_in_bytes() -> None:
    batches, _ = read_all(Output([TEN_FRAMES] * 100, None), 10**9)
    assert batches == [10, 320, 320, 320, 30]


def test_a_line_without_an_end_holds_nothing_up_for_long() -> None:
    pieces = [TEN_FRAMES, TEN_FRAMES, *[b"x" * READ_SIZE] * 100]
    batches, _ = read_all(Output(pieces, None), 10**9)
    assert batches[:2] == [10, 10]


def none_left(*_: object) -> LongLine:
    raise MemoryError


class Busy:
    """The output of a runtime that ignores SIGTERM and writes until it is killed."""

    def __init__(self) -> None:
        self.is_killed = False
        self.reads = 0

    def read(self, _: float) -> bytes:
        self.reads += 1
        return b"" if self.is_killed or self.reads > 10_000 else b'{"method":"m"}\n'

    def kill(self) -> None:
        self.is_killed = True


def test_a_runtime_that_goes_on_writing_is_killed_in_time() -> None:
    output = Busy()
    reader = Reader(cast("Transport", output), len, lambda _: None, lambda _: None)
    reader.kill_after(0)
    reader.run()
    assert output.is_killed


def test_a_second_shortage_of_memory_raises_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LineSplitter, "drop", none_left)
    error: Any = MemoryError()
    assert read_all(Output([TEN_FRAMES], error), 1) == ([10], [error]), "the end has the first one"


def test_what_is_dropped_is_released_also_without_memory_for_its_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = LineSplitter(100)
    assert lines.feed(b"x" * 50) == []
    with monkeypatch.context() as patch:
        patch.setattr(wire, "LongLine", none_left)
        with pytest.raises(MemoryError):
            lines.drop()
    assert lines.feed(b"rest of it\nnext\n") == [b"next"], "the rest of the dropped line is no line"


def test_a_wait_of_foreign_code_on_the_reader_ends_at_once() -> None:
    """The collector may run a finalizer there, which may wait for what only the reader can bring."""
    waits: list[bool] = []

    def on_frames(_: list[Frame]) -> int:
        waits.append(block_until_ready(Latch(), timeout=None))
        return 1

    output = cast("Transport", Output([FRAME + b"\n"], None))
    reader = threading.Thread(target=Reader(output, on_frames, lambda _: None, lambda _: None).run, daemon=True)
    reader.start()
    reader.join(PATIENCE)
    assert waits == [False]
