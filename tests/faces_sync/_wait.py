"""How tests of the sync face do several things at once; its twin does the same with tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from tests.support import bounds

T = TypeVar("T")


def together(operations: Iterable[Callable[[], T]]) -> list[T]:
    """Run operations at once; return their results in order."""
    with ThreadPoolExecutor(max_workers=32) as pool:
        return [future.result() for future in [pool.submit(operation) for operation in operations]]


def settled(future: Future[T]) -> T:
    """Return the result of a future, when it has one."""
    return future.result(bounds.PATIENCE)


def eventually(condition: Callable[[], object]) -> None:
    """Return when a condition holds."""
    assert bounds.eventually(condition)
