"""Writes nested dicts as TOML: strings, numbers, booleans, arrays and tables. It has no reader and no other types."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Union

import orjson

TomlValue = Union[str, bool, int, float, "Sequence[TomlValue]", "Mapping[str, TomlValue]"]
"""The values that can be written; TOML has no null."""

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def dumps(document: Mapping[str, TomlValue]) -> str:
    """Return the document as TOML text. Raises ``TypeError`` for a value that TOML does not have."""
    return "".join(f"{line}\n" for line in _table(document, ()))


def _table(table: Mapping[str, TomlValue], path: tuple[str, ...]) -> Iterator[str]:
    # A table lists its own values before its first inner table: after the header of an inner table, no line belongs to
    # the outer one.
    inner = {key: value for key, value in table.items() if isinstance(value, Mapping)}
    if path and (len(inner) < len(table) or not table):
        yield f"[{'.'.join(map(_key, path))}]"
    yield from (f"{_key(key)} = {_value(value)}" for key, value in table.items() if key not in inner)
    for key, value in inner.items():
        yield from _table(value, (*path, key))


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else _string(key)


def _string(text: str) -> str:
    # The escapes of a JSON string are those of a basic TOML string; only DEL has to be escaped in addition.
    return orjson.dumps(text).decode().replace("\x7f", "\\u007f")


def _value(value: TomlValue) -> str:
    match value:
        case str():
            return _string(value)
        case bool():
            return str(value).lower()
        case int() | float():
            return repr(value)
        case Mapping():
            pairs = (f"{_key(key)} = {_value(item)}" for key, item in value.items())
            return f"{{{', '.join(pairs)}}}"
        case Sequence():
            return f"[{', '.join(map(_value, value))}]"
        case _:
            raise TypeError(f"expected a str, bool, int, float, sequence or mapping, got {type(value).__name__}")
