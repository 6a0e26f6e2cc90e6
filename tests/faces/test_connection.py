"""More requests at once than the runtime takes: each is answered."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import attrs

from openai_codex import AppServerConfig, AsyncCodex, Codex
from openai_codex.types import ThreadLoadedListParams

MANY = 3_000


async def test_requests_of_many_tasks_are_all_answered(codex_config: AppServerConfig) -> None:
    async with AsyncCodex(codex_config) as codex:
        answers = await asyncio.gather(*(codex.request(ThreadLoadedListParams()) for _ in range(MANY)))
        health = codex.health()
    assert [answer.data for answer in answers] == [[]] * MANY
    assert (health.requests_in_flight, health.requests_queued, health.late) == (0, 0, 0)


def test_requests_of_many_threads_are_all_answered(codex_config: AppServerConfig) -> None:
    config = attrs.evolve(codex_config, max_in_flight=100)
    with Codex(config) as codex, ThreadPoolExecutor(100) as threads:
        answers = list(threads.map(lambda _: codex.request(ThreadLoadedListParams()), range(MANY)))
    assert [answer.data for answer in answers] == [[]] * MANY


async def test_a_client_that_was_not_entered_is_down(codex_config: AppServerConfig) -> None:
    codex = AsyncCodex(codex_config)
    health = codex.health()
    assert (health.state, health.version, health.path, health.last_exit) == ("down", None, None, None)
