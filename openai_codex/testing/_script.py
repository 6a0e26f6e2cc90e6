"""The script of a model: selects the answer to each request. Pure state, without threads and I/O.

Routes come first, in the order in which they were added; then the queue; then the default.
"""

from __future__ import annotations

import re
import textwrap
from collections import Counter, deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from openai_codex import _checks as checks
from openai_codex.testing._agents import AgentMatcher, Wait
from openai_codex.testing._recorded import RecordedRequest
from openai_codex.testing._replies import Answer, Hang, HttpFailure, Reply, say
from openai_codex.testing._waiting import ScriptError

if TYPE_CHECKING:
    from openai_codex.errors import ConfigError

Scripted = Answer | str | Callable[[RecordedRequest], Answer | str]
"""What can be scripted: an answer, the text of a message, or a function of the request that returns either."""

_ANSWERS = (Reply, HttpFailure, Hang, str)

Matcher = str | re.Pattern[str] | Callable[[RecordedRequest], bool]
"""What a route matches: the whole last user text, a pattern found in it, or a function of the request."""


class Route:
    """Answers for matching requests: each thread gets them in order, and then the last one repeatedly.

    The route of an agent begins anew in each turn: a program that repeats a turn gets the same answers.
    """

    def __init__(self, matcher: Matcher, answers: tuple[Scripted, ...]) -> None:
        if not answers:
            raise ScriptError((f"when({matcher!r}) needs at least one answer",))
        if not isinstance(matcher, (str, re.Pattern)):
            checks.plain_function("matcher", matcher, "one argument, the request", None)
        _check_answers(answers)
        self._matcher = matcher
        self._answers = answers
        self._per_turn = isinstance(matcher, AgentMatcher)
        self._served: Counter[str | None] = Counter()

    def matches(self, request: RecordedRequest) -> bool:
        """Return whether this route applies to the request."""
        if isinstance(self._matcher, str):
            return self._matcher == request.last_user_text
        if isinstance(self._matcher, re.Pattern):
            return self._matcher.search(request.last_user_text) is not None
        return self._matcher(request)

    def take(self, request: RecordedRequest) -> Scripted:
        """Return the next answer for the thread or turn of this request. Raises `ScriptError` after a last `wait`."""
        # Per thread, so that concurrent turns do not take each other's answers.
        place = request.agent.turn_id if self._per_turn else request.thread_id
        self._served[place] += 1
        answer = self._answers[min(self._served[place], len(self._answers)) - 1]
        if not isinstance(answer, Wait):
            return answer
        if not answer.is_over(request):
            self._served[place] -= 1
            return answer
        if self._served[place] >= len(self._answers):
            raise ScriptError((f"{self._matcher!r}: wait() is over, and no answer follows it",))
        return self.take(request)

    def unused(self) -> tuple[str, ...]:
        """Return a line for every answer that was given to no thread."""
        most = max(self._served.values(), default=0)
        return tuple(f"when({self._matcher!r}): {_line(answer)}" for answer in self._answers[most:])


class Script:
    """The answers of one model, and which of them are still unused."""

    def __init__(self, default: Scripted | None) -> None:
        _check_answers(() if default is None else (default,))
        self._default = default
        self._queue: deque[Scripted] = deque()
        self._routes: list[Route] = []

    def queue(self, answers: tuple[Scripted, ...]) -> None:
        """Append answers to the queue."""
        _check_answers(answers)
        self._queue.extend(answers)

    def route(self, matcher: Matcher, answers: tuple[Scripted, ...]) -> None:
        """Append a route. Raises `ScriptError` without an answer."""
        self._routes.append(Route(matcher, answers))

    def choose(self, request: RecordedRequest) -> Scripted:
        """Take the answer to `request` out of the script. Raises `ScriptError` if there is none."""
        for route in self._routes:
            if route.matches(request):
                return route.take(request)
        if self._queue:
            return self._queue.popleft()
        # An error and no empty reply, so that a missing answer is not mistaken for one of the model.
        if self._default is None:
            raise ScriptError((f"no answer is scripted for the user text {request.last_user_text!r}",))
        return self._default

    def clear(self) -> None:
        """Remove queue and routes; the default stays."""
        self._queue.clear()
        self._routes.clear()

    def unused(self) -> tuple[str, ...]:
        """Return a line for every answer that no request has received."""
        queued = (f"queue: {_line(answer)}" for answer in self._queue)
        routed = (line for route in self._routes for line in route.unused())
        return tuple(f"unused answer, {line}" for line in (*queued, *routed))


def _check_answers(answers: tuple[Scripted, ...]) -> None:
    for answer in answers:
        if callable(answer):
            checks.plain_function("answer", answer, "one argument, the request", None)
        elif not isinstance(answer, _ANSWERS):
            raise _no_answer(answer)


def _no_answer(answer: object) -> ConfigError:
    return checks.refusal("answer", answer, "an answer, such as reply(call(...)), a text, or a function of the request")


def resolve(scripted: Scripted, request: RecordedRequest) -> Answer:
    """Return the answer that `scripted` stands for. Raises whatever a function of the script raises."""
    if isinstance(scripted, str):
        return say(scripted)
    if callable(scripted):
        return resolve(scripted(request), request)
    if not isinstance(scripted, _ANSWERS):
        raise _no_answer(scripted)
    return scripted


def _line(answer: Scripted) -> str:
    # A scripted text may be very long, and the error lists all of them.
    return textwrap.shorten(repr(answer), 200, placeholder=" …")
