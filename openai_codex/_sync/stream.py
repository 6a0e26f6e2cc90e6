# Derived from openai_codex/_async/stream.py by `python -m tools.unasync`; do not edit.
"""What a turn tells, as iterator objects: all of it, just the text, or the finished items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from openai_codex import _protocol as protocol

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from openai_codex._sync.client.cursor import Cursor
    from openai_codex._notification import Notification

T = TypeVar("T")


class Stream(Generic[T]):
    """An iterator over one turn, and a context manager; it ends when the turn does.

    Leaving it early is harmless: the turn goes on and the rest stays with the handle. Leaving the ``with`` block
    by an exception interrupts the turn. Subclasses say what they pick from each notification.
    """

    def __init__(self, cursor: Cursor, timeout: float) -> None:
        self._cursor = cursor
        self._timeout = timeout
        self._closed = False

    def _pick(self, event: Notification) -> T | None:
        """Return what this stream yields for a notification, ``None`` for nothing."""
        raise NotImplementedError  # abstract

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        """Return the next one.

        Raises `TurnTimeoutError` after the stream's ``timeout`` without a notification (nothing is lost, the next step
        goes on) and `TransportClosedError` if the connection ends first.
        """
        while not self._closed:
            event = self._cursor.pop()
            if event is not None:
                picked = self._pick(event)
                if picked is not None:
                    return picked
            elif self._cursor.is_over():
                break
            elif self._cursor.fetch(self._timeout) is None:
                raise self._cursor.timed_out(self._timeout)
        raise StopIteration

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


class TurnStream(Stream["Notification"]):
    """The notifications of one turn, in order; ``turn/completed`` is the last."""

    def _pick(self, event: Notification) -> Notification:
        return event


class TextStream(Stream[str]):
    """The assistant's text, piece by piece as it comes, all messages of the turn one after another."""

    def _pick(self, event: Notification) -> str | None:
        payload = event.payload
        if isinstance(payload, protocol.AgentMessageDeltaNotification):
            return payload.delta or None
        if isinstance(payload, protocol.ItemCompletedNotification):
            return self._rest(payload.item)
        return None

    def _rest(self, item: protocol.ThreadItem) -> str | None:
        """Return what of a finished message did not come as deltas; usually nothing."""
        if isinstance(item, protocol.AgentMessageThreadItem):
            return item.text[self._cursor.streamed(item.id) :] or None
        return None


class ItemStream(Stream["protocol.ThreadItem"]):
    """The finished items of one turn, in the order in which they finish."""

    def _pick(self, event: Notification) -> protocol.ThreadItem | None:
        payload = event.payload
        return payload.item if isinstance(payload, protocol.ItemCompletedNotification) else None
