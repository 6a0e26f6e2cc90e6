"""Operations on turns that do not reach their end: interrupted, cancelled, timed out, left by an exception."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from openai_codex import (
    RequestTimeoutError,
    TurnStalledError,
    TurnTimeoutError,
)
from openai_codex.types import ModelListParams, TurnStatus
from tools.soak.prompts import Violation, expect, expect_interrupted, expect_result
from tools.soak.turns import begin
from tools.soak.worker import TIMEOUT, Worker

if TYPE_CHECKING:
    from tools.soak.prompts import Prompt


_ENDED = "expected a turn without an end, got its end"


class _LeaveError(Exception):
    """Raised in the block of a stream, to leave it."""


def _endless(worker: Worker) -> Prompt:
    """Return the prompt of a turn that runs for longer than any operation waits."""
    return worker.random.choice([worker.prompt("hang"), worker.prompt(count=2_000, delta_delay=0.02)])


async def interrupt(worker: Worker) -> str:
    """Interrupt a turn, at a random moment, once or twice."""
    thread = await worker.thread()
    turn = await begin(thread, _endless(worker))
    await worker.pause(worker.random.choice([0, 0.05, 0.3]))
    for _ in range(worker.random.choice([1, 1, 2])):
        await turn.interrupt(timeout=TIMEOUT)
    expect_interrupted(await turn.run(timeout=TIMEOUT))
    await worker.check(thread)
    return "interrupted"


async def close_thread(worker: Worker) -> str:
    """Close a thread while its turn runs: who waits for the turn gets an interrupted result."""
    thread = await worker.start(ephemeral=worker.random.random() < 1 / 2)
    turn = await begin(thread, _endless(worker))
    how = worker.random.choice([{}, {"archive": True}, {"delete": True}])

    async def wait() -> None:
        expect_interrupted(await turn.run(timeout=TIMEOUT))

    async def close() -> None:
        await worker.pause(worker.random.choice([0, 0.05, 0.3]))
        await thread.handle.close(**how)

    for outcome in await worker.face.together(wait(), close()):
        if outcome is not None:
            raise outcome
    return next(iter(how), "unsubscribed")


async def interrupt_concurrently(worker: Worker) -> str:
    """Interrupt a turn from two tasks or threads while a third one runs it."""
    thread = await worker.thread()
    turn = await begin(thread, _endless(worker))

    async def interrupt_soon() -> None:
        await worker.pause(0.2)
        await turn.interrupt(timeout=TIMEOUT)

    async def wait() -> None:
        expect_interrupted(await turn.run(timeout=TIMEOUT))

    for outcome in await worker.face.together(wait(), interrupt_soon(), interrupt_soon()):
        if outcome is not None:
            raise outcome
    await worker.check(thread)
    return "interrupted"


async def interrupt_late(worker: Worker) -> str:
    """Interrupt a turn that has ended, or is about to."""
    thread, prompt = await worker.thread(), worker.prompt(count=5)
    turn = await begin(thread, prompt)
    if worker.random.random() < 1 / 2:
        await turn.run(timeout=TIMEOUT)
    else:
        await worker.pause(0.2)
    await turn.interrupt(timeout=TIMEOUT)
    result = await turn.run(timeout=TIMEOUT)
    if result.status == TurnStatus.completed:
        expect_result(result, prompt)
    else:
        expect_interrupted(result)
    await worker.check(thread)
    return str(result.status)


async def leave_by_exception(worker: Worker) -> str:
    """Leave the stream of a turn by an exception, which interrupts the turn."""
    thread = await worker.thread()
    turn = await begin(thread, _endless(worker))
    left = worker.random.randrange(3)  # there are three events before the first text
    try:
        async with turn.stream(timeout=TIMEOUT) as events:
            async for _ in events:
                if left == 0:
                    raise _LeaveError  # noqa: TRY301  leaving by an exception is the subject
                left -= 1
    except _LeaveError:
        expect_interrupted(await turn.run(timeout=TIMEOUT))
    await worker.check(thread)
    return "interrupted"


async def cancel(worker: Worker) -> str:
    """Cancel the task that runs a turn, at a random moment, which interrupts the turn."""
    thread = await worker.thread()
    thread.begun += 1
    task = asyncio.create_task(thread.handle.run(_endless(worker).input, timeout=TIMEOUT))
    await worker.pause(worker.random.choice([0.01, 0.05, 0.4]))
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        await worker.check(thread)
        return "cancelled"
    raise Violation(_ENDED)


async def time_out(worker: Worker) -> str:
    """Run a turn with a short timeout, which interrupts it; the error has the partial result."""
    thread = await worker.thread()
    thread.begun += 1
    try:
        await thread.handle.run(_endless(worker).input, timeout=worker.random.choice([0.001, 0.02, 0.1, 0.5]))
    except TurnTimeoutError as error:
        outcome = "before its start" if error.turn_id is None else "with a result" if error.result else "without"
    else:
        raise Violation(_ENDED)
    await worker.check(thread)
    return outcome


async def stall(worker: Worker) -> str:
    """Run a turn that makes no progress."""
    thread = await worker.thread()
    thread.begun += 1
    try:
        await thread.handle.run(worker.prompt("hang").input, timeout=TIMEOUT, stall_timeout=0.3)
    except TurnStalledError as error:
        expect(error.result is not None, "expected a result of a stalled turn, got none")
    else:
        raise Violation(_ENDED)
    await worker.check(thread)
    return "stalled"


async def time_out_request(worker: Worker) -> str:
    """Send a request with a timeout that may be too short."""
    try:
        await worker.client.request(ModelListParams(), timeout=worker.random.choice([0.0001, 0.001, 0.003]))
    except RequestTimeoutError:
        return "too late"
    return "in time"
