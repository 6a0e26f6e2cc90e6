"""A flood of text deltas: the consumer reads the text of each."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from openai_codex import AsyncCodex, AsyncTurnHandle, Codex, CodexConfig

from . import gauge, observing

if TYPE_CHECKING:
    from typing import Any

TEXT = "word "


class Tally:
    """Counts deltas and text: a client may merge deltas, but must lose none."""

    def __init__(self) -> None:
        self._read = 0
        self._text = 0

    def add(self, event: Any) -> None:
        """Read the typed payload, as a consumer does."""
        if event.method == gauge.DELTA:
            self._read += 1
            self._text += len(event.payload.delta)

    def joined(self, events: int) -> dict[str, float]:
        """Return the share of `events` that were merged into others, in percent."""
        assert self._text == events * len(TEXT), f"{self._text} characters of {events} deltas"
        return {"joined_percent": 100 * (1 - self._read / events)}


def sync_face(events: int) -> None:
    """One turn, iterated on the main thread."""
    tally = Tally()
    with Codex(CodexConfig(launch_args_override=gauge.FAKE_RUNTIME, **observing.settings())) as codex:
        thread = codex.thread_start()
        turn = thread.turn(f"flood {events}")
        span = gauge.Span()
        thread.set_name("go")
        for event in turn.stream():
            tally.add(event)
        gauge.report(**span.rates(events), **tally.joined(events))


async def async_face(events: int, turns: int) -> None:
    """Several turns at once, each iterated by a task; `events` is their total."""
    gauge.report(**await measure_turns(events, turns))


async def growth(events: int, turns: list[int]) -> None:
    """The same total for different numbers of turns, each on its own client, after a small run to warm up."""
    await measure_turns(1_000, 1)
    measures = {count: await measure_turns(events, count) for count in turns}
    gauge.report(**{f"{name}_{count}": value for count, each in measures.items() for name, value in each.items()})


async def measure_turns(events: int, turns: int) -> dict[str, float]:
    """Stream several turns at once and return the rates."""
    tally = Tally()

    async def consume(turn: AsyncTurnHandle) -> None:
        async for event in turn.stream():
            tally.add(event)

    async with AsyncCodex(CodexConfig(launch_args_override=gauge.FAKE_RUNTIME, **observing.settings())) as codex:
        thread = await codex.thread_start()
        handles = [await (await codex.thread_start()).turn(f"flood {events // turns}") for _ in range(turns)]
        span = gauge.Span()
        consumers = [asyncio.ensure_future(consume(handle)) for handle in handles]
        await thread.set_name("go")
        await asyncio.gather(*consumers)
        return {**span.rates(events), **tally.joined(events // turns * turns)}


if __name__ == "__main__":
    gauge.main(sync_face, async_face, growth)
