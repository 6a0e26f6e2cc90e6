"""What is known about a runtime process, for the errors that it causes."""

from __future__ import annotations

import signal

import attrs


@attrs.frozen
class ProcessFacts:
    """What is known about a runtime process: attached to every error that a process caused."""

    command: tuple[str, ...] = ()
    """The command line it was started with."""
    pid: int | None = None
    """Its process id; ``None`` if it never started."""
    exit_code: int | None = None
    """Its exit status; negative for a signal (``-9``: SIGKILL), ``None`` while it lives or if it is not known."""
    stderr_tail: tuple[str, ...] = ()
    """The last lines it wrote to stderr, oldest first."""

    def describe(self) -> str:
        """One line with the command and how it ended, then the stderr lines, indented."""
        ended = "" if self.exit_code is None else f", {_describe_exit(self.exit_code)}"
        head = f"command: {' '.join(self.command)} (pid {self.pid}{ended})"
        return "\n".join((head, *(f"  stderr: {line}" for line in self.stderr_tail)))


def _describe_exit(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"
