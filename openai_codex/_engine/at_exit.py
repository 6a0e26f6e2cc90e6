"""The end of the interpreter, which no runtime outlives, closed or not; and forks, which own none."""

from __future__ import annotations

import atexit
import os
import weakref
from typing import TYPE_CHECKING

from openai_codex._engine.waiting import Deadline, block_until_ready

if TYPE_CHECKING:
    from openai_codex._engine.actor import Actor

# How long the end may be held up by runtimes that ignore being asked, in seconds.
_PATIENCE = 2.0

_live: weakref.WeakSet[Actor] = weakref.WeakSet()


def watch(actor: Actor) -> None:
    """Stop this one at the end, if it is still there."""
    _live.add(actor)


def stop(*actors: Actor, timeout: float = _PATIENCE) -> None:
    """Stop runtimes, blocking; all take each step at once, so that many take no longer than one."""
    ladders = [(actor, actor.stop(timeout)) for actor in actors]
    while ladders:
        patience = [next(ladder, None) for _, ladder in ladders]
        deadline = Deadline(max((each for each in patience if each is not None), default=0.0))
        steps = [pair for pair, each in zip(ladders, patience, strict=True) if each is not None]
        ladders = [
            (actor, ladder) for actor, ladder in steps if not block_until_ready(actor.exited, deadline.remaining())
        ]


@atexit.register
def _stop_all() -> None:
    stop(*_live)


def _disown_all() -> None:
    for actor in tuple(_live):
        actor.after_fork()
    _live.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_disown_all)
