"""Runs in an environment that has this package and its dependencies only: a turn in each face, and nothing of an extra."""

from __future__ import annotations

import asyncio
import importlib.util
import sys

import openai_codex

EXTRAS = ("distributed", "opentelemetry", "pydantic", "pytest", "rich", "websockets")

assert not [name for name in EXTRAS if name in sys.modules]
assert not [name for name in EXTRAS if importlib.util.find_spec(name)], "the environment is not empty"

from openai_codex import AsyncCodex, Codex  # noqa: E402  after the check of what the import alone loads
from openai_codex.testing import offline  # noqa: E402


async def answer(kit: openai_codex.testing.OfflineKit) -> str | None:
    """Run a turn of the async face."""
    async with AsyncCodex(kit.config) as codex:
        return (await (await codex.thread_start(ephemeral=True)).run("Hi")).final_response


with offline() as kit:
    kit.model.say("sync")
    with Codex(kit.config) as codex:
        answers = [codex.thread_start(ephemeral=True).run("Hi").final_response]
    kit.model.say("async")
    answers.append(asyncio.run(answer(kit)))
assert answers == ["sync", "async"], answers
assert not [name for name in EXTRAS if name in sys.modules]
