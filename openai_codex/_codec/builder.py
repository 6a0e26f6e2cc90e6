"""Generates the function that makes a record of its JSON: one per class, without a call per plain field.

Records come by the thousand, and most fields of those that do are plain: what a function of generic steps would do for
them costs five times what it takes to look and to set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from openai_codex._codec.mismatch import JSON_KINDS, TypeMismatchError
from openai_codex._codec.reflection import record_fields, wire_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cattrs import Converter

    from openai_codex._codec.base import Record

    Hook = Callable[[Any, Any], Any]

_PLAIN = (str, int, bool)


def builder(cls: type[Record], converter: Converter) -> Hook:
    """Return a function that makes an instance of a class with resolved types; its second argument does not matter.

    It raises `KeyError` for a required field that is not there and `TypeMismatchError` for a value of the wrong kind.
    """
    scope: dict[str, Any] = {"cls": cls, "new": cls.__new__, "MisfitError": TypeMismatchError}
    lines = ["def build(json, _):", " if type(json) is not dict:", "  raise MisfitError('object', json)"]
    lines += [" record = new(cls)", " record.raw = json"]
    for number, field in enumerate(record_fields(cls)):
        wire = wire_name(cls, field.name)
        lines += [f" {line}" for line in _steps(field, number, wire, scope, converter)]
    lines.append(" return record")
    exec("\n".join(lines), scope)  # noqa: S102  names of generated classes, nothing from outside
    build: Hook = scope["build"]
    return build


def _steps(
    field: attrs.Attribute[Any], number: int, wire: str, scope: dict[str, Any], converter: Converter
) -> Iterator[str]:
    """Yield the lines that set one field."""
    if field.default is attrs.NOTHING:
        yield f"value = json[{wire!r}]"
        yield from _taken(field, number, scope, converter)
        return
    yield f"if {wire!r} in json:"
    yield f" value = json[{wire!r}]"
    yield from (f" {line}" for line in _taken(field, number, scope, converter))
    yield "else:"
    made = isinstance(field.default, attrs.Factory)  # type: ignore[arg-type]  # a class, whatever its stubs say
    scope[f"default{number}"] = field.default.factory if made else field.default  # type: ignore[union-attr]  # as above
    yield f" record.{field.name} = default{number}{'()' if made else ''}"


def _taken(field: attrs.Attribute[Any], number: int, scope: dict[str, Any], converter: Converter) -> Iterator[str]:
    if field.type in _PLAIN:
        kind = field.type.__name__
        yield f"if type(value) is not {kind}:"
        yield f" raise MisfitError({JSON_KINDS[field.type]!r}, value)"
        yield f"record.{field.name} = value"
    else:
        scope[f"hook{number}"], scope[f"type{number}"] = converter.get_structure_hook(field.type), field.type
        yield f"record.{field.name} = hook{number}(value, type{number})"
