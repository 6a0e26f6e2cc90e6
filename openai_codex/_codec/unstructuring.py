"""How records become JSON: unknown fields of a received record are kept, fields that the program changed are replaced.

It converts by value, not by annotation, so a plain string may stand for an enum member.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from functools import cache, partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import attrs

from openai_codex._codec.base import (
    UNSET,
    JsonObject,
    Record,
    TypeMismatchError,
    UnknownNotification,
    UnknownVariant,
    UntypedRequest,
    Variant,
    default_of,
    record_fields,
    tag_of,
    wire_name,
)
from openai_codex._codec.incomplete import absent
from openai_codex._runtime.display import conceal
from openai_codex.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable


def unstructure(value: Any) -> Any:
    """Convert a record, or a structure of records, sequences and mappings, to JSON values.

    Fields that are `UNSET` are omitted. Unknown fields of a received record are returned as they arrived; they are not
    copied, so the returned value shares them with its `raw`. A path becomes its text.

    Args:
        value: What to convert.

    Returns:
        The JSON values; ``None`` for the params of a request that has none.

    Raises:
        ConfigError: A value has no JSON form. The error names its class and field.
    """
    try:
        return _json(value)
    except TypeMismatchError as error:
        raise ConfigError("value", str(error)) from None


def _json(value: Any) -> Any:
    if isinstance(value, Record):
        return _dumper(type(value))(value)  # type: ignore[arg-type]  # a class is hashable, whatever its instances are
    if isinstance(value, str):
        return str.__str__(value)  # the plain text of an enum member, whatever `str()` of its class returns
    if value is None or isinstance(value, (bool, int, float)):
        return _finite(value) if isinstance(value, float) else value
    if isinstance(value, Mapping):
        return {_key(key): _json(item) for key, item in value.items()}
    # Bytes are a sequence of ints in Python, which is never what was meant.
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray, memoryview)):
        return [_json(item) for item in value]
    if isinstance(value, os.PathLike):
        return _json(os.fspath(value))
    raise TypeMismatchError("a JSON value", value)


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise TypeMismatchError("a finite number", value)  # it would be written as null
    return value


def _key(key: Any) -> str:
    if isinstance(key, str):
        return str.__str__(key)
    raise TypeMismatchError("str as key", key)


def _dump(plan: _Plan, record: Record) -> JsonObject:
    """Return the JSON of a record: of one that was received with what is unknown in it, of others what they have."""
    if plan.secrets:  # what is sent may come back in an error
        conceal(value for name in plan.secrets if isinstance(value := getattr(record, name), str))
    raw: JsonObject = record.raw or {}  # of one that was made here, as all params are, there is none
    json = (
        {**plan.tag, **{key: value for key, value in raw.items() if key not in plan.names}} if raw else plan.tag.copy()
    )
    fields = _received(type(record)) if raw else plan.fields  # type: ignore[arg-type]  # a class is hashable, whatever its instances are
    for (name, wire, default), value in zip(fields, plan.values(record), strict=True):
        # A default is sent only if the runtime sent it too: a record that is read and sent back stays the same.
        if value is UNSET or (value == default and wire not in raw):
            continue
        try:
            json[wire] = value if type(value) is str else _json(value)  # most values are plain strings: no call
        except TypeMismatchError as error:
            raise ConfigError(f"{type(record).__name__}.{name}", str(error)) from None
    return json


# Unchanged, as this version does not know which parts of them matter.
_KEPT_WHOLE = (UnknownVariant, UnknownNotification, UntypedRequest)


class _Plan(NamedTuple):
    """What all records of a class have in common.

    Attributes:
        tag: JSON name and value of the field that identifies a variant; empty for other records.
        names: JSON names of the fields.
        fields: Attribute, JSON name and default of each field. A required field has a default that equals no value.
        values: Returns the values of the fields, in the same order.
        secrets: Attributes whose values no text may show.
    """

    tag: dict[str, str]
    names: frozenset[str]
    fields: tuple[tuple[str, str, Any], ...]
    values: Callable[[Any], tuple[Any, ...]]
    secrets: tuple[str, ...]


@cache  # as many entries as there are record classes
def _dumper(cls: type[Any]) -> Callable[[Any], JsonObject | None]:
    """Return what turns the records of a class into JSON."""
    if issubclass(cls, _KEPT_WHOLE):
        return attrgetter("raw")
    return partial(_dump, _plan(cls)) if getattr(cls, "HAS_PARAMS", True) else lambda _: None


def _plan(cls: type[Any]) -> _Plan:
    tag = dict([tag_of(cls)]) if issubclass(cls, Variant) else {}
    fields = [(field.name, wire_name(cls, field.name), field) for field in record_fields(cls)]
    secrets = tuple(field.name for field in record_fields(cls) if field.metadata.get("secret"))
    return _Plan(
        tag,
        frozenset(wire for _, wire, _ in fields),
        tuple((name, wire, default_of(field)) for name, wire, field in fields),
        _getter([name for name, _, _ in fields]),
        secrets,
    )


@cache  # as above
def _received(cls: type[Any]) -> tuple[tuple[str, str, Any], ...]:
    """Return the fields of a record that was received; the default is what a field reads as that was not."""
    attrs.resolve_types(cls)  # which that is depends on its type
    return tuple((field.name, wire_name(cls, field.name), absent(field)) for field in record_fields(cls))


def _getter(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    if len(names) > 1:
        return attrgetter(*names)  # all at once, in C
    return lambda record: tuple(getattr(record, name) for name in names)  # of one name it would return no tuple
