"""Starts a process so that no exceptions of signal handlers leave one behind. It knows nothing of its pipes' contents."""

from __future__ import annotations

import _thread
import os
import subprocess
import sys
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from openai_codex._config import BIN_VARIABLE
from openai_codex.errors import LaunchError, ProcessInfo, RuntimeNotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType

    Close = Callable[[subprocess.Popen[bytes]], None]

# How often to look whether the caller has left without a word, in seconds.
_LOOK = 0.05


class Start:
    """The start of one process, on a thread of its own, which ends the process again unless the caller adopts it.

    No signal handler interrupts that thread. On the caller's thread an exception between the start of a process and the
    note of its number would lose the process, and a second exception would interrupt the clean-up after the first. So the
    thread does not wait for a message of the caller: it looks whether the caller's frame is still running. ``close``
    closes the pipes, after the end of the process.
    """

    def __init__(self, close: Close) -> None:
        self._close = close
        self._processes: list[subprocess.Popen[bytes]] = []
        self._failures: list[BaseException] = []
        # Queues and no locks: putting is one step, and may be repeated.
        self._done: SimpleQueue[None] = SimpleQueue()
        self._adopted: SimpleQueue[bool] = SimpleQueue()
        self._over: SimpleQueue[None] = SimpleQueue()

    def process(
        self, command: tuple[str, ...], cwd: str | None, env: Mapping[str, str], caller: FrameType
    ) -> subprocess.Popen[bytes]:
        """Start the process, for a caller that adopts it before its frame ends.

        Raises `LaunchError`, and `RuntimeError` where the system gives no more threads.
        """
        _thread.start_new_thread(self._run, (command, cwd, env, caller, _thread.get_ident()))
        self._done.get()
        if self._failures:
            failure = self._failures[0]
            made = _launch_error(failure, command, cwd)
            raise made from (None if made is failure else failure)
        return self._processes[0]

    def adopt(self) -> None:
        """Keep the process. The last step of the caller."""
        self._adopted.put(True)

    def discard(self) -> None:
        """Kill and reap the process, if there is one, and close its pipes."""
        self._adopted.put(False)
        if self._processes:
            self._over.get()
            # The exception may have come right after the adoption, in the last step of the caller: that thread is over.
            if self._processes[0].returncode is None:
                _thread.start_new_thread(self._end, ())
                self._over.get()

    def _run(
        self, command: tuple[str, ...], cwd: str | None, env: Mapping[str, str], caller: FrameType, thread: int
    ) -> None:
        try:
            self._processes.append(_popen(command, cwd, env))
        except BaseException as error:  # noqa: BLE001  the caller raises it
            self._failures.append(error)
        self._done.put(None)
        try:
            if self._processes and not self._is_adopted(caller, thread):
                end(self._processes[0], self._close)
        finally:
            self._over.put(None)

    def _end(self) -> None:
        try:
            end(self._processes[0], self._close)
        finally:
            self._over.put(None)

    def _is_adopted(self, caller: FrameType, thread: int) -> bool:
        while True:
            is_running = _runs(caller, thread)  # before the look: its last step is to adopt
            try:
                return self._adopted.get(timeout=_LOOK if is_running else 0)
            except Empty:
                if not is_running:
                    return False


def _runs(wanted: FrameType, thread: int) -> bool:
    """Return whether a frame of a thread has not ended."""
    frame = sys._current_frames().get(thread)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  it is documented
    while frame is not None and frame is not wanted:
        frame = frame.f_back
    return frame is not None


def _popen(command: tuple[str, ...], cwd: str | None, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603  the command of the configuration
        command,
        cwd=cwd,
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        # A session of its own: Ctrl-C in the terminal does not reach it, and its group can be signalled as a whole.
        start_new_session=True,
    )


def _launch_error(error: BaseException, command: tuple[str, ...], cwd: str | None) -> BaseException:
    if isinstance(error, OSError):
        where = f" in directory {cwd}" if cwd is not None and not Path(cwd).is_dir() else ""
        kind = RuntimeNotFoundError if isinstance(error, FileNotFoundError) else LaunchError
        return kind(f"{command[0]}{_origin(command[0])}{where}: {error.strerror}", ProcessInfo(command))
    if isinstance(error, (TypeError, ValueError)):
        # Values that no system call accepts, such as a null byte; the configuration refuses only what it can check.
        return LaunchError(f"{command[0]}: {error}", ProcessInfo(command))
    return error


def end(process: subprocess.Popen[bytes], close: Close) -> None:
    """Kill and reap a process that nobody uses, and close its pipes."""
    process.kill()
    process.wait()
    close(process)


def _origin(program: str) -> str:
    """Say which variable has named a program, for an error: it may be nowhere in the code of the user."""
    value = os.environ.get(BIN_VARIABLE)
    path = value and os.path.abspath(os.path.expanduser(value))  # noqa: PTH100, PTH111  see _config
    return f", named by {BIN_VARIABLE}" if path == program else ""
