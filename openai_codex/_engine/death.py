"""How a connection ended: recorded once, told to everyone who waits or comes later."""

from __future__ import annotations

import attrs

from openai_codex.errors import ProcessFacts, TransportClosedError


@attrs.frozen
class Death:
    """The first failure of a connection. It never changes; each waiter gets a fresh exception made from it."""

    reason: str
    process: ProcessFacts = attrs.Factory(ProcessFacts)
    cause: BaseException | None = None

    def error(self, waiting_for: str | None) -> TransportClosedError:
        """Build the exception for one waiter, chained to the cause."""
        error = TransportClosedError(self.reason, waiting_for, self.process)
        error.__cause__ = self.cause
        return error
