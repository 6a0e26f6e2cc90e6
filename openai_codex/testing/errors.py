"""What goes wrong in a test's script, as opposed to in the program under test."""

from __future__ import annotations

import attrs

from openai_codex.errors import CodexError, CodexTimeoutError

_error = attrs.define(slots=False, eq=False, repr=False)


@_error
class ScriptError(CodexError, AssertionError):
    """The script of a test and what happened do not fit: unused replies, an unexpected request, a reply that cannot be.

    It is also an `AssertionError`, so a test runner reports it as a failed test.
    """

    problems: tuple[str, ...]
    """What does not fit, one line each."""

    def __str__(self) -> str:
        return "\n".join(self.problems)


@_error
class WaitTimeoutError(CodexTimeoutError):
    """Something that a test waited for did not happen in time."""

    what: str
    """What was waited for."""
    timeout: float
    """The deadline that passed, in seconds."""
    seen: str
    """What had happened by then."""

    def __str__(self) -> str:
        return f"no {self.what} within {self.timeout:g} s (seen: {self.seen})"
