"""`FakeChild`: one start of a `FakeAppServer` as the test holds it, with all that it can be told to write and to do.

It knows bytes, frames and faults; what is answered to whom is not its business.
"""

from __future__ import annotations

import itertools
import signal as signals
from typing import TYPE_CHECKING

from openai_codex._engine.wire import LineSplitter
from openai_codex.testing.errors import ScriptError
from openai_codex.testing.fake import frames
from openai_codex.testing.fake.ask import FakeAsk
from openai_codex.testing.fake.process import FakeProcess
from openai_codex.testing.fake.turn import FakeTurn
from openai_codex.testing.waiting import Goal, Watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_codex.testing.fake.frames import JsonObject
    from openai_codex.testing.fake.link import Link

_STDOUT, _STDERR = 1, 2

# How long a command may take to be confirmed, in seconds: what was said before has to be written first.
_PATIENCE = 10.0


class FakeChild(FakeProcess):
    """One start of a `FakeAppServer`: what its client takes for a runtime.

    All that it is told is carried out one after another, in the order of the calls, whatever threads they come from.
    `write`, `notify`, `ask`, `exit` and `kill` only say so, and never block; the others return when it is done, well
    within a millisecond unless nobody reads what was written before. In a function of the script they do not wait
    either. What a child is told after its end is lost; the methods that wait raise `ScriptError` then.
    """

    def __init__(self, number: int, link: Link, watch: Watch, on_line: Callable[[FakeChild, bytes], None]) -> None:
        super().__init__(link, watch)
        self.number = number
        """Which start this is, from 1."""
        self.reads_stdin = True
        """Whether it was not told to stop."""
        self._on_line = on_line
        self._lines = LineSplitter()
        self._tickets = itertools.count(1)
        self._done: dict[int, str] = {}
        self._asks: dict[object, FakeAsk] = {}
        link.on_message = self._on_message

    # --- what it says

    def write(self, data: bytes, *, times: int = 1, piece: int | None = None) -> None:
        """Write bytes to stdout, as they are: noise, half a line, invalid UTF-8.

        The child repeats them `times` over, which costs the test nothing; with `piece` it writes so many bytes by each
        system call.
        """
        self._link.send("write", 0, _STDOUT, times, piece or 0, payload=data)

    def write_stderr(self, data: bytes, *, times: int = 1) -> None:
        """Write bytes to stderr, `times` over."""
        self._link.send("write", 0, _STDERR, times, 0, payload=data)

    def notify(
        self, method: str, params: JsonObject | None = None, *, times: int = 1, piece: int | None = None
    ) -> None:
        """Send a notification; `times` and `piece` as for `write`."""
        self.write(frames.notification(method, params or {}), times=times, piece=piece)

    def ask(self, method: str, params: JsonObject | None = None) -> FakeAsk:
        """Send a request to the client; the answer comes to what is returned. Ids count from 0 for each child."""
        with self._watch.changing():
            ask = FakeAsk(len(self._asks), method, self._watch)
            self._asks[ask.id] = ask
        self.write(frames.request(ask.id, method, params or {}))
        return ask

    def turn(self, thread_id: str, turn_id: str) -> FakeTurn:
        """Speak for any turn, also for one that nobody has started."""
        return FakeTurn(self, thread_id, turn_id)

    def sync(self, timeout: float = _PATIENCE) -> None:
        """Return when all that it was told is done, so all bytes are in their pipe.

        Raises `WaitTimeoutError` after `timeout` seconds.
        """
        self._do("sync", timeout=timeout)

    # --- what it does

    def exit(self, code: int = 0) -> None:
        """End with an exit code."""
        self._link.send("exit", 0, code)

    def kill(self, signal: int = signals.SIGKILL) -> None:
        """End by a signal, after what was said before; to end it in the middle of that, signal its `pid`."""
        self._link.send("die", 0, signal)

    def close_stdout(self) -> None:
        """Close stdout and live on. What is written there later is lost."""
        self._do("close", _STDOUT)

    def stop_reading(self) -> None:
        """Read no more of stdin: the pipe fills up, and its end is not noticed."""
        self.reads_stdin = False
        self._do("read", False)

    def resume_reading(self) -> None:
        """Read stdin again."""
        self.reads_stdin = True
        self._do("read", True)

    def ignore_eof(self) -> None:
        """Live on when stdin ends; otherwise that is an exit with code 0."""
        self._do("ignore_end")

    def ignore_sigterm(self) -> None:
        """Live on when SIGTERM comes; otherwise it is ended by that."""
        self._do("ignore_signal", signals.SIGTERM)

    def spawn(self, *, holds_output: bool = False, own_session: bool = False) -> FakeProcess:
        """Start a process that does nothing and outlives this one, and return it when it runs.

        With `holds_output` it keeps stdout and stderr of the child open; with `own_session` a signal to the child's
        process group does not reach it. It ends with the server at the latest. Raises `ScriptError` when a function of
        the script calls it, since it has to wait.
        """
        if self._link.control.is_current_thread():
            raise ScriptError(("a function of the script must not wait, so it cannot spawn",))
        spawned: list[FakeProcess] = []

        def welcome(link: Link) -> None:
            with self._watch.changing():
                spawned.append(FakeProcess(link, self._watch))

        self._do("spawn", self._link.control.expect(welcome), holds_output, own_session)
        self._watch.wait(Goal("process that was spawned", lambda: bool(spawned), lambda: "none"), _PATIENCE)
        return spawned[0]

    def _do(self, verb: str, *numbers: int, timeout: float = _PATIENCE) -> None:
        if self._link.control.is_current_thread():
            self._link.send(verb, 0, *numbers)
            return
        ticket = next(self._tickets)
        self._link.send(verb, ticket, *numbers)
        self._watch.wait(Goal(f"{verb} of {self}", lambda: self._is_settled(ticket), lambda: self), timeout)
        trouble = self._done.pop(ticket, "it has ended")
        if trouble:
            raise ScriptError((f"{self} cannot {verb}: {trouble}",))

    def _is_settled(self, ticket: int) -> bool:
        return ticket in self._done or not self.is_alive

    # --- on the control thread

    def settle(self, answer: JsonObject) -> bool:
        """Hand an answer to who asked; ``False`` if nobody has."""
        ask = self._asks.get(answer.get("id"))
        if ask is not None:
            ask.settle(answer)
        return ask is not None

    def _on_message(self, verb: str, numbers: list[int], payload: bytes) -> None:
        if verb == "done":
            with self._watch.changing():
                self._done[numbers[0]] = payload.decode()
            return
        for line in self._lines.feed(payload):
            self._on_line(self, line)
