# Derived from openai_codex/_async/client/cursor.py by `python -m tools.unasync`; do not edit.
"""A consumer's position in a turn's event stream, and the partial result up to there."""

from __future__ import annotations

import math
import time
from collections import deque
from typing import TYPE_CHECKING

from openai_codex import _protocol as protocol
from openai_codex._sync.client import _wait
from openai_codex._sync.client.agent_stops import ABANDON_PATIENCE, ITS_AGENTS, all_over, in_time, renew
from openai_codex._engine.backlog import move
from openai_codex._engine.mailbox import Unless
from openai_codex._engine.reply import CLIENT_CLOSED
from openai_codex._engine.waiting import Deadline
from openai_codex._log import Log
from openai_codex._turns.fold import TurnFold
from openai_codex._turns.pulse import TreeClock
from openai_codex._turns.results import RunResult
from openai_codex._turns.texts import MessageTexts
from openai_codex._turns.turn_ends import end_with, losses_of
from openai_codex.errors import DecodeError, TransportClosedError, TurnStalledError, TurnTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from openai_codex._sync.client.connection import Connection
    from openai_codex._notification import Notification
    from openai_codex._runtime.health import RunningTurn
    from openai_codex._turns.open_turns import OpenTurn
    from openai_codex._turns.results import Agent
    from openai_codex._turns.stops import TurnStop

AGENT_DELTA = "item/agentMessage/delta"

_log = Log("turn")


class Cursor:
    """The events of one turn, for one consumer at a time; it can also stop the turn.

    The reader thread writes to the mailbox only. The events taken from it belong to this object, so they need no lock.
    """

    __slots__ = (
        "__weakref__",
        "_bad_end",
        "_connection",
        "_fold",
        "_fresh",
        "_is_adding",
        "_joined",
        "_last",
        "_mailbox",
        "_open_turn",
        "_stop",
        "_texts",
        "passed",
        "taken",
        "thread_id",
        "turn_id",
    )

    def __init__(
        self, connection: Connection, turn_id: str, stop: TurnStop, open_turn: OpenTurn, *, joined: bool = False
    ) -> None:
        self.thread_id: str = stop.thread_id
        self.turn_id: str = turn_id
        self._connection = connection
        self._mailbox = stop.mailbox
        self._stop = stop
        self._open_turn = open_turn
        self._fold = TurnFold(stop.thread_id, turn_id)
        self._fresh: deque[Notification] = deque()  # those that are not in the fold yet
        self._is_adding = False
        self.taken: deque[Notification] = deque()
        """The events that were fetched, the oldest first. Its consumer removes them itself: a call for each would cost it much."""
        self.passed: Notification | None = None
        """The last event that was removed from `taken` and not added to `texts`; who removes one sets it."""
        self._joined = joined
        self._texts: MessageTexts | None = None  # made for the first stream of text
        self._bad_end: DecodeError | None = None
        self._last: tuple[str, float] | None = None  # the last event that was fetched, and when
        connection.watch(self)

    def texts(self, event: Notification) -> MessageTexts:
        """Return the text up to an event that was removed and is to be added."""
        texts = self._texts
        if texts is None or self.passed is not None:
            skipped = None if self.passed is None else self._skipped(event)
            self._texts, self.passed = (texts := MessageTexts(joined=self._joined, skipped=skipped)), None
        return texts

    def _skipped(self, event: Notification) -> dict[str, int]:
        """Return how many characters of each message other streams have read, up to an event that was removed."""
        read = self._fold.lengths(whole=self._joined)
        for each in (event, *self.taken):
            item_id, text = each.params.get("itemId"), each.params.get("delta")
            if each.method == AGENT_DELTA and isinstance(item_id, str) and isinstance(text, str):
                read[item_id] = read.get(item_id, 0) - len(text)
        return {item_id: count for item_id, count in read.items() if count > 0}

    def put_back(self, event: Notification) -> None:
        """Return an event, so that it is the next one again."""
        self.taken.appendleft(event)

    def is_over(self) -> bool:
        """Return whether no more events can be fetched."""
        return not self._fresh and self._mailbox.is_over()

    def poke(self) -> None:
        """Wake every consumer that waits in `fetch`: it gets an empty list."""
        self._mailbox.poke()

    def drop_others(self) -> None:
        """Drop the events of sub-agents that were fetched; for a consumer that does not want them."""
        if self._mailbox.has_others:
            self.taken = deque(self._own(self.taken))

    def agent_of(self, event: Notification) -> Agent | None:
        """Return the sub-agent that an event is of; ``None`` for an event of the turn itself."""
        is_own = not self._mailbox.has_others or event.thread_id in {self.thread_id, None}
        return None if is_own else self._open_turn.agent(event.thread_id)

    def _own(self, events: Iterable[Notification]) -> list[Notification]:
        return [each for each in events if each.thread_id == self.thread_id]

    def fetch(
        self, timeout: float, is_closed: Callable[[], bool], *, agents: bool = False
    ) -> list[Notification] | None:
        """Wait for events, take and return them; ``None`` after ``timeout`` seconds without one, when nothing is lost.

        Those of sub-agents are awaited, too, and returned only with ``agents``.
        ``is_closed`` tells whether the consumer is to wait no longer; who changes that calls `poke`.
        Raises `TransportClosedError` when the connection ended before the turn did.
        """
        self._connection.check_loop()
        key = object()
        try:
            self._open_turn.attend(key)
            source = Unless(is_closed, self._mailbox)
            if timeout == math.inf or self._fresh or source.is_ready():
                is_ready = bool(self._fresh) or _wait.ready(source, timeout)
            else:
                with self._clock(timeout) as clock:
                    is_ready = in_time(source, clock)
            return self._take(agents=agents) if is_ready else None
        finally:
            self._open_turn.leave(key)

    def _take(self, *, agents: bool = False) -> list[Notification]:
        try:
            self._mailbox.take_into(self._fresh)
        except TransportClosedError as error:
            error.result = self.result()
            log = _log.info if error.reason == CLIENT_CLOSED else _log.warning
            self._open_turn.log_end(log, "lost", reason=error.reason)
            raise
        has_others = self._mailbox.has_others
        if has_others and not agents:
            self._fresh = deque(self._own(self._fresh))
        events = self._own(self._fresh) if has_others else list(self._fresh)
        if events:
            self._last = events[-1].method, time.monotonic()
        again, self._is_adding = self._is_adding, True
        try:
            self._fold.add(events, again=again)
        except DecodeError as error:
            # The end of the turn cannot be decoded. A stream shows the raw event, but a run cannot build its result.
            self._bad_end = error.with_traceback(None)
            self._open_turn.log_end(_log.warning, "lost", reason=type(error).__name__)
        if events and self._fold.turn is not None:
            self._log_completed(self._fold.turn)
        # Last: if this call was interrupted, the next one goes on with the same events.
        move(self._fresh, self.taken)
        self._is_adding = False
        return events

    def skip_to_end(self, deadline: Deadline, stall_timeout: float) -> None:
        """Take all events until the turn is over or the deadline has passed; for a caller that attends the turn.

        Raises `TurnTimeoutError` and `TransportClosedError` as a stream does, `TurnStalledError` after
        ``stall_timeout`` seconds without progress, and `DecodeError` if the last event cannot be decoded.
        """
        if stall_timeout == math.inf:
            self._skip(deadline, None)
        else:
            with self._clock(stall_timeout) as stall:
                self._skip(deadline, stall)
        if self._bad_end is not None:
            raise DecodeError(*self._bad_end.args)

    def _skip(self, deadline: Deadline, stall: TreeClock | None) -> None:
        self.taken.clear()
        while not self.is_over():
            left = deadline.remaining()
            patience = left if stall is None else min(left, stall.remaining())
            if self._fresh or _wait.ready(self._mailbox, patience):
                events = self._take()
                self.taken.clear()
                if stall is not None:
                    stall.on_event(events)
            elif deadline.passed():
                raise self.timed_out(deadline.timeout)
            elif stall is not None and stall.remaining() == 0:
                facts = stall.facts({each.parent_thread_id for each in self._open_turn.agents() if each.is_running})
                raise TurnStalledError(self.thread_id, self.turn_id, stall.timeout, self.result(), **facts)

    def _clock(self, timeout: float) -> TreeClock:
        connection = self._connection
        return TreeClock(connection.handlers.trees, connection.running(), self.thread_id, [self.turn_id], timeout)

    def has_failed(self) -> bool:
        """Return whether the turn has failed, by the events that were taken."""
        return self._fold.turn is not None and self._fold.turn.status == protocol.TurnStatus.failed

    def is_running(self) -> bool:
        """Return whether the turn has not ended."""
        return not self.is_ended()

    def running(self) -> RunningTurn | None:
        """Return what is known of the turn, ``None`` if it is over. Callable from any thread at any instant."""
        facts = self._open_turn.tokens.count(), self._open_turn.interrupt
        return None if self.is_ended() else self._fold.running(self._last, self._unread(), *facts)

    def _unread(self) -> list[Notification]:
        unread = [*self._fresh, *self._mailbox.backlog.peek()]
        return self._own(unread) if self._mailbox.has_others else unread

    def result(self) -> RunResult:
        """Return the result of the events taken so far."""
        turn = self._open_turn
        return self._fold.result(turn.declined, turn.tokens.spent(), turn.agents())

    def timed_out(self, timeout: float, waiting_for: str = "its end") -> TurnTimeoutError:
        """Build the error for a deadline that passed, with the partial result."""
        last, at = self._last or (None, None)
        silence = None if at is None else time.monotonic() - at
        return TurnTimeoutError(self.thread_id, self.turn_id, timeout, self.result(), waiting_for, last, silence)

    def wait_agents(self, deadline: Deadline) -> None:
        """Wait until the turn is over, and all agents of it are. Raises `TurnTimeoutError` and `TransportClosedError`."""
        try:
            tree = self._connection.handlers.trees.quiet(self.turn_id)
            if not all_over(self._stop, tree, self._open_turn, deadline):
                raise self.timed_out(deadline.timeout, ITS_AGENTS)
        except TransportClosedError as error:
            error.result = self.result()
            raise

    def is_ended(self) -> bool:
        """Return whether the turn is over, even if its last events were not taken yet."""
        return self._mailbox.ended.is_ready()

    def stop(self, timeout: float, reason: str | None, *, agents: bool = True) -> bool:
        """Stop the turn and its sub-agents, and wait until all are over, at most ``timeout`` seconds; return whether they are.

        The client repeats the requests until the turns are over, also when the caller has left. A reason is logged.
        """
        key, deadline = object(), Deadline(timeout)
        try:
            self._open_turn.attend(key)
            if reason is not None:
                self._open_turn.ask_interrupt(_wait.caller_name(), reason)
            is_over = not self._stop.request(agents=agents) or _wait.ready(self._mailbox.ended, timeout)
            return is_over and (not agents or self.stop_agents(deadline.remaining()))
        finally:
            self._open_turn.leave(key)

    def stop_agents(self, timeout: float) -> bool:
        """Stop the turns of sub-agents, whether the turn is over or not, and wait until all are; return whether they are."""
        self._stop.stop_agents()
        end = self._stop.end_of_tree()
        return end is None or _wait.ready(end, timeout)

    def abandon(self, error: BaseException, *, agents: bool = True) -> None:
        """Stop a turn whose caller leaves with an error, or what is left of it; bounded in time, raises nothing."""
        key, is_ended = object(), self.is_ended()
        self._stop.patience = patience = Deadline(ABANDON_PATIENCE)
        try:
            self._open_turn.attend(key)
            self.stop(patience.timeout, None if is_ended else type(error).__name__, agents=agents)
            renew(error, [self._open_turn], self.turn_id)
        finally:
            if not is_ended:
                self._open_turn.log_end(_log.info, "abandoned", reason=type(error).__name__)
            self._open_turn.leave(key)

    def _log_completed(self, turn: protocol.Turn) -> None:
        if turn.status == protocol.TurnStatus.completed and not self._open_turn.tells_completion:
            self._open_turn.log_end(_log.info, "completed")
            return
        log, how, fields = end_with(turn.status.value, None if turn.raw is None else turn.raw.get("error"))
        fields["hint"] = self._connection.hint_for(turn.error) if turn.error is not None else None
        fields |= losses_of(self._mailbox.backlog.losses)
        self._open_turn.log_end(log, how, **fields)
