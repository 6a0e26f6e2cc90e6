"""The rules by which JSON names become Python names. Exceptions are in `tables`."""

from __future__ import annotations

import keyword
import re

from openai_codex._codec.base import camel as camel
from tools.generate import tables

# Names that a class body needs for its annotations, and so cannot also be fields of it.
_ANNOTATIONS = {"bool", "dict", "float", "int", "list", "str"}
# What an open enum has of its own; a member must not shadow it.
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
    """Return the class name, unless the rule's result has a better one."""
    return tables.CLASSES.get(by_rule, by_rule)


def strings_of(union: str) -> str:
    """Return the enum of the strings in a union that has objects too."""
    return class_name(f"{union}Kind")


def variant_name(union: str, title: str | None, key: str) -> str:
    """Return the class of one member of a union: its title, or its key before the name of the union.

    The key is the value of the tag, or the place in the union for a member that has none.
    """
    by_rule = title.replace("v2::", "") if title else pascal(key) + union
    return tables.CLASSES.get(f"{union}/{key}") or class_name(by_rule)
