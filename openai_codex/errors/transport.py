"""Errors of the connection to the runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from openai_codex._runtime.process_info import ProcessFacts
from openai_codex.errors.base import CodexError

if TYPE_CHECKING:
    from openai_codex._turns.results import RunResult


class TransportError(CodexError):
    """The connection to the runtime failed."""


@attrs.define(slots=False, eq=False, repr=False)
class LaunchError(TransportError):
    """The runtime did not come up: it is missing, cannot be executed, exited, or did not answer in time."""

    reason: str
    """What happened, with the path or the deadline it happened to."""
    process: ProcessFacts = attrs.Factory(ProcessFacts)
    """The command, the exit code and the last stderr lines."""

    def __str__(self) -> str:
        return f"codex runtime did not start: {self.reason}\n{self.process.describe()}"


@attrs.define(slots=False, eq=False, repr=False)
class TransportClosedError(TransportError):
    """The runtime is gone or the client was closed: this call, and every later one, cannot be answered."""

    reason: str
    """Why the connection ended."""
    waiting_for: str | None = None
    """What this caller was waiting for: a method name, or the events of a turn."""
    process: ProcessFacts = attrs.Factory(ProcessFacts)
    """The command, the exit code or signal, and the last stderr lines."""
    result: RunResult | None = None
    """What a turn had produced until then, if this caller was waiting for one; how it would have ended nobody knows."""

    def __str__(self) -> str:
        waiting = f" while waiting for {self.waiting_for}" if self.waiting_for else ""
        details = f"\n{self.process.describe()}" if self.process.command else ""
        return f"connection to the codex runtime closed{waiting}: {self.reason}{details}"


@attrs.define(slots=False, eq=False, repr=False)
class ThreadLostError(TransportError):
    """The runtime died and was started anew, and a thread could not be resumed: usually it was ephemeral or had no turn."""

    thread_id: str
    generation: int
    """Which start of the runtime refused to resume it; the first is 1."""
    reason: str = ""
    """The runtime's own words."""

    def __str__(self) -> str:
        return f"thread {self.thread_id} could not be resumed in start {self.generation} of the runtime: {self.reason}"
