"""Operations on clients, their runtimes and threads: kill, close, drop, subscribe, send many requests, fork, resume."""

from __future__ import annotations

import gc
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from openai_codex import EventTimeoutError, TransportError
from openai_codex.types import AgentMessageDeltaNotification, ItemCompletedNotification
from tools.soak.handlers import TOOLS
from tools.soak.prompts import Violation, expect, expect_result
from tools.soak.worker import TIMEOUT, Worker

if TYPE_CHECKING:
    from openai_codex import AsyncCodex
    from openai_codex.types import ModelListResponse
    from tools.soak.prompts import Prompt

# How many unread subscriptions a worker keeps.
_UNREAD = 2

# More requests than may be in flight, and how many notifications a slow reader takes.
_MANY, _SOME = 60, 30


async def kill(worker: Worker) -> str:
    """Kill the runtime."""
    return await _end_runtime(worker, signal.SIGKILL, "killed")


async def freeze(worker: Worker) -> str:
    """Stop the runtime without ending it: the client finds out that it is frozen, and kills it."""
    return await _end_runtime(worker, signal.SIGSTOP, "frozen")


async def _end_runtime(worker: Worker, number: signal.Signals, outcome: str) -> str:
    tracked = worker.tracked
    with tracked.fault() as acquired:
        before = tracked.client.health()
        if not acquired or not before.alive or before.pid is None:
            return f"already {outcome}"

        def is_noticed() -> bool:
            after = tracked.client.health()
            return not after.alive or after.generation != before.generation

        tracked.kills += 1  # before the kill, so that the monitor never sees a restart that is not counted
        os.kill(before.pid, number)
        await worker.until(is_noticed, f"the client to notice that its runtime was {outcome}")
    return outcome


async def reopen(worker: Worker) -> str:
    """Open the next client, and close the current one, once or twice at the same time, while others use it."""
    old = worker.tracked
    with old.fault() as acquired:
        if not acquired:
            return "already closing"
        old.closing = True
        await worker.shared.open_next()
        for outcome in await worker.face.together(*[old.close() for _ in range(worker.random.choice([1, 2]))]):
            if outcome is not None:
                raise outcome
        expect_nothing_left(old.client)
    return "reopened"


def expect_nothing_left(client: AsyncCodex) -> None:
    """Raise `Violation` unless a closed client has no runtime and no requests."""
    health = client.health()
    left = health.alive or health.requests_in_flight or health.requests_queued or health.requests_of_runtime
    expect(not left, f"expected nothing left after close, got {health}")


async def use_another(worker: Worker) -> str:
    """Open another client on the same home, run a turn, and close it."""
    prompt = worker.prompt()
    client = await worker.shared.connect()
    try:
        await _run_turn(client, prompt)
    finally:
        await client.close()
    expect_nothing_left(client)
    return "closed"


async def drop_another(worker: Worker) -> str:
    """Open another client on the same home, run a turn, and drop it: garbage collection ends its runtime."""
    client = await worker.shared.connect()
    pid = client.health().pid
    await _run_turn(client, worker.prompt())
    del client
    gc.collect()
    await worker.until(lambda: not Path(f"/proc/{pid}").exists(), "the end of the runtime of a dropped client")
    return "collected"


async def _run_turn(client: AsyncCodex, prompt: Prompt) -> None:
    try:
        thread = await client.thread_start(ephemeral=True)
        result = await thread.run(prompt.input, timeout=TIMEOUT)
    except TransportError as error:
        raise Violation("expected no transport error of a client without faults") from error
    expect_result(result, prompt)


async def leave_command_running(worker: Worker) -> str:
    """Start a command that only the end of the runtime ends."""
    thread = await worker.start(ephemeral=True, approval_policy="never", sandbox="full-access")
    prompt = worker.prompt("background")
    expect_result(await worker.run(thread, prompt), prompt)
    return "left"


async def subscribe(worker: Worker) -> str:
    """Subscribe to everything without reading it; close the oldest such subscription."""
    worker.unread.append(worker.client.events(limit=worker.random.choice([20, 200])))
    if len(worker.unread) > _UNREAD:
        await worker.unread.pop(0).close()
    return "unread"


async def read_slowly(worker: Worker) -> str:
    """Read some notifications, slowly."""
    seen = 0
    types = worker.random.choice([(), (AgentMessageDeltaNotification, ItemCompletedNotification)])
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


async def send_many(worker: Worker) -> str:
    """Send many requests at once."""
    client = worker.client
    outcomes: list[ModelListResponse | BaseException] = await worker.face.together(
        *[client.models() for _ in range(_MANY)]
    )
    failed = [each for each in outcomes if isinstance(each, BaseException)]
    if failed:
        raise failed[0]
    return "answered"


# --- threads


async def fork(worker: Worker) -> str:
    """Fork a thread and run a turn on the fork."""
    thread = await worker.stored_thread()
    prompt, ephemeral = worker.prompt(), worker.random.random() < 1 / 2
    handle = await thread.owner.client.thread_fork(thread.handle.id, ephemeral=ephemeral)
    fork = worker.record(handle, thread.owner, ephemeral=ephemeral)
    expect_result(await worker.run(fork, prompt), prompt)
    await worker.release(fork)
    return "ephemeral" if ephemeral else "stored"


async def unsubscribe_and_resume(worker: Worker) -> str:
    """Unsubscribe from a thread, and resume it."""
    thread = await worker.stored_thread()
    worker.kept.remove(thread)
    await thread.owner.client.thread_unsubscribe(thread.handle.id)
    # The client releases the tools of a thread that is unsubscribed.
    await thread.owner.client.thread_resume(thread.handle.id, tools=TOOLS)
    worker.kept.append(thread)
    await worker.check(thread)
    return "resumed"


async def resume_in_next_client(worker: Worker) -> str:
    """Resume a thread of a closed client."""
    owner = worker.tracked
    if not worker.resumable or not worker.resumable[0].closed.is_set():
        return "no thread to resume"
    old = worker.resumable.popleft()
    handle = await owner.client.thread_resume(old.id, tools=TOOLS)
    await worker.check(worker.record(handle, owner, ephemeral=False, completed=old.completed))
    return "resumed"


async def read_thread(worker: Worker) -> str:
    """Read a thread, its turns, and a page of all threads."""
    thread = await worker.stored_thread()
    await thread.handle.read()
    turns = [turn async for turn in thread.handle.turns()]
    expect(len(turns) >= thread.completed, f"expected at least {thread.completed} stored turns, got {len(turns)}")
    await thread.owner.client.thread_list(limit=5)
    return "read"
