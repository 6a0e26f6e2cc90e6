"""A lock with a way to wait for what it guards, for threads and for event loops alike. It owns no state of its own."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING

import attrs

from openai_codex.testing.errors import WaitTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator


@attrs.frozen
class Goal:
    """Something to wait for. Its functions are called under the lock, and must be quick."""

    what: str
    """Its name, for the error."""
    is_met: Callable[[], bool]
    progress: Callable[[], object]
    """How far it has come, for the error."""

    def missed(self, timeout: float) -> WaitTimeoutError:
        """The error for a deadline that passed."""
        return WaitTimeoutError(self.what, timeout, str(self.progress()))


class Watch:
    """Guards some state of its owner; wakes whoever waits for that state, in whatever way they wait."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._sleepers: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    @contextlib.contextmanager
    def changing(self) -> Generator[None]:
        """Hold the lock for a change, then wake every waiter to look again."""
        with self._changed:
            yield
            self._changed.notify_all()
            sleepers = tuple(self._sleepers)
        for loop, event in sleepers:
            # A loop that was closed meanwhile has nobody left to wake.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(event.set)

    @contextlib.contextmanager
    def reading(self) -> Generator[None]:
        """Hold the lock for a look that changes nothing."""
        with self._changed:
            yield

    def wait(self, goal: Goal, timeout: float) -> None:
        """Block this thread until `goal` is met. Raises `WaitTimeoutError` after `timeout` seconds."""
        with self._changed:
            if not self._changed.wait_for(goal.is_met, timeout):
                raise goal.missed(timeout)

    async def wait_async(self, goal: Goal, timeout: float | None) -> None:
        """The same on the running event loop, without blocking it; ``None`` waits for ever."""
        sleeper = (asyncio.get_running_loop(), asyncio.Event())
        with self._changed:
            self._sleepers.append(sleeper)
        try:
            await asyncio.wait_for(self._look(goal, sleeper[1]), timeout)
        except asyncio.TimeoutError:
            raise goal.missed(timeout or 0) from None
        finally:
            with self._changed:
                self._sleepers.remove(sleeper)

    async def _look(self, goal: Goal, changed: asyncio.Event) -> None:
        while True:
            changed.clear()
            with self._changed:
                if goal.is_met():
                    return
            await changed.wait()
