"""How each kind of type is built from JSON: strict about primitives, open to what the protocol does not know yet.

Registers hooks with a cattrs converter. A record's builder is generated when the first such record arrives, so loading
one type does not load all types that it may contain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

import attrs
from cattrs import Converter
from cattrs.cols import list_structure_factory

from openai_codex._codec.base import JSON_KINDS, OpenEnum, Record, TypeMismatchError, Unset, is_a, wire_name
from openai_codex._codec.deferred import Field, typed_fields
from openai_codex._codec.incomplete import IncompleteError, built, may_be_null
from openai_codex._codec.unions import Hook, union_hook


def make_converter() -> Converter:
    """Return a converter for protocol types."""
    # Without the error lists of cattrs, which make every value slower: `_problems` looks for all mismatches when needed.
    converter = Converter(detailed_validation=False)
    for kind, hook in _PRIMITIVES.items():
        converter.register_structure_hook(kind, hook)
    converter.register_structure_hook_factory(_has_origin(list), _list_hook)
    converter.register_structure_hook_factory(_has_origin(dict), _dict_hook)
    converter.register_structure_hook_factory(is_a(Record), _record_hook)
    converter.register_structure_hook_factory(_has_origin(Union, UnionType), union_hook)
    return converter


def _has_origin(*origins: Any) -> Callable[[Any], bool]:
    return lambda type_: get_origin(type_) in origins


# ------------------------------------------------------------------------------------------ primitives and containers


def _exactly(kind: type) -> Hook:
    name = JSON_KINDS[kind]

    def structure_primitive(value: Any, _: Any) -> Any:
        # Not `isinstance`, for which a bool is an int.
        if type(value) is kind:
            return value
        raise TypeMismatchError(name, value)

    return structure_primitive


def _guarded(kind: type, structure: Hook) -> Hook:
    """Accept only one kind of JSON for a hook that would accept more."""
    name = JSON_KINDS[kind]

    def structure_guarded(value: Any, type_: Any) -> Any:
        if type(value) is kind:
            return structure(value, type_)
        raise TypeMismatchError(name, value)

    return structure_guarded


def _structure_float(value: Any, _: Any) -> float:
    # JSON has one kind of number, so the runtime may write 2 for 2.0.
    if type(value) is float or type(value) is int:
        return value
    raise TypeMismatchError("float", value)


def _structure_enum(value: Any, cls: type[OpenEnum]) -> OpenEnum:
    if type(value) is str:
        # The members first, because a call of the class takes four times as long.
        known: Any = cls._value2member_map_.get(value)
        return known or cls(value)
    raise TypeMismatchError("str", value)


# By class, not by predicate: cattrs asks these first, and handles an enum of strings as a string if nothing is closer.
_PRIMITIVES: dict[type, Hook] = {
    NoneType: _exactly(NoneType),
    str: _exactly(str),
    int: _exactly(int),
    bool: _exactly(bool),
    float: _structure_float,
    OpenEnum: _structure_enum,
}


def _list_hook(type_: Any, converter: Converter) -> Hook:
    # Elements of any type need no pass over the list.
    if get_args(type_) == (Any,):
        return _exactly(list)
    return _guarded(list, list_structure_factory(type_, converter))


def _dict_hook(type_: Any, converter: Converter) -> Hook:
    if get_args(type_) == (str, Any):
        return _exactly(dict)
    return _guarded(dict, converter.gen_structure_mapping(type_))


# ------------------------------------------------------------------------------------------------------------- records


def _record_hook(cls: type[Record], converter: Converter) -> Hook:
    build: Hook | None = None

    def prepare() -> Hook:
        nonlocal build
        build = build or record_builder(cls, converter)
        return build

    def structure_record(value: Any, type_: Any) -> Any:
        # Not earlier: it loads the types of all fields, each with the types of its own fields.
        return (build or prepare())(value, type_)

    structure_record.prepare = prepare  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess]  called by `prepare_record`
    return structure_record


def prepare_record(cls: type[Record], converter: Converter) -> None:
    """Generate what builds records of a class, for whom has nothing else to do before the first of them arrives."""
    hook: Any = converter.get_structure_hook(cls)
    hook.prepare()


def record_builder(cls: type[Record], converter: Converter) -> Hook:
    """Generate the function that builds records of a class. Loads all types that the class names.

    Generated code, because records arrive by the thousand and most of their fields are primitives: generic steps take
    five times as long as a type check and an assignment.
    """
    scope: dict[str, Any] = {"cls": cls, "new": cls.__new__, "TypeMismatchError": TypeMismatchError}
    scope["IncompleteError"] = IncompleteError
    scope["incomplete"] = partial(built, cls, converter.get_structure_hook)
    lines = ["def build(json, _):", " if type(json) is not dict:", "  raise TypeMismatchError('object', json)"]
    # The fields of a bare object are assigned: `__init__` has nothing left to check or convert.
    lines += [" try:", "  record = new(cls)", "  record.raw = json"]
    for number, field in enumerate(each for each in typed_fields(cls) if each.name != "raw"):
        steps = _field_steps(field, number, wire_name(cls, field.name), scope, converter)
        lines += [f"  {line}" for line in steps]
    # Of a part: it was decided there.
    lines += [" except IncompleteError:", "  raise", " except KeyError:", "  return incomplete(json)", " return record"]
    exec("\n".join(lines), scope)  # noqa: S102  names of generated classes, nothing from outside
    build: Hook = scope["build"]
    return build


def _field_steps(field: Field, number: int, wire: str, scope: dict[str, Any], converter: Converter) -> Iterator[str]:
    """Yield the lines that set one field."""
    if field.default is attrs.NOTHING:
        # Of a field that may be null, an older runtime may send nothing.
        yield f"value = json.get({wire!r})" if may_be_null(field.type) else f"value = json[{wire!r}]"
        yield from _value_steps(field, number, scope, converter)
        return
    yield f"if {wire!r} in json:"
    yield f" value = json[{wire!r}]"
    yield from (f" {line}" for line in _value_steps(field, number, scope, converter))
    yield "else:"
    # Called for each record, so that records do not share a list.
    factory = getattr(field.default, "factory", None)
    scope[f"default{number}"] = factory or field.default
    yield f" record.{field.name} = default{number}{'()' if factory else ''}"


def _value_steps(field: Field, number: int, scope: dict[str, Any], converter: Converter) -> Iterator[str]:
    """Yield the lines that check and set ``value``."""
    type_ = _required(field.type)
    if type_ in {str, int, bool}:
        nullable = "" if type_ is field.type else "value is not None and "
        yield f"if {nullable}type(value) is not {type_.__name__}:"
        yield f" raise TypeMismatchError({JSON_KINDS[type_]!r}, value)"
        yield f"record.{field.name} = value"
    else:
        scope[f"hook{number}"], scope[f"type{number}"] = converter.get_structure_hook(type_), type_
        built = f"hook{number}(value, type{number})"
        yield f"record.{field.name} = {built if type_ is field.type else f'None if value is None else {built}'}"


def _required(type_: Any) -> Any:
    """Return what a type accepts beside ``null``, if that is a single type; else the type itself."""
    members = [member for member in get_args(type_) if member is not Unset]
    if get_origin(type_) not in {Union, UnionType} or len(members) != 2 or NoneType not in members:  # noqa: PLR2004  one beside null
        return type_
    return next(member for member in members if member is not NoneType)
