"""`Gate`: the place where a scripted reply stops until the test lets it go on. It knows nothing of replies."""

from __future__ import annotations

from openai_codex.testing.waiting import Goal, Watch


class Gate:
    """Holds replies at a point of their stream, so that a test decides what happens in between.

    One gate may hold any number of replies; `open` lets all of them go on, and those that arrive later pass at once.
    All methods may be called from any thread.
    """

    def __init__(self) -> None:
        self._watch = Watch()
        self._arrivals = 0
        self._is_open = False
        self._opening = Goal("opening of the gate", lambda: self._is_open, lambda: self)

    def __repr__(self) -> str:
        return f"Gate({'open' if self._is_open else 'closed'}, arrivals={self._arrivals})"

    @property
    def arrivals(self) -> int:
        """How many replies have come to this gate so far, whether they were held or not."""
        return self._arrivals

    @property
    def is_open(self) -> bool:
        """Whether `open` was called."""
        return self._is_open

    def open(self) -> None:
        """Let every held reply go on, for good. Opening an open gate does nothing."""
        with self._watch.changing():
            self._is_open = True

    def wait_reached(self, timeout: float = 10.0, *, count: int = 1) -> None:
        """Block until `count` replies have come here: all that precedes the gate has then been sent to the runtime.

        Raises `WaitTimeoutError` after `timeout` seconds.
        """
        self._watch.wait(self._arrival(count), timeout)

    async def reached(self, timeout: float = 10.0, *, count: int = 1) -> None:
        """The same as `wait_reached`, for coroutines. Cancelling it leaves the gate as it is."""
        await self._watch.wait_async(self._arrival(count), timeout)

    async def hold(self) -> None:
        """Arrive, and stay until the gate is open. This is the side of the reply."""
        with self._watch.changing():
            self._arrivals += 1
        await self._watch.wait_async(self._opening, None)

    def _arrival(self, count: int) -> Goal:
        return Goal(f"{count} arrival(s) at the gate", lambda: self._arrivals >= count, lambda: self._arrivals)
