"""A hypothesis strategy for the JSON that a schema allows, and for what a later version of it might send.

Covers the part of JSON Schema that the protocol uses. Beyond the schema it draws unknown properties everywhere, unknown
enum values, and unknown members of unions: all of them must survive.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from hypothesis import strategies as st

from tools.generate.schema import Json, tag_of, target

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


def json_of(schema: Json, definitions: dict[str, Json]) -> st.SearchStrategy[Any]:
    """Return a strategy for the JSON of one schema.

    One draw seeds a generator of its own: an example has hundreds of choices, and nothing here needs shrinking.
    """
    return st.randoms(use_true_random=True).map(lambda random: _Drawing(random, definitions).value(schema, 0))


class _Drawing:
    """One example on its way."""

    def __init__(self, random: Random, definitions: dict[str, Json]) -> None:
        self._choose: Callable[[list[Any]], Any] = random.choice
        self._definitions = definitions

    def value(self, schema: Json, depth: int) -> Any:
        if schema is True:
            return self._choose(SAMPLES["anything"])
        if "$ref" in schema:
            return self.value(self._definitions[target(schema)], depth)
        if "enum" in schema:
            return self._choose([*schema["enum"], NEW])
        if "properties" in schema:
            return self._object(schema, depth)
        members = schema.get("oneOf") or schema.get("anyOf") or schema.get("allOf")
        return self._member(members, depth) if members else self._by_type(schema, depth)

    def _member(self, members: list[Json], depth: int) -> Any:
        if depth > DEEP and {"type": "null"} in members:
            return None
        member = self._choose([*members, NEW] if any("properties" in m for m in members) else members)
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
            return self._mapping(schema.get("additionalProperties", True), depth)
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
        extra = {NEW: self._choose(SAMPLES["anything"])} if self._choose([True, False]) else {}
        return {**drawn, **extra, **dict([tag] if tag else [])}

    def _present(self, part: Json, depth: int) -> list[tuple[str, Json]]:
        required = part.get("required", ())
        wanted = [False] if depth > DEEP else [True, False]
        properties = part.get("properties", {}).items()
        return [(name, p) for name, p in properties if name in required or self._choose(wanted)]

    def _chance(self, options: list[Any]) -> Any:
        return self._draw(st.sampled_from(options))
