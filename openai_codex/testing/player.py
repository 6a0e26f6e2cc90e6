"""Plays an answer to a client: what is sent when, where it is held, where it is cut. It decides nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from openai_codex.testing import wire
from openai_codex.testing.replies import Answer, Hang, HttpFailure, Reply

if TYPE_CHECKING:
    from openai_codex.testing.sse import Event

_STREAM_HEADERS = {"Content-Type": "text/event-stream", "Cache-Control": "no-cache"}


async def play(answer: Answer, writer: asyncio.StreamWriter, name: str) -> None:
    """Send `answer`; `name` is the unique part of the ids it makes up. Returns when all of it is on its way."""
    match answer:
        case Reply():
            await _Stream(answer, writer).run(name)
        case HttpFailure():
            await asyncio.sleep(answer.delay)
            writer.write(wire.response(answer.status, answer.body, answer.headers))
        case Hang():
            await asyncio.Event().wait()


class _Stream:
    """One reply on its way to one client."""

    def __init__(self, reply: Reply, writer: asyncio.StreamWriter) -> None:
        self._reply = reply
        self._writer = writer
        self._deltas = 0

    async def run(self, name: str) -> None:
        await asyncio.sleep(self._reply.delay)
        self._writer.write(wire.response_head(200, _STREAM_HEADERS))
        await self._pause()
        for event in self._reply.events(name):
            if self._deltas == self._reply.cut_after:
                return
            await self._send(event)

    async def _send(self, event: Event) -> None:
        if event.is_delta and self._reply.delta_delay:
            await asyncio.sleep(self._reply.delta_delay)
        self._writer.write(event.encode())
        await self._writer.drain()
        # Draining does not wait while the buffer has room: without this, a fast stream would keep all others waiting.
        await asyncio.sleep(0)
        if event.is_delta:
            self._deltas += 1
            await self._pause()

    async def _pause(self) -> None:
        if self._reply.gate is not None and self._deltas == self._reply.hold_after:
            await self._reply.gate.hold()
