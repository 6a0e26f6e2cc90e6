"""Writes the method tables: the types of each method, where its params have ids, which deltas can be merged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tools.generate import naming, tables
from tools.generate.roles import notification_class, params_class, result_of
from tools.generate.schema import target, unwrap

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tools.generate.schema import Json, Method, Schema
    from tools.generate.tables import Exceptions


TEMPLATE = '''"""The methods of the protocol as plain data: the types of each, and where its params have ids."""

from __future__ import annotations

from typing import NamedTuple

RUNTIME_VERSION = "{version}"
SCHEMA_HASH = "{hash}"


class Route(NamedTuple):
    """Where the params of a method have ids: paths of JSON names, empty for an id that the params do not have.

    Attributes:
        thread: To the thread's id: ``("threadId",)`` or ``("thread", "id")``.
        turn: To the turn's id; it may be null, or lead through an object that is absent.
        login: To the id of a login attempt.
    """

    thread: tuple[str, ...] = ()
    turn: tuple[str, ...] = ()
    login: tuple[str, ...] = ()


CLIENT_REQUESTS: dict[str, tuple[str, str]] = {requests}
"""Method → names of the params and of the result, for requests to the runtime."""

SERVER_REQUESTS: dict[str, tuple[str, str]] = {server_requests}
"""Method → names of the params and of the answer, for requests from the runtime."""

NOTIFICATIONS: dict[str, str] = {notifications}
"""Method → name of the payload."""

ROUTES: dict[str, Route] = {routes}
"""Notification or server request → where its params have the ids of thread, turn and login, if they have any."""

DELTAS: dict[str, tuple[str, ...]] = {deltas}
"""Notification → its text field, then the fields that must be equal to merge two consecutive ones."""

SNAPSHOTS = frozenset({snapshots})
"""Notifications that repeat a whole state, so that only the newest one of a turn matters."""

ENDS = frozenset({ends})
"""The last notification of a turn or a login."""

OWNERS: dict[str, tuple[str, ...]] = {owners}
"""Notification → where its payload has the id of the turn that its turn works for, or that of its turn itself."""
'''


def source(schema: Schema) -> str:
    """Return the source of the tables."""
    pushed = {method.name: method.params for method in [*schema.notifications, *schema.server_requests]}
    return TEMPLATE.format(
        version=schema.version,
        hash=schema.hash,
        requests=_requests(schema, schema.client_requests),
        server_requests=_requests(schema, schema.server_requests),
        notifications={method.name: notification_class(method) for method in schema.notifications},
        routes=_routes(schema, pushed),
        deltas=_deltas(schema),
        snapshots=_listed(schema, tables.SNAPSHOTS),
        ends=_listed(schema, tables.ENDS),
        owners={method: tables.OWNERS[method] for method in _known(schema, tables.OWNERS)},
    )


def _requests(schema: Schema, methods: list[Method]) -> dict[str, tuple[str, str]]:
    return {m.name: (params_class(schema, m), naming.class_name(result_of(schema, m))) for m in methods}


def _routes(schema: Schema, payloads: Mapping[str, str | None]) -> str:
    routes = {method: _route(schema, name) for method, name in payloads.items() if name}
    return "{" + ", ".join(f"{method!r}: Route({route})" for method, route in routes.items() if route) + "}"


def _route(schema: Schema, name: str) -> str:
    found = {}
    for kind, paths in tables.ROUTE_PATHS.items():
        existing = [path.split(".") for path in paths if _has_path(schema, name, path.split("."))]
        if existing:
            found[kind] = tuple(existing[0])
    return ", ".join(f"{kind}={path!r}" for kind, path in found.items())


def _has_path(schema: Schema, name: str, path: list[str]) -> bool:
    definition = schema.definitions[name]
    parts = [definition, *definition.get("oneOf", ())]
    first, *rest = path
    for part in parts:
        if first in part.get("properties", {}):
            inner, _ = unwrap(part["properties"][first])
            return not rest or ("$ref" in inner and _has_path(schema, target(inner), rest))
    return False


def _deltas(schema: Schema) -> dict[str, tuple[str, ...]]:
    payloads = {method.name: method.params for method in schema.notifications}
    return {method: _delta(schema.definitions[payloads[method] or ""]) for method in _known(schema, tables.DELTAS)}


def _listed(schema: Schema, methods: Exceptions[Any]) -> str:
    return "{" + ", ".join(map(repr, _known(schema, methods))) + "}"


def _known(schema: Schema, methods: Exceptions[Any]) -> list[str]:
    return methods.of(method.name for method in schema.notifications)


def _delta(payload: Json) -> tuple[str, ...]:
    if payload["properties"].get("delta", {}).get("type") != "string":
        raise LookupError(f"{payload.get('title')} has no text called delta")
    return ("delta", *(name for name in payload["properties"] if name != "delta"))
