"""The memory of the client's process: threads, turns that are awaited, events that are not read."""

from __future__ import annotations

import asyncio

from openai_codex import AsyncCodex, AsyncTurnHandle, Codex, CodexConfig, Thread

from . import gauge

WARM_UP = 200
"""The number of threads that are opened first, so that one-time costs are not counted."""


def threads(count: int) -> None:
    """Measure the bytes of an open thread handle."""
    with Codex(CodexConfig(launch_args_override=gauge.FAKE_RUNTIME)) as codex:
        handles: list[Thread] = [codex.thread_start() for _ in range(WARM_UP)]
        connected = gauge.resident_mb()
        before = gauge.heap_kb()
        handles += [codex.thread_start() for _ in range(count)]
        gauge.report(bytes_each=(gauge.heap_kb() - before) * 1024 / count, connected_mb=connected)


async def waiting(count: int) -> None:
    """Measure the kilobytes of a turn that a task awaits: thread, turn, and task."""

    async def consume(turn: AsyncTurnHandle) -> None:
        async for _ in turn.stream():
            pass

    async with AsyncCodex(CodexConfig(launch_args_override=gauge.FAKE_RUNTIME)) as codex:
        for _ in range(WARM_UP):
            await codex.thread_start()
        before = gauge.heap_kb()
        handles = [await (await codex.thread_start()).turn("quiet") for _ in range(count)]
        consumers = [asyncio.ensure_future(consume(handle)) for handle in handles]
        await asyncio.sleep(0.2)  # until all of them wait
        gauge.report(kb_each=(gauge.heap_kb() - before) / count)
        for consumer in consumers:
            consumer.cancel()


def unread(events: int) -> None:
    """Measure the megabytes of the unread events of a turn, and of as many more."""
    with Codex(CodexConfig(launch_args_override=gauge.FAKE_RUNTIME)) as codex:
        thread = codex.thread_start()
        thread.set_name("name")
        turns = []
        heaps = [gauge.heap_kb()]
        for _ in range(2):
            turns.append(codex.thread_start().turn(f"flood {events}"))
            thread.set_name("go")
            thread.set_name("name")  # answered after the flood, which has been received by then
            heaps.append(gauge.heap_kb())
        gauge.report(mb=(heaps[1] - heaps[0]) / 1024, mb_more=(heaps[2] - heaps[1]) / 1024)


if __name__ == "__main__":
    gauge.main(threads, waiting, unread)
