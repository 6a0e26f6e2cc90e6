"""An exception of a signal handler while the runtime's process is started: it comes out, and nothing is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from openai_codex import AppServerConfig, LaunchError
from openai_codex._engine.transport import ChildProcess, RuntimeStart, child, spawn
from tests.support.bounds import PATIENCE, eventually
from tests.support.traces import traced_by

# How long a signal may take to reach its thread before it is sent again, in seconds.
_AGAIN = 0.02

TRANSPORT = str(Path(child.__file__).parent)

COMMAND = (sys.executable, "-c", "import sys; sys.stdin.read()")


class AlarmError(TimeoutError):
    """What the program's signal handler raises: of a kind that the start of a process may raise, too."""


@pytest.fixture
def alarm() -> Iterator[None]:
    raised: list[bool] = []

    def handle(_: int, __: FrameType | None) -> None:
        if not raised:
            raised.append(True)
            raise AlarmError

    before = signal.signal(signal.SIGALRM, handle)
    yield
    signal.signal(signal.SIGALRM, before)


def children() -> set[str]:
    found: set[str] = set()
    for task in Path(f"/proc/{os.getpid()}/task").iterdir():
        with suppress(OSError):  # the thread has ended
            found.update((task / "children").read_text().split())
    return found


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("is_before", [True, False])
def test_an_exception_while_a_process_is_started_leaves_none(
    alarm: None, monkeypatch: pytest.MonkeyPatch, *, is_before: bool
) -> None:
    known, open_before, has_left = children(), descriptors(), threading.Event()

    def strike() -> None:
        # Again and again: a signal that comes just before the caller begins to wait does not interrupt the wait.
        for _ in range(int(PATIENCE / _AGAIN)):
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGALRM)
            if has_left.wait(_AGAIN):
                return
        pytest.fail("the caller does not leave while the process is started")

    class Struck(subprocess.Popen[bytes]):
        def _execute_child(self, *args: Any) -> None:
            if is_before:
                strike()
            super()._execute_child(*args)  # type: ignore[misc]  # pyright: ignore  the instant is inside of it
            if not is_before:
                strike()

    monkeypatch.setattr(subprocess, "Popen", Struck)
    with pytest.raises(AlarmError):
        ChildProcess(COMMAND, None, None)
    has_left.set()
    assert eventually(lambda: children() <= known)
    assert eventually(lambda: descriptors() <= open_before)


class Strikes:
    """Raises at the executed line of the package with the given number, and again so many lines later.

    With ``at_returns``, the return of a function counts as a line.
    """

    def __init__(self, *gaps: int, at_returns: bool = False) -> None:
        self.left = list(gaps)
        self.events = {"line", "return"} if at_returns else {"line"}

    def trace(self, frame: FrameType, event: str, _: Any) -> Any:
        if not frame.f_code.co_filename.startswith(TRANSPORT):
            return None
        if event in self.events and self.left:
            self.left[0] -= 1
            if self.left[0] == 0:
                del self.left[0]
                raise AlarmError
        return self.trace

    def resume(self, frame: FrameType | None, *_: object) -> None:
        """Trace on: Python ends the tracing when a trace function raises, but not the profiling, which calls this."""
        if self.left and sys.gettrace() is None:
            sys.settrace(self.trace)
            while frame is not None:
                if frame.f_code.co_filename.startswith(TRANSPORT):
                    frame.f_trace = self.trace
                frame = frame.f_back


def start_struck(*gaps: int) -> bool:
    """Start a process while exceptions are raised at these lines; return whether the first one was."""
    strikes, started = Strikes(*gaps), None
    before = sys.gettrace()
    try:
        sys.setprofile(strikes.resume)
        sys.settrace(strikes.trace)
        started = ChildProcess(COMMAND, None, None)
    except AlarmError:
        pass
    finally:
        sys.setprofile(None)
        sys.settrace(before)
    if started is not None:
        started.discard()
    return len(strikes.left) < len(gaps)


# A descriptor whose owner was interrupted in its constructor is closed by the interpreter, which warns of that.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("second", [None, *range(1, 21)])
def test_exceptions_at_any_line_leave_no_child_descriptor_or_zombie(second: int | None) -> None:
    known, open_before, threads = children(), descriptors(), threading.active_count()
    instant = 1
    while start_struck(instant, *([] if second is None else [second])):
        instant += 1
    assert instant > 20
    assert eventually(lambda: children() <= known)
    assert eventually(lambda: descriptors() <= open_before)
    assert eventually(lambda: threading.active_count() <= threads)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_exception_at_any_step_of_a_start_leaves_no_child_without_an_owner() -> None:
    config = AppServerConfig(launch_args_override=COMMAND, otel=True)  # nothing is sent to it then
    known, instant, strikes = children(), 0, Strikes()
    while not strikes.left:
        instant += 1
        strikes, start = Strikes(instant, at_returns=True), RuntimeStart(config)
        with suppress(AlarmError), traced_by(strikes.trace):
            start.begin()
        start.end()
        assert eventually(lambda: children() <= known), instant
    assert instant > 50


@pytest.mark.parametrize("is_adopted", [True, False])
def test_an_exception_around_the_adoption_leaves_no_process(
    monkeypatch: pytest.MonkeyPatch, *, is_adopted: bool
) -> None:
    known, open_before, threads = children(), descriptors(), threading.active_count()
    adopt = spawn.Start.adopt

    def struck(self: spawn.Start) -> None:
        if is_adopted:
            adopt(self)
        raise AlarmError

    monkeypatch.setattr(spawn.Start, "adopt", struck)
    with pytest.raises(AlarmError) as caught:
        ChildProcess(COMMAND, None, None)
    assert caught.traceback, "the frames, and so all that they own, are kept until here"
    assert eventually(lambda: children() <= known)
    assert eventually(lambda: descriptors() <= open_before)
    assert eventually(lambda: threading.active_count() <= threads)


def test_a_program_that_does_not_exist_is_a_launch_error() -> None:
    known, open_before = children(), descriptors()
    with pytest.raises(LaunchError, match="No such file"):
        ChildProcess(("/nowhere/codex",), None, None)
    assert (children(), descriptors()) == (known, open_before)


def test_a_shortage_of_memory_at_a_start_is_not_its_own_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(spawn, "_popen", fail)
    with pytest.raises(MemoryError) as caught:
        ChildProcess(COMMAND, None, None)
    assert caught.value.__cause__ is None
