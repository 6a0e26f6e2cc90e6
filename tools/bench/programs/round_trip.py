"""Small requests and their replies: `thread/name/set`, whose result is empty."""

from __future__ import annotations

import asyncio

from openai_codex import AsyncCodex, AsyncThread, Codex, CodexConfig, Thread

from . import gauge


def sync_face(requests: int) -> None:
    """One after another."""
    with Codex(CodexConfig(launch_args_override=gauge.FAKE_RUNTIME)) as codex:
        gauge.report(**_ask(codex.thread_start(), requests))


async def async_face(requests: int, in_flight: int) -> None:
    """By some tasks, so that as many requests are under way all the time."""

    async def ask(thread: AsyncThread) -> None:
        for _ in range(requests // in_flight):
            await thread.set_name("name")

    async with AsyncCodex(CodexConfig(launch_args_override=gauge.FAKE_RUNTIME)) as codex:
        thread = await codex.thread_start()
        span = gauge.Span()
        await asyncio.gather(*(ask(thread) for _ in range(in_flight)))
        gauge.report(**span.rates(requests // in_flight * in_flight))


def growth(requests: int, threads: list[int]) -> None:
    """The first again, with more and more threads known to the client."""
    measures: dict[str, float] = {}
    known: list[Thread] = []
    with Codex(CodexConfig(launch_args_override=gauge.FAKE_RUNTIME)) as codex:
        _ask(codex.thread_start(), requests)
        for count in threads:
            known += [codex.thread_start() for _ in range(count - len(known))]
            measures |= {f"{name}_{count}": value for name, value in _ask(known[-1], requests).items()}
        gauge.report(**measures)


def _ask(thread: Thread, requests: int) -> dict[str, float]:
    span = gauge.Span()
    for _ in range(requests):
        thread.set_name("name")
    return span.rates(requests)


if __name__ == "__main__":
    gauge.main(sync_face, async_face, growth)
