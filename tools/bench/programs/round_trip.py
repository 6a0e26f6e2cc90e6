"""Small requests and their responses: `thread/name/set`, whose result is empty."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from openai_codex import AsyncCodex, AsyncThread, Codex, CodexConfig, Thread

from . import gauge

if TYPE_CHECKING:
    from collections.abc import Iterator

TURNS = 10
"""The number of batches in which several clients alternate."""


def sync_face(requests: int) -> None:
    """One request after another."""
    with Codex(CodexConfig(launch_args_override=gauge.FAKE_RUNTIME)) as codex:
        thread = codex.thread_start()
        span = gauge.Span()
        _ask(thread, requests)
        gauge.report(**span.rates(requests))


async def async_face(requests: int, in_flight: int) -> None:
    """Several tasks, so that a constant number of requests is in flight."""

    async def ask(thread: AsyncThread) -> None:
        for _ in range(requests // in_flight):
            await thread.set_name("name")

    async with AsyncCodex(CodexConfig(launch_args_override=gauge.FAKE_RUNTIME)) as codex:
        thread = await codex.thread_start()
        span = gauge.Span()
        await asyncio.gather(*(ask(thread) for _ in range(in_flight)))
        gauge.report(**span.rates(requests // in_flight * in_flight))


def growth(requests: int, threads: list[int]) -> None:
    """Requests of clients with different numbers of threads, which alternate in batches."""
    with ExitStack() as stack:
        clients = {count: stack.enter_context(_client_with(count)) for count in threads}
        seconds = dict.fromkeys(threads, 0.0)
        for _ in range(TURNS):
            for count, thread in clients.items():
                span = gauge.Span()
                _ask(thread, requests // TURNS)
                seconds[count] += span.seconds()
        gauge.report(**{f"per_s_{count}": requests // TURNS * TURNS / seconds[count] for count in threads})


@contextmanager
def _client_with(count: int) -> Iterator[Thread]:
    with Codex(CodexConfig(launch_args_override=gauge.FAKE_RUNTIME)) as codex:
        threads = [codex.thread_start() for _ in range(count)]
        yield threads[-1]


def _ask(thread: Thread, requests: int) -> None:
    for _ in range(requests):
        thread.set_name("name")


if __name__ == "__main__":
    gauge.main(sync_face, async_face, growth)
