"""Record classes that attrs completes when they are used, not when they are imported.

What attrs makes of a class is generated and compiled, which takes most of the time of importing the protocol types. Values
from the runtime need none of it: the codec sets their attributes. So a class is only given its slots at first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import attrs

from openai_codex._codec.model import tolerant

T = TypeVar("T")

_FIELDS, _INIT = "__attrs_attrs__", "__init__"


def define(**options: Any) -> Callable[[type[T]], type[T]]:
    """Do what ``attrs.define`` does, with slots, for a class whose attributes are all its own; but later.

    Args:
        options: Those of ``attrs.define``.
    """

    def slotted(cls: type[T]) -> type[T]:
        names = [name for name, type_ in cls.__annotations__.items() if not type_.startswith("ClassVar")]
        defaults = {name: cls.__dict__.get(name, attrs.NOTHING) for name in names}
        rest = {name: value for name, value in cls.__dict__.items() if name not in {*names, "__dict__", "__weakref__"}}
        build: Callable[..., type[T]] = type(cls)
        made = build(cls.__name__, cls.__bases__, {**rest, "__slots__": names, "__qualname__": cls.__qualname__})
        for name in (_FIELDS, _INIT):
            setattr(made, name, _Part(name, made, defaults, options))
        return made

    return slotted


class _Part:
    """What attrs makes of a class under one name. It is replaced by that, together with the others of the class.

    Two threads that get here at once do the same work twice, with the same outcome.
    """

    def __init__(self, name: str, cls: type, defaults: dict[str, Any], options: dict[str, Any]) -> None:
        self._name = name
        self._cls = cls
        self._defaults = defaults
        self._options = options

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        self._complete()
        part = self._cls.__dict__[self._name]
        return part.__get__(instance, owner) if self._name == _INIT else part

    def _complete(self) -> None:
        cls = self._cls
        these = {name: _field(default) for name, default in self._defaults.items()}
        # The name is attrs' own for an `__init__` that somebody else sets: it may be used at once, so it comes as a whole.
        attrs.define(cls, these=these, init=False, slots=False, **self._options)
        init = cls.__dict__["__attrs_init__"]
        init.__name__, init.__qualname__ = _INIT, f"{cls.__qualname__}.{_INIT}"
        setattr(cls, _INIT, tolerant(init))


def _field(default: Any) -> Any:
    return default if type(default) is _UNDECIDED else attrs.field(default=default)


# What `attrs.field` returns until there is a class.
_UNDECIDED = type(attrs.field())
