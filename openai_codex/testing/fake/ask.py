"""`FakeAsk`: a request that a `FakeAppServer` has sent to its client, and the answer to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openai_codex.testing.waiting import Goal, Watch

if TYPE_CHECKING:
    from openai_codex.testing.fake.frames import JsonObject


class FakeAsk:
    """A request to the client. Made by `FakeChild.ask`; all methods may be called from any thread."""

    def __init__(self, id: int, method: str, watch: Watch) -> None:
        self.id = id
        self.method = method
        self._watch = watch
        self._answer: JsonObject | None = None
        self._dispatcher = Goal(f"answer to {method}", lambda: self._answer is not None, lambda: "nothing")

    def __repr__(self) -> str:
        return f"FakeAsk(id={self.id}, method={self.method!r}, {'answered' if self.is_answered else 'open'})"

    @property
    def is_answered(self) -> bool:
        """Whether the client has answered."""
        return self._answer is not None

    def wait_answer(self, timeout: float = 10.0) -> JsonObject:
        """Block until the client has answered; return its whole frame, with ``result`` or ``error``.

        Raises `WaitTimeoutError` after `timeout` seconds.
        """
        self._watch.wait(self._dispatcher, timeout)
        return self._answer or {}

    async def answered(self, timeout: float = 10.0) -> JsonObject:
        """The same as `wait_answer`, for coroutines."""
        await self._watch.wait_async(self._dispatcher, timeout)
        return self._answer or {}

    def settle(self, answer: dict[str, Any]) -> None:
        """Take the answer; the first one counts. This is the side of the server."""
        with self._watch.changing():
            self._answer = self._answer or answer
