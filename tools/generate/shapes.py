"""The Python form of a property's schema: its annotation, its default, whether it is a secret."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tools.generate import naming, tables
from tools.generate.model import JSON_VALUE, Annotation, named
from tools.generate.schema import target, unwrap

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.generate.schema import Json, Schema

PRIMITIVES = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}
JSON_OBJECT = named("JsonObject")


def annotation(schema: Json, inline: Callable[[Json], Annotation]) -> Annotation:
    """Return the annotation of a schema; ``inline`` builds a class for an object that is defined in place."""
    inner, nullable = unwrap(schema)
    kind = _solid(inner, inline)
    return kind.or_none() if nullable else kind


def _solid(schema: Json, inline: Callable[[Json], Annotation]) -> Annotation:
    if schema is True or not {"$ref", "type"} & schema.keys():
        return JSON_VALUE
    if "$ref" in schema:
        return named(naming.class_name(target(schema)))
    kind = schema["type"]
    if kind in PRIMITIVES:
        return Annotation(PRIMITIVES[kind])
    if kind == "array":
        return annotation(schema["items"], inline).within("list[{}]")
    if "properties" in schema:
        return inline(schema)
    values = schema.get("additionalProperties", True)
    return JSON_OBJECT if values is True else annotation(values, inline).within("dict[str, {}]")


def default(value: Json, schema: Json, whole: Schema) -> tuple[str, frozenset[str]]:
    """Return the source of a default other than null, and the names that it needs when the class is created."""
    inner, _ = unwrap(schema)
    if isinstance(value, list):
        items = [default(item, inner["items"], whole) for item in value]
        factory = f"lambda: [{', '.join(text for text, _ in items)}]" if items else "list[Any]"
        return f"attrs.Factory({factory})", frozenset[str]().union(*(names for _, names in items))
    if "$ref" in inner:
        enum = _enum_of(target(inner), whole)
        return f"{enum}.{naming.member(value)}", frozenset({enum})
    return repr(value), frozenset()


def _enum_of(name: str, whole: Schema) -> str:
    """Return the enum for the strings of a definition."""
    members = whole.definitions[name].get("oneOf", ())
    return naming.strings_of(name) if any("properties" in member for member in members) else naming.class_name(name)


def is_secret(wire: str, schema: Json) -> bool:
    """Return whether `repr` masks a property. Raises `LookupError` for an undecided name that sounds like a secret."""
    if wire in tables.SECRETS:
        return tables.SECRETS[wire]
    inner, _ = unwrap(schema)
    if not isinstance(inner, dict) or inner.get("type") != "string":
        return False
    if re.search(tables.DELICATE, wire) and not tables.HARMLESS.get(wire):
        raise LookupError(f"{wire} sounds like a secret; decide in tables.SECRETS or tables.HARMLESS")
    return False
