"""A turn of a sub-agent that is under way, what stops those of a tree that was given up, and what waits for their ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openai_codex._codec.deferred import frozen
from openai_codex._engine.waiting import Waitable, wake_all

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_codex._engine.waiting import Waiter

Place = tuple[str, str]
"""The ids of a thread and of its turn."""


@frozen
class Live:
    """A turn of a sub-agent that is under way.

    Attributes:
        thread_id: Id of the sub-agent's thread.
        turn_id: Id of its turn; empty while it is about to begin. The runtime accepts that as the turn that begins.
        root_turn_id: Id of the turn of the program that it works for, at whatever depth.
        root_thread_id: Id of the thread of that turn; ``None`` if it has ended long ago and is not known.
        started_at: When it started, in seconds of the monotonic clock.
    """

    thread_id: str
    turn_id: str
    root_turn_id: str
    root_thread_id: str | None
    started_at: float


@frozen
class GivenUp:
    """What stops a turn under a root that was given up, until when that is remembered at least, and the root's thread."""

    stop: Callable[[Live], object]
    until: float
    thread_id: str | None


class Until(Waitable):
    """Ready while a condition holds; for one wait.

    ``on_change`` has a function called after each change of it, and returns what ends that.
    """

    __slots__ = ("_condition", "_leave", "_on_change")

    def __init__(
        self, is_ready: Callable[[], bool], on_change: Callable[[Callable[[], object]], Callable[[], object]]
    ) -> None:
        super().__init__()
        self._condition, self._on_change = is_ready, on_change
        self._leave: Callable[[], object] = bool

    def is_ready(self) -> bool:
        return self._condition()

    def add_waiter(self, waiter: Waiter) -> bool:
        # Before it is looked whether it is ready: a change after that wakes the waiter.
        self._leave = self._on_change(self._wake)
        return super().add_waiter(waiter)

    def discard_waiter(self, waiter: Waiter) -> None:
        self._leave()
        super().discard_waiter(waiter)

    def _wake(self) -> None:
        if self.is_ready():
            wake_all(self.waiters())
