"""How a member of a union is chosen: by the kind of JSON, then by tag, else by shape.

JSON that matches no member becomes an `UnknownVariant`, and so does JSON whose tag is known and whose fields do not
match: one invalid item must not make the whole result that contains it unreadable.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, get_args, get_origin

import attrs
from cattrs import Converter

from openai_codex._codec.base import (
    JSON_KINDS,
    JsonObject,
    OpenEnum,
    Record,
    TypeMismatchError,
    UnknownVariant,
    Unset,
    Variant,
    is_a,
    record_fields,
    tag_of,
    wire_name,
)
from openai_codex._codec.incomplete import IncompleteError, is_required

Hook: TypeAlias = Callable[[Any, Any], Any]
"""Takes a decoded value and its type, returns the value built. Raises `KeyError` or `TypeMismatchError`."""


def union_hook(type_: Any, converter: Converter) -> Hook:
    """Return a hook that chooses by the kind of JSON, and among several records by tag or shape."""
    members = [member for member in get_args(type_) if member is not Unset]
    if Any in members:
        return _unchanged
    records = [member for member in members if is_a(Record)(member)]
    hooks = {
        kind: (converter.get_structure_hook(member), member)
        for member in members
        if member not in records
        for kind in json_kinds(member)
    }
    if records:
        hooks[dict] = _records_hook(records, converter), None
    expected = " or ".join(JSON_KINDS[kind] for kind in hooks)

    def structure_union(value: Any, _: Any) -> Any:
        # By exact class: a bool is an int to `isinstance`, but not in JSON.
        found = hooks.get(value.__class__)
        if found is None:
            raise TypeMismatchError(expected, value)
        hook, member = found
        return hook(value, member)

    return structure_union


def json_kinds(member: Any) -> tuple[type, ...]:
    """Return the Python types of decoded JSON that a member of a union is built from."""
    if member is float:
        return float, int
    if is_a(Record)(member):
        return (dict,)
    return (str if is_a(OpenEnum)(member) else get_origin(member) or member,)


def _unchanged(value: Any, _: Any) -> Any:
    return value


def _records_hook(records: list[type[Record]], converter: Converter) -> Hook:
    known = [record for record in records if record is not UnknownVariant]
    # One record and no `UnknownVariant`: not an open union but a field that may be null, so a mismatch is an error.
    if known == records and len(known) == 1:
        return converter.get_structure_hook(known[0])
    variants = [record for record in known if issubclass(record, Variant)]
    if len(variants) == len(known):
        return _by_tag(variants, converter)
    return _by_shape(known, converter)


def _by_tag(variants: list[type[Variant]], converter: Converter) -> Hook:
    wire = tag_of(variants[0])[0]
    hooks = {tag_of(variant)[1]: converter.get_structure_hook(variant) for variant in variants}

    def structure_variant(value: JsonObject, _: Any) -> Record:
        tag = value.get(wire)
        # Also a list or an object, which has no hash to look it up by.
        if not isinstance(tag, str):
            return UnknownVariant(value)
        return _built_or_unknown(hooks.get(tag), value, tag)

    return structure_variant


def _by_shape(records: list[type[Record]], converter: Converter) -> Hook:
    shapes: list[Shape] = []

    def structure_shape(value: JsonObject, _: Any) -> Record:
        nonlocal shapes
        shapes = shapes or [Shape(record) for record in records]  # at first use: it loads the types of all fields
        matching = [shape for shape in shapes if shape.matches(value)]
        if not matching:
            return UnknownVariant(value)
        # Shapes may overlap when one has only optional fields: the one that knows most of the keys loses least.
        best = max(matching, key=lambda shape: len(shape.names & value.keys()))
        return _built_or_unknown(converter.get_structure_hook(best.record), value, None)

    return structure_shape


def _built_or_unknown(hook: Hook | None, value: JsonObject, tag: str | None) -> Record:
    if hook is not None:
        try:
            record: Record = hook(value, None)
        except IncompleteError:
            raise
        except (KeyError, TypeMismatchError):
            return UnknownVariant(value, tag)
        return record
    return UnknownVariant(value, tag)


class Shape:
    """How a record without a tag is recognized: its required fields are present, and their values are known to it."""

    def __init__(self, record: type[Record]) -> None:
        attrs.resolve_types(record)
        fields = {wire_name(record, field.name): field for field in record_fields(record)}
        required: dict[str, Any] = {wire: field.type for wire, field in fields.items() if is_required(field)}
        self.record = record
        self.names = fields.keys()
        self._required = required.keys()
        # Tuples, not sets: a value from outside may have no hash.
        self._values = {wire: tuple[str, ...](enum) for wire, enum in required.items() if is_a(OpenEnum)(enum)}
        self._inner = {wire: Shape(inner) for wire, inner in required.items() if is_a(Record)(inner)}

    def matches(self, value: Any) -> bool:
        """Return whether a JSON value may be such a record."""
        return (
            isinstance(value, dict)
            and self._required <= value.keys()
            and all(value[wire] in values for wire, values in self._values.items())
            and all(inner.matches(value[wire]) for wire, inner in self._inner.items())
        )
