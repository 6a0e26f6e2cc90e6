"""What is done to clients and their runtimes: killed, closed, dropped, asked too much, subscribed to and not read."""

from __future__ import annotations

import gc
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from openai_codex import EventTimeoutError, TransportError
from openai_codex.types import AgentMessageDeltaNotification, ItemCompletedNotification
from tools.soak.verdict import Violation, expect
from tools.soak.worker import PATIENCE, Worker

if TYPE_CHECKING:
    from openai_codex import AsyncCodex
    from openai_codex.types import ModelListResponse
    from tools.soak.wishes import Wish

# How many subscriptions that it does not read a worker keeps.
_UNREAD = 2

# More than may be in flight, and enough notifications for one who reads slowly.
_BURST, _SOME = 60, 30


async def kill(worker: Worker) -> str:
    """Kill the runtime."""
    life = worker.life
    with life.harming() as mine:
        before = life.client.health()
        if not mine or not before.alive or before.pid is None:
            return "somebody else has"

        def is_noticed() -> bool:
            after = life.client.health()
            return not after.alive or after.generation != before.generation

        life.kills += 1  # first: whoever sees the next runtime shall know why
        os.kill(before.pid, signal.SIGKILL)
        await worker.until(is_noticed, "the client's notice of a kill")
    return "killed"


async def reopen(worker: Worker) -> str:
    """Close the client, from one place or from two at once, while others use it, and open the next."""
    old = worker.life
    with old.harming() as mine:
        if not mine:
            return "somebody else does"
        old.closing = True
        await worker.room.enter()
        for outcome in await worker.face.together(*[old.close() for _ in range(worker.dice.choice([1, 2]))]):
            if outcome is not None:
                raise outcome
        expect_quiet(old.client)
    return "reopened"


def expect_quiet(client: AsyncCodex) -> None:
    """Raise `Violation` unless a closed client has nothing left."""
    health = client.health()
    left = health.alive or health.requests_in_flight or health.requests_queued or health.requests_of_runtime
    expect(not left, f"after its close: {health}")


async def visit(worker: Worker) -> str:
    """Open another client on the same home, run a turn, and close it."""
    wish = worker.wish()
    client = await worker.room.connect()
    try:
        await _turn(client, wish)
    finally:
        await client.close()
    expect_quiet(client)
    return "closed"


async def drop(worker: Worker) -> str:
    """Open another client on the same home, run a turn, and drop it: the collector ends its runtime."""
    client = await worker.room.connect()
    pid = client.health().pid
    await _turn(client, worker.wish())
    del client
    gc.collect()
    await worker.until(lambda: not Path(f"/proc/{pid}").exists(), "the end of a runtime whose client was dropped")
    return "collected"


async def _turn(client: AsyncCodex, wish: Wish) -> None:
    try:
        thread = await client.thread_start(ephemeral=True)
        result = await thread.run(wish.prompt(), timeout=PATIENCE)
    except TransportError as error:
        raise Violation("nobody has harmed this client") from error
    expect(result.final_response == wish.text, f"another client's turn is {result.status}: {result.final_response!r}")


async def background(worker: Worker) -> str:
    """Leave a command running that only the end of the runtime ends."""
    held, wish = (
        await worker.start(ephemeral=True, approval_policy="never", sandbox="full-access"),
        worker.wish("background"),
    )
    result = await worker.run(held, wish)
    expect(result.final_response == wish.text, f"the turn is {result.status}: {result.final_response!r}")
    return "left"


async def subscribe(worker: Worker) -> str:
    """Subscribe to everything and read nothing; be done with the oldest such subscription."""
    worker.unread.append(worker.client.events(limit=worker.dice.choice([20, 200])))
    if len(worker.unread) > _UNREAD:
        await worker.unread.pop(0).close()
    return "unread"


async def listen(worker: Worker) -> str:
    """Read some notifications, slowly."""
    seen = 0
    types = worker.dice.choice([(), (AgentMessageDeltaNotification, ItemCompletedNotification)])
    async with worker.client.events(*types, limit=100, timeout=2) as events:
        try:
            async for _ in events:
                seen += 1
                await worker.pause(0.05)
                if seen == _SOME:
                    break
        except EventTimeoutError:
            return "silence"
    return "read"


async def burst(worker: Worker) -> str:
    """Ask much at once."""
    client = worker.client
    asked: list[ModelListResponse | BaseException] = await worker.face.together(
        *[client.models() for _ in range(_BURST)]
    )
    failed = [each for each in asked if isinstance(each, BaseException)]
    if failed:
        raise failed[0]
    return "answered"
