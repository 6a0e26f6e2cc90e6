"""How tests of the sync face do several things at once; its twin does the same with tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def together(operations: Iterable[Callable[[], T]]) -> list[T]:
    """Run operations at once; return their results in order."""
    with ThreadPoolExecutor(max_workers=32) as pool:
        return [future.result() for future in [pool.submit(operation) for operation in operations]]
