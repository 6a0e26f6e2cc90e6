"""What is known about a runtime process, for the errors that it causes."""

from __future__ import annotations

import signal
from typing import TypeAlias

import attrs

from openai_codex._codec.deferred import frozen
from openai_codex._runtime.display import escape, hide
from openai_codex._runtime.settings_secrets import mask_all


def _hidden(lines: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(hide, lines))


@frozen
class ProcessInfo:
    """What is known about a runtime process; part of every error that a process caused.

    Attributes:
        command: The command line it was started with. ``repr`` and `describe` mask secrets in it.
        pid: Its process id; ``None`` if it never started.
        exit_code: Its exit status; negative for a signal (``-9``: SIGKILL), ``None`` while it runs or if unknown.
        stderr_tail: The last lines it wrote to stderr, oldest first, without the secrets that the program passed.
        exit_code_lost: Whether it has ended and its exit status is unknown, because the program ignores SIGCHLD or
            waited for the process itself.
        endpoint: Where the runtime listens that was started elsewhere (`AppServerConfig.endpoint`); ``None`` for a process
            of the client.
    """

    command: tuple[str, ...] = attrs.field(default=(), repr=lambda command: repr(mask_all(command)))
    pid: int | None = None
    exit_code: int | None = None
    stderr_tail: tuple[str, ...] = attrs.field(default=(), converter=_hidden)
    exit_code_lost: bool = False
    endpoint: str | None = None

    @property
    def path(self) -> str | None:
        """The program that was started; ``None`` if none was."""
        return self.command[0] if self.command else None

    def describe(self) -> str:
        """Return one line with the command and how it ended, then the stderr lines, indented.

        Secrets in the command are masked, and control characters are escaped.
        """
        pid = "not started" if self.pid is None else f"pid {self.pid}"
        ended = f", {_LOST}" if self.exit_code_lost else ""
        if self.exit_code is not None:
            ended = f", {_describe_exit(self.exit_code)}"
        head = f"command: {escape(' '.join(mask_all(self.command)))} ({pid}{ended})"
        return "\n".join((head, *(f"  stderr: {escape(line)}" for line in self.stderr_tail)))


ProcessFacts: TypeAlias = ProcessInfo
"""The former name of `ProcessInfo`."""


_LOST = "exit code unknown: this program ignores SIGCHLD or waited for the process itself"


def _describe_exit(code: int) -> str:
    name = signal_name(code)
    return f"exit code {code}" if name is None else f"killed by {name}"


def signal_name(exit_code: int | None) -> str | None:
    """Return the name of the signal that ended a process; ``None`` if none did, or if that is unknown."""
    if exit_code is None or exit_code >= 0:
        return None
    try:
        return signal.Signals(-exit_code).name
    # Most real-time signals have no name.
    except ValueError:
        return f"signal {-exit_code}"
