"""`ScriptedModel`: a Responses API on loopback that answers the real runtime from a script and records what it asks.

It owns the script and the record; the server below it owns thread and sockets.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import uuid
from collections import deque
from typing import TYPE_CHECKING, Concatenate, ParamSpec

from openai_codex.testing import replies, wire
from openai_codex.testing.errors import ScriptError
from openai_codex.testing.gate import Gate
from openai_codex.testing.player import play
from openai_codex.testing.recorded import RecordedRequest
from openai_codex.testing.script import Matcher, Script, Scripted, resolve
from openai_codex.testing.server import LoopbackServer
from openai_codex.testing.waiting import Goal, Watch

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from types import TracebackType

    from typing_extensions import Self

P = ParamSpec("P")

RECORD_LIMIT = 1000
"""How many requests a model remembers unless told otherwise: about 100 MB with the prompts of the runtime."""

_MODELS = b'{"object":"list","data":[],"models":[]}'


def _queues(build: Callable[P, replies.Answer]) -> Callable[Concatenate[ScriptedModel, P], None]:
    """The method that builds an answer and queues it: same parameters, same words."""

    @functools.wraps(build)
    def method(self: ScriptedModel, /, *args: P.args, **kwargs: P.kwargs) -> None:
        self.queue(build(*args, **kwargs))

    own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    signature = inspect.signature(build)
    method.__signature__ = signature.replace(  # type: ignore[attr-defined]  # what `help` shows
        parameters=[own, *signature.parameters.values()], return_annotation=None
    )
    method.__doc__ = f"Queue an answer. {build.__doc__}"
    return method


class ScriptedModel:
    """A model on ``http://127.0.0.1:PORT/v1`` that says what the test wants and remembers what it was asked.

        with ScriptedModel() as model:
            model.say("Hello world")
            ...  # point a provider of the runtime at model.url, run a turn
            assert model.requests[0].last_user_text == "Hi"

    Each request takes the first of: a route (`when`) that matches, the next queued answer, the `default`. All methods
    may be called from any thread, before and while the runtime asks. Leaving the context closes the model, and raises
    `ScriptError` for requests that could not be answered as scripted.
    """

    def __init__(self, default: Scripted | None = "ok", *, record_limit: int = RECORD_LIMIT) -> None:
        """A model that is not yet listening; with ``default=None`` a request that nothing was scripted for is an error.

        Only the newest `record_limit` requests are kept; `request_count` counts all of them.
        """
        self._script = Script(default)
        self._server: LoopbackServer | None = None
        self._watch = Watch()
        self._requests: deque[RecordedRequest] = deque(maxlen=record_limit)
        self._others: deque[RecordedRequest] = deque(maxlen=record_limit)
        self._problems: deque[str] = deque(maxlen=100)
        self._count = self._active = self._abandoned = 0
        self._idle_goal = Goal("idle model", lambda: not self._active, lambda: f"{self._active} being answered")
        # Ids must differ from those of another model: a thread of the runtime can outlive the model it talked to.
        token = uuid.uuid4().hex[:12]
        self._names = (f"{token}_{number}" for number in itertools.count(1))

    # --- life

    def start(self) -> Self:
        """Begin to listen on a free port. A model is started once; entering it as a context does it."""
        if self._server is not None:
            raise ScriptError(("a ScriptedModel can be started only once",))
        self._server = LoopbackServer(self._respond)
        self._server.start()
        return self

    def close(self) -> None:
        """Drop every connection, free the port and end the thread; at most 5 s. Closing again does nothing."""
        if self._server is not None:
            self._server.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()
        if kind is None:
            with self._watch.reading():
                self._raise(tuple(self._problems))

    @property
    def url(self) -> str:
        """The base URL for a provider. It stays the same after `close`, and is then refused."""
        if self._server is None:
            raise ScriptError(("the ScriptedModel is not started: use it as a context",))
        return f"http://127.0.0.1:{self._server.port}/v1"

    # --- script

    def queue(self, *answers: Scripted) -> None:
        """Queue answers as they are: built by the functions of this package, text, or functions of the request.

        A function must not block: it runs on the one thread that answers all requests. To wait for something, return
        an answer with a gate.
        """
        with self._watch.changing():
            self._script.queue(answers)

    def when(self, matcher: Matcher, *answers: Scripted) -> None:
        """Answer the matching requests, whenever they come, in order; the last answer is repeated for ever.

        `matcher` is the exact text of the last user message, a compiled pattern that is searched in it, or a function
        of the request, which must not block. Each thread of the runtime gets the answers from the first on, so
        concurrent threads do not take each other's: ``model.when("Weather?", reply(call("get_weather")), "Sunny.")``.
        """
        with self._watch.changing():
            self._script.route(matcher, answers)

    def reset(self) -> None:
        """Forget answers, records, counts and problems, for a model that several tests share; `default` stays.

        Requests that are being answered go on.
        """
        with self._watch.changing():
            self._script.clear()
            self._requests.clear()
            self._others.clear()
            self._problems.clear()
            self._count = self._abandoned = 0

    def gate(self) -> Gate:
        """A new closed gate, for ``gate=`` of a reply."""
        return Gate()

    say = _queues(replies.say)
    reply = _queues(replies.reply)
    call = _queues(replies.call_reply)
    custom_call = _queues(replies.custom_call_reply)
    fail = _queues(replies.fail)
    fail_stream = _queues(replies.fail_stream)
    truncate = _queues(replies.truncate)
    hang = _queues(replies.hang)

    # --- record

    @property
    def requests(self) -> list[RecordedRequest]:
        """The requests for an answer, oldest first; see `record_limit`."""
        with self._watch.reading():
            return list(self._requests)

    @property
    def other_requests(self) -> list[RecordedRequest]:
        """Every other request, such as the list of models, oldest first."""
        with self._watch.reading():
            return list(self._others)

    @property
    def request_count(self) -> int:
        """How many requests for an answer there were."""
        return self._count

    @property
    def active_count(self) -> int:
        """How many requests are being answered now, held and hanging ones included."""
        return self._active

    @property
    def abandoned_count(self) -> int:
        """How many answers the runtime did not wait for: it closed the connection, as it does on an interrupt."""
        return self._abandoned

    def wait_for_requests(self, count: int, timeout: float = 10.0) -> list[RecordedRequest]:
        """Block until there were `count` requests; returns `requests`. Raises `WaitTimeoutError` after `timeout` s."""
        self._watch.wait(self._requests_goal(count), timeout)
        return self.requests

    async def received(self, count: int, timeout: float = 10.0) -> list[RecordedRequest]:
        """The same as `wait_for_requests`, for coroutines."""
        await self._watch.wait_async(self._requests_goal(count), timeout)
        return self.requests

    def wait_idle(self, timeout: float = 10.0) -> None:
        """Block until no request is being answered. Raises `WaitTimeoutError` after `timeout` seconds."""
        self._watch.wait(self._idle_goal, timeout)

    async def idle(self, timeout: float = 10.0) -> None:
        """The same as `wait_idle`, for coroutines."""
        await self._watch.wait_async(self._idle_goal, timeout)

    def assert_drained(self) -> None:
        """Raise `ScriptError` if an answer was never asked for, or a request could not be answered as scripted."""
        with self._watch.reading():
            self._raise((*self._problems, *self._script.unused()))

    def _requests_goal(self, count: int) -> Goal:
        return Goal(f"{count} request(s)", lambda: self._count >= count, lambda: self._count)

    def _raise(self, problems: tuple[str, ...]) -> None:
        if problems:
            raise ScriptError((*problems, f"requests so far: {self._count}"))

    # --- the side of the server

    async def _respond(self, request: wire.HttpRequest, writer: asyncio.StreamWriter) -> None:
        recorded = RecordedRequest(request.method, request.target, request.headers, request.body)
        path = request.target.partition("?")[0]
        if (request.method, path) == ("POST", "/v1/responses"):
            await self._play(recorded, writer)
            return
        with self._watch.changing():
            self._others.append(recorded)
        found = (request.method, path) == ("GET", "/v1/models")
        writer.write(wire.response(200, _MODELS) if found else wire.response(404, b"{}"))

    async def _play(self, request: RecordedRequest, writer: asyncio.StreamWriter) -> None:
        with self._watch.changing():
            self._requests.append(request)
            self._count += 1
            self._active += 1
            name, number = next(self._names), self._count
        finished = False
        try:
            await play(self._answer_to(request, number), writer, name)
            finished = True
        finally:
            with self._watch.changing():
                self._active -= 1
                self._abandoned += not finished

    def _answer_to(self, request: RecordedRequest, number: int) -> replies.Answer:
        # A mistake in the script must reach the test, not only the log of a server thread: the turn fails with its
        # text, and leaving the model raises it.
        try:
            with self._watch.reading():
                scripted = self._script.choose(request)
            return resolve(scripted, request)
        except Exception as error:  # noqa: BLE001  # whatever the functions of a script raise
            problem = f"request {number}: {type(error).__name__}: {error}"
            with self._watch.changing():
                self._problems.append(problem)
            return replies.fail(400, problem)
