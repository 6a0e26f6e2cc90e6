# Derived from openai_codex/_async/running.py by `python -m tools.unasync`; do not edit.
"""Runs one input to its end: starts the turn, waits for it, and continues it when it failed for a passing reason."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import attrs

from openai_codex import _checks as checks
from openai_codex import _protocol as protocol
from openai_codex._sync.client import _wait
from openai_codex._sync.client.connection import Connection
from openai_codex._sync.turn import start_turn
from openai_codex._engine.waiting import Deadline
from openai_codex._log import Log
from openai_codex._runtime.backoff import Attempts, Backoff
from openai_codex._turns.results import OutputT, RunResult, continued
from openai_codex._turns.stops import TurnStop
from openai_codex.errors import (
    RequestTimeoutError,
    ServerBusyError,
    TransportClosedError,
    TurnFailedError,
    TurnTimeoutError,
)

# The delays between the attempts of `run(retries=…)`, in seconds: providers that limit a rate count by the minute.
_FIRST_DELAY, _LONGEST_DELAY, _JITTER = 0.5, 30.0, 0.2

_log = Log("turn")


@attrs.define
class Limits:
    """What a run may cost: seconds in all, seconds without progress, and further attempts."""

    deadline: Deadline
    stall_timeout: float
    retries: int

    @classmethod
    def check(cls, timeout: float | None, stall_timeout: float | None, retries: int) -> Limits:
        """Check the arguments of a run. Raises `ConfigError`."""
        seconds = checks.seconds("timeout", timeout)
        stall = checks.seconds("stall_timeout", stall_timeout)
        return cls(Deadline(seconds), stall, checks.count("retries", retries, least=0))

    def attempts(self) -> Attempts:
        """Return the count of attempts; none starts after the deadline."""
        left = self.deadline.remaining()
        until = math.inf if left == math.inf else time.monotonic() + left
        return Attempts(self.retries + 1, Backoff(_FIRST_DELAY, _LONGEST_DELAY, _JITTER), until)


def run_turn(
    connection: Connection,
    params: protocol.TurnStartParams,
    limits: Limits,
    decode: Callable[[str | None], OutputT] | None = None,
) -> RunResult[OutputT]:
    """Start a turn and wait for its end, with so many further attempts when it fails for a reason that passes.

    A failed turn stays in the history with its input. So the next attempt sends none: the model continues, and the
    prompt and the work up to the failure are there once.
    """
    attempts, earlier = limits.attempts(), None
    while True:
        try:
            return continued(earlier, _run_once(connection, params, limits, decode))
        except TurnFailedError as error:
            earlier = error.result = continued(earlier, error.result)
            delay = attempts.delay_after(error)
            params = attrs.evolve(params, input=[], tool_output=protocol.UNSET)
        except ServerBusyError as error:
            if not limits.retries:
                raise
            delay = attempts.delay_after(error)  # the request was not carried out, so it is repeated as it is
        except (TurnTimeoutError, TransportClosedError) as error:
            if error.result is not None:
                error.result = continued(earlier, error.result)
            raise
        _log.info("codex.turn_retried", thread_id=params.thread_id, attempt=attempts.failed + 1, delay=round(delay, 3))
        _wait.ready(connection.running().exited, delay)  # a runtime that exits ends the delay


def _run_once(
    connection: Connection,
    params: protocol.TurnStartParams,
    limits: Limits,
    decode: Callable[[str | None], OutputT] | None,
) -> RunResult[OutputT]:
    deadline, stop = limits.deadline, TurnStop(params.thread_id)
    try:
        patience = min(deadline.remaining(), connection.request_timeout)
        handle = start_turn(connection, stop, params, patience, decode)
        # Not `run`, which would report what is left of the time as the timeout.
        return handle._finish(deadline, limits.stall_timeout)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    except RequestTimeoutError as error:
        # The caller has set one limit for all of it, so its error is that of a turn.
        if deadline.passed():
            raise TurnTimeoutError(params.thread_id, None, deadline.timeout) from error
        raise
    except BaseException:
        stop.request()  # an exception of a signal handler may come between the two calls, too
        raise
