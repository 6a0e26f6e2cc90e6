"""How a connection ended: recorded once, told to everyone who waits or comes later."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from openai_codex._engine.waiting import wake_all
from openai_codex.errors import ProcessInfo, TransportClosedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openai_codex._engine.mailbox import Mailbox
    from openai_codex._engine.reply import Reply
    from openai_codex._notification import Notification


CLIENT_CLOSED = "the client was closed"
"""The reason when the program closed the connection."""


def reason_of_end(exit_code: int | None, cause: Exception | None) -> str:
    """Say why the output of a runtime has ended."""
    if cause is not None:
        return f"the reader failed: {type(cause).__name__}"
    return "the runtime closed its output and would not end" if exit_code is None else "the runtime exited"


@attrs.frozen
class CloseReason:
    """The first failure of a connection. It never changes; each waiter gets a fresh exception made from it."""

    reason: str
    process: ProcessInfo = attrs.Factory(ProcessInfo)
    cause: BaseException | None = None
    generation: int = 1
    """Which start of the runtime has ended."""
    final: bool = False
    """Whether no other runtime will follow."""
    lifetime: float = 0.0
    """How long the connection had lived, in seconds."""

    def error(self, waiting_for: str | None) -> TransportClosedError:
        """Build the exception for one waiter, chained to the cause."""
        error = TransportClosedError(self.reason, waiting_for, self.process)
        error.__cause__ = self.cause
        return error

    def tell(self, replies: Iterable[Reply], mailboxes: Iterable[Mailbox]) -> None:
        """Wake everybody who waits. Hold no lock."""
        for reply in replies:
            wake_all(reply.settle(self))
        for mailbox in mailboxes:
            wake_all(mailbox.fail(self))

    def notice(self) -> Notification:
        """Build the notification for those whose subscription goes on with the next runtime."""
        from openai_codex._runtime.lifecycle import RuntimeExited, notification

        exited = RuntimeExited(
            generation=self.generation,
            pid=self.process.pid,
            reason=self.reason,
            exit_code=self.process.exit_code,
        )
        return notification(exited)
