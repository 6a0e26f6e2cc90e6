"""Writing to streams that may be a terminal, closed, or a pipe without a reader; errors as one sentence.

What comes from the runtime or the model reaches a terminal without control characters: they could move its cursor, change
its title, or forge lines of this program.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from typing import TYPE_CHECKING, TextIO

from openai_codex._journal.commands import places as command_places
from openai_codex._log import ATTRIBUTE, ROOT
from openai_codex._runtime.display import escape, escape_controls, hide
from openai_codex._runtime.display import masked as masked_at
from openai_codex._runtime.settings_secrets import secrets_of_arguments
from openai_codex.errors import CodexError

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Self


MASK = "***"

_ESCAPE = "backslashreplace"


def clean(text: str) -> str:
    """Return a text of several lines with each control character but line ends and tabs as an escape."""
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join("\t".join(map(escape_controls, line.split("\t"))) for line in lines)


def shown(text: str) -> str:
    """Return what `clean` does, without the secrets that this program has passed, and without what looks like one."""
    return clean(hide(text))


def masked(text: str) -> str:
    """Return what `shown` does of a command or a patch, also without what an option or a key before it says is secret."""
    text = masked_at(text, command_places(text))
    secrets = {*secrets_of_arguments([text]), *secrets_of_arguments(text.split())}
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", MASK, text)
    return shown(text)


def is_terminal(stream: TextIO) -> bool:
    """Return whether a stream is a terminal; a closed one is none."""
    return not stream.closed and stream.isatty()


def prepare_streams() -> None:
    """Make the standard streams usable: each exists, and takes any text."""
    # The model may write what the encoding of the terminal does not have, and a prompt may hold bytes that are no text.
    for name, mode, errors in (("stdin", "r", "replace"), ("stdout", "w", _ESCAPE), ("stderr", "w", _ESCAPE)):
        stream = getattr(sys, name)
        if stream is None:  # the program was started with it closed
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115  as long as the process
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=errors)


def write_answer(text: str) -> None:
    """Write the final answer to stdout: exactly, unless that is a terminal."""
    sys.stdout.write(clean(text) if is_terminal(sys.stdout) else text)
    if not text.endswith("\n"):
        sys.stdout.write("\n")
    sys.stdout.flush()


def write_line(text: str) -> None:
    """Write a line, or several, to stderr in one piece; they may come from several Python threads."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def discard_output() -> None:
    """Leave nothing to be written at the exit, after a pipe has broken: that would fail again, with a traceback."""
    null = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            os.dup2(null, stream.fileno())
    os.close(null)


def sentence(error: CodexError) -> str:
    """Return what an error says in one line, with the telling line of the runtime's stderr if it has one."""
    head, *details = str(error).splitlines() or [type(error).__name__]
    lines = [line.removeprefix("  stderr: ").strip() for line in details if line.startswith("  stderr: ")]
    telling = [line for line in lines if "error" in line.lower()] or [line for line in reversed(lines) if line]
    return f"{head}: {telling[0]}" if telling else head


# What these tell, the error or the summary of the turn tells, too.
_TOLD = frozenset(
    {
        "codex.agent_completed",
        "codex.process_exited",
        "codex.runtime_frozen",
        "codex.server_request_declined",
        "codex.turn_abandoned",
        "codex.turn_failed",
        "codex.turn_lost",
    }
)


class Warnings(logging.Handler):
    """Hands each warning in the log of this package to a function, as one line. It may be called on any thread."""

    def __init__(self, write: Callable[[str], object]) -> None:
        super().__init__(logging.WARNING)
        self._write = write

    def emit(self, record: logging.LogRecord) -> None:
        """Hand it on. What the function raises, such as a broken pipe, ends here."""
        fields = dict(getattr(record, ATTRIBUTE, {}))
        event = str(fields.pop("event", record.getMessage()))
        if event in _TOLD:
            return
        told = fields.get("message") or ", ".join(
            f"{key} {value}" for key, value in fields.items() if value is not None
        )
        try:
            self._write(f"warning: {_readable(event)}{escape(str(told))}")
        except Exception:  # noqa: BLE001  the standard way for handlers, which would print a traceback
            return

    def __enter__(self) -> Self:
        logging.getLogger(ROOT).addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger(ROOT).removeHandler(self)


def _readable(event: str) -> str:
    """Return the name of a log event as words; what the runtime warns of speaks for itself."""
    return "" if event == "codex.runtime_warning" else f"{event.removeprefix('codex.').replace('_', ' ')}: "
