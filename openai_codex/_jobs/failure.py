"""The error of a job that no other error of this package describes. It knows no job."""

from __future__ import annotations

from typing import Any

import attrs

from openai_codex.errors._base import CodexError, error_class


@error_class
class JobError(CodexError):
    """A job failed for a reason of its own, or with an error that only its text is left of: `JobResult.from_dict` has it.

    Attributes:
        kind: What failed: ``callback``, ``state``, ``worktree`` (it cannot be made: ``facts`` has the ``repo``, and what git
            was called with and said), ``worker`` (its process died too often), ``lost`` (it may have been sent, and cannot be looked up), ``raised`` (an error that is not one of this package);
            or the name of the class whose text this is, for instance ``TurnFailedError``.
        reason: What happened.
        facts: The attributes of the original error as plain JSON values, as far as they are short.
    """

    kind: str
    reason: str
    facts: dict[str, Any] = attrs.Factory(dict[str, Any])

    def _text(self) -> str:
        return self.reason
