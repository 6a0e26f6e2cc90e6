"""The protocol's schema as data: definitions by name, the methods, and which definitions refer to which.

Knows JSON Schema and the layout of the method tables, and no Python name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from tools.generate import tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Json = Any

TABLES = ("ClientRequest", "ServerRequest", "ServerNotification", "ClientNotification")
"""Definitions that are lists of methods."""

# Headlines between the lines of a method table, which the runtime adds to the description of the next method.
_HEADLINE = re.compile(r"^(NEW APIs|NEW NOTIFICATIONS|DEPRECATED APIs below)\s*")


class Method(NamedTuple):
    """One line of a method table."""

    name: str
    params: str | None
    """The definition of its params; ``None`` if it has none."""
    description: str


class Schema:
    """The definitions of the runtime's schema, with its version and hash.

    Attributes:
        definitions: JSON schemas by name.
        stable: The names of the definitions that are not experimental → the names of their stable properties.
        names: The definitions that become Python declarations.
    """

    def __init__(self, vendored: Json) -> None:
        self.version: str = vendored["about"]["runtime"]
        self.hash: str = vendored["about"]["hash"]
        self.definitions: dict[str, Json] = vendored["definitions"]
        self.stable: dict[str, list[str]] = vendored["stable"]
        self.client_requests = self._methods("ClientRequest")
        self.server_requests = self._methods("ServerRequest")
        self.notifications = [*self._methods("ServerNotification"), *_unlisted_notifications(self.definitions)]
        self.names = [name for name in self.definitions if not _is_left_out(name)]

    def reach(self, roots: Iterable[str]) -> set[str]:
        """Return the definitions that can be reached from these, including themselves."""
        reached: set[str] = set()
        pending = list(roots)
        while pending:
            name = pending.pop()
            if name not in reached:
                reached.add(name)
                pending += references(self.definitions[name])
        return reached

    def _methods(self, table: str) -> list[Method]:
        return list(_methods(self.definitions, table))


def references(schema: Json) -> Iterator[str]:
    """Yield the names of the definitions a schema refers to."""
    if isinstance(schema, dict):
        if "$ref" in schema:
            yield target(schema)
        for value in schema.values():
            yield from references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from references(value)


def target(schema: Json) -> str:
    """Return the name of the definition behind a ``$ref``."""
    return str(schema["$ref"]).rsplit("/", 1)[-1]


def unwrap(schema: Json) -> tuple[Json, bool]:
    """Strip the alternative "null" and the wrapper of a reference; return the schema and whether null is allowed."""
    if not isinstance(schema, dict):
        return schema, False
    options = schema.get("anyOf") or schema.get("allOf") or []
    solid = [option for option in options if option != {"type": "null"}]
    if len(solid) == 1:
        inner, nullable = unwrap(solid[0])
        return inner, nullable or len(solid) < len(options)
    match schema.get("type"):
        case [kind, "null"]:
            return {**schema, "type": kind}, True
        case _:
            return schema, False


def tag_of(schema: Json) -> tuple[str, str] | None:
    """Return the name and the value of the property with a single allowed value, which identifies a variant."""
    for name, value in schema.get("properties", {}).items():
        if isinstance(value, dict) and value.get("type") == "string" and len(value.get("enum", ())) == 1:
            return name, value["enum"][0]
    return None


def _methods(definitions: dict[str, Json], table: str) -> Iterator[Method]:
    for line in definitions[table]["oneOf"]:
        params, _ = unwrap(line["properties"].get("params", {}))
        name = target(params) if "$ref" in params else None
        yield Method(line["properties"]["method"]["enum"][0], name, _HEADLINE.sub("", line.get("description", "")))


def _unlisted_notifications(definitions: dict[str, Json]) -> Iterator[Method]:
    payloads = tables.UNLISTED_NOTIFICATIONS.of(definitions)
    return (Method(tables.UNLISTED_NOTIFICATIONS[payload], payload, "") for payload in payloads)


def _is_left_out(name: str) -> bool:
    return name in TABLES or name.startswith(tables.LEFT_OUT_PREFIXES) or name in tables.LEFT_OUT
