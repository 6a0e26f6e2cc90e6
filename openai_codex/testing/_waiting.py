"""The errors of the kit, and waiting for state that another thread changes, from threads and from event loops.

`Watch` is a condition variable for both, `Gate` is a public latch on top of it. Neither knows replies or processes.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Generator

import attrs

from openai_codex._runtime.display import escape
from openai_codex._runtime.not_pickled import NotPickled
from openai_codex.errors import CodexError, CodexTimeoutError

# As in the package: exceptions are compared by identity, and pickle rebuilds one from its field values.
_error = attrs.define(slots=False, eq=False, repr=False)


@_error
class ScriptError(CodexError, AssertionError):
    """The script of a test is invalid, or does not match what happened: unused answers, an unexpected request.

    It is also an `AssertionError`, so a test runner reports it as a failed test.

    Attributes:
        problems: The mismatches, one line each.
    """

    problems: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join(map(escape, self.problems))


@_error
class WaitTimeoutError(CodexTimeoutError):
    """An event that a test waited for did not happen in time.

    Attributes:
        what: The event that was expected.
        timeout: The deadline that passed, in seconds.
        seen: The progress made by then.
    """

    what: str
    timeout: float
    seen: str

    def _text(self) -> str:
        return f"expected {self.what} within {self.timeout:g} s, got {self.seen}"


@attrs.frozen
class Goal:
    """A condition to wait for. Its functions are called under the lock and must be quick.

    Attributes:
        what: The name of the condition, for the error.
        is_met: Whether the condition holds.
        progress: The state so far, for the error.
    """

    what: str
    is_met: Callable[[], bool]
    progress: Callable[[], object]

    def missed(self, timeout: float) -> WaitTimeoutError:
        """Return the error for a deadline that passed."""
        return WaitTimeoutError(self.what, timeout, str(self.progress()))


class Watch:
    """Guards state of its owner, and wakes the threads and tasks that wait for a change of it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._async_waiters: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    @contextlib.contextmanager
    def changing(self) -> Generator[None]:
        """Hold the lock for a change, then let every waiter check its goal."""
        with self._changed:
            yield
            self._changed.notify_all()
            # Copied, because the loops are called after the lock is released.
            waiters = tuple(self._async_waiters)
        for loop, event in waiters:
            # The loop may have been closed in the meantime; then its tasks are gone too.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(event.set)

    @contextlib.contextmanager
    def reading(self) -> Generator[None]:
        """Hold the lock for reading."""
        with self._changed:
            yield

    def wait(self, goal: Goal, timeout: float) -> None:
        """Block this thread until `goal` is met. Raises `WaitTimeoutError` after `timeout` seconds."""
        with self._changed:
            if not self._changed.wait_for(goal.is_met, timeout):
                raise goal.missed(timeout)

    async def wait_async(self, goal: Goal, timeout: float | None) -> None:
        """Await `goal` on the running event loop. ``None`` waits without limit."""
        waiter = (asyncio.get_running_loop(), asyncio.Event())
        with self._changed:
            self._async_waiters.append(waiter)
        try:
            await asyncio.wait_for(self._until_met(goal, waiter[1]), timeout)
        # Not TimeoutError, which is another class before Python 3.11.
        except asyncio.TimeoutError:
            raise goal.missed(timeout or 0) from None
        finally:
            with self._changed:
                self._async_waiters.remove(waiter)

    async def _until_met(self, goal: Goal, changed: asyncio.Event) -> None:
        while True:
            # Cleared before the check: a change after the check sets it again, so no wake-up is missed.
            changed.clear()
            with self._changed:
                if goal.is_met():
                    return
            await changed.wait()


class Gate(NotPickled):
    """Holds replies at a point of their stream until the test opens it.

    One gate may hold any number of replies. `open` releases all of them, and later arrivals pass at once.
    All methods may be called from any thread.
    """

    _TO_PICKLE = "open it in this process; a reply that waits for it is sent then"

    def __init__(self) -> None:
        self._watch = Watch()
        self._arrivals = 0
        self._is_open = False
        self._opening = Goal("the gate to open", lambda: self._is_open, lambda: self)

    def __repr__(self) -> str:
        return f"Gate({'open' if self._is_open else 'closed'}, arrivals={self._arrivals})"

    @property
    def arrivals(self) -> int:
        """The number of replies that have reached this gate so far, held or not."""
        return self._arrivals

    @property
    def is_open(self) -> bool:
        """Whether `open` was called."""
        return self._is_open

    def open(self) -> None:
        """Release every held reply, permanently. Opening an open gate does nothing."""
        with self._watch.changing():
            self._is_open = True

    def wait_reached(self, timeout: float = 10.0, *, count: int = 1) -> None:
        """Block until replies have reached this gate: everything before the gate has then been sent to the runtime.

        Args:
            timeout: The deadline in seconds.
            count: How many replies have to arrive, counted from the creation of the gate.

        Raises:
            WaitTimeoutError: The deadline passed.
        """
        self._watch.wait(self._arrival(count), timeout)

    async def reached(self, timeout: float = 10.0, *, count: int = 1) -> None:
        """Await what `wait_reached` blocks for. Cancelling it leaves the gate as it is."""
        await self._watch.wait_async(self._arrival(count), timeout)

    async def hold(self) -> None:
        """Count an arrival and wait until the gate is open. Called by the reply."""
        with self._watch.changing():
            self._arrivals += 1
        await self._watch.wait_async(self._opening, None)

    def _arrival(self, count: int) -> Goal:
        return Goal(f"{count} arrival(s) at the gate", lambda: self._arrivals >= count, lambda: self._arrivals)
