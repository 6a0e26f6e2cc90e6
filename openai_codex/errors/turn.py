"""How a turn may end badly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from openai_codex.errors.base import CodexError

if TYPE_CHECKING:
    from openai_codex._protocol import CodexErrorInfo
    from openai_codex._turns.results import RunResult


@attrs.define(slots=False, eq=False, repr=False)
class TurnFailedError(CodexError, RuntimeError):
    """The turn ended with status ``failed``. The thread stays usable: the next turn starts afresh."""

    message: str
    """The model's or the provider's own words."""
    result: RunResult
    """What the turn produced before it failed."""
    codex_error_info: CodexErrorInfo | None = None
    """The kind of failure, typed, if the runtime named one."""
    additional_details: str | None = None
    """More words from the runtime, if there are any."""
    resets_at: int | None = None
    """When a usage limit that was hit is lifted, in seconds since the epoch, if the runtime has said so."""

    @property
    def thread_id(self) -> str:
        """The thread of the failed turn."""
        return self.result.thread_id

    @property
    def turn_id(self) -> str:
        """The failed turn."""
        return self.result.id

    def __str__(self) -> str:
        return self.message
