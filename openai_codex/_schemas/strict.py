"""The part of JSON schema that providers accept in strict schemas, and the way of other schemas into it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from openai_codex._schemas.constraints import described
from openai_codex._schemas.form import Schema, beside, closed_object
from openai_codex.errors import ConfigError

# Keywords without effect on which values are accepted. Providers refuse them, or do not read them.
_DROPPED = {
    *("default", "discriminator", "examples", "deprecated", "readOnly", "writeOnly", "$comment", "$schema", "$id"),
    *("contentEncoding", "contentMediaType", "contentSchema"),
}
_RENAMED: Mapping[str, str] = {"oneOf": "anyOf", "allOf": "anyOf"}
_KEPT = {
    *("type", "title", "description", "enum", "const", "anyOf", "$ref", "items", "properties", "required"),
    *("additionalProperties", "format", "pattern", "minLength", "maxLength", "minItems", "maxItems"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
}
_FORMATS = {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"}

# Regular expressions are compiled to a grammar, which has no way to look around or back.
_LOOKING = re.compile(r"\(\?<?[=!]|\\[1-9]|\(\?P=|\\k<|\\[bB]")
# pydantic's expression for `Decimal` looks ahead. The other one accepts a part of it.
_PATTERNS = {r"^(?!^[-+.]*$)[+-]?0*\d*\.?\d*$": r"^[+-]?[0-9]+(\.[0-9]+)?$"}

# What to use instead of a keyword that has none.
_ADVICE: Mapping[str, str] = {
    "prefixItems": "a class instead of a tuple",
    "uniqueItems": "a list instead of a set",
    "patternProperties": "a class instead of a dict",
}
# Longer texts would make a grammar of too many states; words say so.
_LONGEST = 1_000


class Strict:
    """One conversion of a schema with definitions to strict form. Each definition is converted where it is first used.

    Attributes:
        definitions: The converted definitions by name.
    """

    def __init__(self, definitions: Mapping[str, Schema]) -> None:
        self._given = definitions
        self.definitions: dict[str, Schema] = {}

    def convert(self, given: Any, path: str) -> Schema:
        """Copy a schema into strict form. Raises `ConfigError` with the path of the part that has none."""
        if not isinstance(given, dict) or not given.keys() - {"title", "description", *_DROPPED}:
            raise _refused(path, "a value of any type", "give it a type")
        if len(given.get("allOf", "1")) > 1:
            raise _refused(path, 'the keyword "allOf"', "use one class")
        kept = {
            _RENAMED.get(word, word): self._part(word, part, path) for word, part in given.items() if _is_kept(word)
        }
        for word in kept.keys() - _KEPT:
            raise _refused(path, f'the keyword "{word}"', f"use {_ADVICE.get(word, 'another type')}")
        kept = flat_text(kept, path)
        kinds = kept.get("type", "object" if "properties" in kept else None)
        if "array" in _kinds(kinds) and "items" not in kept:
            raise _refused(f"{path}[]", "a value of any type", "give it a type")
        if "object" in _kinds(kinds):
            if "properties" not in kept:
                raise _refused(path, "an object with arbitrary keys", "list its properties")
            kept |= {**closed_object(kept["properties"], list(kept["properties"])), "type": kinds}
        reference = {word: kept.pop(word) for word in ("$ref",) if word in kept}
        return beside(reference, kept) if reference else kept

    def _part(self, word: str, part: Any, path: str) -> Any:
        if word == "properties":
            return {name: self.convert(each, f"{path}.{name}") for name, each in part.items()}
        if word in {"anyOf", "oneOf", "allOf"}:
            return [self.convert(each, path) for each in part]
        if word == "items":
            return self.convert(part, f"{path}[]")
        if word == "$ref":
            self._define(str(part).rpartition("/")[2], path)
        return part

    def _define(self, name: str, path: str) -> None:
        if name in self._given and name not in self.definitions:
            self.definitions[name] = {}  # for references to it from inside
            self.definitions[name] = self.convert(self._given[name], path)


def _kinds(kinds: Any) -> list[Any]:
    return kinds if isinstance(kinds, list) else [kinds]


def _is_kept(word: str) -> bool:
    return word not in _DROPPED and word != "$defs"


def _refused(path: str, what: str, advice: str) -> ConfigError:
    return ConfigError(path, f"{what} has no strict JSON schema; {advice}")


def flat_text(schema: Schema, path: str) -> Schema:
    """Write what is said about a text in the words that strict schemas have. Raises `ConfigError` where there are none."""
    kept = dict(schema)
    if kept.get("format", "date") not in _FORMATS:
        kept = described(kept, f"format: {kept.pop('format')}")
    if "pattern" in kept:
        kept["pattern"] = _PATTERNS.get(kept["pattern"], kept["pattern"])
    least, most = kept.pop("minLength", 0), kept.pop("maxLength", "")
    if most != "" and least > most:
        raise _refused(path, f"a text of a length from {least} to {most}", "give it a longer one")
    if max(least, most or 0) > _LONGEST:
        kept = described(kept, f"length {least} to {most}" if most else f"length at least {least}")
    elif (least or most != "") and "pattern" in kept:
        raise _refused(path, "a pattern beside a length", "put the length into the pattern")
    elif least or most != "":
        kept["pattern"] = rf"^[\s\S]{{{least},{most}}}$"
    if _LOOKING.search(kept.get("pattern", "")):
        raise _refused(path, "a pattern that looks around or back", "write another pattern")
    return kept
