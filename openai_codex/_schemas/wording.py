"""Constraints in words, for the schemas of tools: the runtime passes few keywords of these on to the model.

It keeps types, properties, enums, unions, items, references and descriptions. Without words the model would not know
what a number may be or how to write a date, and would read a tuple as a list of texts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from openai_codex._schemas.form import Schema

_WORDS: Mapping[str, str] = {
    "exclusiveMinimum": "greater than {}",
    "minimum": "at least {}",
    "exclusiveMaximum": "less than {}",
    "maximum": "at most {}",
    "multipleOf": "a multiple of {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "maxItems": "at most {} items",
    "minProperties": "at least {} keys",
    "maxProperties": "at most {} keys",
    "pattern": "matching {}",
    "format": "format {}",
    "uniqueItems": "no item twice",
    "propertyNames": "keys: {}",
}


def in_words(schema: Any) -> Any:
    """Copy a schema, with what the runtime does not pass on repeated in descriptions."""
    if not isinstance(schema, dict):
        return schema
    told = _listed({word: _PARTS.get(word, _same)(part) for word, part in schema.items()})
    words = "; ".join(
        text.format(schema[word]) for word, text in _WORDS.items() if schema.get(word, False) is not False
    )
    return {**told, "description": _joined(told, words)} if words else told


def _joined(schema: Schema, words: str) -> str:
    return f"{schema['description']}; {words}" if "description" in schema else words


def _listed(schema: Schema) -> Schema:
    """Write items of several types as those of a list, and their order in words."""
    items: list[Schema] = schema.get("prefixItems", [])
    if not items:
        return schema
    order = ", ".join(str(item.get("type", item.get("$ref", "any"))).rpartition("/")[2] for item in items)
    kept = {word: part for word, part in schema.items() if word != "prefixItems"}
    return {**kept, "items": {"anyOf": items}, "description": _joined(schema, f"in this order: {order}")}


def _same(part: Any) -> Any:
    return part


def _by_name(parts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: in_words(part) for name, part in parts.items()}


def _each(parts: list[Any]) -> list[Any]:
    return [in_words(part) for part in parts]


_PARTS: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("properties", "$defs"), _by_name),
    **dict.fromkeys(("anyOf", "oneOf", "allOf", "prefixItems"), _each),
    **dict.fromkeys(("items", "additionalProperties"), in_words),
}
