"""Operations on turns that run to their end: run, read in every way, quickly, slowly, in parts, late or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openai_codex import InvalidRequestError, TurnFailedError
from openai_codex.types import AgentMessageDeltaNotification, AgentMessageThreadItem, TurnStatus
from tools.soak.prompts import Violation, expect, expect_result, expect_text
from tools.soak.worker import TIMEOUT, Worker

if TYPE_CHECKING:
    from openai_codex import AsyncTurnHandle
    from tools.soak.prompts import Prompt
    from tools.soak.shared_client import ThreadRecord

# The failures of the model, and the error that the runtime reports for each.
_FAILURES = {
    "fail 500": "internalServerError",
    "fail 503": "serverOverloaded",
    "fail 429": "usageLimitExceeded",
    "fail stream": "cyberPolicy",
    "cut": "other",
}

# So many deltas, left unread for so many seconds, are more than a mailbox keeps without merging.
_FLOOD, _LATE = 3_000, 3.0


async def begin(thread: ThreadRecord, prompt: Prompt) -> AsyncTurnHandle:
    """Start a turn."""
    thread.begun += 1
    return await thread.handle.turn(prompt.input)


async def finish(worker: Worker, thread: ThreadRecord, turn: AsyncTurnHandle, prompt: Prompt) -> None:
    """Wait for the end of a turn that is not stopped, and release the thread."""
    expect_result(await turn.run(timeout=TIMEOUT), prompt)
    thread.completed += 1
    await worker.release(thread)


async def run(worker: Worker) -> str:
    """Run a turn, with or without a tool."""
    kind = worker.random.choice(["say", "say", "reason", "lookup", "tool fails", "tool times out"])
    thread, prompt = await worker.thread(), worker.prompt(kind)
    expect_result(await worker.run(thread, prompt), prompt)
    await worker.release(thread)
    return kind


async def run_failing(worker: Worker) -> str:
    """Run a turn that fails, and another."""
    kind = worker.random.choice(list(_FAILURES))
    thread, prompt = await worker.thread(), worker.prompt(kind)
    try:
        await worker.run(thread, prompt)
    except TurnFailedError as error:
        expected = _FAILURES[kind]
        expect(
            error.codex_error_info == expected, f"{kind}: expected {expected}, got {error.codex_error_info}: {error}"
        )
    else:
        raise Violation(f"{kind}: expected TurnFailedError, got a completed turn")
    await worker.check(thread)
    return kind


async def stream(worker: Worker) -> str:
    """Read all notifications of a turn, slowly or not."""
    thread, prompt = await worker.thread(), worker.prompt(delta_delay=worker.random.choice([0, 0.002]))
    pause = worker.random.choice([0, 0, 0.02])
    turn = await begin(thread, prompt)
    pieces = []
    async with turn.stream(timeout=TIMEOUT) as events:
        async for event in events:
            if isinstance(event.payload, AgentMessageDeltaNotification):
                pieces.append(event.payload.delta)
                await worker.pause(pause)
    expect_text("".join(pieces), prompt)
    await finish(worker, thread, turn, prompt)
    return "slowly" if pause else "at once"


async def read_text(worker: Worker) -> str:
    """Read the text of a turn."""
    thread, prompt = await worker.thread(), worker.prompt(worker.random.choice(["say", "lookup"]))
    turn = await begin(thread, prompt)
    expect_text("".join([piece async for piece in turn.text(timeout=TIMEOUT)]), prompt)
    await finish(worker, thread, turn, prompt)
    return prompt.kind


async def read_items(worker: Worker) -> str:
    """Read the items of a turn."""
    thread, prompt = await worker.thread(), worker.prompt("reason")
    turn = await begin(thread, prompt)
    items = [item async for item in turn.items(timeout=TIMEOUT)]
    expect_text("".join(item.text for item in items if isinstance(item, AgentMessageThreadItem)), prompt)
    await finish(worker, thread, turn, prompt)
    return f"{len(items)} items"


async def leave_and_run(worker: Worker) -> str:
    """Leave the stream of a turn early, and wait for the end of the turn without it."""
    thread, prompt = await worker.thread(), worker.prompt(count=40, delta_delay=0.002)
    turn = await begin(thread, prompt)
    left = worker.random.randrange(12)
    async with turn.stream(timeout=TIMEOUT) as events:
        async for _ in events:
            if left == 0:
                break
            left -= 1
    await finish(worker, thread, turn, prompt)
    return "done"


async def read_late(worker: Worker) -> str:
    """Leave many deltas unread for a while, and then read all of the text."""
    thread, prompt = await worker.thread(), worker.prompt(count=_FLOOD)
    client = thread.owner.client
    before = client.health().merged
    turn = await begin(thread, prompt)
    await worker.face.sleep(_LATE)
    expect_text("".join([piece async for piece in turn.text(timeout=TIMEOUT)]), prompt)
    await finish(worker, thread, turn, prompt)
    return "merged" if client.health().merged > before else "not merged"


async def drop(worker: Worker) -> str:
    """Start a turn and drop its handle."""
    thread = await worker.start(ephemeral=True)
    await begin(thread, worker.prompt())
    return "dropped"


async def steer(worker: Worker) -> str:
    """Give a turn another prompt while it runs."""
    thread, first, then = await worker.thread(), worker.prompt(count=60, delta_delay=0.01), worker.prompt()
    turn = await begin(thread, first)
    await worker.pause(0.4)
    try:
        await turn.steer(then.input)
    except InvalidRequestError:
        then = first  # the turn had ended
    result = await turn.run(timeout=TIMEOUT)
    if then is not first and result.final_response == first.expected:
        # The runtime had the end of the text before it got the new input, and keeps that for the next turn.
        expect(result.status == TurnStatus.completed, f"expected a completed turn, got {result.status}")
        then = first
    expect_result(result, then)
    thread.completed += 1
    await worker.release(thread)
    return "too late" if then is first else "steered"
