"""What is done with threads: forked, left, taken up again, also by the next client, read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.soak.asked import TOOLS
from tools.soak.verdict import expect, expect_text

if TYPE_CHECKING:
    from tools.soak.worker import Worker


async def fork(worker: Worker) -> str:
    """Go on from a thread in another."""
    held = await worker.thread(stored=True)
    if not held.is_stored:
        await worker.check(held)
    wish, ephemeral = worker.wish(), worker.dice.random() < 1 / 2
    handle = await held.life.client.thread_fork(held.handle.id, ephemeral=ephemeral)
    fork = worker.hold(handle, held.life, ephemeral=ephemeral)
    expect_text(await worker.run(fork, wish), wish)
    await worker.done(fork)
    return "not stored" if ephemeral else "stored"


async def unsubscribe(worker: Worker) -> str:
    """Leave a thread, and take it up again."""
    held = await worker.thread(stored=True)
    if not held.is_stored:
        await worker.check(held)
    worker.kept.remove(held)
    await held.life.client.thread_unsubscribe(held.handle.id)
    await held.life.client.thread_resume(held.handle.id)
    worker.kept.append(held)
    await worker.check(held)
    return "resumed"


async def inherit(worker: Worker) -> str:
    """Take up a thread of a client that is closed."""
    life = worker.life
    if not worker.heritage or not worker.heritage[0].gone.is_set():
        return "nothing to take up"
    old = worker.heritage.popleft()
    handle = await life.client.thread_resume(old.id, tools=TOOLS)
    await worker.check(worker.hold(handle, life, ephemeral=False, completed=old.completed))
    return "resumed"


async def look(worker: Worker) -> str:
    """Read a thread, its turns, and what there is."""
    held = await worker.thread(stored=True)
    if not held.is_stored:
        await worker.check(held)
    await held.handle.read()
    turns = [turn async for turn in held.handle.turns()]
    expect(len(turns) >= held.completed, f"{len(turns)} turns are stored, and {held.completed} were completed")
    await held.life.client.thread_list(limit=5)
    return "read"
