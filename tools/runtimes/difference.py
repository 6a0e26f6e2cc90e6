"""What changed in the protocol between two schemas, for people: methods, types, fields and values."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tools.generate.schema import Schema, tag_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tools.generate.schema import Json


def difference(old: Json, new: Json) -> list[str]:
    """Return a line for each change, in the form of a diff: what is gone, what is new, what is another."""
    before, after = Schema(old), Schema(new)
    head = f"protocol of {before.version} -> {after.version}"
    changed = [*_of(_methods(before), _methods(after)), *_of(_parts(before), _parts(after))]
    lines = [line for line in changed if not _is_inside_another(line, changed)]
    return [f"{head}: {len(lines)} changes", *lines]


def _of(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    for name in sorted({*before, *after}):
        if name not in after:
            yield f"- {name}"
        elif name not in before:
            yield f"+ {name}: {after[name]}"
        elif before[name] != after[name]:
            yield f"~ {name}: {before[name]} -> {after[name]}"


def _is_inside_another(line: str, lines: list[str]) -> bool:
    """Return whether a line is about a part of a type that is gone or new itself."""
    sign, kind, name = line.partition(":")[0].split(" ", 2)
    owner = f"{sign} type {name.rpartition('.')[0]}"
    return kind in {"field", "value"} and any(each.partition(":")[0] == owner for each in lines)


def _methods(schema: Schema) -> dict[str, str]:
    tables = {
        "request": schema.client_requests,
        "server request": schema.server_requests,
        "notification": schema.notifications,
    }
    return {f"{kind} {each.name}": each.params or "no params" for kind, of in tables.items() for each in of}


def _parts(schema: Schema) -> dict[str, str]:
    """Return each type, field and value of the schema, and what it is."""
    return {name: kind for owner in schema.names for name, kind in _parts_of(owner, schema.definitions[owner])}


def _parts_of(owner: str, schema: Json) -> Iterator[tuple[str, str]]:
    yield f"type {owner}", str(schema.get("type", "union"))
    for value in schema.get("enum", ()):
        yield f"value {owner}.{value}", "value"
    required = schema.get("required", ())
    for name, part in schema.get("properties", {}).items():
        yield f"field {owner}.{name}", _kind(part) + ("" if name in required else ", optional")
    for number, member in enumerate(schema.get("oneOf") or schema.get("anyOf") or ()):
        tag = tag_of(member)
        name = member.get("title") or (tag[1] if tag else str(number))
        yield from (_parts_of(owner, member) if "enum" in member else _parts_of(f"{owner}/{name}", member))


def _kind(part: Any) -> str:
    """Return the type of a field in a few words, without its description."""
    if not isinstance(part, dict):
        return "any"
    if "$ref" in part:
        return str(part["$ref"]).rpartition("/")[2]
    options = part.get("anyOf") or part.get("allOf")
    if options:
        return " or ".join(_kind(option) for option in options)
    kind = part.get("type", "any")
    text = " or ".join(kind) if isinstance(kind, list) else str(kind)
    inner = part.get("items") or part.get("additionalProperties")
    return (
        f"{text} of {_kind(inner)}"
        if isinstance(inner, dict)
        else text + (f" {json.dumps(part['enum'])}" if "enum" in part else "")
    )
