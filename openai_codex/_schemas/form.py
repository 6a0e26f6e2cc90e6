"""A form: how the values of one type look in JSON, and how they are read. Strict: no value is coerced to another type.

Errors have the path of each mismatch, without the value. Which types have a form is not known here.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, TypeAlias, Union, get_args, get_origin

import attrs

Schema: TypeAlias = dict[str, Any]
"""A JSON schema, decoded."""

BY_NAME = "a parameter that can be passed by name; a decorator needs functools.wraps"
"""What is expected of the parameters of a function."""


class ValidationError(ValueError):
    """JSON does not match a type.

    Attributes:
        problems: Pairs of a path, relative to the validated value, and a reason.
    """

    def __init__(self, *problems: tuple[str, str]) -> None:
        super().__init__(*problems)
        self.problems = problems

    @property
    def lines(self) -> tuple[str, ...]:
        """The problems as text, one line each."""
        return tuple(f"{path.removeprefix('.')}: {why}" if path else why for path, why in self.problems)


class WrongKindError(ValidationError):
    """The value itself has the wrong type, so its content was not validated."""

    def __init__(self, expected: str, value: Any) -> None:
        found = "None" if value is None else type(value).__name__
        super().__init__(("", f"expected {expected}, found {found}"))


class InexactError(ValidationError):
    """The value would become another one: Python's type cannot hold it, or it was rounded before it came here."""

    def __init__(self, type_: type, why: str) -> None:
        super().__init__(("", f"cannot be read as {type_.__name__} without a change: {why}"))


JSON: Collection[type] = frozenset({dict, list, str, int, float, bool, NoneType})
"""The types of decoded JSON."""


@attrs.define(eq=False)
class Form:
    """What a type is in JSON.

    Attributes:
        name: The type as written in source code, without modules.
        schema: Its JSON schema.
        build: Makes a value of decoded JSON of an accepted type. Raises `ValueError` if it is none.
        accepts: The exact types of the JSON that it is read from: `isinstance` takes a bool for an int.
        sort: The kind of its values, as far as constraints tell them apart: "number", "text", "items", "keys", or a
            type whose values have an order.
        names: Returns the names of its properties, if it is an object.
    """

    name: str
    schema: Schema
    build: Callable[[Any], Any]
    accepts: Collection[type] = JSON
    sort: str | type | None = None
    names: Callable[[], Collection[str]] = tuple

    def read(self, value: Any) -> Any:
        """Build a value from decoded JSON. Raises `ValidationError` with all problems."""
        if type(value) not in self.accepts:
            raise WrongKindError(self.name, value)
        try:
            return self.build(value)
        except ValidationError:
            raise
        except ValueError:
            raise WrongKindError(self.name, value) from None

    def distance(self, value: Any) -> int:
        """Return how far a value is from one of these, to find the member of a union that it is meant for."""
        # Unknown keys are ignored, so without this order the first class could accept an object meant for another one.
        if isinstance(value, dict):
            return len(value.keys() ^ set(self.names()))
        return int(type(value) is float and self.schema.get("type") == "integer")


# Stands for a missing required field. The name of its type appears in the message: "expected int, found nothing".
ABSENT = type("nothing", (), {})()


def read_all(parts: Iterable[tuple[str, Form, Any]], more: Iterable[tuple[str, str]] = ()) -> list[Any]:
    """Read values, each with the step to it and its form. Raises `ValidationError` with the problems of all, and more."""
    values: list[Any] = []
    problems: list[tuple[str, str]] = []
    cause: BaseException | None = None
    for step, form, value in parts:
        try:
            values.append(form.read(value))
        except ValidationError as error:
            problems += ((step + path, why) for path, why in error.problems)
            # The first one: an exception has a single cause.
            cause = cause or error.__cause__
    if problems := [*problems, *more]:
        raise ValidationError(*problems) from cause
    return values


def call(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """Call a constructor of the program. Raises `ValidationError` for whatever it raises."""
    try:
        return function(*args, **kwargs)
    except Exception as error:
        # Without the text of the error, because validators of the program may quote the value.
        raise ValidationError(("", f"{type_name(function)} raised {type(error).__name__}")) from error


def key_problems(schema: Schema, value: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the keys that an object's schema requires and that are missing, and keys that it does not allow.

    Of a schema that the program wrote itself, nothing else is checked.
    """
    required, known = schema.get("required") or (), schema.get("properties") or {}
    # Patterns are not evaluated here, so an unknown key may match one.
    closed = schema.get("additionalProperties") is False and "patternProperties" not in schema
    missing = [(f".{name}", "is required") for name in required if name not in value]
    return missing + [(f".{name}", "unknown argument") for name in value if closed and name not in known]


def type_name(type_: Any) -> str:
    """Return a type as written in source code, or the name of a function, without modules and notes."""
    origin, args = get_origin(type_), get_args(type_)
    if origin in {Union, UnionType}:
        return " | ".join("None" if arg is NoneType else type_name(arg) for arg in args)
    if origin is Annotated:
        return type_name(args[0])
    if inspect.isroutine(type_) or (inspect.isclass(type_) and origin is None):
        return type_.__name__
    if isinstance(origin, type) and args:
        return f"{origin.__name__}[{', '.join('...' if arg is ... else type_name(arg) for arg in args)}]"
    # The text of other forms contains modules.
    return re.sub(r"(?<![\w'])(\w+\.|<locals>\.)+", "", str(type_))


def closed_object(properties: Schema, required: list[str]) -> Schema:
    """Return the schema of an object that allows no other properties."""
    # Providers refuse a strict schema in which an object leaves out ``additionalProperties``.
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def beside(schema: Schema, keywords: Schema) -> Schema:
    """Add keywords to a schema. A reference is wrapped first, because it allows no keywords beside it."""
    return {**({"anyOf": [schema]} if keywords and "$ref" in schema else schema), **keywords}


def referred(schema: Any, names: Mapping[str, str]) -> Any:
    """Copy a schema with other references: from old to new ones."""
    if isinstance(schema, list):
        return [referred(part, names) for part in schema]
    if not isinstance(schema, dict):
        return schema
    changed = {"$ref": names.get(schema["$ref"], schema["$ref"])} if isinstance(schema.get("$ref"), str) else {}
    return {**{word: referred(part, names) for word, part in schema.items()}, **changed}
