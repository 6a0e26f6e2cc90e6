"""The definitions of one schema: the classes that it refers to, by name."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from enum import Enum
from typing import Any

import attrs

from openai_codex._schemas.form import Schema, referred
from openai_codex._schemas.leaves import PLAIN


class Definitions:
    """The definitions of one schema, its own and those of foreign schemas."""

    def __init__(self) -> None:
        self._schemas: dict[str, Schema] = {}
        # Name of a foreign definition → the reference to it here, and the definition as it was.
        self._foreign: dict[str, tuple[str, Schema]] = {}

    def reserve(self, name: str) -> str:
        """Reserve a name, for a class that may refer to itself. Return the reference to it."""
        name = re.sub(r"\W+", "_", name).strip("_")
        while name in self._schemas:
            name += "_"
        self._schemas[name] = {}
        return f"#/$defs/{name}"

    def complete(self, ref: str, schema: Schema) -> None:
        """Set the schema of a reserved name."""
        self._schemas[_name(ref)] = schema

    def adopt(self, foreign: Mapping[str, Schema]) -> Mapping[str, str]:
        """Take over the definitions of a foreign schema. Return its references with those that take their place."""
        known = {name: self._foreign[name] for name in foreign if name in self._foreign}
        # If all of one name are equal, they are the same models as before: so are those that they refer to.
        are_same = all(schema == foreign[name] for name, (_, schema) in known.items())
        places = {name: known[name][0] if are_same and name in known else self.reserve(name) for name in foreign}
        refs = {f"#/$defs/{name}": ref for name, ref in places.items()}
        for name, schema in foreign.items():
            self.complete(places[name], referred(schema, refs))
            self._foreign.setdefault(name, (places[name], schema))
        return refs

    def whole(self, schema: Schema) -> Schema:
        """Return a schema with its definitions. An object that it consists of becomes its root."""
        root = _name(schema["$ref"]) if schema.keys() == {"$ref"} else ""
        body = self._schemas.get(root, {})
        if body.get("type") != "object":
            return {**schema, "$defs": self._schemas} if self._schemas else schema
        others = {name: each for name, each in self._schemas.items() if name != root}
        found: Schema = referred({**body, "$defs": others} if others else body, {f"#/$defs/{root}": "#"})
        return found


def _name(ref: str) -> str:
    return ref.rpartition("/")[2]


def docstring(cls: type) -> Schema:
    """Return the keyword for the docstring of a class, if it has one of its own: an inherited one is about another."""
    text = vars(cls).get("__doc__")
    # The decorator of dataclasses and NamedTuple write one that repeats the fields.
    return {} if not text or text.startswith(f"{cls.__name__}(") else {"description": inspect.cleandoc(text)}


def shown_default(default: Any) -> Schema:
    """Return the keyword for a default, if JSON has it."""
    value = default.value if isinstance(default, Enum) and default is not attrs.NOTHING else default
    return {"default": value} if type(value) in PLAIN else {}
