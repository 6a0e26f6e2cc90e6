"""`Record`: what the clients of a `FakeAppServer` have sent, and how to wait for it."""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING

from openai_codex.testing.waiting import Goal, Watch

if TYPE_CHECKING:
    from openai_codex.testing.fake.request import FakeRequest


class Record:
    """The newest requests, and how many there were of each method; `watch` guards it."""

    def __init__(self, watch: Watch, limit: int) -> None:
        self._watch = watch
        self._requests: deque[FakeRequest] = deque(maxlen=limit)
        self._counts: Counter[str] = Counter()

    def add(self, request: FakeRequest) -> None:
        """Append a request, and wake those who wait for it."""
        with self._watch.changing():
            self._requests.append(request)
            self._counts[request.method] += 1

    def of(self, method: str | None) -> list[FakeRequest]:
        """The requests of a method, ``None`` for all, oldest first."""
        with self._watch.reading():
            return [request for request in self._requests if method in {None, request.method}]

    def count(self, method: str) -> int:
        """How many there were, those included that are not kept any more."""
        return self._counts[method]

    def arrival(self, method: str, count: int) -> Goal:
        """So many requests of a method."""
        return Goal(f"{count} x {method}", lambda: self._counts[method] >= count, lambda: dict(self._counts))
