"""The reader: how much of what has come already makes one batch."""

from __future__ import annotations

from typing import cast

import pytest

from openai_codex._engine.process import RuntimeProcess
from openai_codex._engine.reader import Reader
from openai_codex._engine.wire import Frame

TEN_FRAMES = b'{"method":"m"}\n' * 10


class Output:
    """A process that has written pieces of output, and may break."""

    pid = 0

    def __init__(self, pieces: list[bytes], error: Exception | None) -> None:
        self.pieces = pieces
        self.error = error

    def read(self, _: float) -> bytes:
        if not self.pieces and self.error is not None:
            raise self.error
        return self.pieces.pop(0) if self.pieces else b""


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
    batches: list[int] = []
    ends: list[Exception | None] = []

    def on_frames(frames: list[Frame]) -> int:
        batches.append(len(frames))
        return mailboxes

    output = cast("RuntimeProcess", Output([TEN_FRAMES] * 12, error))
    Reader(output, on_frames, lambda: None, ends.append)._run()
    assert batches == sizes
    assert ends == [error]
