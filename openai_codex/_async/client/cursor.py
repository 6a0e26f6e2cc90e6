"""Where the consumer of one handle is in the events of its turn, and what the turn has come to until there."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING

from openai_codex import _protocol as protocol
from openai_codex._async.client import _wait
from openai_codex._engine.waiting import Deadline
from openai_codex._log import Log
from openai_codex._turns.fold import TurnFold
from openai_codex._turns.results import RunResult
from openai_codex._turns.stall import StallClock
from openai_codex.errors import DecodeError, TransportClosedError, TurnStalledError, TurnTimeoutError

if TYPE_CHECKING:
    from openai_codex._async.client.connection import AsyncConnection
    from openai_codex._engine.mailbox import Mailbox
    from openai_codex._notification import Notification

AGENT_DELTA = "item/agentMessage/delta"

# How long a caller that gives a turn up waits for the turn to be over: usually some ten milliseconds.
_ABANDON_PATIENCE = 2.0

# How long an interrupt may take before it is sent again.
_REPEAT_AFTER = 1.0

_log = Log("turn")


class AsyncCursor:
    """The events of one turn, for one consumer at a time, and the way to stop the turn.

    The mailbox is the border to the reader; what was taken from it belongs to this object.
    """

    __slots__ = ("_connection", "_fold", "_mailbox", "_odd_end", "_streamed", "_taken", "thread_id", "turn_id")

    def __init__(self, connection: AsyncConnection, thread_id: str, turn_id: str, mailbox: Mailbox) -> None:
        self.thread_id = thread_id
        self.turn_id = turn_id
        self._connection = connection
        self._mailbox = mailbox
        self._fold = TurnFold(thread_id, turn_id)
        # The newest first, so that the oldest is taken from the end.
        self._taken: list[Notification] = []
        self._streamed: defaultdict[str, int] = defaultdict(int)
        self._odd_end: DecodeError | None = None

    def pop(self) -> Notification | None:
        """Return the next event of those that are here, ``None`` if there is none."""
        try:
            event = self._taken.pop()
        except IndexError:
            return None
        if event.method == AGENT_DELTA:
            item_id, text = event.params.get("itemId"), event.params.get("delta")
            if type(item_id) is str and type(text) is str:
                self._streamed[item_id] += len(text)
        return event

    def is_over(self) -> bool:
        """Say whether there will be no more events."""
        return self._mailbox.is_over()

    async def fetch(self, timeout: float | None) -> list[Notification] | None:
        """Take more events and return them; ``None`` if there are none for ``timeout`` seconds, and nothing is lost then.

        Raises `TransportClosedError` when the connection ended before the turn did.
        """
        self._connection.supervisor.check_loop()
        if not await _wait.ready(self._mailbox, timeout):
            return None
        try:
            events = self._mailbox.take()
        except TransportClosedError as error:
            error.result = self.result()
            raise
        # At once: what comes next may fail or be interrupted, and another consumer may have left some.
        self._taken[:0] = reversed(events)
        try:
            self._fold.add(events)
        except DecodeError as error:
            # The end of the turn has a shape that nobody knows: a stream shows it as it came, a run has to fail of it.
            self._odd_end = error.with_traceback(None)
        if events and self._fold.turn is not None:
            self._log_completed(str(self._fold.turn.status))
        return events

    async def skip_to_end(self, timeout: float | None, stall_timeout: float | None = None) -> None:
        """Take all events until the turn is over, at most for ``timeout`` seconds.

        Raises `TurnTimeoutError` and `TransportClosedError` as a stream does, `TurnStalledError` if none of them is
        progress for ``stall_timeout`` seconds, and `DecodeError` if what tells of the end does not say how it ended.
        """
        deadline = Deadline(timeout)
        actor = self._connection.running()
        stall = StallClock(stall_timeout, self.thread_id, actor.server_requests)
        self._taken.clear()
        while not self.is_over():
            events = await self.fetch(_shortest(deadline.remaining(), stall.remaining()))
            if events is not None:
                stall.on_event(events)
                self._taken.clear()
            elif deadline.passed():
                raise self.timed_out(timeout)
            elif stall.remaining() == 0:
                facts = actor.process.facts()
                raise TurnStalledError(
                    self.thread_id, self.turn_id, stall.timeout or 0.0, self.result(), stall.last_event, facts
                )
        if self._odd_end is not None:
            raise DecodeError(*self._odd_end.args)

    def result(self) -> RunResult:
        """Return what the events taken so far come to."""
        return self._fold.result()

    def timed_out(self, timeout: float | None) -> TurnTimeoutError:
        """Build the error for a deadline that passed, with the partial result on it."""
        return TurnTimeoutError(self.thread_id, self.turn_id, timeout or 0.0, self.result())

    def streamed(self, item_id: str) -> int:
        """Return how many characters of a message have been handed out as deltas."""
        return self._streamed.get(item_id, 0)

    def is_ended(self) -> bool:
        """Say whether the turn is over, taken or not."""
        return self._mailbox.ended.is_ready()

    async def interrupt(self, timeout: float) -> bool:
        """Stop the turn and wait until it is over, at most ``timeout`` seconds; say whether it is.

        The reply is not waited for: the runtime leaves it out when two callers interrupt at once, and what counts is
        the end of the turn. The request is repeated, as it does nothing while the turn is only about to begin.
        """
        deadline = Deadline(timeout)
        while not self.is_ended() and not deadline.passed():
            forget = self._connection.send(self._interrupt_params())
            try:
                await _wait.ready(self._mailbox.ended, min(_REPEAT_AFTER, deadline.remaining() or 0.0))
            finally:
                forget()
        return self.is_ended()

    async def abandon(self, error: BaseException) -> None:
        """Stop a turn that nobody will read because its caller is on the way out; bounded, raises nothing."""
        if not self.is_ended():
            reason = type(error).__name__
            _log.info("codex.turn_abandoned", thread_id=self.thread_id, turn_id=self.turn_id, reason=reason)
            await self.interrupt(_ABANDON_PATIENCE)

    def _interrupt_params(self) -> protocol.TurnInterruptParams:
        # Until the turn has begun the runtime refuses its id; the empty id stands for the thread's active turn.
        turn_id = self.turn_id if self._mailbox.begun else ""
        return protocol.TurnInterruptParams(thread_id=self.thread_id, turn_id=turn_id)

    def _log_completed(self, status: str) -> None:
        losses = self._mailbox.losses
        _log.info(
            "codex.turn_completed",
            thread_id=self.thread_id,
            turn_id=self.turn_id,
            status=status,
            deltas_merged=losses.merged or None,
            states_outdated=losses.outdated or None,
        )


def _shortest(timeout: float | None, stall: float) -> float | None:
    shortest = min(math.inf if timeout is None else timeout, stall)
    return None if shortest == math.inf else shortest
