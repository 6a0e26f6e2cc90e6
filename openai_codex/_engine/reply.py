"""How a wait for the runtime ends: with the reply to a request, or with the reason why the connection closed.

It knows no queue and no thread. The code that settles a reply or records a close reason wakes the waiters.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import attrs

from openai_codex._codec.deferred import frozen
from openai_codex._engine.waiting import Waitable, Waiter
from openai_codex._engine.wire import Response, Skipped
from openai_codex.errors import ProcessInfo, RuntimeFrozenError, TransportClosedError, rpc_error
from openai_codex.errors._runtime import CLIENT_CLOSED as CLIENT_CLOSED

if TYPE_CHECKING:
    from openai_codex._engine.lane import Ticket


@frozen
class CloseReason:
    """The first failure of a connection. It never changes; each waiter gets a fresh exception made from it."""

    reason: str
    process: ProcessInfo = attrs.Factory(ProcessInfo)
    cause: BaseException | None = None
    generation: int = 1
    """Which runtime of its client has ended, counted from 1."""
    final: bool = False
    """Whether no other runtime will follow."""
    lifetime: float = 0.0
    """How long the connection lived, in seconds."""
    frozen: bool = False
    """Whether the runtime was alive and did not answer, and was killed."""
    recycled: bool = False
    """Whether the client has stopped an idle runtime to start another one."""
    restarts: bool = False
    """Whether the client starts another runtime after such a death, unless this reason is final."""
    at: float = attrs.Factory(time.time)
    """When the connection ended, in seconds since the epoch."""

    @property
    def is_intended(self) -> bool:
        """Whether the client itself has ended the connection."""
        return self.final or self.recycled

    def error(self, waiting_for: str | None) -> TransportClosedError:
        """Build the exception for one waiter, chained to the cause.

        Fresh each time: an exception that several threads raise would collect the tracebacks of all of them.
        """
        kind = RuntimeFrozenError if self.frozen else TransportClosedError
        error = kind(self.reason, waiting_for, self.process, will_restart=self.restarts and not self.final)
        error.__cause__ = self.cause
        return error


def reason_of_end(process: ProcessInfo, cause: BaseException | None) -> str:
    """Return why the output of a runtime ended, as text."""
    if process.endpoint is not None and (cause is None or isinstance(cause, OSError)):
        return f"the connection to {process.endpoint} was closed" if cause is None else str(cause)
    if cause is not None:
        return f"the reader failed: {type(cause).__name__}"
    if process.exit_code is None and not process.exit_code_lost:
        return "the runtime closed its output and could not be ended"
    return "the runtime exited"


def reason_of_failed_write(cause: BaseException) -> str:
    """Return why nothing can be written to a runtime any more, as text."""
    if isinstance(cause, OSError):
        return f"the runtime closed its input: {cause.strerror or cause}"
    return f"the writer failed: {type(cause).__name__}"


class Reply(Waitable):
    """The reply to one request: settled once, by a response or by the end of the connection.

    It has exactly one waiter, so it may carry its value. Whoever takes it out of the table of pending replies settles
    it, so only one does. After its caller gave up it stays there, because the runtime still works on the request.
    """

    __slots__ = ("_outcome", "_sent_at", "given_up", "method", "received", "request_id", "seconds", "ticket")

    def __init__(self, method: str, request_id: int = 0) -> None:
        self._waiters = []  # what the base class does: each request makes one of these
        self.method: str = method
        self.request_id: int = request_id
        self.ticket: Ticket | None = None
        """The right to write the request; set by the outbox when it is sent, or waits to be."""
        self.given_up: bool = False
        """Whether its caller has left."""
        self.received: bool = False
        """Whether it has come. The reader notes that first, and settles it after all else of the same batch."""
        self.seconds: float | None = None
        """How long it took to be settled; ``None`` until then."""
        self._sent_at = time.monotonic()
        self._outcome: Response | Skipped | CloseReason | None = None

    def is_ready(self) -> bool:
        """Return whether it is settled."""
        return self._outcome is not None

    def is_refused(self) -> bool:
        """Return whether the runtime has answered with an error, so that the request had no effect."""
        return isinstance(self._outcome, Response) and self._outcome.error is not None

    def age(self) -> float:
        """Return the seconds since it was made, or that it took to be settled."""
        return time.monotonic() - self._sent_at if self.seconds is None else self.seconds

    def outcome(self) -> tuple[str, Any]:
        """Return in a word what came of it, once it is settled, and the code of an error of the runtime."""
        if isinstance(self._outcome, Response):
            error = self._outcome.error
            return ("answered", None) if error is None else ("refused", error.get("code"))
        return ("unreadable" if isinstance(self._outcome, Skipped) else "lost"), None

    def settle(self, outcome: Response | Skipped | CloseReason) -> list[Waiter]:
        """Store the outcome unless there is one; return the waiters to wake."""
        if self._outcome is None:
            self.seconds = time.monotonic() - self._sent_at
            self._outcome = outcome
        return self.waiters()

    def result(self) -> Any:
        """Return the result as decoded JSON.

        Raises:
            JsonRpcError: the response is an error.
            DecodeError: the response came and cannot be read.
            TransportClosedError: the connection ended before the response came.
        """
        outcome = self._outcome
        assert outcome is not None, "result() is called on a settled reply only"
        if isinstance(outcome, Response):
            return self._value(outcome)
        raise outcome.error(self.method)

    def _value(self, response: Response) -> Any:
        error = response.error
        if error is None:
            return response.result
        # The runtime is not trusted to send well-formed errors: a missing or invalid code becomes 0.
        code = error.get("code")
        raise rpc_error(
            code if isinstance(code, int) else 0, str(error.get("message", "")), error.get("data"), self.method
        )
