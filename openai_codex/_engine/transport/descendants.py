"""What a killed runtime has left running: the commands of its threads, each in a session of its own.

They are known by a variable that the runtime was started with and that every command inherits. Linux only, where a
process can be looked at; it finds and does not end them. A runtime that ends in order ends them itself.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIABLE = "OPENAI_CODEX_RUNTIME"
"""Names the runtime to all that it starts."""

_PROCESSES = Path("/proc")


def new_mark() -> str:
    """Return a value of the variable that no other runtime has."""
    return os.urandom(8).hex()


def find(mark: str) -> Iterator[int]:
    """Yield file descriptors of the living processes with this mark; each is good until the next is asked for.

    A descriptor, and no number, as a number may belong to another process a moment later.
    """
    wanted = f"{VARIABLE}={mark}".encode()
    for entry in _entries():
        with suppress(OSError):  # it went away in between, or belongs to somebody else
            descriptor = os.pidfd_open(int(entry))
            try:
                if wanted in (_PROCESSES / entry / "environ").read_bytes().split(b"\0"):
                    yield descriptor
            finally:
                os.close(descriptor)


def _entries() -> list[str]:
    if not hasattr(os, "pidfd_open") or not _PROCESSES.is_dir():
        return []
    return [entry.name for entry in _PROCESSES.iterdir() if entry.name.isdigit()]
