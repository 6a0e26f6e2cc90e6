"""What a supervised client tells of its runtime on `events`: that it has died, that another is there."""

from __future__ import annotations

from typing import ClassVar

import attrs

from openai_codex._notification import Notification
from openai_codex._protocol import ServerNotification


@attrs.define(eq=False, repr=False, kw_only=True)
class RuntimeExited(ServerNotification):
    """The runtime is gone; the next operation starts another (`AppServerConfig.restart`)."""

    METHOD: ClassVar[str] = "client/runtimeExited"

    generation: int
    """Which start of the runtime it was; the first is 1."""
    pid: int | None
    reason: str
    exit_code: int | None
    """Its exit status; negative for a signal, ``None`` if it is not known."""


@attrs.define(eq=False, repr=False, kw_only=True)
class RuntimeStarted(ServerNotification):
    """A runtime has come up in place of one that has died; threads are resumed as their handles are used."""

    METHOD: ClassVar[str] = "client/runtimeStarted"

    generation: int
    """Which start of the runtime it is."""
    pid: int


def notification(payload: RuntimeExited | RuntimeStarted) -> Notification:
    """Put a payload of this package into the envelope that those of the runtime come in."""
    facts = {field.name: getattr(payload, field.name) for field in attrs.fields(type(payload)) if field.name != "raw"}
    return Notification.made(payload, facts)
