"""Starts a process so that no exception of a signal handler leaves one behind. It knows nothing of its pipes' contents."""

from __future__ import annotations

import _thread
import subprocess
from pathlib import Path
from typing import IO, TYPE_CHECKING

from openai_codex._engine.once import Once
from openai_codex.errors import LaunchError, ProcessInfo

if TYPE_CHECKING:
    from collections.abc import Mapping


def spawn(
    owner: list[subprocess.Popen[bytes]], command: tuple[str, ...], cwd: str | None, env: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """Start a process and add it to ``owner``, which has it whatever happens to the caller.

    On a thread of its own, which no signal handler interrupts: between the start of a process and the note of its number
    an exception would leave one that nobody knows. If the caller has left meanwhile, the thread ends the process. Raises
    `LaunchError`, and `RuntimeError` where the system gives no more threads.
    """
    right, is_done = Once(), _thread.allocate_lock()
    failures: list[BaseException] = []
    is_done.acquire()

    def start() -> None:
        try:
            process = _popen(command, cwd, env)
            owner.append(process)
            if not right.take():
                end(process, process.stdin, process.stdout, process.stderr)
        except BaseException as error:  # noqa: BLE001  the caller raises it
            failures.append(error)
        finally:
            is_done.release()

    try:
        _thread.start_new_thread(start, ())
        is_done.acquire()
    finally:
        right.take()
    if failures:
        raise _launch_error(failures[0], command, cwd) from failures[0]
    return owner[0]


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
        return LaunchError(f"{command[0]}{where}: {error.strerror}", ProcessInfo(command))
    if isinstance(error, (TypeError, ValueError)):
        # Values that no system call accepts, such as a null byte; the configuration refuses only what it can check.
        return LaunchError(f"{command[0]}: {error}", ProcessInfo(command))
    return error


def end(process: subprocess.Popen[bytes], *pipes: IO[bytes] | None) -> None:
    """Kill and reap a process that nobody uses, and close its pipes."""
    process.kill()
    process.wait()
    for pipe in pipes:
        if pipe is not None:
            pipe.close()
