"""The reply to one request, as something to wait for."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from openai_codex._engine.waiting import Waitable, Waiter
from openai_codex._engine.wire import Response
from openai_codex.errors import rpc_error

if TYPE_CHECKING:
    from openai_codex._engine.close_reason import CloseReason


class Reply(Waitable):
    """Settled once, by the reader or by the death of the connection; it has one waiter, so it may carry its value.

    Settling it after its caller has gone is a no-op.
    """

    __slots__ = ("_asked_at", "_outcome", "method", "request_id", "seconds")

    def __init__(self, method: str) -> None:
        super().__init__()
        self.method = method
        self.request_id = 0  # ids are counted from 1
        self._asked_at = time.monotonic()
        self._outcome: Response | CloseReason | None = None
        self.seconds: float | None = None

    def is_ready(self) -> bool:
        """Say whether it is settled."""
        return self._outcome is not None

    def settle(self, outcome: Response | CloseReason) -> list[Waiter]:
        """Take the outcome if there is none yet; return the waiters to wake."""
        with self._lock:
            if self._outcome is None:
                self._outcome = outcome
                self.seconds = time.monotonic() - self._asked_at
            return self._take_waiters()

    def result(self) -> Any:
        """Return the result (decoded JSON), or raise what the reply or the death of the connection says."""
        outcome = self._outcome
        if isinstance(outcome, Response):
            return self._value(outcome)
        assert outcome is not None, "asked for the result of a reply that is not settled"
        raise outcome.error(self.method)

    def _value(self, response: Response) -> Any:
        error = response.error
        if error is None:
            return response.result
        code = error.get("code")
        raise rpc_error(
            code if isinstance(code, int) else 0, str(error.get("message", "")), error.get("data"), self.method
        )
