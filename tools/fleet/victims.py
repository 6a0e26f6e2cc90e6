"""The processes below a program, by what they are. It reads /proc."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")


def below(root: int) -> dict[int, str]:
    """Return the descendants of a process that still run: id → ``runtime``, ``worker`` or ``other``."""
    parents: dict[int, int] = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if fields[0] not in "ZX":
                    parents[int(entry.name)] = int(fields[1])
    found, ahead = dict[int, str](), [root]
    while ahead:
        parent = ahead.pop()
        children = [pid for pid, its in parents.items() if its == parent]
        found |= {pid: kind_of(pid) for pid in children}
        ahead += children
    return found


def kind_of(pid: int) -> str:
    """Return what a process is, by its command line."""
    with suppress(OSError):
        command = (PROC / str(pid) / "cmdline").read_bytes().split(b"\0")
        if b"app-server" in command:
            return "runtime"
        if any(b"spawn_main" in part for part in command):
            return "worker"
    return "other"


def kill(pid: int) -> None:
    """End a process, if it is still there."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
