"""Where a payload says whom it belongs to. Written by hand, and free of imports that cost, for the method tables."""

from __future__ import annotations

from typing import NamedTuple


class Route(NamedTuple):
    """Paths of JSON names to the ids in a payload; an empty path where the payload has no such id."""

    thread: tuple[str, ...] = ()
    """To the thread's id: ``("threadId",)`` or ``("thread", "id")``."""
    turn: tuple[str, ...] = ()
    """To the turn's id; it may be null, or lead through an object that is absent."""
    login: tuple[str, ...] = ()
    """To the id of a login attempt."""
