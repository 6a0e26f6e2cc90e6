# Derived from openai_codex/_async/events.py by `python -m tools.unasync`; do not edit.
"""The notifications of a whole client as an iterator."""

from __future__ import annotations

from collections import deque

from openai_codex._sync import lazy
from openai_codex._sync.client import _wait
from openai_codex._sync.iteration import Iteration
from openai_codex._engine.subscriptions import Topic
from openai_codex._log import Log
from openai_codex._notification import Notification
from openai_codex.errors import EventTimeoutError

_log = Log("events")


class Events(Iteration[Notification]):
    """The notifications of a subscription, in order, until it is closed. For one consumer at a time.

    When the connection ends, the iterator yields what came before and then raises `TransportClosedError`. With
    `AppServerConfig.restart` it continues with the next runtime instead; `RuntimeExited` and `RuntimeStarted` mark the
    change.
    """

    def __init__(
        self,
        supervisor: lazy.Supervisor,
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
        self._closed = False
        self._logged = 0
        supervisor.subscribe(self._topic, self._mailbox)

    @property
    def dropped(self) -> int:
        """How many notifications were dropped because more than ``limit`` were unread."""
        return self._mailbox.backlog.losses.dropped

    def __next__(self) -> Notification:
        """Return the next notification. Cancelling a step loses nothing.

        Raises:
            EventTimeoutError: None came within the subscription's ``timeout``. The next step continues.
            TransportClosedError: The connection has ended.
            ConfigError: The client is bound to another event loop.
        """
        self._supervisor.check_loop()
        while not self._closed:
            if self._taken:
                return self._taken.popleft()
            if self._mailbox.is_over():
                break
            if not _wait.ready(self._mailbox, self._timeout):
                raise EventTimeoutError(self._timeout)
            self._mailbox.take_into(self._taken)
            self._log_dropped()
        raise StopIteration

    def close(self) -> None:
        """End the subscription and the iteration, from any thread or task; a waiting step ends, too. Idempotent."""
        self._closed = True
        # First, so that nothing arrives after the mailbox was emptied.
        self._supervisor.unsubscribe(self._topic, self._mailbox)
        # What was taken stays for a step in another thread that is about to return it.
        self._mailbox.close()

    def _log_dropped(self) -> None:
        if self.dropped > self._logged:
            count, self._logged = self.dropped - self._logged, self.dropped
            _log.warning("codex.events_dropped", count=count, thread_id=self._topic.thread_id)
