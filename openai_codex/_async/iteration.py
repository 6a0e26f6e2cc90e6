"""What iterators of this package have in common, of events and of pages: they are closed, or left with their block."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Generic, TypeVar

from openai_codex._runtime.not_pickled import NotPickled

if sys.version_info >= (3, 11):
    from typing import Self
else:
    from typing_extensions import Self

T = TypeVar("T")


class AsyncIteration(NotPickled, Generic[T]):
    """An iterator for one consumer at a time that ends when it is closed, or when its ``async with`` block is left.

    It may be closed from any thread or task; a step that waits then ends as at the end of the iteration.
    """

    _TO_PICKLE = "pickle the entries that it yields"

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        """Return the next entry."""
        raise NotImplementedError  # abstract

    async def close(self) -> None:
        """End the iteration. Idempotent."""
        raise NotImplementedError  # abstract

    async def aclose(self) -> None:
        """Do what `close` does, under the name that ``contextlib.aclosing`` calls."""
        await self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()
