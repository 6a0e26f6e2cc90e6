"""When a failed operation is tried again: a request after overload, a runtime after its death.

It counts, decides and computes delays; it waits for nothing and starts nothing itself.
"""

from __future__ import annotations

import math
import time
from typing import Any, NamedTuple

import attrs

from openai_codex import _checks as checks
from openai_codex._codec.deferred import define, frozen
from openai_codex._runtime.imports import load
from openai_codex.errors import JsonRpcError, RetryLimitExceededError

# Beyond this many doublings every delay is at its longest; more would overflow a float.
_MOST_DOUBLINGS = 30


class Backoff(NamedTuple):
    """Delays in seconds that double from ``initial`` up to ``longest``, each varied at random by the part ``jitter``."""

    initial: float
    longest: float
    jitter: float = 0.0

    def delay(self, failures: int) -> float:
        """Return the seconds to wait after so many failures in succession; 0 after none."""
        if failures == 0:
            return 0.0
        delay = min(self.longest, self.initial * 2.0 ** min(failures - 1, _MOST_DOUBLINGS))
        if not self.jitter:
            return delay
        import random  # needed after an overload only, and slow to load

        return delay * random.uniform(1 - self.jitter, 1 + self.jitter)  # noqa: S311  not a secret


# -- requests and turns -----------------------------------------------------------------------------------------------


@define
class Attempts:
    """Counts the failed attempts of one operation and decides whether there is another."""

    most: int
    backoff: Backoff
    deadline: float = math.inf
    """No attempt starts after this time of the monotonic clock."""
    failed: int = 0

    def delay_after(self, error: Exception) -> float:
        """Return the seconds to wait before the next attempt. Raises the error, or its final form, if there is none."""
        least: float | None = load("openai_codex._runtime.failures").seconds_until_retry(error)  # few operations fail
        # Without a deadline nobody has agreed to wait for the reset of a usage limit, which may be days away.
        if least is None or (least > 0 and self.deadline == math.inf):
            raise error
        self.failed += 1
        delay = max(least, self.backoff.delay(self.failed))
        if self.failed >= self.most or time.monotonic() + delay > self.deadline:
            raise _given_up(error)
        return delay


def _given_up(error: Exception) -> Exception:
    if not isinstance(error, JsonRpcError):
        return error
    limit = RetryLimitExceededError(error.code, error.message, error.data, error.method)
    limit.__cause__ = error
    return limit


# -- runtimes ---------------------------------------------------------------------------------------------------------


def _seconds(_: object, attribute: attrs.Attribute[Any], value: float) -> None:
    checks.finite_seconds(f"restart.{attribute.name}", value, above_zero=False)


def _limit(_: object, attribute: attrs.Attribute[Any], value: int | None) -> None:
    if value is not None:
        checks.count(f"restart.{attribute.name}", value, least=0)


def _amount(_: object, attribute: attrs.Attribute[Any], value: int | None) -> None:
    if value is not None:
        checks.count(f"restart.{attribute.name}", value, least=1)


@frozen(kw_only=True)
class Restart:
    """How a client continues after the death of its runtime. All durations are float seconds.

    The next operation after a death starts a new runtime, and each thread is resumed there when its handle is used
    again. No request is sent twice: callers that were waiting get the error.

    A lost connection to a runtime elsewhere (`AppServerConfig.endpoint`) is made again at once, with the same delays and as many
    attempts as ``limit``. Running turns go on: what was missed is read from the history. Only requests whose reply was lost
    raise `TransportClosedError`, and only the text of a message that was being written is not streamed meanwhile; the
    message itself is whole.

    With ``max_rss`` or ``max_threads`` a runtime that has grown is replaced, too. That happens before a new turn or thread
    starts, when no turn is running, no request is in flight, and the program holds no handle of a thread that could not
    be resumed: an ephemeral one, or one without a turn. So close threads, or drop their handles. Nothing is lost but what
    only the runtime's process has, such as commands that a turn left in the background. It is not a failure, and
    subscriptions get `RuntimeExited` and `RuntimeStarted`.

    Attributes:
        limit: How many failures (deaths and failed starts) in succession lead to another start. After one more the
            client stays closed. ``None`` means no limit.
        initial_delay: The delay before the first start of a succession; it doubles with each failure.
        max_delay: The longest delay before a start.
        settled_after: A runtime that has lived this long ends the succession of failures.
        max_rss: A runtime that uses so many bytes of memory is replaced between turns; ``None`` means no limit. It keeps
            about 1.2 MB of each thread, and frees those of stored threads that were archived or deleted.
        max_threads: A runtime that has loaded so many threads is replaced likewise; those of sub-agents count, archived
            and deleted ones do not. ``None`` means no limit.
        drain_timeout: How long new turns and threads wait for the running turns to end before such a replacement; let it
            be as long as most turns are. If they do not end, the replacement is put off, for a time that doubles, and a
            warning is logged. No running turn is ended for it.

    Raises:
        ConfigError: A value is not accepted. The error names it.
    """

    limit: int | None = attrs.field(default=5, validator=_limit)
    initial_delay: float = attrs.field(default=0.1, validator=_seconds)
    max_delay: float = attrs.field(default=10.0, validator=_seconds)
    settled_after: float = attrs.field(default=60.0, validator=_seconds)
    max_rss: int | None = attrs.field(default=None, validator=_amount)
    max_threads: int | None = attrs.field(default=None, validator=_amount)
    drain_timeout: float = attrs.field(default=30.0, validator=_seconds)

    @property
    def recycles(self) -> bool:
        """Whether a runtime may be replaced that has not died."""
        return self.max_rss is not None or self.max_threads is not None


def to_policy(value: Restart | bool | None) -> Restart | None:
    """Take ``True`` for the defaults and ``False`` for no restart."""
    if isinstance(value, bool):
        return Restart() if value else None
    return value if value is None else checks.instance("restart", value, Restart, "a Restart, a bool or None")


class RestartBackoff:
    """Counts the failures of one client's runtimes in succession: deaths and failed starts.

    Only one caller at a time starts a runtime, and so changes the counts. Any thread may read them.
    """

    def __init__(self, policy: Restart | None) -> None:
        self._policy = policy
        self._backoff = None if policy is None else Backoff(policy.initial_delay, policy.max_delay)
        # The newest runtime whose end is counted, and the failures of this succession. One value, so that it changes in one
        # step: who reads it, or is interrupted, never meets a death that is half counted.
        self._counted = (0, 0)
        self._not_before = 0.0

    @property
    def count(self) -> int:
        """The failures of this succession."""
        return self._counted[1]

    def add_death(self, generation: int, lifetime: float) -> None:
        """Count the death of a runtime once, however often it is reported; a long life ends the succession."""
        if generation > self._counted[0]:
            self._add(generation, self._count_after(generation, lifetime))

    def skip(self, generation: int) -> None:
        """Note that a runtime is stopped on purpose: its end is no failure."""
        dead, count = self._counted
        self._counted = max(dead, generation), count

    def add_failed_start(self) -> None:
        """Count a runtime that did not start."""
        dead, count = self._counted
        self._add(dead, count + 1)

    def _add(self, dead: int, count: int) -> None:
        self._counted = dead, count
        self._not_before = time.monotonic() + self.delay()

    def is_exhausted(self) -> bool:
        """Return whether no other runtime may be started."""
        return not self._allows(self.count)

    def allows_restart(self, generation: int, lifetime: float) -> bool:
        """Return whether another runtime may follow after this death, counted already or not. Callable from any thread."""
        return self._allows(self._count_after(generation, lifetime))

    def _count_after(self, generation: int, lifetime: float) -> int:
        dead, count = self._counted
        if generation <= dead:
            return count
        settled = self._policy is not None and lifetime >= self._policy.settled_after
        return 1 if settled else count + 1

    def _allows(self, failures: int) -> bool:
        return self._policy is not None and (self._policy.limit is None or failures <= self._policy.limit)

    def delay(self) -> float:
        """Return the seconds between the last failure and the next start."""
        return 0.0 if self._backoff is None else self._backoff.delay(self.count)

    def remaining(self) -> float:
        """Return the seconds until the next start, from now; never below 0."""
        return max(0.0, self._not_before - time.monotonic())
