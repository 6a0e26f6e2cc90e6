"""Functions that trace: those of tests, and that of `make cover`, which they must not end."""

from __future__ import annotations

import _thread
import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any


@contextlib.contextmanager
def traced_by(function: Callable[..., Any]) -> Iterator[None]:
    """Trace this thread by a function for the time of a block, and then as before: also if the function raises."""
    before = sys.gettrace()
    sys.settrace(function)
    try:
        yield
    finally:
        sys.settrace(before)


def measure_all_threads() -> None:
    """Let coverage trace the threads that are started below `threading`, too. Without coverage, do nothing."""
    if threading.gettrace() is None:
        return
    start = _thread.start_new_thread

    def start_traced(function: Callable[..., object], arguments: tuple[Any, ...]) -> int:
        def run() -> None:
            sys.settrace(threading.gettrace())
            function(*arguments)

        return start(run, ())

    _thread.start_new_thread = start_traced
