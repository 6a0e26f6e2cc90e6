"""The script of a model: which answer goes to which request. Pure state, no thread and no I/O.

Routes come first, in the order in which they were added; then the queue; then the default.
"""

from __future__ import annotations

import re
import textwrap
from collections import Counter, deque
from collections.abc import Callable

from openai_codex.testing.errors import ScriptError
from openai_codex.testing.recorded import RecordedRequest
from openai_codex.testing.replies import Answer, say

Scripted = Answer | str | Callable[[RecordedRequest], Answer | str]
"""What can be queued: an answer, the text of a message, or a function of the request that gives either."""

Matcher = str | re.Pattern[str] | Callable[[RecordedRequest], bool]
"""What a route listens to: the whole last user text, a pattern found in it, or any property of the request."""


class Route:
    """Answers for the requests that match: each thread gets them in order, and then the last one again and again."""

    def __init__(self, matcher: Matcher, answers: tuple[Scripted, ...]) -> None:
        if not answers:
            raise ScriptError((f"when({matcher!r}) has no reply",))
        self._matcher = matcher
        self._answers = answers
        self._served: Counter[str | None] = Counter()

    def matches(self, request: RecordedRequest) -> bool:
        """Whether this route takes the request."""
        if isinstance(self._matcher, str):
            return self._matcher == request.last_user_text
        if isinstance(self._matcher, re.Pattern):
            return self._matcher.search(request.last_user_text) is not None
        return self._matcher(request)

    def take(self, request: RecordedRequest) -> Scripted:
        """The next answer for the thread of this request."""
        self._served[request.thread_id] += 1
        return self._answers[min(self._served[request.thread_id], len(self._answers)) - 1]

    def unused(self) -> tuple[str, ...]:
        """A line for every answer that no thread ever got."""
        most = max(self._served.values(), default=0)
        return tuple(f"when({self._matcher!r}): {_line(answer)}" for answer in self._answers[most:])


class Script:
    """The answers of one model, and what is left of them."""

    def __init__(self, default: Scripted | None) -> None:
        self._default = default
        self._queue: deque[Scripted] = deque()
        self._routes: list[Route] = []

    def queue(self, answers: tuple[Scripted, ...]) -> None:
        """Append answers to the queue."""
        self._queue.extend(answers)

    def route(self, matcher: Matcher, answers: tuple[Scripted, ...]) -> None:
        """Add a route behind those that there are. Raises `ScriptError` without an answer."""
        self._routes.append(Route(matcher, answers))

    def choose(self, request: RecordedRequest) -> Scripted:
        """Take the answer to `request` out of the script. Raises `ScriptError` if there is none."""
        for route in self._routes:
            if route.matches(request):
                return route.take(request)
        if self._queue:
            return self._queue.popleft()
        if self._default is None:
            raise ScriptError((f"nothing is scripted for the user text {request.last_user_text!r}",))
        return self._default

    def clear(self) -> None:
        """Forget queue and routes; the default stays."""
        self._queue.clear()
        self._routes.clear()

    def unused(self) -> tuple[str, ...]:
        """A line for every answer that was never asked for."""
        queued = (f"queue: {_line(answer)}" for answer in self._queue)
        routed = (line for route in self._routes for line in route.unused())
        return tuple(f"never asked for, {line}" for line in (*queued, *routed))


def resolve(scripted: Scripted, request: RecordedRequest) -> Answer:
    """The answer that `scripted` stands for. Raises whatever a function of the script raises."""
    if isinstance(scripted, str):
        return say(scripted)
    if callable(scripted):
        return resolve(scripted(request), request)
    return scripted


def _line(answer: Scripted) -> str:
    return textwrap.shorten(repr(answer), 200, placeholder=" …")
