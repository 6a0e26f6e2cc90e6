"""What must hold of the outcome of an operation, and which errors are the right answer to what was done. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from openai_codex import LaunchError, ThreadLostError, TransportClosedError
from openai_codex.types import TurnStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openai_codex import RunResult
    from openai_codex._async.thread import AsyncThread
    from tools.soak.lives import Life
    from tools.soak.wishes import Wish

# How much of a text is told, in characters.
_SHOWN = 100


class Violation(AssertionError):  # noqa: N818  it says what it is
    """Something is not as it must be."""


@attrs.define(eq=False)
class Held:
    """A thread, and what is known of it."""

    handle: AsyncThread
    life: Life
    ephemeral: bool
    begun: int = 0
    """How many turns were started."""
    completed: int = 0
    """How many of them have been completed."""

    @property
    def is_stored(self) -> bool:
        """Whether it outlives its runtime."""
        return not self.ephemeral and self.completed > 0


def expect(holds: object, what: str) -> None:
    """Raise `Violation` unless something holds."""
    if not holds:
        raise Violation(what)


def expect_text(result: RunResult[Any], wish: Wish) -> None:
    """Raise `Violation` unless a turn is completed and has come to what the model was to say."""
    expect(result.status == TurnStatus.completed, f"the turn is {result.status}: {result.error}")
    expect_said(result.final_response, wish)


def expect_said(said: str | None, wish: Wish) -> None:
    """Raise `Violation` unless a text is what the model was to say."""
    expect(said == wish.text, f"the model was to say {_short(wish.text)}, and is told to have said {_short(said)}")


def expect_stopped(result: RunResult[Any]) -> None:
    """Raise `Violation` unless a turn that was stopped is told so."""
    expect(result.status == TurnStatus.interrupted, f"the turn is {result.status}, though it was stopped")


def is_legitimate(error: Exception, life: Life, mark: int, threads: Mapping[str, Held]) -> bool:
    """Say whether an operation may end so, which has not provoked the error itself.

    It may with `TransportClosedError` if the client came to harm since the ``mark``; with `ThreadLostError` if a runtime
    was killed that alone had the thread; and with `LaunchError` if the client is closed while it starts its next runtime.
    """
    if isinstance(error, ThreadLostError):
        held = threads.get(error.thread_id)
        return held is not None and not held.is_stored and held.life.kills > 0
    if isinstance(error, TransportClosedError):
        return life.harmed(mark)
    return isinstance(error, LaunchError) and life.closing


def _short(text: str | None) -> str:
    if text is None:
        return "nothing"
    return repr(text if len(text) <= 2 * _SHOWN else f"{text[:_SHOWN]} … {text[-_SHOWN:]}")
