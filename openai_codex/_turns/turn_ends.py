"""How the log tells of the end of a turn: the level and the name of the event, and its fields. Holds no state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openai_codex._engine.reply import CLIENT_CLOSED, CloseReason
from openai_codex._log import Log
from openai_codex._runtime.display import hide

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_codex._engine.backlog import Losses
    from openai_codex._notification import Notification

# How much of the message of a failure is logged: the body of a provider's reply may be a page of HTML.
_LONGEST_REASON = 500

# The exceptions with which a turn has failed for its caller, whatever the runtime says of its end.
_TIMEOUTS = frozenset({"TurnTimeoutError", "TurnStalledError"})

_log = Log("turn")


def end_of(event: Notification) -> tuple[Any, ...]:
    """Return how ``turn/completed`` says that a turn ended: the level and the name of the log event, and its fields.

    From the JSON, because no payload is built on the reader thread.
    """
    turn = event.params.get("turn")
    turn = turn if isinstance(turn, dict) else {}
    status = turn.get("status")
    return end_with(status if isinstance(status, str) else "unknown", turn.get("error"))


def end_with(status: str, error: Any) -> tuple[Any, ...]:
    """Return the log event for a status, and for the JSON of an error."""
    log = _log.warning if status == "failed" else _log.info
    fields = {"status": status, **(_reason_of(error) if isinstance(error, dict) else {})}
    return log, status if status in {"failed", "interrupted"} else "completed", fields


def _reason_of(error: dict[str, Any]) -> dict[str, Any]:
    kind, message = error.get("codexErrorInfo"), error.get("message")
    # A kind with details is an object with one key.
    name = next(iter(kind), None) if isinstance(kind, dict) else kind
    return {"error": name, "reason": hide(message)[:_LONGEST_REASON] if isinstance(message, str) else None}


def level_after(interrupt: tuple[str, str, float] | None, log: Callable[..., None]) -> Callable[..., None]:
    """Return the level for an end: a warning if the turn was interrupted because its time was over."""
    return _log.warning if interrupt is not None and interrupt[1] in _TIMEOUTS else log


def losses_of(losses: Losses | None) -> dict[str, int | None]:
    """Return what the log says about the unread events of a turn that were not kept as they came."""
    if losses is None:
        return {}
    return {"deltas_merged": losses.merged or None, "states_outdated": losses.outdated or None}


def lost_with(close_reason: CloseReason) -> tuple[Any, ...]:
    """Return the log event of a turn whose end does not come."""
    reason = close_reason.reason
    return _log.info if reason == CLIENT_CLOSED else _log.warning, "lost", {"reason": reason}
