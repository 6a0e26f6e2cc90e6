"""The notifications of one turn as iterators: all of them, only the text, or only the finished items."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, TypeVar, cast

from openai_codex import _protocol as protocol
from openai_codex._async import lazy
from openai_codex._async.client.agent_stops import ABANDON_PATIENCE
from openai_codex._async.iteration import AsyncIteration
from openai_codex._notification import AgentNotification, Notification
from openai_codex._turns.texts import TextReset
from openai_codex.errors import TextWithdrawnError

if TYPE_CHECKING:
    from typing_extensions import TypeVar as TypeVarWithDefault

    TextT = TypeVarWithDefault("TextT", default=str)
else:
    TextT = TypeVar("TextT")

T = TypeVar("T")


class AsyncStream(AsyncIteration[T]):
    """An iterator over one turn; it ends when the turn does.

    `run` and `with turn.stream()` interrupt a turn that is abandoned, a bare loop does not. A turn is abandoned when an
    exception ends the call or the block: a timeout, a cancellation, Ctrl-C, an error of the program.

    After a bare loop that was left, and after a block that was left in peace, the turn continues and the handle keeps the
    rest. An exception that ends the block also stops the sub-agents of the turn, even of one that is over. Subclasses say
    what they yield for a notification.
    """

    def __init__(self, cursor: lazy.AsyncCursor, timeout: float, *, agents: bool = False) -> None:
        self._cursor = cursor
        self._timeout = timeout
        self._agents = agents
        self._closed = False
        if not agents:
            cursor.drop_others()  # which another stream has left

    def _pick(self, event: Notification) -> T | None:
        """Return what this stream yields for a notification, ``None`` for nothing."""
        raise NotImplementedError  # abstract

    async def __anext__(self) -> T:
        """Return the next entry. Cancelling a step loses nothing.

        Raises:
            TurnTimeoutError: No notification came within the stream's ``timeout``. Nothing is lost: the next step
                continues.
            TransportClosedError: The connection ended before the turn did.
            TextWithdrawnError: Text was withdrawn, and the stream has no ``resets``. The next step continues.
            ConfigError: The client is bound to another event loop.
        """
        while not self._closed:
            try:
                event = self._cursor.taken.popleft()
            except IndexError:
                event = None
            if event is not None:
                picked = self._pick(event)
                if picked is not None:
                    return picked
            elif self._cursor.is_over():  # checked before `fetch`, which would wait for the next event
                break
            elif await self._cursor.fetch(self._timeout, self._is_closed, agents=self._agents) is None:
                raise self._cursor.timed_out(self._timeout, "its next event")
        raise StopAsyncIteration

    def _is_closed(self) -> bool:
        return self._closed

    async def close(self) -> None:
        """End the iteration, from any thread or task; a waiting step ends, too. The turn continues. Idempotent."""
        self._closed = True
        self._cursor.poke()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()
        if error is not None:
            await self._cursor.abandon(error)
        elif self._cursor.has_failed():
            await self._cursor.stop_agents(ABANDON_PATIENCE)


class AsyncTurnStream(AsyncStream[Notification]):
    """The notifications of one turn, in order; ``turn/completed`` is the last."""

    def _pick(self, event: Notification) -> Notification:
        if self._agents and (agent := self._cursor.agent_of(event)) is not None:
            return AgentNotification(event.method, event.params, event.emitted_at_ms, agent)
        self._cursor.passed = event
        return event


class AsyncTextStream(AsyncStream[TextT]):
    """The assistant's text in pieces as it arrives, all messages of the turn one after another.

    With ``resets`` it also yields a `TextReset` for text that was withdrawn; see `AsyncTurnHandle.text`.
    """

    def __init__(self, cursor: lazy.AsyncCursor, timeout: float, *, resets: bool = False) -> None:
        super().__init__(cursor, timeout)
        self._resets = resets

    def _pick(self, event: Notification) -> TextT | None:
        new = self._cursor.texts(event).add(event, marks=self._resets)
        if isinstance(new, TextReset):
            self._cursor.put_back(event)  # its own text follows
            if not self._resets:
                raise TextWithdrawnError(self._cursor.thread_id, self._cursor.turn_id, new.text)
        return cast("TextT | None", new)


class AsyncItemStream(AsyncStream["protocol.ThreadItem"]):
    """The finished items of one turn, in the order in which they finish."""

    def _pick(self, event: Notification) -> protocol.ThreadItem | None:
        self._cursor.passed = event
        payload = event.payload
        return payload.item if isinstance(payload, protocol.ItemCompletedNotification) else None
