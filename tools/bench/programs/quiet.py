"""Many turns that say nothing, each awaited by a task; then one of them is interrupted."""

from __future__ import annotations

import asyncio

from openai_codex import AsyncCodex, AsyncTurnHandle, CodexConfig

from . import gauge


async def interrupt(turns: int) -> None:
    """Time from the interrupt until the one who waits for that turn knows; and what threads the waiting has cost."""

    async def consume(turn: AsyncTurnHandle) -> None:
        async for _ in turn.stream():
            pass

    async with AsyncCodex(CodexConfig(launch_args_override=gauge.FAKE_RUNTIME)) as codex:
        handles = [await (await codex.thread_start()).turn("quiet") for _ in range(turns)]
        threads = gauge.os_threads()
        consumers = [asyncio.ensure_future(consume(handle)) for handle in handles]
        await asyncio.sleep(0.2)  # so that all of them wait
        added = gauge.os_threads() - threads
        span = gauge.Span()
        await handles[turns // 2].interrupt()
        await consumers[turns // 2]
        gauge.report(interrupt_ms=span.seconds() * 1e3, threads_added=added)
        for consumer in consumers:
            consumer.cancel()


if __name__ == "__main__":
    gauge.main(interrupt)
