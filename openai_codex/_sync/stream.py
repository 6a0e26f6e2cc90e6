# Derived from openai_codex/_async/stream.py by `python -m tools.unasync`; do not edit.
"""The notifications of one turn as an iterator object."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from openai_codex._sync.cursor import Cursor
    from openai_codex.notification import Notification


class TurnStream:
    """The notifications of one turn, in order; ends after ``turn/completed``.

    An iterator and a context manager. Leaving it early is harmless: the turn goes on and the rest stays with the
    handle. Leaving the ``with`` block by an exception interrupts the turn.
    """

    def __init__(self, cursor: Cursor, timeout: float | None) -> None:
        self._cursor = cursor
        self._timeout = timeout
        self._closed = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Notification:
        """Return the next notification.

        Raises `TurnTimeoutError` after the stream's ``timeout`` without one (nothing is lost, the next step goes on)
        and `TransportClosedError` if the connection ends first.
        """
        event = None if self._closed else self._cursor.next(self._timeout)
        if event is None:
            raise StopIteration
        return event

    def close(self) -> None:
        """End the iteration; the turn goes on. Idempotent."""
        self._closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
        if error is not None:
            self._cursor.abandon(error)
