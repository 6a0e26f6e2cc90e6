"""What is left of runtimes: children of this process, and whatever carries a runtime's mark in the home of the soak."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from openai_codex._engine.transport.descendants import VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROCESSES = Path("/proc")


def zombies() -> set[int]:
    """Return children of this process that have exited and were not reaped."""
    return {pid for pid, state in _children() if state == "Z"}


def children() -> list[int]:
    """Return all children of this process."""
    return [pid for pid, _ in _children()]


def marked(home: Path) -> list[int]:
    """Return the processes that a runtime of this home is, or has started."""
    wanted = {f"CODEX_HOME={home}".encode()}
    found = []
    for pid in _pids():
        with suppress(OSError):  # it went away in between, or belongs to somebody else
            variables = (_PROCESSES / str(pid) / "environ").read_bytes().split(b"\0")
            if wanted <= set(variables) and any(each.startswith(f"{VARIABLE}=".encode()) for each in variables):
                found.append(pid)
    return found


def kill(home: Path) -> None:
    """End what `marked` returns: the way out of a run that hangs."""
    for pid in marked(home):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _children() -> Iterator[tuple[int, str]]:
    for pid in _pids():
        with suppress(OSError):
            # The name in brackets may hold anything; behind it come the state and the parent.
            state, parent = (_PROCESSES / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()[:2]
            if int(parent) == os.getpid():
                yield pid, state


def _pids() -> list[int]:
    return [int(entry.name) for entry in _PROCESSES.iterdir() if entry.name.isdigit()]
