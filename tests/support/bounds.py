"""Bounds of time, and of what is left behind: every fault is over in time and leaves no thread, file or process."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from openai_codex._engine.waiting import Deadline

PROC = Path("/proc")

PATIENCE = 60.0
"""How long a test waits for what has to happen, in seconds: longer than a loaded machine may take."""

STARTED = 4.0
"""A deadline for what has to start or be sent before it passes, in seconds: longer than a loaded machine may stand still."""

SOON = 20.0
"""How long what is bounded may take, in seconds: shorter than `PATIENCE`, and than a client starts or waits for a reply."""


def eventually(condition: Callable[[], object], patience: float = PATIENCE) -> bool:
    """Block until a condition holds. Return whether it does within ``patience`` seconds."""
    deadline = Deadline(patience)
    while not condition():
        if deadline.passed():
            return False
        threading.Event().wait(0.01)
    return True


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """Fail if it takes longer."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


@contextlib.contextmanager
def nothing_left(patience: float = PATIENCE) -> Iterator[None]:
    """Fail if something of a client is there at the end, and still after ``patience`` seconds, that was not before."""
    before = remains()
    yield
    assert eventually(lambda: not remains() - before, patience), remains() - before


def remains() -> Counter[str]:
    """Everything of this process that a client can leave: its threads, descriptors, and children, zombies included."""
    return Counter([*_threads(), *_descriptors(), *_children()])


def _threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("codex-")]


def _descriptors() -> Iterator[str]:
    """Name what is open, but for sockets: a client has none, and those of the kit's servers come and go."""
    for entry in (PROC / "self/fd").iterdir():
        with contextlib.suppress(OSError):  # closed in between, like the one of this very list
            target = str(entry.readlink())
            if not target.startswith("socket:"):
                yield target


def _children() -> Iterator[str]:
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):  # gone in between
                name, _, rest = (entry / "stat").read_text().rpartition(")")
                if int(rest.split()[1]) == os.getpid():
                    yield f"process {name})"


def stop_process(pid: int) -> None:
    """Stop a process as a debugger does, and wait until all of its threads are stopped: they go on for a moment."""
    os.kill(pid, signal.SIGSTOP)
    assert eventually(lambda: all(state == "T" for state in _states(pid)))


def _states(pid: int) -> Iterator[str]:
    for entry in (PROC / str(pid) / "task").iterdir():
        with contextlib.suppress(OSError):  # a thread that has ended in between
            yield (entry / "stat").read_text().rpartition(")")[2].split()[0]
