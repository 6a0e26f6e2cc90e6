"""The files that one `run()` and one approval pass through: those a reader has to open to follow it.

They are measured: the sync face talks to a `FakeAppServer` while a profiler records every call. Each operation runs once
before it is recorded, so that the conversion plans built on first use do not count.
"""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openai_codex
from openai_codex import Codex
from openai_codex._sync.client.ahead import STEPS
from openai_codex.testing import FakeAppServer
from tools.figures.source import TEST_KIT

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from typing_extensions import Self

    from openai_codex.testing import FakeRequest

ROOT = Path(openai_codex.__file__).parent

# Timing decides which branch of a wait is taken, so the path is the union of this many repetitions.
REPEATS = 5

# Seconds without a call after which the threads of the client count as idle.
QUIET = 0.03


def run_path() -> set[str]:
    """Return the files on the path of `thread.run("Hi")`: a turn of three notifications, one of them a delta."""

    def play_turn(request: FakeRequest) -> None:
        request.proceed()
        server.turn.delta("Hello")
        server.turn.complete()

    with FakeAppServer() as server, Recorder() as recorder, Codex(server.config()) as codex:
        server.on("turn/start", play_turn)
        thread = codex.thread_start()
        while STEPS:  # done while a real runtime works, which this one does not
            STEPS.popleft()()
        return recorder.files_of(lambda: thread.run("Hi"))


def approval_path() -> set[str]:
    """Return the files on the path of one command approval, from the server request to the response."""

    def ask() -> None:
        server.turn.ask(
            "item/commandExecution/requestApproval", itemId="item", startedAtMs=1, command="ls", cwd="/"
        ).wait_answer()

    with (
        FakeAppServer() as server,
        Recorder() as recorder,
        Codex(server.config(), on_approval=lambda _request: True) as codex,
    ):
        codex.thread_start().turn("Hi")
        return recorder.files_of(ask)


class Recorder:
    """Records the files of the package whose functions are called, on this thread and on those started in its context.

    Calls made by the test kit do not count, since it plays the runtime.
    """

    def __init__(self) -> None:
        self._prefix = f"{ROOT}/"
        self._files: set[str] = set()
        self._calls = 0
        self._previous: tuple[Any, Any] = (None, None)

    def __enter__(self) -> Self:
        self._previous = sys.getprofile(), threading.getprofile()
        threading.setprofile(self._record)
        sys.setprofile(self._record)
        return self

    def __exit__(self, *_: object) -> None:
        here, threads = self._previous
        sys.setprofile(here)
        threading.setprofile(threads)

    def files_of(self, act: Callable[[], object]) -> set[str]:
        """Return the files that ``act`` passes through when it is not called for the first time."""
        self._do(act)
        self._files.clear()
        for _ in range(REPEATS):
            self._do(act)
        return set(self._files)

    def _do(self, act: Callable[[], object]) -> None:
        act()
        # The threads of the client may still be busy when the call returns.
        calls = -1
        while calls != self._calls:
            calls = self._calls
            time.sleep(QUIET)

    def _record(self, frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(self._prefix) and not self._is_of_test_kit(frame):
            self._calls += 1
            self._files.add(frame.f_code.co_filename.removeprefix(self._prefix))

    def _is_of_test_kit(self, frame: FrameType | None) -> bool:
        while frame is not None:
            if frame.f_code.co_filename.startswith(f"{self._prefix}{TEST_KIT}/"):
                return True
            frame = frame.f_back
        return False
