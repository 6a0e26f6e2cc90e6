"""A turn of a sub-agent that is under way, and what stops those of a tree that was given up. Values without behaviour."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable

Place = tuple[str, str]
"""The ids of a thread and of its turn."""


@attrs.frozen
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


@attrs.frozen
class GivenUp:
    """What stops a turn under a root that was given up, until when that is remembered at least, and the root's thread."""

    stop: Callable[[Live], object]
    until: float
    thread_id: str | None
