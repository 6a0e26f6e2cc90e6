"""Runs one input to its end: waits for the thread, starts the turn, and continues it after a failure that passes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, cast

import attrs

from openai_codex import _checks as checks
from openai_codex import _protocol as protocol
from openai_codex._async import lazy
from openai_codex._async.client import _wait
from openai_codex._async.client.agent_stops import as_now, check_agents, renew, stop_agents
from openai_codex._async.preparing import prepared, with_texts
from openai_codex._async.turn import AsyncTurnHandle
from openai_codex._codec.deferred import define
from openai_codex._engine.waiting import Deadline, Latch
from openai_codex._log import Log
from openai_codex._runtime.backoff import Attempts, Backoff
from openai_codex._turns.inputs import has_skills
from openai_codex._turns.open_turns import OpenTurn
from openai_codex._turns.options import AgentsLike
from openai_codex._turns.results import OutputT, RunResult, continued
from openai_codex._turns.settings import is_incomplete
from openai_codex._turns.stops import TurnStop
from openai_codex._turns.tree_stops import ends_agents
from openai_codex._turns.work import Place, Work, within
from openai_codex.errors import (
    OutputError,
    RequestTimeoutError,
    ServerBusyError,
    TransportClosedError,
    TurnFailedError,
    TurnInterruptedError,
    TurnTimeoutError,
)

# The delays between the attempts of `run(retries=…)`, in seconds: providers that limit a rate count by the minute.
_FIRST_DELAY, _LONGEST_DELAY, _JITTER = 0.5, 30.0, 0.2

# What the model is told about an answer that does not fit.
_NO_FIT, _AGAIN = (
    "Your answer does not match the required output schema:",
    "Answer again with the complete, corrected JSON.",
)


# How long a caller that gives up waits until the turn is over, in seconds. Usually it takes milliseconds.
_UNDO_PATIENCE = 0.2

_log = Log("turn")


@define
class Limits:
    """What a run may cost: seconds in all, seconds without progress, and further attempts by their reason."""

    deadline: Deadline
    stall_timeout: float
    retries: int
    output_retries: int
    agents: AgentsLike | None
    """What happens to sub-agents at the end."""
    stops: list[TurnStop] = attrs.Factory(list)
    """The turns of all attempts."""

    @classmethod
    def check(
        cls,
        timeout: float | None,
        stall_timeout: float | None,
        retries: int,
        output_retries: int,
        agents: AgentsLike | None,
    ) -> Limits:
        """Check the arguments of a run. Raises `ConfigError`."""
        seconds = checks.seconds("timeout", timeout)
        stall = checks.seconds("stall_timeout", stall_timeout)
        retries = checks.count("retries", retries, least=0)
        corrections = checks.count("output_retries", output_retries, least=0)
        return cls(Deadline(seconds), stall, retries, corrections, check_agents(agents))

    def turns(self) -> list[OpenTurn]:
        """Return the turns that have started."""
        return [stop.opened for stop in self.stops if stop.opened is not None]

    def attempts(self) -> Attempts:
        """Return the count of attempts; none starts after the deadline."""
        left = self.deadline.remaining()
        until = math.inf if left == math.inf else time.monotonic() + left
        return Attempts(self.retries + 1, Backoff(_FIRST_DELAY, _LONGEST_DELAY, _JITTER), until)


async def run_turn(
    connection: lazy.AsyncConnection,
    params: protocol.TurnStartParams,
    limits: Limits,
    decode: Callable[[str | None], OutputT] | None = None,
) -> RunResult[OutputT]:
    """Start a turn when the thread has no other work, and wait for its end.

    It is followed by so many further attempts when it fails for a reason that passes. Between them the thread is not
    left to other calls. The message of a tool does not wait: it is meant for the turn that runs.
    """
    place = connection.work.place(params.thread_id, joins=params.tool_output is not protocol.UNSET, outside="run")
    try:
        with within(params.thread_id):
            result = await _run_attempts(connection, params, limits, decode, place)
            if limits.agents == "stop":
                await stop_agents(limits.stops, limits.deadline)
            return as_now(result, limits.turns())
    except BaseException as error:
        if ends_agents(limits.agents, error):
            await stop_agents(limits.stops, limits.deadline, error)
        renew(error, limits.turns())
        raise
    finally:
        connection.work.leave(place)


async def start_or_join(
    connection: lazy.AsyncConnection,
    params: protocol.TurnStartParams,
    timeout: float | None,
    decode: Callable[[str | None], OutputT] | None = None,
) -> AsyncTurnHandle[OutputT]:
    """Start a turn, or add the input to the one that runs. Work that takes no input is waited for."""
    deadline = Deadline(connection.request_timeout if timeout is None else checks.seconds("timeout", timeout))
    place = connection.work.place(params.thread_id, joins=True)
    stop = TurnStop(params.thread_id)
    try:
        try:
            with within(params.thread_id):
                if is_incomplete(params):
                    params = await prepared(connection, params, deadline)
                work = await _admitted(connection, params, deadline, place)
                if work.joins and has_skills(params.input):
                    params = attrs.evolve(params, input=with_texts(connection, params.input))
                return await start_turn(connection, stop, params, deadline.remaining(), decode, work=work)
        finally:
            connection.work.leave(place)
    except (RequestTimeoutError, TurnTimeoutError) as error:
        raise RequestTimeoutError(params.METHOD, deadline.timeout) from error  # with the timeout as the caller gave it
    except BaseException:
        stop.request()  # an exception of a signal handler may come when there is a handle already
        raise


async def wait_for_thread(connection: lazy.AsyncConnection, place: Place, deadline: Deadline) -> None:
    """Wait until a call may go on. Raises `TurnTimeoutError`."""
    connection.check_loop()
    while True:
        place.changed = changed = Latch()  # before it looks, so that it is woken by any change after that
        until = connection.work.blocked_until(place)
        if until is None:
            return
        if deadline.passed():
            waiting_for = "the end of the thread's current work"
            raise TurnTimeoutError(place.thread_id, None, deadline.timeout, waiting_for=waiting_for)
        await _wait.ready(changed, min(deadline.remaining(), until - time.monotonic()))


async def _admitted(
    connection: lazy.AsyncConnection, params: protocol.TurnStartParams, deadline: Deadline, place: Place
) -> Work:
    """Wait until a call may start its turn, and return the entry of its request."""
    while (work := connection.work.admit(place, params, connection.request_timeout)) is None:
        await wait_for_thread(connection, place, deadline)
    return work


async def _run_attempts(
    connection: lazy.AsyncConnection,
    params: protocol.TurnStartParams,
    limits: Limits,
    decode: Callable[[str | None], OutputT] | None,
    place: Place,
) -> RunResult[OutputT]:
    """Start a turn and wait for its end, with so many further attempts when it fails for a reason that passes.

    A failed turn stays in the history with its input. So the next attempt sends none: the model continues, and the
    prompt and the work up to the failure are there once. After an answer that does not fit its type the next input says
    what does not fit.
    """
    attempts, earlier, corrections = None, None, 0
    while True:
        try:
            result = await _run_once(connection, params, limits, decode, place)
            return result if earlier is None else continued(earlier, result)
        except TurnFailedError as error:
            earlier = error.result = continued(earlier, error.result)
            attempts = attempts or limits.attempts()
            delay = attempts.delay_after(error)
            params = attrs.evolve(params, input=[], tool_output=protocol.UNSET)
        except OutputError as error:
            earlier = error.result = continued(earlier, cast("RunResult", error.result))
            if corrections == limits.output_retries:
                raise
            corrections += 1
            params = attrs.evolve(params, input=[_correction(error)], tool_output=protocol.UNSET)
            _log.info("codex.output_retried", thread_id=params.thread_id, attempt=corrections, type=error.type_name)
            continue
        except ServerBusyError as error:
            if not limits.retries:
                raise
            attempts = attempts or limits.attempts()
            delay = attempts.delay_after(error)  # the request was not carried out, so it is repeated as it is
        except TurnInterruptedError as error:
            error.result = continued(earlier, error.result)
            raise
        except (TurnTimeoutError, TransportClosedError) as error:
            error.result = earlier if error.result is None else continued(earlier, error.result)
            raise
        _log.info("codex.turn_retried", thread_id=params.thread_id, attempt=attempts.failed + 1, delay=round(delay, 3))
        if limits.agents != "keep":
            await stop_agents(limits.stops[-1:], limits.deadline)  # the next attempt may start the same work
        await _wait.ready(connection.running().exited, delay)  # a runtime that exits ends the delay


async def _run_once(
    connection: lazy.AsyncConnection,
    params: protocol.TurnStartParams,
    limits: Limits,
    decode: Callable[[str | None], OutputT] | None,
    place: Place,
) -> RunResult[OutputT]:
    deadline, stop = limits.deadline, TurnStop(params.thread_id, agents=limits.agents != "keep")
    limits.stops.append(stop)
    try:
        if is_incomplete(params):
            params = await prepared(connection, params, deadline)
        # At once in nearly all cases: then without another coroutine.
        work = connection.work.admit(place, params, connection.config.request_timeout)
        if work is None:
            work = await _admitted(connection, params, deadline, place)
        patience = min(deadline.remaining(), connection.config.request_timeout)
        handle = await start_turn(connection, stop, params, patience, decode, work=work, attended=True)
        # Not `run`, which would report what is left of the time as the timeout.
        return await handle._finish(deadline, limits.stall_timeout, limits.agents)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    except RequestTimeoutError as error:
        # The caller has set one limit for all of it, so its error is that of a turn.
        if deadline.passed():
            raise TurnTimeoutError(params.thread_id, None, deadline.timeout) from error
        raise
    except BaseException:
        stop.request()  # an exception of a signal handler may come between the two calls, too
        connection.handlers.turns.leave(stop)
        raise


def _correction(error: OutputError) -> protocol.UserInput:
    problems = "\n".join(f"- {problem}" for problem in error.problems)
    return protocol.TextUserInput(text=f"{_NO_FIT}\n{problems}\n{_AGAIN}")


async def start_turn(
    connection: lazy.AsyncConnection,
    stop: TurnStop,
    params: protocol.ClientRequest[Any],
    timeout: float | None,
    decode: Callable[[str | None], OutputT] | None = None,
    *,
    work: Work | None = None,
    attended: bool = False,
) -> AsyncTurnHandle[OutputT]:
    """Send a request that starts a turn, and return the turn's handle.

    ``stop`` is for this turn alone; ``work`` is its entry in the table of work.

    The mailbox is subscribed before the request is written. If the caller leaves without the handle, for whatever reason
    and at whatever instant, the turn is interrupted.
    """
    turns = connection.handlers.turns
    try:
        turns.expect(stop, stop.thread_id)
        # Who runs the turn to its end has no use for events of sub-agents; a stream may want them.
        stop.mailbox.takes_others = not attended
        response = await connection.request(params, timeout=timeout, starts=stop, work=work)
        opened = turns.start(stop, response.turn.id, stop.actor or connection.running(), stop.mailbox)
        stop.start(opened)
        if not attended:
            opened.leave(stop)
        joined = work is not None and bool(work.joins) and work.joined
        return AsyncTurnHandle(connection, response.turn.id, stop, opened, decode, joined=joined)
    except BaseException:
        turns.leave(stop)
        if stop.request():
            await _wait.ready(stop.ended, _UNDO_PATIENCE)
        raise
