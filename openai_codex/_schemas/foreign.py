"""Types that bring a schema and a validator: models and other types of pydantic, and classes with methods as theirs.

pydantic is not imported for this: whoever has such a type has imported it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from decimal import Decimal
from math import inf, isfinite
from sys import float_info
from typing import Any, NamedTuple, Protocol

from openai_codex._runtime.imports import load
from openai_codex._schemas.form import Form, InexactError, Schema, ValidationError, type_name
from openai_codex._schemas.leaves import EXACT
from openai_codex._schemas.strict import Strict
from openai_codex.errors import ConfigError


class _Dialect(Protocol):
    """What reads a foreign type."""

    def json_schema(self) -> Schema: ...
    def validate_json(self, data: str) -> Any: ...
    def dump_python(self, instance: Any) -> Any: ...


class _Model(NamedTuple):
    """A class with the methods of a model."""

    cls: Any

    def json_schema(self) -> Schema:
        schema: Schema = self.cls.model_json_schema()
        return schema

    def validate_json(self, data: str) -> Any:
        return self.cls.model_validate_json(data)

    def dump_python(self, instance: Any) -> Any:
        # Its own reader may return what it likes.
        return getattr(instance, "model_dump", lambda: instance)()


def foreign_form(type_: Any, path: str, *, strict: bool) -> tuple[Form, dict[str, Schema]]:
    """Return the form of a foreign type, and the definitions that its schema refers to.

    Raises `ConfigError` if it has no schema, and in strict form for a part of it that providers refuse, with its path.
    """
    try:
        dialect: _Dialect = (
            _Model(type_) if hasattr(type_, "model_json_schema") else load("pydantic").TypeAdapter(type_)
        )
        given = dialect.json_schema()
    except Exception as error:
        # The program's own code takes part in it.
        raise ConfigError(path, f"{type_name(type_)} gives no JSON schema: {error}") from error
    definitions = dict(given.get("$defs", {}))
    schema = {word: part for word, part in given.items() if word != "$defs"}
    if strict:
        conversion = Strict(definitions)
        schema, definitions = conversion.convert(schema, path), conversion.definitions
    name = type_name(type_)
    if schema.get("type") == "object":
        while name in definitions:
            name += "_"
        definitions[name], schema = schema, {"$ref": f"#/$defs/{name}"}
    body = definitions[schema["$ref"].rpartition("/")[2]] if schema.keys() == {"$ref"} else {}
    form = Form(
        type_name(type_),
        schema,
        # Written as JSON again: in strict mode, pydantic reads a date from JSON text but not from a Python str.
        lambda value: _kept(dialect, value, _read(dialect, json.dumps(value))),
        names=lambda: body.get("properties", ()),
    )
    return form, definitions


def _read(dialect: _Dialect, text: str) -> Any:
    try:
        return dialect.validate_json(text)
    except Exception as error:
        # Validators of the model may raise anything, not only pydantic's own error.
        raise ValidationError(*_problems(error)) from error


def _kept(dialect: _Dialect, value: Any, read: Any) -> Any:
    """Return what was read, unless a number in it was rounded: before it came here, or to fit into a float."""
    sent = [number for number in _numbers(value) if _may_be_lost(number)]
    near = {_nearest(number) for number in sent}
    same = {(type(number) is float, number) for number in sent}
    for number in _numbers(dialect.dump_python(read)) if sent else ():
        is_float = type(number) is float
        is_small = type(number) is int and abs(number) <= EXACT
        if _nearest(number) in near and (is_float, number) not in same and not is_small:
            why = "numbers with so many digits arrive rounded; pass it as a text"
            raise InexactError(type(number), "it is an integer with too many digits" if is_float else why)
    return read


def _may_be_lost(number: Any) -> bool:
    """Return whether a number of JSON was, or may have been, another one."""
    if type(number) is int:
        return _nearest(number) not in {number, inf}
    if type(number) is not float or not isfinite(number):
        return False
    # A float keeps 15 digits of a decimal number, and so an integer that has more may be any of several.
    return abs(number) > EXACT or len(Decimal(repr(number)).normalize().as_tuple().digits) > float_info.dig


def _nearest(number: Any) -> float:
    try:
        return float(number)
    except OverflowError:
        return inf


def _numbers(value: Any) -> Iterator[Any]:
    if isinstance(value, (int, float, Decimal)):
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple, set)) else ():
        yield from _numbers(part)


def _problems(error: Any) -> list[tuple[str, str]]:
    details = error.errors() if callable(getattr(error, "errors", None)) else ()
    # The code of a problem, not its message: pydantic's messages quote values.
    problems = [(_path(detail["loc"]), detail["type"]) for detail in details]
    return problems or [("", f"the model raised {type(error).__name__}")]


def _path(steps: Iterable[int | str]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
