"""The turns that consumers of the program hold: their spans end where their ends are logged, before the call returns."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from openai_codex._turns.open_turns import OpenTurns

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_codex._otel.turn_span import TurnSpan
    from openai_codex._turns.open_turns import OpenTurn


class HeldTurns(OpenTurns):
    """The turns of one client whose end is not logged yet, with tracing."""

    def __init__(self, on_end: Callable[[str | None, BaseException | None], None], sweep: Callable[[], None]) -> None:
        """Create it.

        Args:
            on_end: Ends the span of a turn; called on a thread of a consumer or on a worker, with the exception that is
                being handled there.
            sweep: Ends the spans of turns that are over and not held.
        """
        super().__init__()
        self._on_end, self._sweep = on_end, sweep

    def attends(self, turn: TurnSpan) -> bool:
        """Return whether a turn is held, or may be as soon as the reply to its request is read."""
        held = (turn.thread_id, turn.turn_id) in self._open
        return held or any(each.thread_id == turn.thread_id for each in self._expected.copy().values())

    def on_logged(self, turn: OpenTurn) -> None:
        """End the span of a turn. Not before its end is logged: the program's exporters may raise, or be interrupted."""
        self._on_end(turn.turn_id, sys.exc_info()[1])

    def leave(self, key: object) -> None:
        """Count a consumer out, and end what has no other consumer."""
        super().leave(key)
        self._sweep()
