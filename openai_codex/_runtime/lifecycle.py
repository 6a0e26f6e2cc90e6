"""The notifications that a supervised client itself publishes on `events`: its runtime exited, another one started."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import attrs

from openai_codex._notification import Notification
from openai_codex._protocol import ServerNotification

if TYPE_CHECKING:
    from openai_codex.errors import ProcessInfo


@attrs.define(eq=False, repr=False, kw_only=True)
class RuntimeExited(ServerNotification):
    """The runtime ended; the next operation starts another one (`AppServerConfig.restart`)."""

    METHOD: ClassVar[str] = "client/runtimeExited"

    generation: int
    """Which runtime of the client it was, counted from 1."""
    pid: int | None
    reason: str
    exit_code: int | None
    """Its exit status; negative for a signal, ``None`` if unknown."""


@attrs.define(eq=False, repr=False, kw_only=True)
class RuntimeStarted(ServerNotification):
    """A runtime started in place of one that ended; threads are resumed when their handles are used."""

    METHOD: ClassVar[str] = "client/runtimeStarted"

    generation: int
    """Which runtime of the client it is, counted from 1."""
    pid: int


def runtime_exited(reason: str, process: ProcessInfo, generation: int) -> Notification:
    """Build the notification that a runtime ended, for subscriptions that continue with the next one."""
    exited = RuntimeExited(generation=generation, pid=process.pid, reason=reason, exit_code=process.exit_code)
    return notification(exited)


def notification(payload: RuntimeExited | RuntimeStarted) -> Notification:
    """Put a payload of this package into the envelope that the runtime's payloads come in."""
    params = {field.name: getattr(payload, field.name) for field in attrs.fields(type(payload)) if field.name != "raw"}
    return Notification.made(payload, params)
