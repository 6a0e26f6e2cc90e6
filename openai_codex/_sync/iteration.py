# Derived from openai_codex/_async/iteration.py by `python -m tools.unasync`; do not edit.
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


class Iteration(NotPickled, Generic[T]):
    """An iterator for one consumer at a time that ends when it is closed, or when its ``with`` block is left.

    It may be closed from any thread or task; a step that waits then ends as at the end of the iteration.
    """

    _TO_PICKLE = "pickle the entries that it yields"

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        """Return the next entry."""
        raise NotImplementedError  # abstract

    def close(self) -> None:
        """End the iteration. Idempotent."""
        raise NotImplementedError  # abstract

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
