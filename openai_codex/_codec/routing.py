"""Whom a notification belongs to, by what its payload says."""

from __future__ import annotations

from typing import Any

from openai_codex._codec.route import Route
from openai_codex._protocol.methods import ROUTES

Address = tuple[str | None, str | None, str | None]
"""The ids of a thread, a turn and a login; ``None`` for what the payload has not."""

# A method that the tables do not know is read by the names that all others use.
_UNKNOWN = Route(thread=("threadId",), turn=("turnId",), login=("loginId",))

ALIKE = frozenset(method for method, route in ROUTES.items() if route == Route(("threadId",), ("turnId",)))
"""Most methods, and all that come by the thousand, name thread and turn alike: no need to look at their route."""


def address_of(method: str, params: dict[str, Any]) -> Address:
    """Return whom a notification belongs to."""
    if method in ALIKE:
        thread, turn = params.get("threadId"), params.get("turnId")
        return thread if type(thread) is str else None, turn if type(turn) is str else None, None
    route = ROUTES.get(method, _UNKNOWN)
    return _text_at(params, route.thread), _text_at(params, route.turn), _text_at(params, route.login)


def _text_at(params: dict[str, Any], path: tuple[str, ...]) -> str | None:
    value: Any = params
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, str) else None
