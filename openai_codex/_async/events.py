"""Notifications of the whole client as an iterator object."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from openai_codex._async.client import _wait
from openai_codex._engine.subscriptions import Topic
from openai_codex._log import Log
from openai_codex.errors import EventTimeoutError

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from openai_codex._async.client.supervisor import AsyncSupervisor
    from openai_codex._notification import Notification


_log = Log("events")


class AsyncEvents:
    """The notifications of a subscription, in order, until it is closed. An iterator and a context manager.

    For one consumer at a time. When the connection ends it raises `TransportClosedError`, after all that came before.
    That of a supervised client (`AppServerConfig.restart`) goes on with the next runtime: `RuntimeExited` and
    `RuntimeStarted` tell of the change.
    """

    def __init__(
        self,
        supervisor: AsyncSupervisor,
        thread_id: str | None,
        methods: frozenset[str] | None,
        limit: int,
        timeout: float,
    ) -> None:
        self._supervisor = supervisor
        self._topic = Topic(thread_id)
        self._timeout = timeout
        self._mailbox = supervisor.mailbox("notifications", methods, limit)
        self._taken: deque[Notification] = deque()
        self._told = 0
        supervisor.subscribe(self._topic, self._mailbox)

    @property
    def dropped(self) -> int:
        """How many notifications were dropped because too many were unread."""
        return self._mailbox.backlog.losses.dropped

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Notification:
        """Return the next notification.

        Raises `EventTimeoutError` after the subscription's ``timeout`` without one; nothing is lost, and the next step
        goes on. Raises `ConfigError` on another event loop than the client's.
        """
        self._supervisor.check_loop()
        while not self._taken:
            if not await _wait.ready(self._mailbox, self._timeout):
                raise EventTimeoutError(self._timeout)
            self._taken.extend(self._mailbox.take())
            self._tell_dropped()
            if self._mailbox.is_over() and not self._taken:
                raise StopAsyncIteration
        return self._taken.popleft()

    async def close(self) -> None:
        """Stop the subscription and the iteration; whoever waits for the next one is woken. Idempotent."""
        self._supervisor.unsubscribe(self._topic, self._mailbox)
        self._taken.clear()
        self._mailbox.close()

    def _tell_dropped(self) -> None:
        if self.dropped > self._told:
            _log.warning("codex.events_dropped", count=self.dropped - self._told, thread_id=self._topic.thread_id)
            self._told = self.dropped

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()
