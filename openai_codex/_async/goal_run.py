"""The run of a goal: follows the turns that the runtime starts by itself, and pauses the goal when its caller gives up."""

from __future__ import annotations

import math
import sys
import time
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from functools import partial

from openai_codex import _protocol as protocol
from openai_codex._async import lazy
from openai_codex._async.client import _wait
from openai_codex._async.client.agent_stops import as_now, check_agents, renew
from openai_codex._async.running import wait_for_thread
from openai_codex._engine.mailbox import Mailbox
from openai_codex._engine.subscriptions import Topic
from openai_codex._engine.undo import Undo
from openai_codex._engine.waiting import Deadline
from openai_codex._notification import Notification
from openai_codex._turns.fold import GoalFold, raise_if_failed
from openai_codex._turns.open_turns import OpenTurn
from openai_codex._turns.options import AgentsLike
from openai_codex._turns.pulse import TreeClock
from openai_codex._turns.results import RunResult, sum_of
from openai_codex._turns.stops import GoalPause, GoalStop
from openai_codex._turns.tree_stops import ends_agents, stop_agents
from openai_codex._turns.turn_ends import end_of
from openai_codex._turns.work import within
from openai_codex.errors import (
    CodexError,
    ConfigError,
    JsonRpcError,
    RequestTimeoutError,
    TransportClosedError,
    TransportError,
    TurnStalledError,
    TurnTimeoutError,
)

# How long a caller that gives up waits for the running turn to end, in seconds.
_ABANDON_PATIENCE = 2.0


async def run_goal(
    connection: lazy.AsyncConnection,
    params: protocol.ThreadGoalSetParams,
    deadline: Deadline,
    stall_timeout: float,
    agents: AgentsLike | None,
) -> RunResult:
    """Set a goal when the thread has no other work, and wait for the end of all its turns. See `AsyncCodex.run_goal`."""
    work, agents = connection.work, check_agents(agents)
    work.check_outside(params.thread_id, "run_goal")
    place = work.place(params.thread_id, joins=False)
    try:
        await connection.connect(deadline)
        await wait_for_thread(connection, place, deadline)
        with within(params.thread_id):
            run = _GoalRun(connection, params.thread_id, keeps_agents=agents == "keep")
            try:
                result = await _follow(connection, run, params, deadline, stall_timeout)
                if agents == "stop":
                    await run.stop_agents(deadline)
                return as_now(result, run.turns)
            except BaseException as error:
                if ends_agents(agents, error):
                    await run.stop_agents()
                renew(error, run.turns)
                raise
    except RequestTimeoutError as error:
        # The caller has set one limit for all of it, so its error is that of a turn.
        if deadline.passed():
            raise TurnTimeoutError(params.thread_id, None, deadline.timeout) from error
        raise
    finally:
        work.leave(place)


async def _follow(
    connection: lazy.AsyncConnection,
    run: _GoalRun,
    params: protocol.ThreadGoalSetParams,
    deadline: Deadline,
    stall_timeout: float,
) -> RunResult:
    try:
        # Subscribed before the goal is set, because the runtime starts the first turn at once.
        run.subscribe()
        patience = min(deadline.remaining(), connection.request_timeout)
        await connection.request(params, timeout=patience)
    except TransportClosedError:
        # The runtime may have stored the goal before it exited, and the next one would continue it.
        connection.pause_goal_when_resumed(run.thread_id)
        run.close()
        raise
    except (JsonRpcError, TransportError, ConfigError):
        run.close()
        raise  # no goal was set, so there is nothing to pause
    except BaseException:
        await run.give_up()
        raise
    try:
        await run.follow(deadline, stall_timeout)
        return raise_if_failed(run.result(), connection.reset_time)
    finally:
        if run.fold.is_active():
            await run.give_up()
        else:
            run.close()


class _GoalRun:
    """Collects a thread's events until its goal is no longer active and the last turn is over."""

    def __init__(self, connection: lazy.AsyncConnection, thread_id: str, *, keeps_agents: bool) -> None:
        self._connection = connection
        self._keeps_agents = keeps_agents
        self.thread_id = thread_id
        self._mailbox = Mailbox(f"the turns of thread {thread_id}")
        self._actor = connection.running()
        self._open_turns = connection.handlers.turns
        self._open: OpenTurn | None = None
        self.turns: list[OpenTurn] = []
        """All its turns so far."""
        # Those that were seen only after its caller had given up.
        self._late: dict[str, None] = {}
        # How long who gives up waits for the ends of turns.
        self._patience: Deadline | None = None
        self.fold = GoalFold(thread_id)
        self._fresh: deque[Notification] = deque()
        # The last event that was taken, and when.
        self._last: tuple[str, float] | None = None
        # Who follows the goal: a signal handler that interrupts it must not wait for it.
        self._caller = _wait.caller()

    def subscribe(self) -> None:
        """Begin to receive the thread's events."""
        self._mailbox.count_in(self._actor.tally)
        self._actor.subscribe(Topic(self.thread_id), self._mailbox)
        self._connection.watch(self)

    def result(self) -> RunResult:
        """Return the result of all turns so far."""
        declined = [request for turn in self.turns for request in turn.declined]
        agents = tuple(agent for turn in self.turns for agent in turn.agents())
        return self.fold.result(declined, sum_of(*(turn.tokens.spent() for turn in self.turns)), agents)

    async def follow(self, deadline: Deadline, stall_timeout: float) -> None:
        """Take events until the last turn is over. Raises `TurnTimeoutError`, also for a stall, with the result so far."""
        if stall_timeout == math.inf:
            await self._follow(deadline, None)
        else:
            with TreeClock(self._connection.handlers.trees, self._actor, self.thread_id, (), stall_timeout) as stall:
                await self._follow(deadline, stall)

    async def _follow(self, deadline: Deadline, stall: TreeClock | None) -> None:
        while not self.fold.is_over():
            left = deadline.remaining()
            if await _wait.ready(self._mailbox, left if stall is None else min(left, stall.remaining())):
                self._take(stall)
                continue
            result = self.result()
            if deadline.passed():
                raise TurnTimeoutError(self.thread_id, result.id or None, deadline.timeout, result)
            if stall is not None and stall.remaining() == 0:
                facts = stall.facts({each.parent_thread_id for each in result.agents if each.is_running})
                raise TurnStalledError(self.thread_id, result.id or None, stall.timeout, result, **facts)

    def _take(self, stall: TreeClock | None = None) -> None:
        fresh = self._fresh
        try:
            self._mailbox.take_into(fresh)
        except TransportClosedError as error:
            error.result = self.result()
            raise
        if stall is not None:
            stall.on_event(fresh)
            if started := [each.turn_id for each in fresh if each.method == "turn/started" and each.turn_id]:
                stall.follow(*started)
        self._last = (fresh[-1].method, time.monotonic()) if fresh else self._last
        while fresh:
            # Removed last: what interrupts this call must not cost an event.
            self._note([fresh[0]])
            self.fold.add([fresh[0]])
            fresh.popleft()

    def _note(self, events: Iterable[Notification]) -> None:
        """Log the starts and the ends of turns."""
        for event in events:
            if event.method == "turn/started" and event.turn_id:
                self._leave()
                self._open_turns.expect(self, self.thread_id)
                self._open = self._open_turns.start(self, event.turn_id, self._actor, self._mailbox)
                self.turns.append(self._open)
            elif event.method == "turn/completed" and self._open is not None and event.turn_id == self._open.turn_id:
                log, how, facts = end_of(event)
                self._open.log_end(log, how, **facts)
                self._leave()

    def _leave(self) -> None:
        if self._open is not None:
            self._open.leave(self)
            self._open = None
        self._open_turns.leave(self)  # an exception may have come before the turn was stored

    def running(self) -> lazy.RunningTurn | None:
        """Return what is known of the goal's running turn, ``None`` if there is none. Callable from any thread."""
        opened = next(reversed(self.turns), None)
        facts = (None, None) if opened is None else (opened.tokens.count(), opened.interrupt)
        is_idle = self.fold.running_turn() is None or self._actor.close_reason is not None
        return None if is_idle else self.fold.running(self._last, self._mailbox.backlog.peek(), *facts)

    def is_running(self) -> bool:
        """Return whether the goal may start further turns."""
        return not self._mailbox.ended.is_ready()

    async def stop(self, timeout: float, reason: str) -> bool:
        """Pause the goal and stop its turn, for another caller than the one that follows it; return whether it ended."""
        self._ask_interrupt(reason)
        self._actor.undo(Undo(GoalPause(self.thread_id, self.fold, self._mailbox.ended, self._on_turn)))
        if self._caller == _wait.caller():
            raise ConfigError("thread", f"{self.thread_id} is closed after `run_goal`, which this call interrupts")
        return await _wait.ready(self._mailbox.ended, timeout)

    async def give_up(self) -> None:
        """Pause the goal and stop the turn that works on it; bounded in time, raises nothing."""
        # The goal is stored with its thread, so the next runtime would continue it.
        if self._actor.close_reason is not None:
            self._connection.pause_goal_when_resumed(self.thread_id)
            self.close()
            return
        error = sys.exc_info()[1]  # with which its caller leaves
        self._ask_interrupt("close" if error is None else type(error).__name__)
        self._leave()
        self._patience = patience = Deadline(_ABANDON_PATIENCE)
        stop = GoalStop(self.thread_id, self.fold, self._mailbox, self._fresh, self._close_later, on_turn=self._on_turn)
        self._actor.undo(Undo(stop))
        await _wait.ready(stop.ended, patience.remaining())
        if self._actor.close_reason is not None:  # it may have died before it paused the goal
            self._connection.pause_goal_when_resumed(self.thread_id)

    def _ask_interrupt(self, reason: str) -> None:
        opened = self._open  # once: its follower may set it meanwhile
        if opened is not None:
            opened.ask_interrupt(_wait.caller_name(), reason)

    async def stop_agents(self, deadline: Deadline | None = None) -> None:
        """Stop the sub-agents of all its turns, and wait for their end; bounded in time, raises nothing."""
        usual = Deadline(_ABANDON_PATIENCE if deadline is None else min(deadline.remaining(), _ABANDON_PATIENCE))
        patience, trees = self._patience or usual, self._connection.handlers.trees
        for turn_id in self._stop_agents():
            if self._actor.close_reason is None:
                await _wait.ready(trees.quiet(turn_id), patience.remaining())

    def _stop_agents(self) -> list[str]:
        ids = [turn.turn_id for turn in self.turns if turn.turn_id is not None]
        ids += [turn_id for turn_id in self._late.copy() if turn_id not in ids]
        for turn_id in ids if self._actor.close_reason is None else ():
            stop_agents(self._connection.handlers.trees, self._actor, turn_id)
        return ids

    def _on_turn(self, turn_id: str) -> None:
        """Stop the sub-agents of all turns with a turn that is being stopped, whose start may not have been read."""
        self._late[turn_id] = None
        if not self._keeps_agents:
            self._stop_agents()

    def _close_later(self, events: list[Notification]) -> None:
        """Close it, with the events that its stop has taken; log them on a worker, as the writer thread must not."""
        self._late.update(dict.fromkeys(event.turn_id for event in events if event.turn_id))
        self._actor.unsubscribe(Topic(self.thread_id), self._mailbox)
        self._mailbox.close()
        self._actor.server_requests.workers.handlers.post(partial(self.close, events))

    def close(self, events: Iterable[Notification] = ()) -> None:
        """Stop receiving the thread's events. The end of a turn that still runs is logged when it comes."""
        self._actor.unsubscribe(Topic(self.thread_id), self._mailbox)
        try:
            self._note(events)
            with suppress(CodexError):
                self._take()
            self._leave()
        finally:
            self._mailbox.close()
