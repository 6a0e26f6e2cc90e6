"""The root of the error tree, and the errors about values.

All of the tree is made without slots and without equality: an exception is compared by identity, and pickle rebuilds it
from ``args``, its field values.
"""

from __future__ import annotations

from typing import Any

import attrs


class CodexError(Exception):
    """Base of every error that this package raises. Its ``repr`` is made of its text: ``args`` may hold payloads."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"


@attrs.define(slots=False, eq=False, repr=False)
class ConfigError(CodexError, ValueError):
    """A setting or an argument cannot work; nothing was sent and no process was started."""

    what: str
    """The name of the setting or argument."""
    reason: str
    """Why it cannot work."""

    def __str__(self) -> str:
        return f"{self.what}: {self.reason}"


@attrs.define(slots=False, eq=False, repr=False)
class DecodeError(CodexError, ValueError):
    """A payload does not fit its type. The connection and all other callers are unaffected."""

    type_name: str
    """The protocol type that was expected."""
    problems: tuple[str, ...]
    """What does not fit and where, one line each; values are left out."""
    raw: Any = None
    """The payload as it arrived, decoded JSON."""

    def __str__(self) -> str:
        return f"payload is no {self.type_name}: {'; '.join(self.problems)}"


@attrs.define(slots=False, eq=False, repr=False)
class OutputError(CodexError, ValueError):
    """The answer of a turn does not fit the type that was asked for. The turn itself is done."""

    type_name: str
    """The type that was asked for."""
    text: str
    """The answer as it came; empty if there was none."""
    problems: tuple[str, ...]
    """What does not fit and where, one line each; values are left out."""

    def __str__(self) -> str:
        return f"answer is no {self.type_name}: {'; '.join(self.problems)}"
