# Derived from tests/faces_async/test_stream_timeouts.py by `python -m tools.unasync`; do not edit.
"""A step of a stream that times out does not end the stream: the next step goes on where it was."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from openai_codex import AppServerConfig, Codex, TurnHandle, TurnTimeoutError
from openai_codex._sync.stream import Stream
from openai_codex.testing import Gate, ScriptedModel, say
from tests.support.bounds import PATIENCE

SOON = 0.2

STREAMS: dict[str, Callable[[TurnHandle], Stream[Any]]] = {
    "stream": lambda turn: turn.stream(timeout=SOON),
    "stream with agents": lambda turn: turn.stream(agents=True, timeout=SOON),
    "text": lambda turn: turn.text(timeout=SOON),
    "items": lambda turn: turn.items(timeout=SOON),
}


def all_of(stream: Stream[Any], read: Callable[[Any], object]) -> None:
    """Read the same stream to its end, however many steps time out."""
    with suppress(TurnTimeoutError):
        for each in stream:
            read(each)
        return
    all_of(stream, read)


@pytest.mark.parametrize("kind", STREAMS)
def test_the_same_stream_goes_on_after_a_step_that_timed_out(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, kind: str
) -> None:
    gate, read = Gate(), list[Any]()
    scripted_model.queue(say("Once upon a time.", gate=gate))
    with Codex(codex_config) as codex:
        turn = (codex.thread_start(ephemeral=True)).turn("go")
        gate.wait_reached(PATIENCE)
        stream = STREAMS[kind](turn)
        for _ in range(2):
            with pytest.raises(TurnTimeoutError):
                read += [each for each in stream]
        gate.open()
        all_of(stream, read.append)
    if kind == "text":
        assert "".join(read) == "Once upon a time."
    elif kind == "items":
        assert read[-1].text == "Once upon a time."
    else:
        assert read[-1].method == "turn/completed"
