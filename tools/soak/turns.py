"""Turns that are left to come to their end: run, read in every way, quickly, slowly, in parts, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openai_codex import InvalidRequestError, TurnFailedError
from openai_codex.types import AgentMessageDeltaNotification, AgentMessageThreadItem, TurnStatus
from tools.soak.verdict import Violation, expect, expect_said, expect_text
from tools.soak.worker import PATIENCE, Worker

if TYPE_CHECKING:
    from openai_codex import AsyncTurnHandle
    from tools.soak.verdict import Held
    from tools.soak.wishes import Wish

# What the failures of the model become.
_FAILURES = {
    "fail 500": "internalServerError",
    "fail 503": "serverOverloaded",
    "fail 429": "usageLimitExceeded",
    "fail stream": "cyberPolicy",
    "cut": "other",
}

# A text of so many deltas is a flood, if it is left for so many seconds: more than a mailbox keeps as they came.
_FLOOD, _LONG = 3_000, 3.0


async def begin(held: Held, wish: Wish) -> AsyncTurnHandle:
    """Start a turn."""
    held.begun += 1
    return await held.handle.turn(wish.prompt())


async def finish(worker: Worker, held: Held, turn: AsyncTurnHandle, wish: Wish) -> None:
    """Wait for the end of a turn that nobody stops, and be done with the thread."""
    expect_text(await turn.run(timeout=PATIENCE), wish)
    held.completed += 1
    await worker.done(held)


async def run(worker: Worker) -> str:
    """Run a turn, with or without a tool."""
    kind = worker.dice.choice(["say", "say", "think", "lookup", "stumble", "dawdle"])
    held, wish = await worker.thread(), worker.wish(kind)
    expect_text(await worker.run(held, wish), wish)
    await worker.done(held)
    return kind


async def run_badly(worker: Worker) -> str:
    """Run a turn that fails, and another."""
    kind = worker.dice.choice(list(_FAILURES))
    held, wish = await worker.thread(), worker.wish(kind)
    try:
        await worker.run(held, wish)
    except TurnFailedError as error:
        expect(error.codex_error_info == _FAILURES[kind], f"{kind} is told as {error.codex_error_info}: {error}")
    else:
        raise Violation(f"{kind} is told as no failure")
    await worker.check(held)
    return kind


async def stream(worker: Worker) -> str:
    """Read all notifications of a turn, slowly or not."""
    held, wish = await worker.thread(), worker.wish(pace=worker.dice.choice([0, 0.002]))
    dawdling = worker.dice.choice([0, 0, 0.02])
    turn = await begin(held, wish)
    pieces = []
    async with turn.stream(timeout=PATIENCE) as events:
        async for event in events:
            if isinstance(event.payload, AgentMessageDeltaNotification):
                pieces.append(event.payload.delta)
                await worker.pause(dawdling)
    expect_said("".join(pieces), wish)
    await finish(worker, held, turn, wish)
    return "slowly" if dawdling else "at once"


async def read_text(worker: Worker) -> str:
    """Read the text of a turn."""
    held, wish = await worker.thread(), worker.wish(worker.dice.choice(["say", "lookup"]))
    turn = await begin(held, wish)
    expect_said("".join([piece async for piece in turn.text(timeout=PATIENCE)]), wish)
    await finish(worker, held, turn, wish)
    return wish.kind


async def read_items(worker: Worker) -> str:
    """Read the items of a turn."""
    held, wish = await worker.thread(), worker.wish("think")
    turn = await begin(held, wish)
    items = [item async for item in turn.items(timeout=PATIENCE)]
    expect_said("".join(item.text for item in items if isinstance(item, AgentMessageThreadItem)), wish)
    await finish(worker, held, turn, wish)
    return f"{len(items)} items"


async def leave_and_return(worker: Worker) -> str:
    """Leave the stream of a turn, and wait for its end without."""
    held, wish = await worker.thread(), worker.wish(pieces=40, pace=0.002)
    turn = await begin(held, wish)
    left = worker.dice.randrange(12)
    async with turn.stream(timeout=PATIENCE) as events:
        async for _ in events:
            if left == 0:
                break
            left -= 1
    await finish(worker, held, turn, wish)
    return "done"


async def leave_unread(worker: Worker) -> str:
    """Let a flood of text wait, and then read all of it."""
    held, wish = await worker.thread(), worker.wish(pieces=_FLOOD)
    client = held.life.client
    before = client.health().merged
    turn = await begin(held, wish)
    await worker.face.sleep(_LONG)
    expect_said("".join([piece async for piece in turn.text(timeout=PATIENCE)]), wish)
    await finish(worker, held, turn, wish)
    return "merged" if client.health().merged > before else "as it came"


async def forget(worker: Worker) -> str:
    """Start a turn and drop its handle."""
    held = await worker.start(ephemeral=True)
    await begin(held, worker.wish())
    return "dropped"


async def steer(worker: Worker) -> str:
    """Give a turn another wish while it goes on."""
    held, first, then = await worker.thread(), worker.wish(pieces=60, pace=0.01), worker.wish()
    turn = await begin(held, first)
    await worker.pause(0.4)
    try:
        await turn.steer(then.prompt())
    except InvalidRequestError:
        then = first  # it was over
    result = await turn.run(timeout=PATIENCE)
    if then is not first and result.final_response == first.text:
        # The runtime had the end of the text before the steering, and has left that for the next turn.
        expect(result.status == TurnStatus.completed, f"the turn is {result.status}")
        then = first
    expect_text(result, then)
    held.completed += 1
    await worker.done(held)
    return "too late" if then is first else "steered"
