"""The protocol's schema as data: definitions by name, the methods, and what is reached from where.

Knows JSON Schema and the layout of the runtime's bundle; knows no Python name.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from tools.generate import tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Json = Any

TABLES = ("ClientRequest", "ServerRequest", "ServerNotification", "ClientNotification")
"""Definitions that only list methods."""

# Headlines between the lines of a method table, which ended up in the description of the next method.
_HEADLINE = re.compile(r"^(NEW APIs|NEW NOTIFICATIONS|DEPRECATED APIs below)\s*")

_WORDS = {"$schema", "description", "title"}
"""Keywords that say nothing of what a schema allows."""


class Method(NamedTuple):
    """One line of a method table."""

    name: str
    params: str | None
    """The definition of its params; ``None`` if it takes none."""
    description: str


class Schema:
    """All definitions of the runtime's bundle, flat. Raises `LookupError` if one name has two meanings in it."""

    def __init__(self, bundle: Json, stable_bundle: Json) -> None:
        self.hash = _hash([bundle, stable_bundle])
        self.definitions = _flatten(bundle)
        self.stable = _flatten(stable_bundle)
        self.client_requests = self._methods("ClientRequest")
        self.server_requests = self._methods("ServerRequest")
        self.notifications = [*self._methods("ServerNotification"), *_unlisted_notifications()]
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
    """Strip what says "or null" and the wrapping of a lone reference; return the schema and whether null is allowed."""
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
    """Return name and value of the property of an object that may have one value only: what tells variants apart."""
    for name, value in schema.get("properties", {}).items():
        if isinstance(value, dict) and value.get("type") == "string" and len(value.get("enum", ())) == 1:
            return name, value["enum"][0]
    return None


def _hash(bundles: list[Json]) -> str:
    return hashlib.sha256(json.dumps(bundles, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _flatten(bundle: Json) -> dict[str, Json]:
    top = {name: schema for name, schema in bundle.items() if name != "v2"}
    v2 = bundle["v2"]
    if differing := sorted(name for name in top.keys() & v2.keys() if _meaning(top[name]) != _meaning(v2[name])):
        raise LookupError(f"{', '.join(differing)}: defined twice, and not the same")
    return {**top, **v2}


def _meaning(schema: Json) -> Json:
    """Return a schema without its words."""
    if isinstance(schema, list):
        return [_meaning(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    solid = {key: part for key, part in schema.items() if key not in _WORDS}
    # Names of properties are no keywords, though there are some called `title`.
    properties = {name: _meaning(part) for name, part in solid.pop("properties", {}).items()}
    return {**{key: _meaning(part) for key, part in solid.items()}, "properties": properties}


def _methods(definitions: dict[str, Json], table: str) -> Iterator[Method]:
    for line in definitions[table]["oneOf"]:
        params, _ = unwrap(line["properties"].get("params", {}))
        name = target(params) if "$ref" in params else None
        yield Method(line["properties"]["method"]["enum"][0], name, _HEADLINE.sub("", line.get("description", "")))


def _unlisted_notifications() -> Iterator[Method]:
    return (Method(method, payload, "") for method, payload in tables.UNLISTED_NOTIFICATIONS.items())


def _is_left_out(name: str) -> bool:
    return name in TABLES or name.startswith(tables.LEFT_OUT_PREFIXES) or name in tables.LEFT_OUT
