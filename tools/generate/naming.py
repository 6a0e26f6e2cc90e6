"""The rules by which JSON names become Python names. Exceptions are in `tables`."""

from __future__ import annotations

import keyword
import re

from openai_codex._codec.base import camel as camel
from tools.generate import tables

# Names that a class body needs for its annotations, and so cannot also be fields of it.
_ANNOTATIONS = {"bool", "dict", "float", "int", "list", "str"}
# Attributes of open enums, which a member must not shadow.
_OF_ENUMS = {*dir(str), "is_known", "mro", "name", "value"}
_OAUTH = re.compile(r"[Oo]Auth")  # one word
_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def snake(name: str) -> str:
    """Turn any spelling into snake_case: ``itemsView``, ``_meta``, ``on-request``, ``NOT_AVAILABLE``, ``openai/form``."""
    words = re.sub(r"[^A-Za-z0-9]+", "_", _OAUTH.sub("Oauth", name)).strip("_")
    return _BOUNDARY.sub("_", words).lower()


def pascal(name: str) -> str:
    """Turn any spelling into a class name."""
    return "".join(word.capitalize() for word in snake(name).split("_"))


def attribute(wire: str) -> str:
    """Return the attribute for a JSON name."""
    name = snake(wire)
    return f"{name}_" if keyword.iskeyword(name) or name in _ANNOTATIONS else name


def member(value: str) -> str:
    """Return the enum member for a value."""
    name = snake(value)
    return f"{name}_" if keyword.iskeyword(name) or name in _OF_ENUMS else name


def class_name(by_rule: str) -> str:
    """Return the class name: the exception for this name, else the name by rule."""
    return tables.CLASSES.get(by_rule, by_rule)


def strings_of(union: str) -> str:
    """Return the name of the enum for the strings of a union that also has objects."""
    return class_name(f"{union}Kind")


def variant_name(union: str, title: str | None, key: str) -> str:
    """Return the class name of one member of a union: its title, else its key followed by the name of the union.

    The key is the value of the tag, or the position in the union for a member without a tag.
    """
    by_rule = title.replace("v2::", "") if title else pascal(key) + union
    return tables.CLASSES.get(f"{union}/{key}") or class_name(by_rule)
