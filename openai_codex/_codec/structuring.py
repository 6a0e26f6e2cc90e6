"""How each kind of type is made from JSON: strict about primitives, open to what the protocol does not know yet.

Teaches a cattrs converter. A record's own function is generated when the first such record comes in, so that loading
one type does not load all that it could contain.
"""

from __future__ import annotations

from types import UnionType
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

from cattrs import Converter
from cattrs.cols import list_structure_factory
from cattrs.gen import make_dict_structure_fn, override

from openai_codex._codec.base import OpenEnum, Record
from openai_codex._codec.builder import builder
from openai_codex._codec.mismatch import JSON_KINDS, TypeMismatchError
from openai_codex._codec.reflection import is_a, record_fields, resolve_types, wire_name
from openai_codex._codec.unions import union_hook

if TYPE_CHECKING:
    from collections.abc import Callable

    Hook = Callable[[Any, Any], Any]


def make_converter(*, detailed: bool) -> Converter:
    """Return a converter that knows protocol types; a detailed one is slow and tells where a misfit is."""
    converter = Converter(detailed_validation=detailed)
    for kind, hook in _PRIMITIVES.items():
        converter.register_structure_hook(kind, hook)
    converter.register_structure_hook_factory(_is_list, _list_hook)
    converter.register_structure_hook_factory(_is_dict, _dict_hook)
    converter.register_structure_hook_factory(is_a(Record), _record_hook)
    converter.register_structure_hook_factory(_is_union, union_hook)
    return converter


# ---------------------------------------------------------------------------------------------------------- primitives


def _exactly(kind: type) -> Hook:
    name = JSON_KINDS[kind]

    def structure_primitive(value: Any, _: Any) -> Any:
        if type(value) is kind:
            return value
        raise TypeMismatchError(name, value)

    return structure_primitive


def _structure_float(value: Any, _: Any) -> float:
    if type(value) is float or type(value) is int:
        return value
    raise TypeMismatchError("float", value)


def _structure_enum(value: Any, cls: type[OpenEnum]) -> OpenEnum:
    if type(value) is str:
        return cls(value)
    raise TypeMismatchError("str", value)


# By class and not by predicate: cattrs asks these first, and takes an enum of strings for a string if nothing is closer.
_PRIMITIVES: dict[type, Hook] = {
    str: _exactly(str),
    int: _exactly(int),
    bool: _exactly(bool),
    float: _structure_float,
    OpenEnum: _structure_enum,
}


# ---------------------------------------------------------------------------------------------------------- containers


def _guarded(kind: type, structure: Callable[..., Any]) -> Hook:
    """Let only one kind of JSON through to a function that would take more."""
    name = JSON_KINDS[kind]

    def structure_container(value: Any, type_: Any) -> Any:
        if type(value) is kind:
            return structure(value, type_)
        raise TypeMismatchError(name, value)

    return structure_container


def _list_hook(type_: Any, converter: Converter) -> Hook:
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

    def structure_record(value: Any, type_: Any) -> Record:
        nonlocal build
        if build is None:
            build = record_builder(cls, converter)
        record: Record = build(value, type_)
        return record

    return structure_record


def record_builder(cls: type[Record], converter: Converter) -> Hook:
    """Generate the function that makes records of a class; it loads all types that the class names."""
    resolve_types(cls)
    return _telling_builder(cls, converter) if converter.detailed_validation else builder(cls, converter)


def _telling_builder(cls: type[Record], converter: Converter) -> Hook:
    """Generate the function that says of every field whether it fits."""
    renamed: dict[str, Any] = {field.name: override(rename=wire_name(cls, field.name)) for field in record_fields(cls)}
    make: Callable[..., Record] = make_dict_structure_fn(cls, converter, _cattrs_use_linecache=False, **renamed)

    def build(value: Any, _: Any) -> Record:
        if type(value) is not dict:
            raise TypeMismatchError("object", value)
        record = make(value, cls)
        record.raw = value
        return record

    return build


# ---------------------------------------------------------------------------------------------------------- predicates


def _is_list(type_: Any) -> bool:
    return get_origin(type_) is list


def _is_dict(type_: Any) -> bool:
    return get_origin(type_) is dict


def _is_union(type_: Any) -> bool:
    return get_origin(type_) in {Union, UnionType}
