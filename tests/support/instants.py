"""Runs code of the program at chosen instants of a call into the package, as a signal handler or a finalizer would.

CPython runs signal handlers on the main thread when a Python function begins, after a call of a C function, and at a jump
backward. So an instant is the step of the package's code that follows one of these.
"""

from __future__ import annotations

import contextlib
import dis
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import openai_codex
from tests.support.traces import traced_by

_PACKAGE = str(Path(openai_codex.__file__).parent)
_BACKWARD = {number for name, number in dis.opmap.items() if name.startswith("JUMP_") and "FORWARD" not in name}
_CALLS = {number for name, number in dis.opmap.items() if name.startswith("CALL")}


class Instants:
    """Counts the instants of the code that runs while it is traced; acts at the one with the given number.

    The action runs within the interrupted code, on its thread; what it raises comes out there.
    """

    def __init__(self, at: int, action: Callable[[], object]) -> None:
        self.count = 0
        self.where = ""
        """Where the action ran; empty if there was no such instant."""
        self.was_struck = False
        """Whether the work ended with what the action raised."""
        self._at = at
        self._action = action
        self._last: dict[FrameType, int] = {}

    @contextlib.contextmanager
    def traced(self) -> Iterator[Instants]:
        """Trace this thread for the time of a block."""
        try:
            with traced_by(self._trace):
                yield self
        finally:
            self._last.clear()

    def _trace(self, frame: FrameType, event: str, _: Any) -> Any:
        if event == "call":
            if not frame.f_code.co_filename.startswith(_PACKAGE):
                return None
            # A call of a Python function: the caller checks no signals after it.
            if frame.f_back is not None:
                self._last.pop(frame.f_back, None)
            frame.f_trace_opcodes = True
            self._reach(frame)
        elif event == "opcode":
            if self._last.pop(frame, None) is not None:
                self._reach(frame)
            operation = frame.f_code.co_code[frame.f_lasti]
            if operation in _CALLS or operation in _BACKWARD:
                self._last[frame] = operation
        elif event == "return":
            self._last.pop(frame, None)
        return self._trace

    def _reach(self, frame: FrameType) -> None:
        self.count += 1
        if self.count == self._at:
            self.where = f"{frame.f_code.co_filename.removeprefix(_PACKAGE)}:{frame.f_lineno} {frame.f_code.co_name}"
            sys.settrace(None)
            self._action()
