"""How tests of the async face do several things at once; its twin does the same with threads."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from openai_codex._engine.waiting import Deadline
from tests.support.bounds import PATIENCE

T = TypeVar("T")


async def together(operations: Iterable[Callable[[], Awaitable[T]]]) -> list[T]:
    """Run operations at once; return their results in order."""
    return list(await asyncio.gather(*(operation() for operation in operations)))


async def settled(future: asyncio.Future[T]) -> T:
    """Return the result of a future, when it has one."""
    return await asyncio.wait_for(future, PATIENCE)


async def eventually(condition: Callable[[], object]) -> None:
    """Return when a condition holds."""
    deadline = Deadline(PATIENCE)
    while not condition():
        assert not deadline.passed()
        await asyncio.sleep(0.01)
