"""Functions that are called one at a time, by whichever thread gets the right to. They may be those of the program."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from openai_codex._engine.once import Once
from openai_codex._engine.waiting import caller_id


class Calls:
    """A list of calls to be made, in order.

    It takes no lock. Any thread adds a call at any instant. One thread at a time makes all calls that wait; the others leave
    theirs to it.
    """

    def __init__(self) -> None:
        self._calls: deque[Callable[[], object]] = deque()
        self._right = Once()
        self._caller: int | None = None
        """The thread that makes the calls."""

    def add(self, call: Callable[[], object]) -> None:
        """Have a call made by the next `make`, on any thread."""
        self._calls.append(call)

    def make(self, then: Callable[[], object]) -> None:
        """Make the calls that there are, unless another thread is about them, or this one is in such a call.

        ``then`` is called when none is left, before another thread gets the right.
        """
        while self._calls and self._right.take():
            self._caller = caller_id()
            try:
                while self._calls:
                    self._calls.popleft()()
                then()
            finally:
                self._caller = None
                self._right.give_back()

    def are_made(self) -> bool:
        """Return whether no call is left or being made, but for those that wait for the calling thread."""
        return self._caller == caller_id() or not (self._calls or self._right.is_taken())
