"""From Python values to decoded JSON, as forms read it. A value that would be read as another one is refused."""

from __future__ import annotations

import dataclasses
import os
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from math import isfinite
from types import NoneType
from typing import Any
from uuid import UUID

import attrs
import orjson

from openai_codex import _codec as codec
from openai_codex import _protocol as protocol
from openai_codex._schemas.leaves import iso_duration


def to_json(value: Any, *, without: tuple[type, ...] = (), path: str = "it") -> Any:
    """Convert a value to decoded JSON. Private fields of objects, whose names begin with an underscore, are left out.

    Args:
        value: The value.
        without: Types of values that are no data, although they have fields.
        path: The place of the value, for errors.

    Raises:
        TypeError: A value in it has no JSON form, or would be read as another one.
    """
    leaf = next((row for row in _LEAVES if isinstance(value, row[0])), None)
    if leaf:
        _, plain, is_lost, why = leaf
        if is_lost(value):
            raise TypeError(f"{path} {why}")
        return plain(value)
    if isinstance(value, without):
        raise TypeError(f"{type(value).__name__} has no JSON form")
    if step := _found(_STEPS, value):
        return to_json(step(value), without=without, path=path)
    if fields := _found(_OBJECTS, value):
        public = [(name, part) for name, part in fields(value) if not name.startswith("_")]
        return {name: to_json(part, without=without, path=f"{path}.{name}") for name, part in public}
    if isinstance(value, Mapping):
        return _members(value, without, path)
    if isinstance(value, _COLLECTIONS):
        return [to_json(part, without=without, path=f"{path}[{index}]") for index, part in enumerate(value)]
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _found(rows: Sequence[tuple[Callable[[Any], bool], Any]], value: Any) -> Any:
    return next((convert for is_one, convert in rows if is_one(value)), None)


def _members(value: Mapping[Any, Any], without: tuple[type, ...], path: str) -> dict[str, Any]:
    members = {
        _key(key, path): to_json(part, without=without, path=f"{path}[{str(key)!r}]") for key, part in value.items()
    }
    if len(members) < len(value):
        raise TypeError(f"{path} has keys that are the same text")
    return members


def _key(key: Any, path: str) -> str:
    """Return a key as text: numbers and constants as JSON writes them as values."""
    plain = to_json(key, path=f"a key of {path}")
    if not isinstance(plain, (str, *_CONSTANTS)):
        raise TypeError(f"a key of {path} is a {type(key).__name__}, which is no text")
    return plain if isinstance(plain, str) else orjson.dumps(plain).decode()


def _has_seconds(value: Any) -> object:
    return (value.utcoffset() or timedelta()) % timedelta(minutes=1)


def _never(_value: Any) -> bool:
    return False


_OFFSET = "has seconds in its UTC offset"
# Type, its JSON, when it would be read as something else, and why. A member of an enum may be a str or an int, too.
_LEAVES: Sequence[tuple[Any, Callable[[Any], Any], Callable[[Any], object], str]] = (
    (Enum, lambda member: to_json(member.value), _never, ""),
    ((bool, NoneType), lambda value: value, _never, ""),
    # Not plain ``str()``: a subclass may show itself in another way.
    (str, str.__str__, _never, ""),
    (
        int,
        int.__int__,
        lambda value: not -(2**63) <= value < 2**64,
        "is an integer with more than 64 bits; return it as a text",
    ),
    (float, float.__float__, lambda value: not isfinite(value), "is a number that JSON does not have"),
    (Decimal, str, lambda value: not value.is_finite(), "is a number that JSON does not have"),
    (datetime, datetime.isoformat, _has_seconds, _OFFSET),
    (time, time.isoformat, _has_seconds, _OFFSET),
    (date, date.isoformat, _never, ""),
    (timedelta, iso_duration, _never, ""),
    (UUID, str, _never, ""),
)
_CONSTANTS = (bool, int, float, NoneType)
_COLLECTIONS = (list, tuple, deque, AbstractSet)


def _of_pydantic(value: Any) -> Any:
    return type(value).__pydantic_serializer__.to_python(value, mode="json", by_alias=True)


def _attrs_fields(value: Any) -> list[tuple[str, Any]]:
    # By the names of the arguments, as they are read; the argument for a private field has no underscore.
    fields = [field for field in attrs.fields(type(value)) if not field.name.startswith("_")]
    return [(field.alias or field.name, getattr(value, field.name)) for field in fields]


def _struct_fields(value: Any) -> list[tuple[str, Any]]:
    config = value.__struct_config__
    names = zip(value.__struct_encode_fields__, value.__struct_fields__, strict=True)
    tag = [] if config.tag is None else [(config.tag_field, config.tag)]
    return tag + [(encoded, getattr(value, name)) for encoded, name in names]


# Condition and conversion one step towards JSON, tried in this order: a protocol record is an attrs class too.
_STEPS: Sequence[tuple[Callable[[Any], bool], Callable[[Any], Any]]] = (
    (lambda value: isinstance(value, protocol.Record), codec.unstructure),
    (lambda value: hasattr(type(value), "__pydantic_serializer__"), _of_pydantic),
    (lambda value: hasattr(type(value), "model_dump"), lambda value: value.model_dump(mode="json")),
    (lambda value: isinstance(value, os.PathLike), os.fspath),
)
# Condition, and the fields by their names in JSON.
_OBJECTS: Sequence[tuple[Callable[[Any], bool], Callable[[Any], list[tuple[str, Any]]]]] = (
    (lambda value: attrs.has(type(value)), _attrs_fields),
    (
        lambda value: dataclasses.is_dataclass(value) and not isinstance(value, type),
        lambda value: [(field.name, getattr(value, field.name)) for field in dataclasses.fields(value)],
    ),
    (lambda value: hasattr(type(value), "__struct_fields__"), _struct_fields),
    (lambda value: hasattr(value, "_asdict"), lambda value: list(value._asdict().items())),
)
