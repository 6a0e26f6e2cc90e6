"""`FakeProcess`: a process as a test holds it: whether it lives, and how to wait for its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openai_codex.testing.waiting import Goal, Watch

if TYPE_CHECKING:
    from openai_codex.testing.fake.link import Link


class FakeProcess:
    """A process that belongs to a `FakeAppServer`: alive as long as its connection to the test is."""

    def __init__(self, link: Link, watch: Watch) -> None:
        self.pid = link.pid
        """Its process id."""
        self._link = link
        self._watch = watch
        self._end = Goal(f"end of process {self.pid}", lambda: not link.is_open, lambda: "it lives")
        link.on_closed = self._on_closed

    def __repr__(self) -> str:
        return f"{type(self).__name__}(pid={self.pid}, {'alive' if self.is_alive else 'gone'})"

    @property
    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self._link.is_open

    def wait_gone(self, timeout: float = 10.0) -> None:
        """Block until it has ended, in whatever way. Raises `WaitTimeoutError` after `timeout` seconds."""
        self._watch.wait(self._end, timeout)

    async def gone(self, timeout: float = 10.0) -> None:
        """The same as `wait_gone`, for coroutines."""
        await self._watch.wait_async(self._end, timeout)

    def _on_closed(self) -> None:
        with self._watch.changing():
            """The link has changed: whoever waits may look."""
