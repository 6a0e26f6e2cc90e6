"""Typed answers: the schema to send with a turn, and the conversion of its answer to a Python value.

Accepts Python types, which `schema` and `validate` handle, and pydantic models, which have a schema and a validator of
their own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Generic, TypeVar, overload

import attrs
import orjson

from openai_codex._schemas import schema as forms
from openai_codex._schemas.schema import Kind, Schema, type_name
from openai_codex._schemas.validate import ValidationError, validate
from openai_codex.errors import ConfigError, OutputError

T = TypeVar("T")

# The methods that identify a pydantic model; pydantic itself is not imported.
_MODEL_METHODS = ("model_json_schema", "model_validate_json")

# Keywords of pydantic's schemas that providers do not accept in strict ones, or accept under another name.
_DROPPED = {"default", "discriminator", "examples"}
_RENAMED = {"oneOf": "anyOf"}


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
    """Prepare a type for answers: any type that `json_schema` accepts, or a pydantic model.

    In a union, an object is read as the class whose fields it has, any other value as the first member that it matches.
    Raises `ConfigError` for a type without a strict JSON schema.
    """
    # The cache needs a hash, and the TypeError of the cache would not name the argument.
    if not isinstance(type_, Hashable):
        raise ConfigError("output_type", f"expected a type, got a {type(type_).__name__}")
    # The spelling is part of the cache key: unions in another order are equal, but are not read in the same way.
    return _prepared(type_, repr(type_))


# Cached, because a type is usually used for many turns.
@lru_cache(maxsize=64)
def _prepared(type_: Any, _spelled: str) -> OutputType[Any]:
    return (_foreign if all(hasattr(type_, method) for method in _MODEL_METHODS) else _derived)(type_)


def _derived(type_: Any) -> OutputType[Any]:
    # Any other type was wrapped in an object, as strict schemas need one at the root.
    take = _parsed if forms.kind(type_) is Kind.OBJECT else _unwrapped
    return OutputType(type_name(type_), forms.json_schema(type_), lambda text: validate(type_, take(text)))


def _foreign(type_: Any) -> OutputType[Any]:
    given = strict_form(type_.model_json_schema(), type_name(type_))
    if given.get("type") == "object":
        return OutputType(type_name(type_), given, lambda text: _validated(type_, text))
    # Definitions stay at the root, because references are resolved there.
    definitions = {word: given.pop(word) for word in ("$defs",) if word in given}
    schema = {**forms.closed_object({"value": given}, ["value"]), **definitions}
    # Written as JSON again: in strict mode, pydantic reads a date from JSON text but not from a Python str.
    return OutputType(type_name(type_), schema, lambda text: _validated(type_, json.dumps(_unwrapped(text))))


def strict_form(given: Schema, path: str) -> Schema:
    """Copy a foreign schema into strict form. Raises `ConfigError` for an object without a list of properties."""
    known = {word: part for word, part in given.items() if word not in _DROPPED}
    kept = {_RENAMED.get(word, word): _HELD.get(word, _unchanged)(part, path) for word, part in known.items()}
    if kept.get("type") == "object":
        if "properties" not in kept:
            raise ConfigError(path, "an object with arbitrary keys has no strict JSON schema; list its properties")
        kept |= forms.closed_object(kept["properties"], list(kept["properties"]))
    reference = {word: kept.pop(word) for word in ("$ref",) if word in kept}
    return forms.beside(reference, kept)


def _unchanged(held: Any, _path: str) -> Any:
    return held


def _by_name(held: Mapping[str, Schema], path: str) -> Schema:
    return {name: strict_form(part, f"{path}.{name}") for name, part in held.items()}


def _listed(held: Sequence[Schema], path: str) -> list[Schema]:
    return [strict_form(part, path) for part in held]


# How to convert the value of a keyword that contains schemas.
_HELD: Mapping[str, Callable[[Any, str], Any]] = {
    "properties": _by_name,
    "$defs": _by_name,
    "anyOf": _listed,
    "oneOf": _listed,
    "items": lambda held, path: strict_form(held, f"{path}[]"),
}


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


def _validated(type_: Any, text: str | bytes) -> Any:
    try:
        return type_.model_validate_json(text)
    except Exception as error:
        # Validators of the model may raise anything, not only pydantic's own error.
        raise ValidationError(*_problems(error)) from error


def _problems(error: Any) -> list[tuple[str, str]]:
    details = error.errors() if callable(getattr(error, "errors", None)) else ()
    # The code of a problem, not its message: pydantic's messages quote values.
    problems = [(_path(detail["loc"]), detail["type"]) for detail in details]
    return problems or [("", f"the model raised {type(error).__name__}")]


def _path(steps: Iterable[int | str]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
