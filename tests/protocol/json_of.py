"""Draws JSON that a schema allows, and JSON that a later version of it might send.

Covers the part of JSON Schema that the protocol uses. What comes from the future are unknown properties, unknown enum
values, and unknown members of unions: all of them must survive.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from tests.protocol.bundle import Json, definitions, tag_of, target

SAMPLES: dict[str, list[Any]] = {
    "string": ["", "a", "Ünï→", 'quote"d', "line\nline"],
    "integer": [0, 1, -1, 2**53, -(2**53)],
    "number": [0, 1, 0.5, -2.25, 1e300],
    "boolean": [True, False],
    "null": [None],
    "anything": [None, False, 1, 1.0, "a", [], [{"a": []}], {}, {"snake_case": {"b": None}, "camelCase": [1]}],
}
NEW = "fromTheFuture"
DEEP = 5
"""Below this depth only what is required is drawn."""


def json_of(name: str, seed: int, *, future: bool) -> Any:
    """Return JSON for one definition: the same for the same seed; with ``future``, unknown things among the known."""
    return _Drawing(Random(f"{name} {seed}"), future).value(definitions()[name], 0)


class _Drawing:
    """One example on its way."""

    def __init__(self, random: Random, future: bool) -> None:
        self._choose: Callable[[list[Any]], Any] = random.choice
        self._new = [NEW] if future else []

    def value(self, schema: Json, depth: int) -> Any:
        if schema is True:
            return self._choose(SAMPLES["anything"])
        if "$ref" in schema:
            return self.value(definitions()[target(schema["$ref"])], depth)
        if "enum" in schema:
            return self._choose([*schema["enum"], *self._new])
        if "properties" in schema:
            return self._object(schema, depth)
        members = schema.get("oneOf") or schema.get("anyOf") or schema.get("allOf")
        return self._member(members, depth) if members else self._by_type(schema, depth)

    def _member(self, members: list[Json], depth: int) -> Any:
        if depth > DEEP and {"type": "null"} in members:
            return None
        # A member that may be any string or object stands for the future as well.
        closed = members if self._new else [m for m in members if not isinstance(m.get("type"), list)]
        member = self._choose([*closed, *self._new] if any("properties" in m for m in members) else closed)
        if member is NEW:
            tag = next((tag[0] for m in members if (tag := tag_of(m))), None)
            return {tag: NEW, "id": 1} if tag else {NEW: {"id": 1}}
        return self.value(member, depth)

    def _by_type(self, schema: Json, depth: int) -> Any:
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = "null" if "null" in kind and depth > DEEP else self._choose(kind)
        if kind == "array":
            count = 0 if depth > DEEP else self._choose([0, 1, 2])
            return [self.value(schema["items"], depth + 1) for _ in range(count)]
        if kind == "object":
            return self._mapping(schema.get("additionalProperties", bool(self._new)), depth)
        return self._choose(SAMPLES[kind or "anything"])

    def _mapping(self, values: Json, depth: int) -> Any:
        keys: list[str] = (
            [] if values is False or depth > DEEP else self._choose([[], ["a"], ["snake_case", "camelCase"]])
        )
        return {key: self.value(values, depth + 1) for key in keys}

    def _object(self, schema: Json, depth: int) -> Any:
        """Draw an object; if only one of several further groups of properties is due, one of them."""
        alternatives = schema.get("oneOf") or schema.get("anyOf") or [{}]
        parts = [schema, self._choose(alternatives)]
        tag = tag_of(parts[1]) or tag_of(schema)
        drawn = {name: self.value(p, depth + 1) for part in parts for name, p in self._present(part, depth)}
        extra = {new: self._choose(SAMPLES["anything"]) for new in self._new if self._choose([True, False])}
        return {**drawn, **extra, **dict([tag] if tag else [])}

    def _present(self, part: Json, depth: int) -> list[tuple[str, Json]]:
        required = part.get("required", ())
        wanted = [False] if depth > DEEP else [True, False]
        properties = part.get("properties", {}).items()
        return [(name, p) for name, p in properties if name in required or self._choose(wanted)]
