"""Typed answers: the schema to send with a turn, and the conversion of its answer to a Python value."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Hashable
from functools import lru_cache
from typing import Any, Generic, TypeVar, overload

import attrs
import orjson

from openai_codex._schemas.form import Schema, ValidationError, closed_object, type_name
from openai_codex._schemas.walk import Walk
from openai_codex.errors import ConfigError, OutputError

T = TypeVar("T")

# Digits of an integer that may have more than 64 bits.
_LONG = re.compile(r"\d{19}")


@attrs.frozen(eq=False)
class OutputType(Generic[T]):
    """The type of an answer: the schema to send, and the decoder of the answer. Made by `output_type`.

    Attributes:
        name: The type as written in source code, without modules.
        schema: The strict JSON schema to send. Do not change it: it is shared.
    """

    name: str
    schema: Schema = attrs.field(repr=False)
    _read: Callable[[str], T] = attrs.field(repr=False)

    def decode(self, text: str | None) -> T:
        """Decode an answer. Raises `OutputError` if it does not match the type, or if there is none (``None``).

        Unknown keys are ignored, and fields with a default may be missing.
        """
        if text is None:
            raise OutputError(self.name, "", ("the turn ended without an answer",))
        try:
            return self._read(text)
        except ValidationError as error:
            # The cause is the exception of the program's own constructor, if there was one.
            raise OutputError(self.name, text, error.lines) from (error.__cause__ or error)
        # The model decides how deeply its JSON is nested.
        except RecursionError as error:
            raise OutputError(self.name, text, ("its JSON is nested too deeply",)) from error


@overload
def output_type(type_: type[T]) -> OutputType[T]: ...
@overload
def output_type(type_: Any) -> OutputType[Any]: ...
def output_type(type_: Any) -> OutputType[Any]:
    """Prepare a type for answers: any type that `Walk` accepts in strict form.

    In a union, an object is read as the class whose fields it has, any other value as the first member that it matches.
    Raises `ConfigError` for a type without a strict JSON schema.
    """
    if not isinstance(type_, Hashable):
        raise ConfigError("output_type", f"expected a type, got a {type(type_).__name__}")
    try:
        # The spelling is part of the cache key: unions in another order are equal, but are not read in the same way.
        return _prepared(type_, repr(type_))
    except TypeError:  # a note in it has no hash
        return _prepared.__wrapped__(type_, "")


# Cached, because a type is usually used for many turns.
@lru_cache(maxsize=64)
def _prepared(type_: Any, _spelled: str) -> OutputType[Any]:
    walk, name = Walk(strict=True), type_name(type_)
    form = walk.form(type_, name)
    schema = walk.definitions.whole(form.schema)
    if schema.get("type") == "object":
        return OutputType(name, schema, lambda text: form.read(_parsed(text)))
    # Providers accept a strict schema only with an object at its root.
    schema = walk.definitions.whole(closed_object({"value": form.schema}, ["value"]))
    return OutputType(name, schema, lambda text: form.read(_unwrapped(text)))


def _parsed(text: str) -> Any:
    try:
        # It makes floats of longer integers. The other one is slower, and accepts what is no JSON.
        value = orjson.loads(text)
        return json.loads(text) if _LONG.search(text) else value
    except ValueError as error:
        raise ValidationError(("", f"not valid JSON: {error}")) from error


def _unwrapped(text: str) -> Any:
    value = _parsed(text)
    if isinstance(value, dict) and "value" in value:
        return value["value"]
    raise ValidationError(("", 'expected an object with the key "value"'))
