"""`FakeAppServer`: a runtime that does what a test says, in real processes behind real pipes.

It owns the script and the record; below it are the thread with the connections, and the program in the child.
"""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson

from openai_codex._config import AppServerConfig
from openai_codex.testing.errors import ScriptError
from openai_codex.testing.fake import rules
from openai_codex.testing.fake.child import FakeChild
from openai_codex.testing.fake.link import Control, Link
from openai_codex.testing.fake.record import Record
from openai_codex.testing.fake.request import FakeRequest
from openai_codex.testing.fake.usual import UsualAnswers
from openai_codex.testing.waiting import Goal, Watch

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from typing_extensions import Self

    from openai_codex.testing.fake.ask import FakeAsk
    from openai_codex.testing.fake.frames import JsonObject
    from openai_codex.testing.fake.turn import FakeTurn

RECORD_LIMIT = 10_000
"""How many requests a server remembers unless told otherwise."""

BUSY, SORRY = -32001, "Server overloaded; retry later."
FAILED = -32603


class FakeAppServer:
    """A scriptable stand-in for ``codex app-server``, for the faults that the real one does not commit on demand.

        with FakeAppServer() as server, Codex(server.config()) as codex:
            turn = codex.thread_start().turn("Hi")
            server.turn.delta("Hello ")
            server.child.kill()

    Each client that is started with `config` has a child of its own, a small program whose stdin, stdout and stderr
    are the client's; `child` is the newest. Out of the box it answers ``initialize``, ``thread/start``,
    ``thread/resume``, ``turn/start`` (a turn begins, and ends when the test says so) and ``turn/interrupt`` (it ends
    as interrupted), and refuses the rest; payloads for more are built by `openai_codex.testing.fake.frames`. All
    methods may be called from any thread and from event loops.

    Order: a child writes and does everything in the order of the calls that say so. A request is answered before it
    can be seen by `requests` and those who wait for it, so what a test says after that comes after the answer.

    Functions of the script run on the one thread that speaks to all children, so they must not block. Leaving the
    context ends all that still lives, and raises `ScriptError` if one of them has failed. Needs a POSIX system.
    """

    def __init__(self, *, announce_turns: bool = True, record_limit: int = RECORD_LIMIT) -> None:
        """A server that is not started yet.

        With ``announce_turns=False`` a turn is accepted, but `FakeTurn.started` is left to the test. Only the newest
        `record_limit` requests are kept.
        """
        self._watch = Watch()
        self._rules = rules.Rules()
        self._usual = UsualAnswers(announce_turns=announce_turns)
        self._control: Control | None = None
        self._children: list[FakeChild] = []
        self._on_start: Callable[[FakeChild], object] | None = None
        self._record = Record(self._watch, record_limit)
        self._problems: deque[str] = deque(maxlen=100)

    # --- life

    def start(self) -> Self:
        """Begin to listen for children. A server is started once; entering it as a context does it."""
        if self._control is not None:
            raise ScriptError(("a FakeAppServer can be started only once",))
        self._control = Control(self._welcome)
        self._control.start()
        return self

    def close(self) -> None:
        """End every child that lives, and what it has spawned, and the thread; at most 3 s. Idempotent."""
        if self._control is not None:
            self._control.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()
        if kind is None and self._problems:
            raise ScriptError(tuple(self._problems))

    def config(self, **overrides: Any) -> AppServerConfig:
        """The settings of a client of this server; `overrides` are those of `AppServerConfig`."""
        if self._control is None:
            raise ScriptError(("the FakeAppServer is not started: use it as a context",))
        return AppServerConfig(launch_args_override=self._control.command_line, **overrides)

    # --- children

    @property
    def children(self) -> list[FakeChild]:
        """All starts, oldest first, those that have ended included."""
        with self._watch.reading():
            return list(self._children)

    @property
    def starts(self) -> int:
        """How many times a child was started."""
        return len(self._children)

    @property
    def child(self) -> FakeChild:
        """The newest start. Raises `ScriptError` before the first; `wait_child` waits for it."""
        if not self._children:
            raise ScriptError(("no child was started yet",))
        return self._children[-1]

    def wait_child(self, count: int = 1, timeout: float = 10.0) -> FakeChild:
        """Block until there were `count` starts; returns that child. Raises `WaitTimeoutError` after `timeout` s.

        A client that is connected has a child; this is for those that are about to start.
        """
        self._watch.wait(self._launch(count), timeout)
        return self._children[count - 1]

    async def launched(self, count: int = 1, timeout: float = 10.0) -> FakeChild:
        """The same as `wait_child`, for coroutines."""
        await self._watch.wait_async(self._launch(count), timeout)
        return self._children[count - 1]

    def on_start(self, action: Callable[[FakeChild], object] | None) -> None:
        """Do something with each child before it reads anything of its client, for instance ``FakeChild.ignore_eof``."""
        self._on_start = action

    # --- script

    def on(self, method: str, answer: Any, *, times: int | None = None) -> None:
        """Answer requests with a result, or with what a function of the `FakeRequest` returns.

        A function may also answer by `FakeRequest.reply` or `refuse`, now and then say or do more; then what it
        returns does not count. Of several rules for a method the newest counts; `times` says for how many requests.
        """
        self._add(method, rules.answering(answer), times)

    def refuse(
        self, method: str, code: int = BUSY, message: str = SORRY, data: Any = None, *, times: int | None = None
    ) -> None:
        """Refuse requests; without more they are told that the server is overloaded. Otherwise like `on`."""
        self._add(method, rules.refusing(code, message, data), times)

    def hold(self, method: str, *, times: int | None = None) -> None:
        """Do not answer: the test takes the request from `wait_for_requests` and answers it later, or never."""
        self._add(method, rules.holding, times)

    def forget(self, method: str | None = None) -> None:
        """Forget what was scripted for a method, ``None`` for all of them: the usual answers are back."""
        with self._watch.changing():
            self._rules.forget(method)

    def _add(self, method: str, react: Callable[[FakeRequest], None], times: int | None) -> None:
        with self._watch.changing():
            self._rules.add(method, react, times)

    # --- speech of the newest child

    @property
    def turn(self) -> FakeTurn:
        """The newest turn that was accepted as usual. Raises `ScriptError` if there is none."""
        if self._usual.newest_turn is None:
            raise ScriptError(("no turn was started yet",))
        return self._usual.newest_turn

    def notify(self, method: str, params: JsonObject | None = None, *, times: int = 1) -> None:
        """Send a notification from the newest child; `times` over, made by the child."""
        self.child.notify(method, params, times=times)

    def ask(self, method: str, params: JsonObject | None = None) -> FakeAsk:
        """Send a request to the client of the newest child; the answer comes to what is returned."""
        return self.child.ask(method, params)

    # --- record

    def requests(self, method: str | None = None) -> list[FakeRequest]:
        """What the clients have sent, requests and notifications, oldest first; of one method, or all."""
        return self._record.of(method)

    def request_count(self, method: str) -> int:
        """How many requests of a method there were, those included that are not kept any more."""
        return self._record.count(method)

    def wait_for_requests(self, method: str, count: int = 1, timeout: float = 10.0) -> list[FakeRequest]:
        """Block until there were `count` requests of a method; returns `requests` of it.

        Raises `WaitTimeoutError` after `timeout` seconds.
        """
        self._watch.wait(self._record.arrival(method, count), timeout)
        return self._record.of(method)

    async def received(self, method: str, count: int = 1, timeout: float = 10.0) -> list[FakeRequest]:
        """The same as `wait_for_requests`, for coroutines."""
        await self._watch.wait_async(self._record.arrival(method, count), timeout)
        return self._record.of(method)

    def _launch(self, count: int) -> Goal:
        return Goal(f"{count} start(s)", lambda: self.starts >= count, lambda: self.starts)

    # --- on the control thread

    def _welcome(self, link: Link) -> None:
        child = FakeChild(self.starts + 1, link, self._watch, self._on_line)
        with self._watch.changing():
            self._children.append(child)
        if self._on_start is not None:
            self._guard("on_start", self._on_start, child)
        if child.reads_stdin:
            child.resume_reading()

    def _on_line(self, child: FakeChild, line: bytes) -> None:
        self._guard("a line of the client", partial(self._take, child), line)

    def _take(self, child: FakeChild, line: bytes) -> None:
        frame = orjson.loads(line)
        if "method" not in frame:
            child.settle(frame)
            return
        request = FakeRequest(frame["method"], frame.get("params") or {}, frame.get("id"), child, self._usual.react)
        with self._watch.reading():
            react = self._rules.take(request.method, self._usual.react)
        if not self._guard(request.method, react, request) and request.id is not None:
            request.refuse(FAILED, "the script failed")
        self._record.add(request)

    def _guard(self, what: str, function: Callable[[Any], object], argument: object) -> bool:
        """Call a function of the script; say whether it went well. A mistake in it must reach the test."""
        try:
            function(argument)
        except Exception as error:  # noqa: BLE001  whatever it is
            self._problems.append(f"{what}: {type(error).__name__}: {error}")
            return False
        return True
