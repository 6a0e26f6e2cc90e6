"""Any value as plain JSON values, for programs that store or send results. Names are those of the attributes.

`unstructuring` is the other direction of the protocol: names as the runtime has them, and an error for a value without a JSON form.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from datetime import date, datetime, time
from enum import Enum
from typing import Any

import attrs

from openai_codex._codec.base import (
    UNSET,
    Record,
    UnknownNotification,
    UnknownVariant,
    Variant,
    record_fields,
    wire_name,
)


def plain(value: Any) -> Any:
    """Convert a value to dicts with text keys, lists, texts, numbers, bools and ``None``.

    Records, attrs classes, dataclasses, named tuples and models become dicts, and enum members their values. Times become
    ISO 8601 texts. Another value without a JSON form, such as a path or a number that is not finite, becomes its text.
    """
    if value is None or isinstance(value, bool):
        return value
    for kinds, convert in _RULES:
        if isinstance(value, kinds):
            return convert(value)
    return _object(value)


def _record(record: Record) -> Any:
    if isinstance(record, (UnknownVariant, UnknownNotification)):
        return plain(record.raw)
    cls: Any = type(record)
    names = [field.name for field in record_fields(cls)]
    tag = {cls.TAG: getattr(cls, cls.TAG)} if isinstance(record, Variant) else {}
    known = {wire_name(cls, name) for name in [*names, *tag]}
    # Fields of a newer runtime have no attribute, so they keep their own name.
    unknown = {name: part for name, part in (record.raw or {}).items() if name not in known}
    values = {name: part for name in names if (part := getattr(record, name)) is not UNSET}
    return plain({**tag, **values, **unknown})


def _object(value: Any) -> Any:
    for is_one, parts in _OBJECTS:
        if is_one(value):
            return plain(parts(value))
    return str(value)


def _dataclass(value: Any) -> dict[str, Any]:
    return _named(value, [field.name for field in dataclasses.fields(value)])


def _named(value: Any, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(value, name) for name in names if not name.startswith("_")}


def _key(key: Any) -> str:
    text = plain(key)
    return text if isinstance(text, str) else str(text)


# Types and their conversion, tried in this order: a member of a str enum is a str, too, and a named tuple a tuple.
_RULES: tuple[tuple[type | tuple[type, ...], Callable[[Any], Any]], ...] = (
    (Enum, lambda value: plain(value.value)),
    (str, str.__str__),
    (int, int),
    (float, lambda value: float(value) if math.isfinite(value) else str(value)),
    (Record, _record),
    (Mapping, lambda value: {_key(key): plain(part) for key, part in value.items()}),
    ((list, tuple), lambda value: _object(value) if hasattr(value, "_asdict") else [plain(part) for part in value]),
    (AbstractSet, lambda value: sorted((plain(part) for part in value), key=str)),
    ((datetime, date, time), lambda value: value.isoformat()),
)

# Condition and parts of objects. The first one for an attrs class, which may have any method beside.
_OBJECTS: tuple[tuple[Callable[[Any], bool], Callable[[Any], Any]], ...] = (
    (lambda value: attrs.has(type(value)), lambda value: _named(value, [f.name for f in attrs.fields(type(value))])),
    (lambda value: hasattr(type(value), "__dataclass_fields__"), _dataclass),
    (lambda value: hasattr(value, "_asdict"), lambda value: value._asdict()),
    (lambda value: hasattr(value, "model_dump"), lambda value: value.model_dump(mode="json")),
    (lambda value: hasattr(value, "__struct_config__"), lambda value: _named(value, value.__struct_fields__)),
)
