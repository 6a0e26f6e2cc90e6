"""From the writing of a frame until its consumer runs. The text of each delta is the time when it was written."""

from __future__ import annotations

import asyncio
import threading
import time

from openai_codex import AsyncCodex, AsyncTurnHandle, Codex, CodexConfig, TurnHandle

from . import gauge


def sync_face(probes: int, gap: float, others: int, rate: float) -> None:
    """The consumer is the main thread; the others are a thread each."""
    delays: list[int] = []
    with Codex(CodexConfig(launch_args_override=gauge.FAKE_RUNTIME)) as codex:
        thread = codex.thread_start()
        noise = [codex.thread_start().turn(f"noise {rate}") for _ in range(others)]
        probed = codex.thread_start().turn(f"probe {probes} {gap}")
        consumers = [threading.Thread(target=_consume, args=(turn,), daemon=True) for turn in noise]
        for consumer in consumers:
            consumer.start()
        thread.set_name("go")
        for event in probed.stream():
            now = time.monotonic_ns()
            if event.method == gauge.DELTA:
                delays.append(now - int(event.payload.delta))  # type: ignore[attr-defined]  # the method says its type
        gauge.report(**gauge.percentiles(delays))
        for consumer in consumers:
            consumer.join()


def _consume(turn: TurnHandle) -> None:
    text = 0
    for event in turn.stream():
        if event.method == gauge.DELTA:
            text += len(event.payload.delta)  # type: ignore[attr-defined]  # the method says its type


async def async_face(probes: int, gap: float, others: int, rate: float) -> None:
    """Every consumer is a task."""
    delays: list[int] = []
    async with AsyncCodex(CodexConfig(launch_args_override=gauge.FAKE_RUNTIME)) as codex:
        thread = await codex.thread_start()
        noise = [await (await codex.thread_start()).turn(f"noise {rate}") for _ in range(others)]
        probed = await (await codex.thread_start()).turn(f"probe {probes} {gap}")
        consumers = [asyncio.ensure_future(_consume_async(turn)) for turn in noise]
        await thread.set_name("go")
        async for event in probed.stream():
            now = time.monotonic_ns()
            if event.method == gauge.DELTA:
                delays.append(now - int(event.payload.delta))  # type: ignore[attr-defined]  # the method says its type
        gauge.report(**gauge.percentiles(delays))
        await asyncio.gather(*consumers)


async def _consume_async(turn: AsyncTurnHandle) -> None:
    text = 0
    async for event in turn.stream():
        if event.method == gauge.DELTA:
            text += len(event.payload.delta)  # type: ignore[attr-defined]  # the method says its type


if __name__ == "__main__":
    gauge.main(sync_face, async_face)
