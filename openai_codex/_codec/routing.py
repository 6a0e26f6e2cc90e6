"""Which thread, turn or login a notification belongs to, according to its payload."""

from __future__ import annotations

from typing import Any

from openai_codex._protocol.methods import ROUTES, Route

Address = tuple[str | None, str | None, str | None]
"""The ids of a thread, a turn and a login; ``None`` for an id that the payload does not have."""

# For a method that the tables do not know: the names that most methods use.
_UNKNOWN = Route(thread=("threadId",), turn=("turnId",), login=("loginId",))

ALIKE = frozenset(method for method, route in ROUTES.items() if route == Route(("threadId",), ("turnId",)))
"""Methods with the usual names of thread and turn: a shortcut for the most frequent ones, which saves their route."""


def address_of(method: str, params: dict[str, Any]) -> Address:
    """Return the ids that the payload of a notification names."""
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
