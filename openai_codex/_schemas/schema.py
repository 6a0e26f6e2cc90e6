"""From Python types to JSON schema, in the strict form that providers require or in a loose one.

Defines which types have a JSON form, and what the fields of a class are. `validate` reads JSON by the same rules.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from functools import lru_cache
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, TypeAlias, Union, get_args, get_origin, get_type_hints

import attrs

from openai_codex.errors import ConfigError

Schema: TypeAlias = dict[str, Any]
"""A JSON schema, decoded."""

Kind = Enum("Kind", "ANYTHING LEAF CHOICE UNION ARRAY MAP OBJECT")
"""The JSON form of a type. A choice is an enum or a ``Literal``."""

_PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean", NoneType: "null"}
_LEAVES: Mapping[Any, Schema] = {
    **{plain: {"type": name} for plain, name in _PLAIN.items()},
    datetime: {"type": "string", "format": "date-time"},
    date: {"type": "string", "format": "date"},
}
_KINDS: Mapping[Any, Kind] = {
    **dict.fromkeys(_LEAVES, Kind.LEAF),
    **dict.fromkeys((Union, UnionType), Kind.UNION),
    **dict.fromkeys((list, tuple, set, frozenset, Sequence), Kind.ARRAY),
    **dict.fromkeys((dict, Mapping), Kind.MAP),
    Literal: Kind.CHOICE,
    Any: Kind.ANYTHING,
}
# The attributes that identify enums, attrs classes, dataclasses, typed dicts and named tuples.
_CLASS_MARKS: Mapping[str, Kind] = {
    "__members__": Kind.CHOICE,
    **dict.fromkeys(("__attrs_attrs__", "__dataclass_fields__", "__required_keys__", "_fields"), Kind.OBJECT),
}

_PASSED_BY_NAME = {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}

# Identified by name: `typing_extensions` has its own versions, and is not imported for them.
_MARKERS = {"Annotated", "Final", "ReadOnly", "Required", "NotRequired"}
_ALIASES = {"NewType": "__supertype__", "TypeAliasType": "__value__"}


class Field(NamedTuple):
    """A property of an object: a field of a class or a parameter of a function, with the name of the call argument."""

    name: str
    type: Any
    default: Any

    @property
    def required(self) -> bool:
        """Whether it has no default."""
        return self.default is inspect.Parameter.empty


def json_schema(type_: Any, *, strict: bool = True) -> Schema:
    """Derive the JSON schema of a type.

    Texts in ``Annotated`` and docstrings of classes become descriptions. In strict form all fields are required, and a
    type that is not an object is wrapped in one, under the key ``value``. ``Any`` and ``dict[str, …]`` have only a loose
    form.

    Raises `ConfigError` for a type without such a form, with its path: ``Report.items[].when``.
    """
    walk, name = _Walk(strict=strict), type_name(type_)
    if kind(type_) is Kind.OBJECT:
        return walk.finish(walk.class_body(type_, name, "#"))
    schema = walk.schema(type_, name)
    # Providers accept a strict schema only with an object at its root.
    return walk.finish(closed_object({"value": schema}, ["value"]) if strict else schema)


def parameters_schema(function: Callable[..., Any], *, skip: Collection[str] = (), strict: bool = False) -> Schema:
    """Derive the JSON schema of a function's parameters, except those to skip. For types see `json_schema`.

    Raises `ConfigError` for a parameter without a type annotation, and for one that cannot be passed by name.
    """
    walk = _Walk(strict=strict)
    return walk.finish(walk.properties(parameter_fields(function, skip), type_name(function)))


def closed_object(properties: Schema, required: list[str]) -> Schema:
    """Return the schema of an object that allows no other properties."""
    # Providers refuse a strict schema in which an object leaves out ``additionalProperties``.
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def beside(schema: Schema, keywords: Schema) -> Schema:
    """Add keywords to a schema. A reference is wrapped first, because it allows no keywords beside it."""
    return {**({"anyOf": [schema]} if keywords and "$ref" in schema else schema), **keywords}


class _Walk:
    """One walk over a type. It collects the classes it meets as definitions, and refers to them from then on."""

    def __init__(self, *, strict: bool) -> None:
        self._strict = strict
        self._refs: dict[Any, str] = {}
        self._definitions: dict[str, Schema] = {}

    def finish(self, schema: Schema) -> Schema:
        return {**schema, "$defs": self._definitions} if self._definitions else schema

    def schema(self, type_: Any, path: str) -> Schema:
        inner, notes = peel(type_)
        found = kind(inner)
        if found is None or (self._strict and found in {Kind.ANYTHING, Kind.MAP}):
            raise ConfigError(path, f"{type_name(inner)} has no {'strict ' if found else ''}JSON schema")
        texts = [note for note in notes if isinstance(note, str)]
        return beside(_RULES[found](self, inner, path), {"description": texts[0]} if texts else {})

    def properties(self, fields: Collection[Field], path: str) -> Schema:
        # Strict schemas have to require every property. Answers without a field that has a default are accepted anyway.
        properties = {field.name: self._property(field, f"{path}.{field.name}") for field in fields}
        return closed_object(properties, [field.name for field in fields if self._strict or field.required])

    def _property(self, field: Field, path: str) -> Schema:
        # Providers refuse the keyword ``default`` in strict schemas.
        return beside(self.schema(field.type, path), {} if self._strict else _shown(field.default))

    def class_body(self, cls: Any, path: str, ref: str) -> Schema:
        self._refs[cls] = ref  # before its fields are visited, because they may refer to it
        return {**self.properties(object_fields(cls), path), **_docstring(cls)}

    def object(self, cls: Any, path: str) -> Schema:
        if cls not in self._refs:
            name = cls.__name__
            while name in self._definitions:
                name += "_"
            self._definitions[name] = {}  # reserves the name, for classes that are met inside this one
            self._definitions[name] = self.class_body(cls, path, f"#/$defs/{name}")
        return {"$ref": self._refs[cls]}

    def choice(self, type_: Any, path: str) -> Schema:
        values = [value for value, _ in choices(type_)]
        names = list(dict.fromkeys(_PLAIN.get(type(value)) for value in values))
        if not names or None in names:
            raise ConfigError(path, f"expected values of str, int, float, bool or None, got {type_name(type_)}")
        return {"type": names[0] if len(names) == 1 else names, "enum": values}


_RULES: Mapping[Kind, Callable[[_Walk, Any, str], Schema]] = {
    Kind.ANYTHING: lambda _walk, _type, _path: {},
    Kind.LEAF: lambda _walk, type_, _path: dict(_LEAVES[type_]),
    Kind.CHOICE: _Walk.choice,
    Kind.UNION: lambda walk, type_, path: {"anyOf": [walk.schema(member, path) for member in get_args(type_)]},
    Kind.ARRAY: lambda walk, type_, path: {"type": "array", "items": walk.schema(item_type(type_), f"{path}[]")},
    Kind.MAP: lambda walk, type_, path: {
        "type": "object",
        "additionalProperties": walk.schema(item_type(type_), f"{path}{{}}"),
    },
    Kind.OBJECT: _Walk.object,
}


def _docstring(cls: type) -> Schema:
    # Its own docstring: an inherited one describes another class.
    text = vars(cls).get("__doc__") or ""
    # The docstrings that dataclasses and named tuples generate repeat the properties.
    return {} if not text or text.startswith(f"{cls.__name__}(") else {"description": inspect.cleandoc(text)}


def _shown(default: Any) -> Schema:
    value = default.value if isinstance(default, Enum) and default is not attrs.NOTHING else default
    return {"default": value} if type(value) in _PLAIN else {}


def kind(type_: Any) -> Kind | None:
    """Return the JSON form of a type; ``None`` if it has none."""
    origin, args = get_origin(type_) or type_, get_args(type_)
    # Providers accept no schema of an array with items of several types, nor of an object with keys other than str.
    if args and {tuple: args[1:] != (...,), dict: args[0] is not str, Mapping: args[0] is not str}.get(origin):
        return None
    if isinstance(origin, Hashable) and origin in _KINDS:
        return _KINDS[origin]
    if origin is not type_ or not isinstance(type_, type):
        return None
    return next((found for mark, found in _CLASS_MARKS.items() if hasattr(type_, mark)), None)


def peel(type_: Any) -> tuple[Any, list[Any]]:
    """Strip aliases and markers such as ``Annotated``. Return the inner type, and the markers with their notes."""
    origin, alias = get_origin(type_), _ALIASES.get(type(type_).__name__)
    if alias:
        return peel(getattr(type_, alias))
    if getattr(origin, "__name__", None) not in _MARKERS:
        return type_, []
    outer, *notes = get_args(type_)
    inner, more = peel(outer)
    return inner, [origin, *notes, *more]


def type_name(type_: Any) -> str:
    """Return a type as written in source code, or the name of a function, without modules."""
    if inspect.isroutine(type_) or (inspect.isclass(type_) and not get_args(type_)):
        return type_.__name__
    # The text of a generic type contains the modules of its arguments.
    return re.sub(r"(?<![\w'])(\w+\.|<locals>\.)+", "", str(type_))


def choices(type_: Any) -> list[tuple[Any, Any]]:
    """Return the values of an enum or a ``Literal`` in pairs: the value in JSON, the value in Python."""
    members = get_args(type_) or tuple(type_)
    return [(member.value if isinstance(member, Enum) else member, member) for member in members]


def item_type(type_: Any) -> Any:
    """Return the type of the items of an array, or of the values of a map."""
    return next((arg for arg in reversed(get_args(type_)) if arg is not ...), Any)


# Cached, because the annotations would be evaluated again for every answer.
@lru_cache(maxsize=256)
def object_fields(cls: Any) -> tuple[Field, ...]:
    """Return the fields of a class. Raises `ConfigError` if its annotations cannot be evaluated."""
    hints = _evaluated(cls)
    if hasattr(cls, "__required_keys__"):
        return tuple(Field(name, hint, _typed_dict_default(cls, name, hint)) for name, hint in hints.items())
    # attrs drops the leading underscore of a field in the name of its argument.
    aliases = {field.name: field.alias for field in attrs.fields(cls)} if attrs.has(cls) else {}
    return _call_fields(cls, {aliases.get(name, name): hint for name, hint in hints.items()})


def _typed_dict_default(cls: Any, name: str, hint: Any) -> Any:
    # With postponed annotations, `__required_keys__` ignores `Required` and `NotRequired`: it knows the totality only.
    markers = {getattr(note, "__name__", None) for note in peel(hint)[1]}
    required = "Required" in markers or (name in cls.__required_keys__ and "NotRequired" not in markers)
    return inspect.Parameter.empty if required else ...


def parameter_fields(function: Callable[..., Any], skip: Collection[str] = ()) -> tuple[Field, ...]:
    """Return the parameters of a function. The annotations of those to skip are not evaluated."""
    # A decorator copies the annotations of a function, but not the globals in which they are evaluated.
    plain = inspect.unwrap(function)
    wanted = {
        name: hint for name, hint in getattr(plain, "__annotations__", {}).items() if name not in {*skip, "return"}
    }
    # In a class of its own: the skipped annotations may name what is imported for type checkers only.
    holder = type(type_name(function), (), {"__annotations__": wanted})
    return _call_fields(function, _evaluated(holder, getattr(plain, "__globals__", None)), skip)


def _call_fields(call: Callable[..., Any], hints: Mapping[str, Any], skip: Collection[str] = ()) -> tuple[Field, ...]:
    parameters = [p for p in inspect.signature(call).parameters.values() if p.name not in skip]
    for parameter in parameters:
        if parameter.name not in hints or parameter.kind not in _PASSED_BY_NAME:
            raise ConfigError(
                f"{type_name(call)}.{parameter.name}",
                "expected a type annotation and a parameter that can be passed by name",
            )
    return tuple(Field(p.name, hints[p.name], p.default) for p in parameters)


def _evaluated(owner: type, globals: Any = None, locals: Any = None) -> dict[str, Any]:
    try:
        # An annotation is code of the program, so evaluating it may raise anything.
        return get_type_hints(owner, globals, locals, include_extras=True)
    except Exception as error:
        if locals is None:  # a class defined inside a function is not in its module, so it cannot refer to itself
            return _evaluated(owner, globals, {owner.__name__: owner})
        raise ConfigError(owner.__name__, f"its annotations cannot be evaluated: {error}") from error
