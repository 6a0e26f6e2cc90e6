"""When a runtime that has died is started anew: the user's choice, and the count that it is applied to. Pure."""

from __future__ import annotations

import math
from typing import Any

import attrs

from openai_codex.errors import ConfigError


def _not_negative(_: object, attribute: attrs.Attribute[Any], value: float) -> None:
    if not isinstance(value, (int, float)) or not 0 <= value < math.inf:
        raise ConfigError(f"restart.{attribute.name}", f"expected a finite number, at least 0, got {value!r}")


def _count(_: object, attribute: attrs.Attribute[Any], value: int | None) -> None:
    if value is not None and (not isinstance(value, int) or value < 0):
        raise ConfigError(f"restart.{attribute.name}", f"expected a whole number, at least 0, or None, got {value!r}")


# Beyond so many the delay is at its longest anyway.
_MOST_DOUBLINGS = 30


@attrs.frozen(kw_only=True)
class Restart:
    """How a client goes on after the death of its runtime; all durations are seconds.

    The next operation after a death starts a new runtime, and resumes each thread whose handle is used again. Nothing
    is sent twice: who was waiting gets the error. Raises `ConfigError` when a value cannot work.
    """

    limit: int | None = attrs.field(default=5, validator=_count)
    """How many deaths and failed starts in succession are mended; after one more, the client stays closed. ``None``: any."""
    initial_delay: float = attrs.field(default=0.1, validator=_not_negative)
    """How long to wait before the first start of a succession; it doubles with each."""
    max_delay: float = attrs.field(default=10.0, validator=_not_negative)
    """The longest wait before a start."""
    settled_after: float = attrs.field(default=60.0, validator=_not_negative)
    """A runtime that has lived so long has come up well: the succession of deaths is over."""


def chosen(value: Restart | bool | None) -> Restart | None:
    """Take ``True`` for the defaults, ``False`` for no restart."""
    if value is None or isinstance(value, Restart):
        return value
    if not isinstance(value, bool):
        raise ConfigError("restart", f"expected a Restart or a bool, got {type(value).__name__}")
    return Restart() if value else None


class RestartBackoff:
    """Counts deaths in succession, for one client. Not locked: whoever starts runtimes takes turns anyway."""

    def __init__(self, policy: Restart | None) -> None:
        self._policy = policy
        self._count = 0

    @property
    def count(self) -> int:
        """How many there were in this succession."""
        return self._count

    def add(self, lifetime: float) -> None:
        """A runtime has died, or did not come up (a lifetime of 0)."""
        settled = self._policy is not None and lifetime >= self._policy.settled_after
        self._count = 1 if settled else self._count + 1

    def delay(self) -> float | None:
        """Return how long to wait before the next start, in seconds; ``None`` if there shall be none."""
        if self._policy is None or (self._policy.limit is not None and self._count > self._policy.limit):
            return None
        return (
            min(self._policy.max_delay, self._policy.initial_delay * 2 ** min(self._count - 1, _MOST_DOUBLINGS))
            if self._count
            else 0.0
        )
