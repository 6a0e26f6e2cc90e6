"""What a protocol class says about itself: the JSON names of its fields, their types, the tag of a variant.

It resolves annotations, which name classes of modules that may not be loaded yet; loading them is its job. It knows
nothing of how values become JSON.
"""

from __future__ import annotations

import re
import sys
from functools import cache
from typing import TYPE_CHECKING, Any, get_origin

import attrs

from openai_codex import _protocol as protocol
from openai_codex._codec import base

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_codex._codec.base import Record, Variant

_NAME = re.compile(r"\w+")


def wire_name(cls: type[Any], attribute: str) -> str:
    """Return the JSON name of an attribute: what the class says, else its camelCase."""
    name: str | None = cls.WIRE_NAMES.get(attribute)
    return name or camel(attribute)


@cache  # as many entries as the protocol has field names
def camel(attribute: str) -> str:
    """Turn ``items_view`` into ``itemsView``."""
    first, *rest = attribute.split("_")
    return first + "".join(word.capitalize() for word in rest)


def record_fields(cls: type[Any]) -> list[attrs.Attribute[Any]]:
    """Return the protocol fields of a record class, without the JSON that it keeps."""
    return [field for field in attrs.fields(cls) if field.name != "raw"]


def resolve_types(cls: type[Record]) -> None:
    """Make types of a record's annotations, loading the modules that they name.

    Two threads that get here at once do the same work twice; the outcome is the same.
    """
    texts = (text for each in cls.__mro__ for text in vars(each).get("__annotations__", {}).values())
    names = {name for text in texts for name in _NAME.findall(str(text))}
    loaded = {name: getattr(protocol, name) for name in names & protocol.HOMES.keys()}
    attrs.resolve_types(cls, {**vars(base), **vars(sys.modules[cls.__module__])}, loaded)


def tag_of(cls: type[Variant]) -> tuple[str, str]:
    """Return JSON name and value of what tells this variant from its siblings."""
    return wire_name(cls, cls.TAG), getattr(cls, cls.TAG)


def is_a(base: type) -> Callable[[Any], bool]:
    """Return a predicate for types: whether it is a class derived from this one."""
    return lambda type_: isinstance(type_, type) and get_origin(type_) is None and issubclass(type_, base)
