"""The runtime as a child process: start it, read and write its pipes, keep its last stderr lines, end and reap it."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from openai_codex._engine.transport import descendants
from openai_codex._engine.transport.output import OutputPipe
from openai_codex.errors import LaunchError, ProcessInfo

if TYPE_CHECKING:
    from collections.abc import Mapping


STDERR_BYTES = 1 << 16
STDERR_LINES = 50
STDERR_LINE_LENGTH = 2_000

# How often an exit that must be near is looked for, and how long a killed child may take to be gone, in seconds.
_EXIT_POLL = 0.005
_REAP_TIMEOUT = 2.0

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_POSIX = os.name == "posix"


class RuntimeProcess:
    """One child process and its three pipes.

    stdout is read by whoever calls `read` (the reader thread), stdin is written without blocking, stderr is drained by
    a thread of its own, which alone replaces `_tail`, the last that was written there. The pipes have no buffer and so
    no lock that a fork could inherit in the hands of a thread that it does not have.
    """

    def __init__(self, command: tuple[str, ...], cwd: str | None, env: Mapping[str, str] | None) -> None:
        self.command = command
        self._mark = descendants.new_mark()
        self._owner = os.getpid()
        self._child = _spawn(command, cwd, {**(env or {}), descendants.VARIABLE: self._mark})
        self.pid = self._child.pid
        self._stdin = _pipe(self._child.stdin)
        self._stdout = OutputPipe(_pipe(self._child.stdout), self.pid)
        self._stdout.widen()
        self._stderr = OutputPipe(_pipe(self._child.stderr), self.pid)
        self._stdin_fd = self._stdin.fileno()
        if _POSIX:
            os.set_blocking(self._stdin_fd, False)
        self._tail = b""
        self._drain = threading.Thread(target=self._drain_stderr, name=f"codex-stderr-{self.pid}", daemon=True)
        self._drain.start()

    # -- pipes -------------------------------------------------------------------------------------------------------

    def read(self, patience: float) -> bytes | None:
        """Return what stdout has, at least a byte, empty at its end; ``None`` after ``patience`` seconds without."""
        return self._stdout.read(patience)

    def try_write(self, data: bytes | memoryview) -> int:
        """Write what fits into stdin now; return how many bytes that was. Raises `OSError` when the pipe is broken."""
        try:
            return os.write(self._stdin_fd, data)
        except BlockingIOError:
            return 0

    def wait_writable(self, timeout: float) -> None:
        """Wait until stdin has room or is broken, at most ``timeout`` seconds."""
        if _POSIX:
            poll = select.poll()
            poll.register(self._stdin_fd, select.POLLOUT)
            poll.poll(timeout * 1000)

    def close_stdin(self) -> None:
        """End the child's input: how it is asked to finish and exit."""
        with suppress(OSError):  # the child is gone, and so is its pipe
            self._stdin.close()

    # -- life and death ----------------------------------------------------------------------------------------------

    def has_exited(self) -> bool:
        """Say whether the child has exited, without reaping it: until then its number belongs to nobody else."""
        if self._child.returncode is not None:
            return True
        if not hasattr(os, "waitid"):  # Windows, and macOS before Python 3.13
            return self._child.poll() is not None
        try:
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:  # the program ignores SIGCHLD or reaps by itself: how the child ended nobody learns
            return self._child.poll() is not None

    def end(self, timeout: float) -> int | None:
        """Wait for the exit, at most ``timeout`` seconds, kill what is left of the process group, and reap the child.

        Returns the exit code, ``None`` if even SIGKILL did not end it. For the reader alone: nobody else reaps.
        """
        until = time.monotonic() + timeout
        while not self.has_exited() and time.monotonic() < until:
            time.sleep(_EXIT_POLL)
        self.kill()
        try:
            return self._child.wait(_REAP_TIMEOUT)
        except subprocess.TimeoutExpired:
            return None

    def terminate(self) -> None:
        """Ask the child and its process group to end (SIGTERM)."""
        self._signal_group(signal.SIGTERM)

    def kill(self) -> None:
        """End the child and its process group (SIGKILL)."""
        self._signal_group(signal.SIGKILL if _POSIX else signal.SIGTERM)

    def release(self) -> None:
        """Give back what is left after the child has been reaped: its output pipes and the stderr thread."""
        self._drain.join(timeout=1.0)
        self._stdout.close()

    def kill_descendants(self) -> None:
        """After a death by a signal or a crash: end what the child had started and could not end any more."""
        if self._child.returncode:
            for descriptor in descendants.find(self._mark):
                with suppress(ProcessLookupError, PermissionError):
                    signal.pidfd_send_signal(descriptor, signal.SIGKILL)

    def disown(self) -> None:
        """This process is a fork of the one that started the runtime: leave it to that one, and give back the pipes."""
        for pipe in (self._stdin, self._stdout, self._stderr):
            with suppress(OSError):
                pipe.close()

    def rss(self) -> int | None:
        """Return how much of the child's memory is in RAM, in bytes; ``None`` where the system does not tell."""
        try:
            pages = Path(f"/proc/{self.pid}/statm").read_text().split()[1]
        except OSError:
            return None
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def facts(self) -> ProcessInfo:
        """Return what an error should tell about this process."""
        lines = _ANSI.sub("", self._tail.decode(errors="replace")).splitlines()[-STDERR_LINES:]
        text = tuple(line[:STDERR_LINE_LENGTH].rstrip() for line in lines)
        return ProcessInfo(self.command, self.pid, self._child.returncode, text)

    def _signal_group(self, number: signal.Signals) -> None:
        # Never signal a group whose leader was reaped: its number may belong to somebody else by now. And a fork has no
        # say in it.
        if self._child.returncode is not None or os.getpid() != self._owner:
            return
        with suppress(ProcessLookupError, PermissionError):  # it went away in between
            if _POSIX:
                os.killpg(self.pid, number)
            else:
                self._child.send_signal(number)

    def _drain_stderr(self) -> None:
        while chunk := self._stderr.read(None):
            self._tail = (self._tail + chunk)[-STDERR_BYTES:]
        self._stderr.close()


def _spawn(command: tuple[str, ...], cwd: str | None, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603  the command is the caller's own configuration
            command,
            cwd=cwd,
            env={**os.environ, **env},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            # A session of its own: Ctrl-C in the terminal does not reach it, and its group can be ended as a whole.
            start_new_session=True,
        )
    except OSError as error:
        where = f" in directory {cwd}" if cwd is not None and not Path(cwd).is_dir() else ""
        raise LaunchError(f"{command[0]}{where}: {error.strerror}", ProcessInfo(command)) from error
    except (TypeError, ValueError) as error:  # what no system call could take; the configuration catches what it can
        raise LaunchError(f"{command[0]}: {error}", ProcessInfo(command)) from error


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None, "all three pipes are asked for"
    return pipe
