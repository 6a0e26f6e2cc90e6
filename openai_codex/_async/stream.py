"""The notifications of one turn as an iterator object."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from openai_codex._async.cursor import AsyncCursor
    from openai_codex.notification import Notification


class AsyncTurnStream:
    """The notifications of one turn, in order; ends after ``turn/completed``.

    An iterator and a context manager. Leaving it early is harmless: the turn goes on and the rest stays with the
    handle. Leaving the ``async with`` block by an exception interrupts the turn.
    """

    def __init__(self, cursor: AsyncCursor, timeout: float | None) -> None:
        self._cursor = cursor
        self._timeout = timeout
        self._closed = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Notification:
        """Return the next notification.

        Raises `TurnTimeoutError` after the stream's ``timeout`` without one (nothing is lost, the next step goes on)
        and `TransportClosedError` if the connection ends first.
        """
        event = None if self._closed else await self._cursor.next(self._timeout)
        if event is None:
            raise StopAsyncIteration
        return event

    async def close(self) -> None:
        """End the iteration; the turn goes on. Idempotent."""
        self._closed = True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()
        if error is not None:
            await self._cursor.abandon(error)
