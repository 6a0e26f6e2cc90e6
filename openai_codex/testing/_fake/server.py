"""`FakeAppServer`: a scriptable runtime in real processes behind real pipes.

It is what a test holds. The script below it decides the answers, the control thread talks to the processes.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any

from typing_extensions import Self

from openai_codex import _checks as checks
from openai_codex._config import AppServerConfig
from openai_codex._runtime.not_pickled import NotPickled
from openai_codex.testing._fake.child import FakeAsk, FakeChild, FakeTurn
from openai_codex.testing._fake.control import Control, Link
from openai_codex.testing._fake.default_replies import DefaultReplies
from openai_codex.testing._fake.script import FakeRequest, Script, answering, holding, refusing
from openai_codex.testing._waiting import Goal, ScriptError, Watch
from openai_codex.testing.frames import JsonObject

RECORD_LIMIT = 10_000
"""The default number of requests that a server keeps."""

BUSY, OVERLOADED = -32001, "Server overloaded; retry later."


class FakeAppServer(NotPickled):
    """A scriptable substitute for ``codex app-server``, for faults that the real one does not produce on demand.

        with FakeAppServer() as server, Codex(server.config()) as codex:
            turn = codex.thread_start().turn("Hi")
            server.turn.delta("Hello ")
            server.child.kill()

    Each client that is started with `config` has its own child, a small program whose stdin, stdout and stderr belong to
    the client; `child` is the newest. By default it answers ``initialize``, ``thread/start``, ``thread/resume``,
    ``turn/start`` (a turn starts, and ends when the test ends it) and ``turn/interrupt`` (the turn ends as interrupted),
    and refuses every other request; `openai_codex.testing.frames` builds payloads for more. All methods may be called
    from any thread and from event loops.

    Order: a child carries out everything in the order of the calls. A request is answered before it appears in `requests`
    and ends `wait_for_requests`, so what a test sends after that follows the answer.

    Functions of the script run on the one thread that talks to all children, so they must not block. Leaving the
    context ends every process, and raises `ScriptError` if a function of the script has failed. Needs a POSIX system.
    """

    _TO_PICKLE = "start one in each process"

    def __init__(self, *, announce_turns: bool = True, record_limit: int = RECORD_LIMIT) -> None:
        """Create a server that is not started yet.

        Args:
            announce_turns: Send ``turn/started`` for each accepted turn; ``False`` leaves it to the test.
            record_limit: The number of newest requests to keep; `request_count` counts all of them.
        """
        self._watch = Watch()
        self._default = DefaultReplies(announce_turns=announce_turns)
        self._script = Script(self._watch, record_limit, self._default.react)
        self._control: Control | None = None
        self._children: list[FakeChild] = []
        self._on_start: Callable[[FakeChild], object] | None = None

    # --- lifecycle

    def start(self) -> Self:
        """Listen for children. Entering the context does this.

        Raises:
            ScriptError: The server was started before, or does not accept connections within 5 seconds.
        """
        if self._control is not None:
            raise ScriptError(("a FakeAppServer can be started only once",))
        self._control = Control(self._welcome)
        self._control.start()
        return self

    def close(self) -> None:
        """End every child, every process that was spawned, and the thread, within 3 seconds. Closing again does nothing.

        Raises:
            ScriptError: The thread still runs after 5 seconds, because a function of the script blocks it.
        """
        if self._control is not None:
            self._control.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()
        if kind is None and self._script.problems:
            raise ScriptError(tuple(self._script.problems))

    def config(self, **overrides: Any) -> AppServerConfig:
        """Return the configuration of a client of this server; `overrides` are fields of `AppServerConfig`.

        Raises:
            ScriptError: The server was not started.
        """
        if self._control is None:
            raise ScriptError(("the FakeAppServer is not started: use it as a context",))
        return AppServerConfig(launch_args_override=self._control.command_line, **overrides)

    # --- children

    @property
    def children(self) -> list[FakeChild]:
        """All starts, oldest first, including those that have ended."""
        with self._watch.reading():
            return list(self._children)

    @property
    def starts(self) -> int:
        """The number of starts."""
        return len(self._children)

    @property
    def child(self) -> FakeChild:
        """The newest start. Raises `ScriptError` before the first; `wait_child` waits for it."""
        if not self._children:
            raise ScriptError(("no child was started yet",))
        return self._children[-1]

    def wait_child(self, count: int = 1, timeout: float = 10.0) -> FakeChild:
        """Block until a child was started. Clients that are connected already have one.

        Args:
            count: The number of the start to wait for, from 1.
            timeout: The deadline in seconds.

        Returns:
            That child.

        Raises:
            WaitTimeoutError: The deadline passed.
        """
        self._watch.wait(self._launch(count), timeout)
        return self._children[count - 1]

    async def launched(self, count: int = 1, timeout: float = 10.0) -> FakeChild:
        """Await what `wait_child` blocks for."""
        await self._watch.wait_async(self._launch(count), timeout)
        return self._children[count - 1]

    def on_start(self, action: Callable[[FakeChild], object] | None) -> None:
        """Call a function for each child before it reads any input, for instance ``FakeChild.ignore_eof``."""
        self._on_start = (
            None if action is None else checks.plain_function("on_start", action, "one argument, the child", None)
        )

    # --- script

    def on(self, method: str, answer: Any, *, times: int | None = None) -> None:
        """Answer requests of a method. The newest rule for a method takes precedence.

        Args:
            method: The method.
            answer: The result, or a function of the `FakeRequest` that returns it. Such a function may also answer by
                `FakeRequest.reply` or `FakeRequest.refuse` and send more; its return value is then ignored.
            times: The number of requests that the rule applies to; ``None`` is all.
        """
        self._script.add(method, answering(answer), times)

    def refuse(
        self, method: str, code: int = BUSY, message: str = OVERLOADED, data: Any = None, *, times: int | None = None
    ) -> None:
        """Refuse requests of a method, by default as overloaded; `times` as for `on`."""
        self._script.add(method, refusing(code, message, data), times)

    def hold(self, method: str, *, times: int | None = None) -> None:
        """Do not answer: the test gets the request from `wait_for_requests` and answers it later, or never."""
        self._script.add(method, holding, times)

    def forget(self, method: str | None = None) -> None:
        """Remove what was scripted for a method, ``None`` for all: the default answers are back."""
        self._script.forget(method)

    # --- messages of the newest child

    @property
    def turn(self) -> FakeTurn:
        """The newest turn that was accepted by the default answer. Raises `ScriptError` if there is none."""
        if self._default.newest_turn is None:
            raise ScriptError(("no turn was started yet",))
        return self._default.newest_turn

    def notify(self, method: str, params: JsonObject | None = None, *, times: int = 1) -> None:
        """Send a notification from the newest child, `times` over."""
        self.child.notify(method, params, times=times)

    def ask(self, method: str, params: JsonObject | None = None) -> FakeAsk:
        """Send a request to the client of the newest child, and return where its answer arrives."""
        return self.child.ask(method, params)

    # --- record

    def requests(self, method: str | None = None) -> list[FakeRequest]:
        """Return the requests and notifications of the clients, oldest first; of one method, or all."""
        return self._script.requests(method)

    def request_count(self, method: str) -> int:
        """Return the number of requests of a method, including those that are no longer kept."""
        return self._script.count(method)

    def wait_for_requests(self, method: str, count: int = 1, timeout: float = 10.0) -> list[FakeRequest]:
        """Block until requests of a method have arrived.

        Args:
            method: The method.
            count: How many requests, counted from the start.
            timeout: The deadline in seconds.

        Returns:
            `requests` of that method.

        Raises:
            WaitTimeoutError: The deadline passed.
        """
        self._watch.wait(self._script.arrival(method, count), timeout)
        return self._script.requests(method)

    async def received(self, method: str, count: int = 1, timeout: float = 10.0) -> list[FakeRequest]:
        """Await what `wait_for_requests` blocks for."""
        await self._watch.wait_async(self._script.arrival(method, count), timeout)
        return self._script.requests(method)

    def _launch(self, count: int) -> Goal:
        return Goal(f"{count} start(s)", lambda: self.starts >= count, lambda: self.starts)

    # --- on the control thread

    def _welcome(self, link: Link) -> None:
        child = FakeChild(self.starts + 1, link, self._watch, self._script.on_line)
        with self._watch.changing():
            self._children.append(child)
        if self._on_start is not None:
            self._script.guard("on_start", self._on_start, child)
        # It reads only now, so that `on_start` takes effect before the first request.
        if child.reads_stdin:
            child.resume_reading()
