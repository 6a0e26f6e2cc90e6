"""Types that the tests of schemas share, a validator for what we derive, and the provider's rules for strict schemas."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Annotated, Any, Literal, NamedTuple

import attrs
import jsonschema

from openai_codex._schemas.form import closed_object, type_name
from openai_codex._schemas.walk import Walk


def json_schema(type_: Any, *, strict: bool = True) -> dict[str, Any]:
    """Derive the schema of a type: in strict form as for answers, or in a loose one as for tools."""
    walk = Walk(strict=strict)
    form = walk.form(type_, type_name(type_))
    whole = walk.definitions.whole(form.schema)
    return (
        whole
        if not strict or is_object(whole)
        else walk.definitions.whole(closed_object({"value": form.schema}, ["value"]))
    )


def validate(type_: Any, value: Any) -> Any:
    return Walk(strict=False).form(type_, type_name(type_)).read(value)


def fits(value: Any, schema: dict[str, Any]) -> bool:
    """Validate JSON by its schema with nothing of ours."""
    jsonschema.Draft202012Validator.check_schema(schema)
    return bool(jsonschema.Draft202012Validator(schema).is_valid(value))


def resolved(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    ref = schema["$ref"]
    return root if ref == "#" else root["$defs"][ref.removeprefix("#/$defs/")]


# What OpenAI documents for structured outputs.
COMMON = {"type", "description", "title", "enum", "const"}
NUMBER_WORDS = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}
STRICT_WORDS = {
    "string": {"format", "pattern"},
    "integer": NUMBER_WORDS,
    "number": NUMBER_WORDS,
    "boolean": set[str](),
    "null": set[str](),
    "array": {"items", "minItems", "maxItems"},
    "object": {"properties", "required", "additionalProperties", "$defs"},
}
FORMATS = {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"}


def parts(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield schema
    nested = [
        *schema.get("properties", {}).values(),
        *schema.get("$defs", {}).values(),
        *schema.get("anyOf", []),
        *([schema["items"]] if "items" in schema else []),
    ]
    for part in nested:
        yield from parts(part)


def strict_faults(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the parts of a schema that a provider of strict schemas refuses."""
    return [part for part in parts(schema) if not strict(part, schema)] + ([] if is_object(schema) else [schema])


def is_object(schema: dict[str, Any]) -> bool:
    return schema.get("type") == "object"


def strict(part: dict[str, Any], root: dict[str, Any]) -> bool:
    if "$ref" in part:
        return part.keys() == {"$ref"} and bool(resolved(part, root))
    if "anyOf" in part:
        return part.keys() <= {"anyOf", "description", "title"}
    names = part["type"] if isinstance(part["type"], list) else [part["type"]]
    closed = part.get("additionalProperties") is False and part.get("required") == list(part.get("properties", {}))
    words = COMMON.union(*(STRICT_WORDS[name] for name in names))
    texts = part.get("format", "date") in FORMATS and not re.search(r"\(\?<?[=!]|\\\d", part.get("pattern", ""))
    whole = "items" in part or "array" not in names
    return part.keys() <= words and texts and whole and (closed or not is_object(part))


class Level(Enum):
    LOW = "low"
    HIGH = "high"


class Rank(IntEnum):
    FIRST = 1
    SECOND = 2


class Point(NamedTuple):
    """Where it is."""

    x: int
    y: int = 0


@dataclass
class Item:
    name: str
    price: float
    tags: list[str] = field(default_factory=list)
    where: Point | None = None


@attrs.define
class Report:
    """A report.

    With two paragraphs.
    """

    items: list[Item]
    level: Level
    count: Annotated[int, "how many"] = 3
    best: Annotated[Item | None, "the best one"] = None
    kind: Literal["a", "b"] = "a"
