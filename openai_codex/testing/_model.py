"""`ScriptedModel`: a Responses API on loopback that answers the real runtime from a script and records its requests.

It is what a test holds; the responder owns script and record, the HTTP server below it owns thread and sockets.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable
from types import TracebackType
from typing import Concatenate, ParamSpec

from typing_extensions import Self

from openai_codex._runtime.not_pickled import NotPickled
from openai_codex.testing import _replies as replies
from openai_codex.testing._agents import AgentMatcher
from openai_codex.testing._cassette import Cassettes
from openai_codex.testing._http import LoopbackServer
from openai_codex.testing._recorded import RecordedRequest
from openai_codex.testing._responder import Responder
from openai_codex.testing._script import Matcher, Scripted
from openai_codex.testing._waiting import Gate, ScriptError

P = ParamSpec("P")

RECORD_LIMIT = 1000
"""The default number of requests that a model keeps: about 100 MB with the prompts of the runtime."""


def _queues(
    build: Callable[P, replies.Answer],
) -> Callable[[Callable[[ScriptedModel], None]], Callable[Concatenate[ScriptedModel, P], None]]:
    """Make a method one that builds an answer and queues it, with the parameters and the docstring of `build`."""

    @functools.wraps(build)
    def method(self: ScriptedModel, /, *args: P.args, **kwargs: P.kwargs) -> None:
        self.queue(build(*args, **kwargs))

    # `wraps` copies the signature of the builder, which has no self.
    own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    signature = inspect.signature(build)
    method.__signature__ = signature.replace(  # type: ignore[attr-defined]  # what `help` shows
        parameters=[own, *signature.parameters.values()], return_annotation=None
    )
    method.__annotations__ = {**build.__annotations__, "return": None}
    method.__doc__ = f"Queue an answer. {build.__doc__}"
    return lambda _declared: method


class ScriptedModel(NotPickled, Cassettes):
    """A model on ``http://127.0.0.1:PORT/v1`` that gives scripted answers and records the requests.

        with ScriptedModel() as model:
            model.say("Hello world")
            ...  # point a provider of the runtime at model.url, run a turn
            assert model.requests[0].last_user_text == "Hi"

    Each request takes the first of: a route (`when`) that matches, the next queued answer, the `default`. All methods
    may be called from any thread, before and while the runtime sends requests. Leaving the context closes the model,
    and raises `ScriptError` for requests that could not be answered as scripted.
    """

    _TO_PICKLE = "pickle the config of its kit, with which clients of other processes use this model"

    def __init__(self, default: Scripted | None = "ok", *, record_limit: int = RECORD_LIMIT) -> None:
        """Create a model that is not listening yet.

        Args:
            default: The answer when nothing else is scripted; ``None`` makes such a request an error.
            record_limit: The number of newest requests to keep; `request_count` counts all of them.
        """
        self._responder = Responder(default, record_limit)
        self._watch = self._responder.watch
        self._server: LoopbackServer | None = None

    # --- lifecycle

    def start(self) -> Self:
        """Listen on a free port. Entering the context does this.

        Raises:
            ScriptError: The model was started before, or does not accept connections within 5 seconds.
        """
        if self._server is not None:
            raise ScriptError(("a ScriptedModel can be started only once",))
        self._server = LoopbackServer(self._responder.respond)
        self._server.start()
        return self

    def close(self) -> None:
        """Drop every connection, free the port and end the thread. Closing again does nothing.

        Raises:
            ScriptError: The thread still runs after 5 seconds, because a function of the script blocks it.
        """
        if self._server is not None:
            self._server.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()
        if kind is None:
            with self._watch.reading():
                self._raise(tuple(self._responder.problems))

    @property
    def url(self) -> str:
        """The base URL for a provider. It stays the same after `close`; connections are then refused.

        Raises:
            ScriptError: The model was not started.
        """
        if self._server is None:
            raise ScriptError(("the ScriptedModel is not started: use it as a context",))
        return f"http://127.0.0.1:{self._server.port}/v1"

    # --- script

    def queue(self, *answers: Scripted) -> None:
        """Queue answers: built by the functions of this package, text, or functions of the request.

        A function must not block: it runs on the one thread that answers all requests. To hold an answer, return one
        with a gate.
        """
        with self._watch.changing():
            self._responder.script.queue(answers)

    def when(self, matcher: Matcher, *answers: Scripted) -> None:
        """Answer matching requests, whenever they arrive.

        Each thread of the runtime gets the answers from the first one on, so concurrent threads do not take each
        other's: ``model.when("Weather?", reply(call("get_weather")), "Sunny.")``.

        Args:
            matcher: The exact text of the last user message, a compiled pattern that is searched in it, or a function
                of the request, which must not block.
            answers: The answers, in order; the last one is repeated without limit.

        Raises:
            ScriptError: No answer was given.
        """
        with self._watch.changing():
            self._responder.script.route(matcher, answers)

    def when_agent(
        self,
        *answers: Scripted,
        depth: int | None = None,
        task: str | re.Pattern[str] | None = None,
        path: str | re.Pattern[str] | None = None,
    ) -> None:
        """Answer the requests of an agent: the one of the program's own turn, or children that the model has spawned.

            model.when_agent(spawn("Count", "List"), wait(), "Both are done.", depth=0)
            model.when_agent("3 files", task="Count")
            model.when_agent(fail(500), task="List")

        Each turn of an agent gets the answers from the first one on. `spawn`, `wait`, `follow_up` and `stop_agents`
        make the answers of a parent, in either version of the runtime's tools for agents. To hold the answer of a
        child, give it a gate.

        An agent must match all that is given. The nickname is not among it: the runtime chooses it, and does not tell
        it to the model of the child.

        Args:
            answers: The answers, in order; the last one is repeated without limit.
            depth: 0 for the agent of the program's own turn, 1 for its children, 2 for theirs, and so on.
            task: The text with which a child was spawned, or a pattern that is searched in it.
            path: The path of the agent, or a pattern that is searched in it. In version 1, children have none.

        Raises:
            ScriptError: No answer was given, or nothing that names the agent.
        """
        self.when(AgentMatcher(depth, task, path), *answers)

    def reset(self) -> None:
        """Remove answers, records, counts and problems, for a model that several tests share; `default` stays.

        Requests in progress go on.
        """
        self._responder.reset()

    def gate(self) -> Gate:
        """Return a new closed gate, for ``gate=`` of a reply."""
        return Gate()

    @_queues(replies.say)
    def say(self) -> None:
        """Queue the answer of that name."""

    @_queues(replies.reply)
    def reply(self) -> None:
        """Queue the answer of that name."""

    @_queues(replies.call_reply)
    def call(self) -> None:
        """Queue the answer of that name."""

    @_queues(replies.custom_call_reply)
    def custom_call(self) -> None:
        """Queue the answer of that name."""

    @_queues(replies.fail)
    def fail(self) -> None:
        """Queue the answer of that name."""

    @_queues(replies.fail_stream)
    def fail_stream(self) -> None:
        """Queue the answer of that name."""

    @_queues(replies.truncate)
    def truncate(self) -> None:
        """Queue the answer of that name."""

    @_queues(replies.hang)
    def hang(self) -> None:
        """Queue the answer of that name."""

    # --- record

    @property
    def requests(self) -> list[RecordedRequest]:
        """The requests for an answer, oldest first; see `record_limit`."""
        with self._watch.reading():
            return list(self._responder.requests)

    @property
    def other_requests(self) -> list[RecordedRequest]:
        """Every other request, such as the list of models, oldest first."""
        with self._watch.reading():
            return list(self._responder.others)

    @property
    def request_count(self) -> int:
        """The number of all requests for an answer."""
        return self._responder.count

    @property
    def active_count(self) -> int:
        """The number of requests in progress, held and hanging ones included."""
        return len(self._responder.active)

    @property
    def active_requests(self) -> list[RecordedRequest]:
        """The requests in progress, oldest first: ``[each.agent.task for each in model.active_requests]``."""
        with self._watch.reading():
            return list(self._responder.active.values())

    @property
    def abandoned_count(self) -> int:
        """The number of answers during which the runtime closed the connection, as it does on an interrupt."""
        return self._responder.abandoned

    def wait_for_requests(self, count: int, timeout: float = 10.0) -> list[RecordedRequest]:
        """Block until `count` requests have arrived.

        Args:
            count: How many requests, counted from the start or the last `reset`.
            timeout: The deadline in seconds.

        Returns:
            `requests`.

        Raises:
            WaitTimeoutError: The deadline passed.
        """
        self._watch.wait(self._responder.arrival(count), timeout)
        return self.requests

    async def received(self, count: int, timeout: float = 10.0) -> list[RecordedRequest]:
        """Await what `wait_for_requests` blocks for."""
        await self._watch.wait_async(self._responder.arrival(count), timeout)
        return self.requests

    def wait_idle(self, timeout: float = 10.0) -> None:
        """Block until no request is in progress. Raises `WaitTimeoutError` after `timeout` seconds."""
        self._watch.wait(self._responder.idleness(), timeout)

    async def idle(self, timeout: float = 10.0) -> None:
        """Await what `wait_idle` blocks for."""
        await self._watch.wait_async(self._responder.idleness(), timeout)

    def assert_drained(self) -> None:
        """Raise `ScriptError` if an answer was not used, or a request could not be answered as scripted."""
        with self._watch.reading():
            self._raise((*self._responder.problems, *self._responder.script.unused()))

    def _raise(self, problems: tuple[str, ...]) -> None:
        if problems:
            raise ScriptError((*problems, f"requests so far: {self._responder.count}"))
