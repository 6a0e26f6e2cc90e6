"""The processes of a `FakeAppServer` as a test holds them: `FakeProcess`, and `ControlledProcess`, which takes commands.

Both know bytes and signals; what the bytes mean is decided above.
"""

from __future__ import annotations

import itertools
import signal as signals

from openai_codex._runtime.not_pickled import NotPickled
from openai_codex.testing._fake.control import Link
from openai_codex.testing._waiting import Goal, ScriptError, Watch

_STDOUT, _STDERR = 1, 2

# How long a command may take to be confirmed, in seconds: earlier output has to be written first.
_COMMAND_TIMEOUT = 10.0


class FakeProcess(NotPickled):
    """A process that belongs to a `FakeAppServer`; it lives as long as its connection to the test.

    Attributes:
        pid: Its process id.
    """

    _TO_PICKLE = "pickle its pid"

    def __init__(self, link: Link, watch: Watch) -> None:
        self.pid: int = link.pid
        self._link = link
        self._watch = watch
        self._end = Goal(f"the end of process {self.pid}", lambda: not link.is_open, lambda: "a running process")
        link.on_closed = self._on_closed

    def __repr__(self) -> str:
        return f"{type(self).__name__}(pid={self.pid}, {'alive' if self.is_alive else 'gone'})"

    @property
    def is_alive(self) -> bool:
        """Whether it is running."""
        return self._link.is_open

    def wait_gone(self, timeout: float = 10.0) -> None:
        """Block until it has ended. Raises `WaitTimeoutError` after `timeout` seconds."""
        self._watch.wait(self._end, timeout)

    async def gone(self, timeout: float = 10.0) -> None:
        """Await what `wait_gone` blocks for."""
        await self._watch.wait_async(self._end, timeout)

    def _on_closed(self) -> None:
        with self._watch.changing():
            """The link has changed; the waiters check their goals."""


class ControlledProcess(FakeProcess):
    """A process that carries out commands in the order of the calls."""

    def __init__(self, link: Link, watch: Watch) -> None:
        super().__init__(link, watch)
        self.reads_stdin: bool = True
        self._tickets = itertools.count(1)
        self._confirmed: dict[int, str] = {}

    # --- output

    def write(self, data: bytes, *, times: int = 1, piece: int | None = None) -> None:
        """Write bytes to stdout unchanged: noise, half a line, invalid UTF-8. Does not block.

        Args:
            data: The bytes.
            times: How many times the process writes them; the repetition costs the test nothing.
            piece: The number of bytes per system call; ``None`` writes as many as the pipe takes.
        """
        # 0 in place of a ticket: the process does not confirm the command.
        self._link.send("write", 0, _STDOUT, times, piece or 0, payload=data)

    def write_stderr(self, data: bytes, *, times: int = 1) -> None:
        """Write bytes to stderr, `times` over. Does not block."""
        self._link.send("write", 0, _STDERR, times, 0, payload=data)

    def sync(self, timeout: float = _COMMAND_TIMEOUT) -> None:
        """Block until all earlier commands are done, so all bytes are in their pipe.

        Args:
            timeout: The deadline in seconds.

        Raises:
            WaitTimeoutError: The deadline passed.
            ScriptError: The process has ended.
        """
        self._do("sync", timeout=timeout)

    # --- end

    def exit(self, code: int = 0) -> None:
        """End with an exit code. Does not block."""
        self._link.send("exit", 0, code)

    def kill(self, signal: int = signals.SIGKILL) -> None:
        """End by a signal after all earlier commands. To end it in the middle of one, signal its `pid`."""
        self._link.send("die", 0, signal)

    # --- faults

    def close_stdout(self) -> None:
        """Close stdout and stay alive. Later output is lost."""
        self._do("close", _STDOUT)

    def stop_reading(self) -> None:
        """Stop reading stdin: the pipe fills up, and its end is not noticed."""
        self.reads_stdin = False
        self._do("read", False)

    def resume_reading(self) -> None:
        """Read stdin again."""
        self.reads_stdin = True
        self._do("read", True)

    def ignore_eof(self) -> None:
        """Stay alive at the end of stdin, which otherwise is an exit with code 0."""
        self._do("ignore_end")

    def ignore_sigterm(self) -> None:
        """Stay alive when SIGTERM arrives."""
        self._do("ignore_signal", signals.SIGTERM)

    def spawn(self, *, holds_output: bool = False, own_session: bool = False) -> FakeProcess:
        """Start an idle process that outlives this one; it ends with the server at the latest.

        Args:
            holds_output: Let it keep stdout and stderr of this process open.
            own_session: Let it leave the process group, so that signals to the group do not reach it.

        Returns:
            The process, already running.

        Raises:
            ScriptError: Called by a function of the script, which must not wait; or this process has ended.
            WaitTimeoutError: It did not start within 10 seconds.
        """
        if self._link.control.is_current_thread():
            raise ScriptError(("a function of the script must not wait, so it cannot spawn",))
        spawned: list[FakeProcess] = []

        def welcome(link: Link) -> None:
            with self._watch.changing():
                spawned.append(FakeProcess(link, self._watch))

        self._do("spawn", self._link.control.expect(welcome), holds_output, own_session)
        self._watch.wait(Goal("a spawned process", lambda: bool(spawned), lambda: "none"), _COMMAND_TIMEOUT)
        return spawned[0]

    def _do(self, verb: str, *numbers: int, timeout: float = _COMMAND_TIMEOUT) -> None:
        # The confirmation arrives on the control thread, so a call on that thread cannot wait for it.
        if self._link.control.is_current_thread():
            self._link.send(verb, 0, *numbers)
            return
        ticket = next(self._tickets)
        self._link.send(verb, ticket, *numbers)
        goal = Goal(f"{verb} to be confirmed", lambda: self._is_settled(ticket), lambda: f"no answer of {self}")
        self._watch.wait(goal, timeout)
        trouble = self._confirmed.pop(ticket, "it has ended")
        if trouble:
            raise ScriptError((f"{self} cannot {verb}: {trouble}",))

    def _is_settled(self, ticket: int) -> bool:
        return ticket in self._confirmed or not self.is_alive

    def _confirm(self, ticket: int, trouble: str) -> None:
        with self._watch.changing():
            self._confirmed[ticket] = trouble
