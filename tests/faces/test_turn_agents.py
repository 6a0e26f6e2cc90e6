"""A turn with sub-agents whose caller is cancelled, or interrupted by Ctrl-C: nobody asks the model any longer."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Iterator
from functools import partial

import pytest

from openai_codex import AsyncCodex, Codex, Thread
from tests.support.agents import Depth, Tree, Version, agents
from tests.support.bounds import PATIENCE, eventually
from tests.support.inside import trees_of

kinds = pytest.mark.parametrize(("version", "depth"), [(1, 1), (1, 2), (2, 1), (2, 2)])


@kinds
async def test_a_cancelled_task_stops_the_sub_agents(version: Version, depth: Depth) -> None:
    with agents("hangs", "hangs", version=version, depth=depth) as tree:
        async with AsyncCodex(tree.config) as codex:
            threads = [await codex.thread_start(**tree.thread(ephemeral=each)) for each in (False, True)]
            tasks = [asyncio.create_task(thread.run("go")) for thread in threads]
            await tree.gate.reached(PATIENCE, count=4)
            for task in tasks:
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            assert eventually(lambda: not any(trees_of(codex).of_thread(thread.id) for thread in threads))
            await tree.model.idle(PATIENCE)


@pytest.fixture
def _ctrl_c() -> Iterator[None]:
    """Let SIGINT raise: who starts the tests in the background has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_ctrl_c")
@kinds
def test_ctrl_c_stops_the_sub_agents(version: Version, depth: Depth) -> None:
    with agents("hangs", "hangs", version=version, depth=depth) as tree, Codex(tree.config) as codex:
        for number, ephemeral in enumerate((False, True), start=1):
            thread = codex.thread_start(**tree.thread(ephemeral=ephemeral))
            key = threading.Thread(target=_press, args=(tree, 2 * number))
            key.start()
            with pytest.raises(KeyboardInterrupt):
                thread.run("go")
            key.join()
            assert eventually(partial(is_over, codex, thread))
            tree.model.wait_idle(PATIENCE)


def is_over(codex: Codex, thread: Thread) -> bool:
    return not trees_of(codex).of_thread(thread.id)


def _press(tree: Tree, count: int) -> None:
    tree.gate.wait_reached(PATIENCE, count=count)
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
