"""Latency: from the write of a frame, whose text is that time, to its consumer; and from an interrupt to its turn's end."""

from __future__ import annotations

import asyncio
import threading
import time

from openai_codex import AsyncCodex, AsyncTurnHandle, Codex, CodexConfig, TurnHandle

from . import gauge


def sync_face(probes: int, gap: float, others: int, rate: float) -> None:
    """The consumer is the main thread; each other turn has a thread."""
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


async def interrupt(turns: int) -> None:
    """Many quiet turns, each awaited by a task: time from an interrupt to the end of its task, and threads added."""
    async with AsyncCodex(CodexConfig(launch_args_override=gauge.FAKE_RUNTIME)) as codex:
        handles = [await (await codex.thread_start()).turn("quiet") for _ in range(turns)]
        threads = gauge.os_threads()
        consumers = [asyncio.ensure_future(_consume_async(handle)) for handle in handles]
        await asyncio.sleep(0.2)  # until all of them wait
        added = gauge.os_threads() - threads
        span = gauge.Span()
        await handles[turns // 2].interrupt()
        await consumers[turns // 2]
        gauge.report(interrupt_ms=span.seconds() * 1e3, threads_added=added)
        for consumer in consumers:
            consumer.cancel()


if __name__ == "__main__":
    gauge.main(sync_face, async_face, interrupt)
