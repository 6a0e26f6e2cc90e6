"""A turn with sub-agents whose caller is cancelled, or interrupted by Ctrl-C: nobody asks the model any longer."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Iterator

import pytest

from openai_codex import AsyncCodex, Codex
from tests.support.agents import Tree, Version, agents
from tests.support.bounds import PATIENCE

versions = pytest.mark.parametrize("version", [1, 2])


@versions
async def test_a_cancelled_task_stops_the_sub_agents(version: Version) -> None:
    with agents("hangs", "hangs", version=version, depth=2) as tree:
        async with AsyncCodex(tree.config) as codex:
            thread = await codex.thread_start(**tree.thread(ephemeral=True))
            task = asyncio.create_task(thread.run("go"))
            await tree.gate.reached(PATIENCE, count=2)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await tree.model.idle(PATIENCE)


@pytest.fixture
def _ctrl_c() -> Iterator[None]:
    """Let SIGINT raise: who starts the tests in the background has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_ctrl_c")
@versions
def test_ctrl_c_stops_the_sub_agents(version: Version) -> None:
    with agents("hangs", "hangs", version=version) as tree, Codex(tree.config) as codex:
        thread, key = codex.thread_start(**tree.thread()), threading.Thread(target=_press, args=(tree,))
        key.start()
        with pytest.raises(KeyboardInterrupt):
            thread.run("go")
        key.join()
        tree.model.wait_idle(PATIENCE)


def _press(tree: Tree) -> None:
    tree.gate.wait_reached(PATIENCE, count=2)
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
