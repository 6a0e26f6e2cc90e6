"""``define`` and ``frozen`` of attrs for classes that are completed when they are used, not when they are imported.

What attrs makes of a class is generated and compiled, which took half of the time of importing this package. Many classes
are never used, and the codec needs no ``__init__`` of a record. So at first a class is only given its slots.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from attrs import define as define
    from attrs import frozen as frozen

    T = TypeVar("T")
else:

    def define(cls: type | None = None, **options: Any) -> Any:
        """Do what ``attrs.define`` does, but later."""
        return _deferred(options) if cls is None else _deferred(options)(cls)

    def frozen(cls: type | None = None, **options: Any) -> Any:
        """Do what ``attrs.frozen`` does, but later. See `define`."""
        return define(cls, frozen=True, **options)


# What attrs makes of a class, and the option that leaves it out.
_FIELDS = "__attrs_attrs__"
_PARTS = {
    _FIELDS: "",
    "__match_args__": "match_args",
    "__init__": "init",
    "__eq__": "eq",
    "__ne__": "eq",
    "__repr__": "repr",
    "__getstate__": "slots",
    "__setstate__": "slots",
}
_PARTS_OF_FROZEN = ("__setattr__", "__delattr__")


def _deferred(options: dict[str, Any]) -> Callable[[type[T]], type[T]]:
    def make(cls: type[T]) -> type[T]:
        body = {name: value for name, value in vars(cls).items() if name not in {"__dict__", "__weakref__"}}
        fields = _names(body.get("__annotations__", {}))
        made = _slotted(cls, body, fields) if options.get("slots", True) else _cleared(cls, fields)
        names = [name for name, option in _PARTS.items() if options.get(option, True) and name not in body]
        if options.get("frozen"):
            names += _PARTS_OF_FROZEN
        if "__eq__" in names and "__hash__" not in body:
            if options.get("frozen"):
                names.append("__hash__")
            else:
                made.__hash__ = None  # type: ignore[assignment]  # pyright: ignore  as attrs does
        for name in names:
            setattr(made, name, _Part(name, made, body, options))
        return made

    return make


def _names(types: dict[str, str]) -> list[str]:
    return [name for name, type_ in types.items() if not type_.startswith("ClassVar")]


def _slotted(cls: type[T], body: dict[str, Any], fields: list[str]) -> type[T]:
    """Return the class with slots, which have to be there from the start."""
    bases = [vars(base) for base in cls.__mro__[1:]]
    inherited = {name for base in bases for name in base.get("__slots__", ())}
    slots = [name for name in fields if name not in inherited]
    slots += [] if any("__weakref__" in base for base in bases) else ["__weakref__"]
    rest = {name: value for name, value in body.items() if name not in fields}
    build: Callable[..., type[T]] = type(cls)
    return build(cls.__name__, cls.__bases__, {**rest, "__slots__": slots, "__qualname__": cls.__qualname__})


def _cleared(cls: type[T], fields: list[str]) -> type[T]:
    """Remove the defaults from a class without slots."""
    for name in vars(cls).keys() & set(fields):
        delattr(cls, name)
    return cls


class Field(NamedTuple):
    """A field of a class, with its type evaluated."""

    name: str
    default: Any
    type: Any


def typed_fields(cls: type) -> list[Field]:
    """Return the fields of a class, as attrs tells them, without completing it if that can be. Loads their types."""
    part = vars(cls).get(_FIELDS)
    bases = [base for base in cls.__mro__[1:] if isinstance(vars(base).get(_FIELDS), _Part)]
    declared = part.declared() if isinstance(part, _Part) and not bases else {}
    if declared and not any(type(default) is _UNDECIDED for default, _ in declared.values()):
        scope, inherited = vars(sys.modules[cls.__module__]), list(attrs.fields(cls.__mro__[1]))
        own = [Field(name, default, eval(type_, scope)) for name, (default, type_) in declared.items()]  # noqa: S307  of this package
        return [*(Field(each.name, each.default, each.type) for each in inherited), *own]
    attrs.resolve_types(cls)  # two threads that get here at once do the same work twice, with the same outcome
    return [Field(each.name, each.default, each.type) for each in attrs.fields(cls)]


# What `attrs.field` returns until there is a class.
_UNDECIDED = type(attrs.field())


class _Part:
    """What attrs makes of a class under one name. When it is asked for, all parts of the class are replaced by those.

    Two threads that ask at one moment do the same work twice, with the same outcome.
    """

    __slots__ = ("_body", "_cls", "_name", "_options")

    def __init__(self, name: str, cls: type, body: dict[str, Any], options: dict[str, Any]) -> None:
        self._name = name
        self._cls = cls
        self._body = body
        self._options = options

    def declared(self) -> dict[str, tuple[Any, str]]:
        """Return the default and the type, as it is written, of each field."""
        types = self._body.get("__annotations__", {})
        return {name: (self._body.get(name, attrs.NOTHING), types[name]) for name in _names(types)}

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        self._complete()
        part = vars(self._cls)[self._name]
        return part.__get__(instance, owner) if hasattr(part, "__get__") else part

    def _complete(self) -> None:
        # Of another class like this one: attrs changes a class in many steps, and this one may be in use.
        cls = self._cls
        build: Callable[..., type] = type(cls)
        twin = build(cls.__name__, cls.__bases__, {**self._body, "__qualname__": cls.__qualname__})
        parts = vars(attrs.define(**self._options)(twin))
        for name, part in vars(cls).copy().items():  # a copy, made in one step: another thread may set an attribute
            if isinstance(part, _Part):
                setattr(cls, name, parts[name])
