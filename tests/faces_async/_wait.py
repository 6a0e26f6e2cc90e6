"""How tests of the async face do several things at once; its twin does the same with threads."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


async def together(operations: Iterable[Callable[[], Awaitable[T]]]) -> list[T]:
    """Run operations at once; return their results in order."""
    return list(await asyncio.gather(*(operation() for operation in operations)))
