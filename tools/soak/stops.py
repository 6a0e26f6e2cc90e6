"""Turns that do not come to their end by themselves: interrupted, cancelled, out of time, left by an exception."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from openai_codex import (
    RequestTimeoutError,
    TurnStalledError,
    TurnTimeoutError,
)
from openai_codex.types import ModelListParams, TurnStatus
from tools.soak.turns import begin
from tools.soak.verdict import Violation, expect, expect_stopped, expect_text
from tools.soak.worker import PATIENCE, Worker

if TYPE_CHECKING:
    from tools.soak.wishes import Wish


_ENDED = "a turn without an end has ended"


class _Enough(Exception):  # noqa: N818  no error: somebody has read enough
    """What a stream is left by."""


def _endless(worker: Worker) -> Wish:
    """Wish for a turn that goes on for longer than anybody here waits."""
    return worker.dice.choice([worker.wish("hang"), worker.wish(pieces=2_000, pace=0.02)])


async def interrupt(worker: Worker) -> str:
    """Interrupt a turn, at any moment, once or twice."""
    held = await worker.thread()
    turn = await begin(held, _endless(worker))
    await worker.pause(worker.dice.choice([0, 0.05, 0.3]))
    for _ in range(worker.dice.choice([1, 1, 2])):
        await turn.interrupt(timeout=PATIENCE)
    expect_stopped(await turn.run(timeout=PATIENCE))
    await worker.check(held)
    return "interrupted"


async def interrupt_from_aside(worker: Worker) -> str:
    """Interrupt a turn from two other places while it is waited for."""
    held = await worker.thread()
    turn = await begin(held, _endless(worker))

    async def aside() -> None:
        await worker.pause(0.2)
        await turn.interrupt(timeout=PATIENCE)

    async def wait() -> None:
        expect_stopped(await turn.run(timeout=PATIENCE))

    for outcome in await worker.face.together(wait(), aside(), aside()):
        if outcome is not None:
            raise outcome
    await worker.check(held)
    return "interrupted"


async def interrupt_late(worker: Worker) -> str:
    """Interrupt a turn that is over, or about to be."""
    held, wish = await worker.thread(), worker.wish(pieces=5)
    turn = await begin(held, wish)
    if worker.dice.random() < 1 / 2:
        await turn.run(timeout=PATIENCE)
    else:
        await worker.pause(0.2)
    await turn.interrupt(timeout=PATIENCE)
    result = await turn.run(timeout=PATIENCE)
    if result.status == TurnStatus.completed:
        expect_text(result, wish)
    else:
        expect_stopped(result)
    await worker.check(held)
    return str(result.status)


async def leave_by_exception(worker: Worker) -> str:
    """Leave the stream of a turn by an exception: the turn is interrupted."""
    held = await worker.thread()
    turn = await begin(held, _endless(worker))
    left = worker.dice.randrange(3)  # there are as many events before the model says anything
    try:
        async with turn.stream(timeout=PATIENCE) as events:
            async for _ in events:
                if left == 0:
                    raise _Enough  # noqa: TRY301  how it is left is the point
                left -= 1
    except _Enough:
        expect_stopped(await turn.run(timeout=PATIENCE))
    await worker.check(held)
    return "interrupted"


async def cancel(worker: Worker) -> str:
    """Cancel the task that runs a turn, at any moment: the turn is interrupted."""
    held = await worker.thread()
    held.begun += 1
    task = asyncio.create_task(held.handle.run(_endless(worker).prompt(), timeout=PATIENCE))
    await worker.pause(worker.dice.choice([0.01, 0.05, 0.4]))
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        await worker.check(held)
        return "cancelled"
    raise Violation(_ENDED)


async def time_out(worker: Worker) -> str:
    """Run a turn for longer than it may take: it is interrupted, and the error says what there is."""
    held = await worker.thread()
    held.begun += 1
    try:
        await held.handle.run(_endless(worker).prompt(), timeout=worker.dice.choice([0.001, 0.02, 0.1, 0.5]))
    except TurnTimeoutError as error:
        outcome = "before it began" if error.turn_id is None else "with its result" if error.result else "without"
    else:
        raise Violation(_ENDED)
    await worker.check(held)
    return outcome


async def stall(worker: Worker) -> str:
    """Run a turn that makes no progress."""
    held = await worker.thread()
    held.begun += 1
    try:
        await held.handle.run(worker.wish("hang").prompt(), timeout=PATIENCE, stall_timeout=0.3)
    except TurnStalledError as error:
        expect(error.result is not None, "a stalled turn has no result")
    else:
        raise Violation(_ENDED)
    await worker.check(held)
    return "stalled"


async def hurry(worker: Worker) -> str:
    """Ask for something, and wait too short a time for the reply."""
    try:
        await worker.client.request(ModelListParams(), timeout=worker.dice.choice([0.0001, 0.001, 0.003]))
    except RequestTimeoutError:
        return "too late"
    return "in time"
