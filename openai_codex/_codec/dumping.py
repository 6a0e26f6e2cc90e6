"""Values as dicts, as programs for the published SDK read and build them: `Record.model_dump` and its inverse.

`plain` is what this package has itself; `unstructuring` writes what the runtime reads.
"""

from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from functools import cache
from types import UnionType
from typing import Any, NamedTuple, Union, get_args, get_origin

import attrs

from openai_codex._codec.base import (
    UNSET,
    Record,
    UnknownNotification,
    UnknownVariant,
    Variant,
    default_of,
    is_a,
    record_fields,
    wire_name,
)
from openai_codex._codec.incomplete import absent
from openai_codex._codec.model import Model
from openai_codex._codec.plain import plain
from openai_codex.errors import ConfigError, DecodeError

Choice = Any
"""Names, or a mapping of names to what is chosen of the parts, as ``include`` and ``exclude`` have it."""


class Options(NamedTuple):
    """How a value is dumped.

    Attributes:
        json: Whether the values are those of JSON: the value of an enum member, not the member.
        by_alias: Whether the keys are the names of the protocol, not those of the attributes.
        exclude_none: Leave out what is ``None``.
        exclude_unset: Leave out what was neither received nor given.
        exclude_defaults: Leave out what has its default.
    """

    json: bool = False
    by_alias: bool = False
    exclude_none: bool = False
    exclude_unset: bool = False
    exclude_defaults: bool = False


_WITHOUT_EFFECT = {"context", "fallback", "polymorphic_serialization", "round_trip", "serialize_as_any", "warnings"}


def check_others(options: Mapping[str, Any]) -> None:
    """Raise `TypeError` for an option that models do not have: a misspelled one would have no effect."""
    for name in options.keys() - _WITHOUT_EFFECT:
        raise TypeError(f"model_dump() got an unexpected keyword argument {name!r}")


def fields_of(cls: type[Any]) -> dict[str, Any]:
    """Return the fields of a class by their names; see `Model.model_fields`."""
    fields = record_fields(cls) if issubclass(cls, Record) else attrs.fields(cls) if attrs.has(cls) else ()
    return {field.name: field for field in fields}


@cache  # a few classes
def as_dataclass(cls: type[Any]) -> type[Any]:
    """Return a dataclass with the members or fields of a class."""
    if cls.MEMBERS:
        return dataclasses.make_dataclass(cls.__name__, cls.MEMBERS, eq=False, repr=False)
    fields = [(field.name, field.type or Any, _dataclass_field(field)) for field in attrs.fields(cls)]
    return dataclasses.make_dataclass(cls.__name__, fields, eq=False, repr=False)


def _dataclass_field(field: attrs.Attribute[Any]) -> Any:
    factory = getattr(field.default, "factory", None)
    if factory is not None:
        return dataclasses.field(default_factory=factory, kw_only=field.kw_only)
    default = dataclasses.MISSING if field.default is attrs.NOTHING else field.default
    return dataclasses.field(default=default, kw_only=field.kw_only)


def pairs(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the attribute and the value of each member, as a dump has it."""
    return ((name, part) for name, _, part, _, _ in _parts(value))


def to_text(dumped: Any, indent: int | None, ensure_ascii: bool) -> str:
    """Return a dump as JSON text, as `Model.model_dump_json` describes."""
    return json.dumps(dumped, ensure_ascii=ensure_ascii, indent=indent, separators=None if indent else (",", ":"))


def from_text(text: str | bytes | bytearray) -> Any:
    """Return the value of JSON text. Raises `DecodeError`."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise DecodeError("JSON", (str(error),)) from None


def copied(value: Any, update: dict[str, Any], *, deep: bool) -> Any:
    """Return a copy with other values of some attributes; see `Model.model_copy`."""
    made = copy.deepcopy(value) if deep else copy.copy(value)
    for name, part in update.items():
        object.__setattr__(made, name, part)  # works for frozen classes, too; the copy is not shared yet
    return made


def dump(value: Any, options: Options, include: Choice = None, exclude: Choice = None) -> Any:
    """Convert a record or another object of this package to dicts, and all that is in it; see `Record.model_dump`."""
    if isinstance(value, (UnknownVariant, UnknownNotification)):
        return value.raw
    if isinstance(value, Model) or (attrs.has(type(value)) and not isinstance(value, type)):
        return _members(value, options, include, exclude)
    if isinstance(value, Mapping):
        return {
            key: dump(part, options, _below(include, key), _below(exclude, key))
            for key, part in value.items()
            if _is_chosen(key, include, exclude)
        }
    if isinstance(value, (list, tuple)):
        include, exclude = (_counted(choice, len(value)) for choice in (include, exclude))
        return [
            dump(part, options, _below(include, number), _below(exclude, number))
            for number, part in enumerate(value)
            if _is_chosen(number, include, exclude)
        ]
    return plain(value) if options.json or not isinstance(value, Enum) else value


def _members(value: Any, options: Options, include: Choice, exclude: Choice) -> dict[str, Any]:
    dumped = {}
    for name, wire, part, is_set, is_default in _parts(value):
        is_left_out = (options.exclude_unset and not is_set) or (options.exclude_defaults and is_default)
        if is_left_out or not _is_chosen(name, include, exclude):
            continue
        made = dump(part, options, _below(include, name), _below(exclude, name))
        if made is not None or not options.exclude_none:
            dumped[wire if options.by_alias else name] = made
    return dumped


def _parts(value: Any) -> Iterable[tuple[str, str, Any, bool, bool]]:
    """Yield the attribute, JSON name and value of each member, whether it was received or given, and has its default.

    The value of a field that is not set is what the runtime takes instead, if the schema says it, else ``None``: a dump
    may be sent, and ``null`` is refused for these fields.
    """
    cls: Any = type(value)
    if isinstance(value, Model) and cls.MEMBERS:
        yield from ((name, name, getattr(value, name), True, False) for name in cls.MEMBERS)
        return
    if not isinstance(value, Record):
        for field in fields_of(cls).values():
            part = getattr(value, field.name)
            if not field.name.startswith("_"):
                is_default = part == default_of(field)
                yield field.name, field.name, part, not is_default, is_default
        return
    if isinstance(value, Variant):
        yield cls.TAG, wire_name(cls, cls.TAG), getattr(cls, cls.TAG), True, False
    if value.raw is not None:
        attrs.resolve_types(cls)  # for what is absent
    for field in record_fields(cls):
        part, wire, instead = getattr(value, field.name), wire_name(cls, field.name), field.metadata.get("absent")
        is_default = part == default_of(field)
        is_set = not is_default if value.raw is None else wire in value.raw or part != absent(field)
        part = copy.copy(instead) if part is UNSET else part
        yield field.name, wire, part, is_set, is_default or (instead is not None and part == instead)


def _counted(choice: Choice, length: int) -> Choice:
    """Return what is chosen of a list, with the numbers that count from its end as those from its start."""
    entries = choice if isinstance(choice, Mapping) else dict.fromkeys(choice or (), True)
    found = {key + length if isinstance(key, int) and key < 0 else key: below for key, below in entries.items()}
    return None if choice is None else found


def _entry(choice: Choice, key: Any) -> Any:
    if isinstance(choice, Mapping):
        return choice.get(key, choice.get("__all__"))
    return True if choice is not None and key in choice else None


def _is_chosen(key: Any, include: Choice, exclude: Choice) -> bool:
    is_in = include is None or _entry(include, key) not in (None, False)
    return is_in and not any(_entry(exclude, key) is whole for whole in (True, ...))


def _below(choice: Choice, key: Any) -> Choice:
    """Return what is chosen of the parts of one member; ``None`` for all of them."""
    below = _entry(choice, key)
    return None if below in (None, True, False, ...) else below


def to_wire(type_: Any, value: Any) -> Any:
    """Return JSON of a type with the protocol's names, from one that may have those of attributes, or records, in it."""
    if isinstance(value, Record):
        return dump(value, Options(json=True, by_alias=True, exclude_unset=True))
    if isinstance(value, (list, tuple)):
        of = _argument(_member(type_, value), 0)
        return [to_wire(of, part) for part in value]
    if isinstance(value, Mapping):
        member = _member(type_, value)
        if is_a(Record)(member):
            return _record_to_wire(member, value)
        return {key: to_wire(_argument(member, 1), part) for key, part in value.items()}
    return value.value if isinstance(value, Enum) else value


def renamed(cls: type[Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments of a record by the names of its attributes, without the tag of a variant.

    Raises `ConfigError` if the tag is that of another variant.
    """
    attributes = {wire_name(cls, field.name): field.name for field in record_fields(cls)}
    rest = dict(given)
    for key in (cls.TAG, wire_name(cls, cls.TAG)) if issubclass(cls, Variant) else ():
        tag, found = getattr(cls, cls.TAG), rest.pop(key, getattr(cls, cls.TAG))
        if found != tag:
            raise ConfigError(f"{cls.__name__}.{key}", f"expected {tag!r}, found {found!r}")
    named = {attributes.get(key, key): value for key, value in rest.items()}
    return named if len(named) == len(rest) else rest


def _argument(type_: Any, number: int) -> Any:
    """Return the type of the parts of a list or dict type."""
    arguments = get_args(type_)
    return arguments[number] if len(arguments) > number else Any


def _record_to_wire(cls: type[Any], value: Mapping[Any, Any]) -> dict[Any, Any]:
    attrs.resolve_types(cls)
    known = {field.name: (wire_name(cls, field.name), field.type) for field in record_fields(cls)}
    known |= {wire: (wire, type_) for wire, type_ in known.values()}
    if issubclass(cls, Variant):
        known[cls.TAG] = wire_name(cls, cls.TAG), None
    found = {}
    for key, part in value.items():
        wire, type_ = known.get(key, (key, Any))
        if wire in found:
            raise ConfigError("params", f"{wire} is given twice, once as {key}; give one of them")
        found[wire] = to_wire(type_, part)
    return found


def _member(type_: Any, value: Any) -> Any:
    """Return a type, or the member of a union that a list or mapping is of; any type if that is not clear."""
    if get_origin(type_) not in {Union, UnionType}:
        return type_
    members, container = get_args(type_), dict if isinstance(value, Mapping) else list
    records = [each for each in members if is_a(Record)(each)] if isinstance(value, Mapping) else []
    tagged = [each for each in records if issubclass(each, Variant) and _has_tag(each, value)]
    others = [each for each in records if not issubclass(each, Variant) and _fits(each, value)]
    return (*tagged, *others, *(each for each in members if get_origin(each) is container), Any)[0]


def _has_tag(cls: Any, value: Any) -> bool:
    tags = [value.get(cls.TAG), value.get(wire_name(cls, cls.TAG))]  # may have no hash
    return getattr(cls, cls.TAG) in tags


def _fits(cls: Any, value: Any) -> bool:
    names = {name for field in record_fields(cls) for name in (field.name, wire_name(cls, field.name))}
    return cls is not UnknownVariant and names.issuperset(value)
