"""A step of a stream that times out does not end the stream: the next step goes on where it was."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from openai_codex import AppServerConfig, AsyncCodex, AsyncTurnHandle, TurnTimeoutError
from openai_codex._async.stream import AsyncStream
from openai_codex.testing import Gate, ScriptedModel, say
from tests.support.bounds import PATIENCE

SOON = 0.2

STREAMS: dict[str, Callable[[AsyncTurnHandle], AsyncStream[Any]]] = {
    "stream": lambda turn: turn.stream(timeout=SOON),
    "stream with agents": lambda turn: turn.stream(agents=True, timeout=SOON),
    "text": lambda turn: turn.text(timeout=SOON),
    "items": lambda turn: turn.items(timeout=SOON),
}


async def all_of(stream: AsyncStream[Any], read: Callable[[Any], object]) -> None:
    """Read the same stream to its end, however many steps time out."""
    with suppress(TurnTimeoutError):
        async for each in stream:
            read(each)
        return
    await all_of(stream, read)


@pytest.mark.parametrize("kind", STREAMS)
async def test_the_same_stream_goes_on_after_a_step_that_timed_out(
    codex_config: AppServerConfig, scripted_model: ScriptedModel, kind: str
) -> None:
    gate, read = Gate(), list[Any]()
    scripted_model.queue(say("Once upon a time.", gate=gate))
    async with AsyncCodex(codex_config) as codex:
        turn = await (await codex.thread_start(ephemeral=True)).turn("go")
        await gate.reached(PATIENCE)
        stream = STREAMS[kind](turn)
        for _ in range(2):
            with pytest.raises(TurnTimeoutError):
                read += [each async for each in stream]
        gate.open()
        await all_of(stream, read.append)
    if kind == "text":
        assert "".join(read) == "Once upon a time."
    elif kind == "items":
        assert read[-1].text == "Once upon a time."
    else:
        assert read[-1].method == "turn/completed"
