"""What a `FakeAppServer` does with each request of its clients: the request, the reactions to it, and the record.

Requests are handled on the control thread. What is answered by default is passed in.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from functools import partial
from typing import Any

import attrs
import orjson

from openai_codex import _checks as checks
from openai_codex._runtime.not_pickled import NotPickled
from openai_codex.testing import frames
from openai_codex.testing._fake.child import FakeChild
from openai_codex.testing._waiting import Goal, ScriptError, Watch
from openai_codex.testing.frames import JsonObject

FAILED = -32603

Reaction = Callable[["FakeRequest"], None]
"""Handles a request: answers it, or does not."""


@attrs.define(eq=False)
class FakeRequest(NotPickled):
    """A request of the client, or a notification, which has no id and takes no answer.

    Each call of `reply` and `refuse` sends an answer, so a second call is a fault that can be tested. They may be
    called from any thread and never block.

    Attributes:
        method: The method.
        params: The params as they were received.
        id: The id on the wire; ``None`` for a notification.
        child: The start of the server that received it.
        is_answered: Whether an answer was sent.
    """

    _TO_PICKLE = "pickle its params"

    method: str
    params: JsonObject
    id: int | str | None
    child: FakeChild
    is_answered: bool = attrs.field(default=False, init=False)
    # Any is a FakeRequest; within its own `__init__`, `typing.get_type_hints` does not find that name.
    _default: Callable[[Any], None] = attrs.field(repr=False)

    def reply(self, result: Any, *, piece: int | None = None) -> None:
        """Send a result; with `piece`, that many bytes per system call.

        Raises:
            ScriptError: This is a notification.
        """
        self._send(frames.response(self._answerable_id(), result), piece)

    def refuse(self, code: int = -32600, message: str = "refused by the test", data: Any = None) -> None:
        """Send an error; ``data=None`` leaves that member out.

        Raises:
            ScriptError: This is a notification.
        """
        self._send(frames.refusal(self._answerable_id(), code, message, data))

    def proceed(self) -> None:
        """Answer as if nothing had been scripted."""
        self._default(self)

    def _answerable_id(self) -> int | str:
        if self.id is None:
            raise ScriptError((f"{self.method} is a notification, which takes no answer",))
        return self.id

    def _send(self, line: bytes, piece: int | None = None) -> None:
        self.is_answered = True
        self.child.write(line, piece=piece)


@attrs.define
class _Rule:
    react: Reaction
    left: int | None  # for how many requests; None: for all


class Script:
    """The reactions of a test by method, and the newest requests. `watch` guards both."""

    def __init__(self, watch: Watch, record_limit: int, default: Reaction) -> None:
        self.problems: deque[str] = deque(maxlen=100)
        self._watch = watch
        self._default = default
        self._rules: dict[str, list[_Rule]] = {}
        self._requests: deque[FakeRequest] = deque(maxlen=record_limit)
        self._counts: Counter[str] = Counter()

    # --- reactions

    def add(self, method: str, react: Reaction, times: int | None) -> None:
        """Add a reaction, which takes precedence over earlier ones for `times` requests; ``None``: for all."""
        with self._watch.changing():
            # In front: a test may replace for one request what a fixture has set for all.
            self._rules.setdefault(method, []).insert(0, _Rule(react, times))

    def forget(self, method: str | None) -> None:
        """Remove the reactions to a method; ``None``: to all."""
        with self._watch.changing():
            if method is None:
                self._rules.clear()
            else:
                self._rules.pop(method, None)

    def _take(self, method: str) -> Reaction:
        for rule in self._rules.get(method, ()):
            if rule.left is None:
                return rule.react
            if rule.left > 0:
                rule.left -= 1
                return rule.react
        return self._default

    # --- record

    def requests(self, method: str | None) -> list[FakeRequest]:
        """Return the recorded requests of a method, ``None`` for all, oldest first."""
        with self._watch.reading():
            return [request for request in self._requests if method in {None, request.method}]

    def count(self, method: str) -> int:
        """Return the number of requests of a method, including those that are no longer recorded."""
        return self._counts[method]

    def arrival(self, method: str, count: int) -> Goal:
        """The goal that `count` requests of a method have arrived."""
        return Goal(f"{count} x {method}", lambda: self._counts[method] >= count, lambda: dict(self._counts))

    # --- on the control thread

    def on_line(self, child: FakeChild, line: bytes) -> None:
        """Handle a line of the client of `child`."""
        self.guard("a line of the client", partial(self._handle, child), line)

    def guard(self, what: str, function: Callable[[Any], object], argument: object) -> bool:
        """Call a function of the script; return whether it succeeded. Its error is kept for the test."""
        try:
            function(argument)
        except Exception as error:  # noqa: BLE001  functions of a script may raise anything
            self.problems.append(f"{what}: {type(error).__name__}: {error}")
            return False
        return True

    def _handle(self, child: FakeChild, line: bytes) -> None:
        frame = orjson.loads(line)
        if "method" not in frame:
            child.settle(frame)
            return
        request = FakeRequest(frame["method"], frame.get("params") or {}, frame.get("id"), child, self._default)
        with self._watch.reading():
            react = self._take(request.method)
        if not self.guard(request.method, react, request) and request.id is not None:
            request.refuse(FAILED, "the script failed")
        # Recorded after the answer: what a test sends once it sees the request comes after the answer on the wire.
        with self._watch.changing():
            self._requests.append(request)
            self._counts[request.method] += 1


def answering(answer: Any) -> Reaction:
    """Reply with a value, or with what a function of the request returns, unless that has answered itself."""
    if callable(answer):
        checks.plain_function("answer", answer, "one argument, the request", None)

    def react(request: FakeRequest) -> None:
        result = answer(request) if callable(answer) else answer
        if not request.is_answered:
            request.reply(result)

    return react


def refusing(code: int, message: str, data: Any) -> Reaction:
    """Refuse every request."""
    return lambda request: request.refuse(code, message, data)


def holding(_: FakeRequest) -> None:
    """Do not answer; the test does."""
