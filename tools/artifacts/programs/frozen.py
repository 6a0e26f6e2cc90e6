"""Is frozen: a turn of each face on the runtime that was frozen with it. Prints both answers."""

from __future__ import annotations

import asyncio

from openai_codex import AsyncCodex, Codex
from openai_codex.testing import OfflineKit, offline


async def answer(kit: OfflineKit) -> str | None:
    """Run a turn of the async face."""
    async with AsyncCodex(kit.config) as codex:
        return (await (await codex.thread_start(ephemeral=True)).run("Hi")).final_response


with offline() as kit:
    kit.model.say("sync")
    with Codex(kit.config) as codex:
        first = codex.thread_start(ephemeral=True).run("Hi").final_response
    kit.model.say("async")
    print(first, asyncio.run(answer(kit)))
