"""The runtime as a child process: start it, read and write its pipes, keep its last stderr lines, end and reap it.

It also ends what a killed runtime left running: the commands of its threads, each in a session of its own.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from openai_codex._engine.transport.input import InputPipe
from openai_codex._engine.transport.output import OutputPipe
from openai_codex._engine.transport.spawn import Start, end
from openai_codex._engine.transport.stderr import Stderr
from openai_codex.errors import LaunchError, ProcessInfo

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator, Mapping

MARK_VARIABLE = "OPENAI_CODEX_RUNTIME"
"""The environment variable that identifies a runtime to this package; every process that it starts inherits it."""

# The interval of polls for an expected exit, and how long a killed child may take to exit, in seconds.
_EXIT_POLL = 0.005
_REAP_TIMEOUT = 2.0

# How long the stderr thread may take to read the rest after the exit, in seconds.
_DRAIN_TIMEOUT = 1.0

_PROCESSES = Path("/proc")

_POSIX = os.name == "posix"


class ChildProcess:
    """One child process and its three pipes: the `Transport` of a local runtime.

    stdout is read by the caller of `read` (the reader thread) and stdin is written without blocking. A thread of its
    own drains stderr; it knows only `Stderr`, so that a child whose owner was lost is not kept alive by it: its pipes
    are closed then, and it exits. The pipes are unbuffered: a buffer has a lock, which a fork could inherit while a thread
    that the fork lacks holds it.
    """

    is_lost = False

    def __init__(
        self,
        command: tuple[str, ...],
        cwd: str | None,
        env: Mapping[str, str] | None,
        keep: Callable[[ChildProcess], object] = bool,
    ) -> None:
        """Start the child. ``keep`` stores this object, whose owner ends the child from then on; before, the start does."""
        self._command = command
        self._mark = os.urandom(8).hex()
        self._owner = os.getpid()
        self._exit_code: int | None = None
        start = Start(self._close_pipes)
        try:
            environment = {**(os.environ if env is None else env), MARK_VARIABLE: self._mark}
            self._child = start.process(command, cwd, environment, sys._getframe())  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  no other way
            self._attach()
            keep(self)
            start.adopt()
        except LaunchError:
            raise
        except BaseException:  # no thread is left, or a signal handler raised: without an owner the child must not stay
            start.discard()
            raise

    def _attach(self) -> None:
        self._pid = self._child.pid
        self.name: str = str(self._pid)
        self._stdin = InputPipe(_pipe(self._child.stdin))
        self._stdout = OutputPipe(_pipe(self._child.stdout), self._pid)
        self._stdout.widen()  # stderr stays as it is: all pipes of a user share what the system allows
        self._stderr = Stderr(OutputPipe(_pipe(self._child.stderr), self._pid), self._pid)
        # Not by methods of this class: each request calls both.
        self.short: Callable[[], int] = self._stdin.short
        self.write_short: Callable[[bytes], int | None] = self._stdin.write_short
        self._drain = threading.Thread(target=self._stderr.drain, name=f"codex-stderr-{self.name}", daemon=True)
        self._drain.start()

    def discard(self) -> None:
        """Kill and reap a child that no reader owns. Idempotent."""
        end(self._child, self._close_pipes)

    def _close_pipes(self, child: subprocess.Popen[bytes]) -> None:
        """Close what there is of the pipes of a child that has exited."""
        pipes: list[IO[bytes] | OutputPipe | None] = [child.stdin, getattr(self, "_stdout", child.stdout)]
        stderr: Stderr | None = getattr(self, "_stderr", None)
        if stderr is None:
            pipes.append(child.stderr)
        elif stderr.right.take():  # else its thread was started, and closes it
            pipes.append(stderr.pipe)
        for pipe in pipes:
            if pipe is not None:
                pipe.close()

    # -- pipes -------------------------------------------------------------------------------------------------------

    def read(self, timeout: float) -> bytes | None:
        """Return what stdout has; empty at its end; ``None`` after ``timeout`` seconds of silence."""
        return self._stdout.read(timeout)

    def try_write(self, data: bytes | memoryview) -> int:
        """Write what fits into stdin now; return how many bytes that was. Raises `OSError` when the pipe is broken."""
        return self._stdin.try_write(data)

    def wait_writable(self, timeout: float) -> bool:
        """Wait until stdin has room or is broken, at most ``timeout`` seconds; return whether it is."""
        return self._stdin.wait_writable(timeout)

    def close_input(self) -> None:
        """Close stdin: the runtime finishes and exits then."""
        with suppress(OSError):  # the child is gone, and so is its pipe
            self._stdin.close()

    # -- the end -----------------------------------------------------------------------------------------------------

    def has_exited(self) -> bool:
        """Return whether the child has exited, without reaping it: until it is reaped, its pid is not used again."""
        if self._child.returncode is not None:
            return True
        if not hasattr(os, "waitid"):  # Windows, and macOS before Python 3.13
            self._exit_code = self._child.poll()
            return self._exit_code is not None
        try:
            status = os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:  # the program ignores SIGCHLD or reaps all children, so the exit code is lost
            return self._child.poll() is not None  # sets a returncode of 0, which says nothing
        if status is None:
            return False
        # Read here and not from `wait`, which finds 0 if the program reaps the child in between.
        self._exit_code = status.si_status if status.si_code == os.CLD_EXITED else -status.si_status
        return True

    def terminate(self) -> None:
        """Send SIGTERM to the child and its process group."""
        self._signal_group(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL to the child and its process group."""
        self._signal_group(signal.SIGKILL if _POSIX else signal.SIGTERM)

    def end(self, timeout: float) -> int | None:
        """Wait for the exit, at most ``timeout`` seconds, kill the rest of the process group, and reap the child.

        Returns the exit code, ``None`` if it is unknown. Called by the reader only: nothing else of this package reaps.
        """
        try:
            self._await_exit(timeout)
            self.kill()
            self._await_exit(_REAP_TIMEOUT)
            self._child.poll()
            return self._exit_code
        finally:
            # The last lines on stderr usually say why the child ended.
            self._drain.join(_DRAIN_TIMEOUT)
            self._stdout.close()

    def release(self) -> None:
        """End what the child started and could not end itself: after an orderly exit there is nothing."""
        if self._exit_code != 0:
            self._kill_marked()

    def _kill_marked(self) -> None:
        for descriptor in find_marked(self._mark):
            with suppress(ProcessLookupError, PermissionError):
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)

    def after_fork(self) -> None:
        """Close the pipes of this fork: the runtime would not notice when the parent closes its own."""
        for pipe in (self._stdin, self._stdout, self._stderr.pipe):
            with suppress(OSError):
                pipe.close()

    # -- state -------------------------------------------------------------------------------------------------------

    def process_info(self) -> ProcessInfo:
        """Return what an error should say about this process."""
        is_reaped = self._child.returncode is not None
        code = self._exit_code if is_reaped else None
        return ProcessInfo(
            self._command, self._pid, code, self._stderr.lines(), exit_code_lost=is_reaped and code is None
        )

    def rss(self) -> int | None:
        """Return how much of the child's memory is in RAM, in bytes; ``None`` where the system does not say."""
        try:
            pages = (_PROCESSES / self.name / "statm").read_text().split()[1]
        except OSError:
            return None
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def _await_exit(self, timeout: float) -> None:
        until = time.monotonic() + timeout
        while not self.has_exited() and time.monotonic() < until:
            time.sleep(_EXIT_POLL)

    def _signal_group(self, number: signal.Signals) -> None:
        # Never signal a group whose leader was reaped: the system may have given its number to another one. Nor from a
        # fork, which does not own the child.
        if self._child.returncode is not None or os.getpid() != self._owner:
            return
        with suppress(ProcessLookupError, PermissionError):  # it exited in the meantime
            if _POSIX:
                os.killpg(self._pid, number)
            else:
                self._child.send_signal(number)


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None, "all three pipes were requested"
    return pipe


def find_marked(mark: str) -> Iterator[int]:
    """Yield descriptors of the living processes that inherited a runtime's mark (Linux); each is valid until the next.

    A descriptor instead of a number, as the number may belong to another process a moment later.
    """
    if not hasattr(os, "pidfd_open") or not _PROCESSES.is_dir():
        return
    wanted = f"{MARK_VARIABLE}={mark}".encode()
    for entry in [entry for entry in _PROCESSES.iterdir() if entry.name.isdigit()]:
        with suppress(OSError):  # it exited in the meantime, or belongs to another user
            descriptor = os.pidfd_open(int(entry.name))
            try:
                if wanted in (entry / "environ").read_bytes().split(b"\0"):
                    yield descriptor
            finally:
                os.close(descriptor)
