"""The programs of the actor floor: what those of `round_trip`, `stream` and `latency` do, with the client of `actor`."""

from __future__ import annotations

import asyncio
import time
from threading import Thread
from typing import TYPE_CHECKING

from . import gauge
from .actor import Actor, AsyncActor

if TYPE_CHECKING:
    from queue import SimpleQueue

    from .actor import Frame

NAME = "thread/name/set"
"""The smallest request. With the name ``go`` the fake runtime begins to write."""

ENDED = "turn/completed"


def sync_round_trip(requests: int) -> None:
    """One request after another."""
    with Actor() as client:
        span = gauge.Span()
        for _ in range(requests):
            client.request(NAME, threadId="", name="name")
        gauge.report(**span.rates(requests))


async def async_round_trip(requests: int, in_flight: int) -> None:
    """Several tasks, so that a constant number of requests is in flight."""

    async def ask(client: AsyncActor) -> None:
        for _ in range(requests // in_flight):
            await client.request(NAME, threadId="", name="name")

    with AsyncActor() as client:
        span = gauge.Span()
        await asyncio.gather(*(ask(client) for _ in range(in_flight)))
        gauge.report(**span.rates(requests // in_flight * in_flight))


def sync_stream(events: int) -> None:
    """One turn, iterated on the main thread."""
    with Actor() as client:
        turn = client.turn(f"flood {events}")
        span = gauge.Span()
        client.request(NAME, threadId="", name="go")
        assert consume(turn) == events * len("word ")
        gauge.report(**span.rates(events))


async def async_stream(events: int, turns: int) -> None:
    """Several turns at once, each iterated by a task; `events` is their total."""
    with AsyncActor() as client:
        opened = [await client.turn(f"flood {events // turns}") for _ in range(turns)]
        span = gauge.Span()
        consumers = [asyncio.ensure_future(async_consume(turn)) for turn in opened]
        await client.request(NAME, threadId="", name="go")
        assert sum(await asyncio.gather(*consumers)) == events // turns * turns * len("word ")
        gauge.report(**span.rates(events))


def sync_latency(probes: int, gap: float, others: int, rate: float) -> None:
    """The consumer is the main thread; each other turn has a thread."""
    delays: list[int] = []
    with Actor() as client:
        noise = [client.turn(f"noise {rate}") for _ in range(others)]
        probed = client.turn(f"probe {probes} {gap}")
        consumers = [Thread(target=consume, args=(turn,), daemon=True) for turn in noise]
        for consumer in consumers:
            consumer.start()
        client.request(NAME, threadId="", name="go")
        while len(delays) < probes:
            delays += _delays(probed.get())
        gauge.report(**gauge.percentiles(delays))
        for consumer in consumers:
            consumer.join()


async def async_latency(probes: int, gap: float, others: int, rate: float) -> None:
    """Every consumer is a task."""
    delays: list[int] = []
    with AsyncActor() as client:
        noise = [await client.turn(f"noise {rate}") for _ in range(others)]
        probed = await client.turn(f"probe {probes} {gap}")
        consumers = [asyncio.ensure_future(async_consume(turn)) for turn in noise]
        await client.request(NAME, threadId="", name="go")
        while len(delays) < probes:
            delays += _delays(await probed.get())
        gauge.report(**gauge.percentiles(delays))
        await asyncio.gather(*consumers)


def consume(turn: SimpleQueue[list[Frame]]) -> int:
    """Read the text of a turn until its end; return the number of characters."""
    text, ended = 0, False
    while not ended:
        more, ended = _read(turn.get())
        text += more
    return text


async def async_consume(turn: asyncio.Queue[list[Frame]]) -> int:
    """As `consume`, in a task."""
    text, ended = 0, False
    while not ended:
        more, ended = _read(await turn.get())
        text += more
    return text


def _read(batch: list[Frame]) -> tuple[int, bool]:
    """Read the text of each delta of a batch; return its length, and whether the turn has ended."""
    text = 0
    for event in batch:
        if event["method"] == gauge.DELTA:
            text += len(event["params"]["delta"])
    return text, batch[-1]["method"] == ENDED


def _delays(batch: list[Frame]) -> list[int]:
    now = time.monotonic_ns()
    return [now - int(event["params"]["delta"]) for event in batch if event["method"] == gauge.DELTA]


if __name__ == "__main__":
    gauge.main(sync_round_trip, async_round_trip, sync_stream, async_stream, sync_latency, async_latency)
