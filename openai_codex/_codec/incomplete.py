"""What may be missing in JSON of the runtime: a field that may be null, and any field of an object that has its id.

An older runtime does not send every field that the protocol requires today. A thread that has its id must not be lost
for that: the thread exists, and its id is what the program needs. Approvals are excepted: what is missing there may be
what the answer depends on.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import NoneType
from typing import Any, Final, get_args, get_origin

import attrs

from openai_codex._codec.base import JsonObject, Record, default_of, is_a, record_fields, wire_name


class IncompleteError(KeyError):
    """A field is missing in an object that can be built without it. Internal: callers see a `DecodeError` or a value."""


class Missing:
    """What is missing in a value that is built all the same.

    Attributes:
        whole: The value: the result of a request or the payload of a notification, which needs no id of its own.
        names: The fields, as ``Thread.cliVersion``, each once.
    """

    def __init__(self, whole: Any) -> None:
        self.whole = whole
        self.names: dict[str, None] = {}


NOTHING: Final = Missing(None)
"""Nothing may be missing: the value comes from the program, or is the question of an approval."""

_allowed: ContextVar[Missing | None] = ContextVar("_allowed", default=None)


@contextmanager
def allowed(missing: Missing) -> Generator[Missing]:
    """Build objects with missing fields within the block, and note these; with `NOTHING` such an object raises `KeyError`."""
    token = _allowed.set(missing)
    try:
        yield missing
    finally:
        _allowed.reset(token)


def may_be_null(type_: Any) -> bool:
    """Return whether a field of this type may be null; if it is absent, it is read as if it were."""
    return type_ is Any or NoneType in get_args(type_)


def built(cls: type[Record], hook_of: Callable[[Any], Callable[[Any, Any], Any]], json: JsonObject) -> Record:
    """Build a record in which something is missing, if that is allowed.

    Raises:
        IncompleteError: It was not decided yet whether that is allowed.
        KeyError: It is not allowed, or the record does not say what it is about.
    """
    attrs.resolve_types(cls)
    fields = {wire_name(cls, field.name): field for field in record_fields(cls)}
    lost = [wire for wire, field in fields.items() if wire not in json and is_required(field)]
    missing = _allowed.get()
    # Else a part misses something, which says so.
    if not lost or missing is NOTHING or not _is_identified(fields, lost, json, missing):
        raise KeyError(cls.__name__)
    if missing is None:
        raise IncompleteError(cls.__name__)
    record = cls.__new__(cls)
    record.raw = json
    for wire, field in fields.items():
        value = hook_of(field.type)(json[wire], field.type) if wire in json else absent(field)
        setattr(record, field.name, value)
    missing.names.update(dict.fromkeys(f"{cls.__name__}.{wire}" for wire in lost))
    return record


def is_required(field: attrs.Attribute[Any]) -> bool:
    """Return whether an object is incomplete without a field."""
    return field.default is attrs.NOTHING and not may_be_null(field.type)


def _is_identified(
    fields: Mapping[str, attrs.Attribute[Any]], lost: list[str], json: JsonObject, missing: Missing | None
) -> bool:
    """Return whether an object says what it is about: by its id; a whole one by all ids and parts that it should have."""
    if "id" in fields:
        return isinstance(json.get("id"), str)
    if missing is None or json is not missing.whole:
        return False
    is_vital = any(wire.endswith("Id") or is_a(Record)(fields[wire].type) for wire in lost)
    return not is_vital and any(wire in json for wire, field in fields.items() if is_required(field))


def absent(field: attrs.Attribute[Any]) -> Any:
    """Return what a field reads as that was not received. A list or a dict is empty, because programs iterate over it."""
    if field.default is not attrs.NOTHING:
        return default_of(field)
    kind = get_origin(field.type)
    return kind() if kind in {list, dict} else None
