"""The forms of lists, sets, tuples and maps, made out of those of their parts."""

from __future__ import annotations

from collections import deque
from collections.abc import (
    Callable,
    Collection,
    Iterable,
    Mapping,
    MutableMapping,
    MutableSequence,
    MutableSet,
    Sequence,
)
from collections.abc import Set as AbstractSet
from typing import Any, Protocol, get_args, get_origin

from openai_codex._schemas.constraints import described
from openai_codex._schemas.form import Form, ValidationError, call, read_all, type_name
from openai_codex.errors import ConfigError

_LIST, _DICT = frozenset({list}), frozenset({dict})

# What builds a collection that is abstract.
_CONCRETE: Mapping[Any, Any] = {
    **dict.fromkeys((Sequence, MutableSequence, Collection, Iterable), list),
    **dict.fromkeys((AbstractSet, MutableSet), set),
}


class Parts(Protocol):
    """What makes the forms of the parts."""

    def form(self, type_: Any, path: str) -> Form:
        """Return the form of a type at a place. Raises `ConfigError` if it has none."""
        ...


def _array(parts: Parts, type_: Any, path: str) -> Form:
    args, collect = get_args(type_), get_origin(type_) or type_
    if collect is tuple and args[1:] != (...,) and (args or type_ is not tuple):
        return _tuple(parts, type_, path)
    item = parts.form(args[0] if args else Any, f"{path}[]")

    def build(value: list[Any]) -> Any:
        read = read_all((f"[{index}]", item, part) for index, part in enumerate(value))
        return call(_CONCRETE.get(collect, collect), read)

    return Form(type_name(type_), {"type": "array", "items": item.schema}, build, _LIST, "items")


def _tuple(parts: Parts, type_: Any, path: str) -> Form:
    """Return the form of a tuple with a fixed length. Strict schemas have no word for items of several types."""
    args = [arg for arg in get_args(type_) if arg != ()]  # Python 3.10 has one for the empty tuple
    if any(getattr(arg, "__unpacked__", False) or type_name(arg).startswith("Unpack[") for arg in args):
        raise ConfigError(path, f"{type_name(type_)} has no JSON schema: its length is not known; use a list")
    items = [parts.form(arg, f"{path}[{index}]") for index, arg in enumerate(args)]
    if not items:
        raise ConfigError(path, f"{type_name(type_)} has no JSON schema")
    kinds = [each for index, each in enumerate(items) if each.schema not in [part.schema for part in items[:index]]]
    several = {"items": {"anyOf": [each.schema for each in kinds]}} if len(kinds) > 1 else {"items": kinds[0].schema}
    schema = {"type": "array", **several, "minItems": len(items), "maxItems": len(items)}

    def build(value: list[Any]) -> Any:
        if len(value) != len(items):
            raise ValidationError(("", f"expected {len(items)} items, found {len(value)}"))
        return tuple(read_all((f"[{i}]", item, part) for i, (item, part) in enumerate(zip(items, value, strict=True))))

    names = [item.name for item in items]
    told = described(schema, f"In this order: {', '.join(names)}") if len(set(names)) > 1 else schema
    return Form(type_name(type_), told, build, _LIST)


def map_form(parts: Parts, type_: Any, path: str) -> Form:
    """Return the form of a dict, whose keys are read by their own type, too."""
    args = get_args(type_) or (str, Any)
    keys, values = parts.form(args[0], f"{path} keys"), parts.form(args[1], f"{path}{{}}")
    if keys.schema.get("type") != "string":
        raise ConfigError(path, f"{type_name(type_)} has no JSON schema: the keys of an object are text")
    named = {} if keys.schema == {"type": "string"} else {"propertyNames": keys.schema}

    def build(value: dict[str, Any]) -> Any:
        names = read_all((f"[{key!r}]", keys, key) for key in value)
        if len(set(names)) < len(names):
            raise ValidationError(("", f"expected {type_name(type_)}, two keys are the same"))
        return dict(zip(names, read_all((f"[{key!r}]", values, part) for key, part in value.items()), strict=True))

    schema = {"type": "object", **named, "additionalProperties": values.schema}
    return Form(type_name(type_), schema, build, _DICT, "keys")


CONTAINERS: Mapping[Any, Callable[[Parts, Any, str], Form]] = {
    **dict.fromkeys((list, tuple, set, frozenset, deque, *_CONCRETE), _array),
    **dict.fromkeys((dict, Mapping, MutableMapping), map_form),
}
"""The types, and what makes their forms."""
