"""How a member of a union is chosen: by the kind of JSON, then by tag, else by shape; what fits none stays unknown.

A member whose tag or shape is known and whose body does not fit is unknown too: one odd item does not cost the whole
result that it came in.
"""

from __future__ import annotations

from contextlib import suppress
from types import NoneType
from typing import TYPE_CHECKING, Any, get_args, get_origin

import attrs
from cattrs import ClassValidationError

from openai_codex._codec.base import JsonObject, OpenEnum, Record, UnknownVariant, Unset, Variant
from openai_codex._codec.mismatch import JSON_KINDS, TypeMismatchError
from openai_codex._codec.reflection import is_a, record_fields, resolve_types, tag_of, wire_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from cattrs import Converter

    Hook = Callable[[Any, Any], Any]


def union_hook(type_: Any, converter: Converter) -> Hook:
    """Choose by the kind of JSON, and among several records by `_record_of_many`."""
    members = [member for member in get_args(type_) if member is not Unset]
    if Any in members:
        return _as_it_is
    records = [member for member in members if is_a(Record)(member)]
    makers = {kind: maker for member in members if member not in records for kind, maker in _by_kind(member, converter)}
    if records:
        makers[dict] = _record_of_many(records, converter), None
    expected = " or ".join(JSON_KINDS[kind] for kind in makers)

    def structure_union(value: Any, _: Any) -> Any:
        maker = makers.get(value.__class__)
        if maker is None:
            raise TypeMismatchError(expected, value)
        hook, member = maker
        return hook(value, member)

    return structure_union


def _by_kind(member: Any, converter: Converter) -> list[tuple[type, tuple[Hook, Any]]]:
    """Return the kinds of JSON that a member of a union takes, each with the hook for it and the hook's type."""
    if member is NoneType:
        return [(NoneType, (_as_it_is, None))]
    maker = (converter.get_structure_hook(member), member)
    if member is float:
        return [(float, maker), (int, maker)]
    return [(str if is_a(OpenEnum)(member) else get_origin(member) or member, maker)]


def _as_it_is(value: Any, _: Any) -> Any:
    return value


def _record_of_many(records: list[type[Record]], converter: Converter) -> Hook:
    known = [record for record in records if record is not UnknownVariant]
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
        if not isinstance(tag, str):
            return UnknownVariant(value)
        return _made_or_unknown(hooks.get(tag), value, tag)

    return structure_variant


def _by_shape(records: list[type[Record]], converter: Converter) -> Hook:
    shapes: list[Shape] = []

    def structure_shape(value: JsonObject, _: Any) -> Record:
        nonlocal shapes
        shapes = shapes or [Shape(record) for record in records]  # late, as it loads what the records name
        fitting = [shape for shape in shapes if shape.fits(value)]
        if not fitting:
            return UnknownVariant(value)
        best = max(fitting, key=lambda shape: len(shape.names & value.keys()))
        return _made_or_unknown(converter.get_structure_hook(best.record), value, None)

    return structure_shape


def _made_or_unknown(hook: Hook | None, value: JsonObject, tag: str | None) -> Record:
    if hook is not None:
        # The last error is how a converter that looks for all misfits tells of the first two.
        with suppress(KeyError, TypeMismatchError, ClassValidationError):
            record: Record = hook(value, None)
            return record
    return UnknownVariant(value, tag)


class Shape:
    """How a record without a tag is recognized: its required fields are there, and what they hold is known to it."""

    def __init__(self, record: type[Record]) -> None:
        resolve_types(record)
        fields = {wire_name(record, field.name): field for field in record_fields(record)}
        required: dict[str, Any] = {
            wire: field.type for wire, field in fields.items() if field.default is attrs.NOTHING
        }
        self.record = record
        self.names = fields.keys()
        self._required = required.keys()
        self._values = {wire: tuple[str, ...](enum) for wire, enum in required.items() if is_a(OpenEnum)(enum)}
        self._inner = {wire: Shape(inner) for wire, inner in required.items() if is_a(Record)(inner)}

    def fits(self, value: Any) -> bool:
        """Whether a JSON value may be such a record."""
        return (
            isinstance(value, dict)
            and self._required <= value.keys()
            and all(value[wire] in values for wire, values in self._values.items())
            and all(inner.fits(value[wire]) for wire, inner in self._inner.items())
        )
