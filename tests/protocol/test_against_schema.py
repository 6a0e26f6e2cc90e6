"""Each class against its definition in the runtime's schema: fields, types, what is required and what may be null.

A second reading of the schema, which shares no code with the generator.
"""

from __future__ import annotations

import copy
import typing
from collections.abc import Callable, Iterator
from types import NoneType, UnionType
from typing import Any

import attrs
import pytest

from openai_codex import _protocol as protocol
from openai_codex._codec import unstructure
from openai_codex._codec.base import record_fields, wire_name
from openai_codex._protocol import UNSET, OpenEnum, Record, UnknownVariant, Unset, Variant
from tests.protocol import bundle
from tests.protocol.bundle import Json, tag_of

# Open enums of strings whose values the schema does not list.
KNOWN_STRINGS = {protocol.ReasoningEffort, protocol.ThreadSource}
PRIMITIVES = {"string": str, "integer": int, "number": float, "boolean": bool}
SHAPES = {"$ref", "type", "anyOf", "oneOf", "enum", "properties"}

DOMAINS = sorted(set(protocol.HOMES.values()))


def test_every_definition_has_a_type_and_every_type_a_definition() -> None:
    names = [public for name in bundle.generated() for public in bundle.public_names(name)]
    assert len(names) == len(set(names))
    assert set(names) <= protocol.HOMES.keys()


@pytest.mark.parametrize("domain", DOMAINS)
def test_types_are_what_the_schema_says(domain: str) -> None:
    for name in bundle.generated():
        for public in bundle.public_names(name):
            if protocol.HOMES[public] == domain:
                assert list(of_definition(getattr(protocol, public), bundle.definitions()[name], public)) == []


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("Turn", lambda turn: turn["properties"].update(brandNew={"type": "string"})),
        ("Turn", lambda turn: turn["properties"].pop("durationMs")),
        ("Turn", lambda turn: turn["properties"].update(id={"type": "integer"})),
        ("Turn", lambda turn: turn["properties"].update(id={"type": ["string", "null"]})),
        ("Turn", lambda turn: turn["properties"].update(items={"type": "array", "items": {"type": "string"}})),
        ("Turn", lambda turn: turn["properties"].update(status={"$ref": "#/definitions/SandboxMode"})),
        ("Turn", lambda turn: turn["required"].remove("id")),
        ("TurnStartParams", lambda params: params["required"].append("model")),
        ("SandboxMode", lambda mode: mode["enum"].append("brand-new")),
        ("ThreadItem", lambda item: item["oneOf"].append({"properties": {"type": {"type": "string", "enum": ["x"]}}})),
        ("RequestId", lambda request_id: request_id["anyOf"].pop()),
    ],
)
def test_a_difference_would_be_seen(name: str, change: Callable[[Json], Any]) -> None:
    changed = copy.deepcopy(bundle.definitions()[name])
    change(changed)
    assert list(of_definition(getattr(protocol, name), changed, name)) != []


# Each function yields a line for whatever differs.


def of_definition(type_: Any, schema: Json, path: str) -> Iterator[str]:
    members = schema.get("oneOf") or schema.get("anyOf")
    if members and all("enum" in member for member in members):
        yield from of_enum(type_, [value for member in members for value in member["enum"]], path)
    elif members:
        yield from of_union(members_of(type_), members, schema, path)
    elif "enum" in schema:
        yield from of_enum(type_, schema["enum"], path)
    elif schema["type"] == "object":
        yield from of_record(type_, schema, path)
    else:
        yield from of_type(type_, schema, path)


def of_enum(type_: Any, values: list[str], path: str) -> Iterator[str]:
    if not is_class(type_, OpenEnum) or [member.value for member in type_] != values:
        yield f"{path}: {type_} is not an enum of {values}"


def of_union(types: list[Any], members: list[Json], shared: Json, path: str) -> Iterator[str]:
    records = [type_ for type_ in types if is_class(type_, Record) and type_ is not UnknownVariant]
    enums = [type_ for type_ in types if is_class(type_, OpenEnum)]
    objects = [member for member in members if "properties" in member]
    strings = [value for member in members for value in member.get("enum", ())]
    if objects and UnknownVariant not in types:
        yield f"{path}: is not open"
    if strings:
        yield from of_enum(enums[0] if len(enums) == 1 else None, strings, path)
        types = [type_ for type_ in types if type_ not in enums]
    for member in objects:
        whole = with_shared(member, shared)
        found = [record for record in records if is_for(record, whole)]
        if len(found) != 1:
            yield f"{path}: {found} for {sorted(whole['properties'])}"
        for record in found:
            records.remove(record)
            types = [type_ for type_ in types if type_ is not record]
            yield from of_record(record, whole, f"{path}.{record.__name__}")
    yield from of_others([type_ for type_ in types if type_ is not UnknownVariant], members, path)


def of_others(types: list[Any], members: list[Json], path: str) -> Iterator[str]:
    """Check the members of a union that are neither objects nor enums; "any string or object" only means open."""
    plain = [member for member in members if not {"enum", "properties"} & member.keys()]
    for member in [member for member in plain if not isinstance(member.get("type"), list)]:
        if "$ref" in member:
            [public] = bundle.public_names(bundle.target(member["$ref"]))
            expected = [type_ for type_ in members_of(getattr(protocol, public)) if type_ is not UnknownVariant]
            found, types = types[: len(expected)], types[len(expected) :]
            if found != expected:
                yield f"{path}: {found} instead of {public}"
        else:
            yield from of_type(types.pop(0), member, path)
    if types:
        yield f"{path}: {types} are not in the schema"


def with_shared(member: Json, shared: Json) -> Json:
    """Return one object of a union with the properties that all of them have, and those of its own alternatives."""
    alternatives = {name: part for other in member.get("anyOf", ()) for name, part in other["properties"].items()}
    return {
        "properties": {**shared.get("properties", {}), **alternatives, **member["properties"]},
        "required": [*shared.get("required", ()), *member.get("required", ())],
    }


def is_for(record: type[Record], schema: Json) -> bool:
    """Whether a member of a union is meant: by its tag, else by its fields."""
    tag = tag_of(schema)
    if tag is not None:
        return issubclass(record, Variant) and (wire_name(record, record.TAG), getattr(record, record.TAG)) == tag
    return {wire_name(record, field.name) for field in record_fields(record)} == schema["properties"].keys()


def of_record(cls: Any, schema: Json, path: str) -> Iterator[str]:
    if not is_class(cls, Record):
        yield f"{path}: {cls} is not a record"
        return
    attrs.resolve_types(cls)
    fields = {wire_name(cls, field.name): field for field in record_fields(cls)}
    tag = wire_name(cls, cls.TAG) if issubclass(cls, Variant) else None
    properties = {name: part for name, part in schema.get("properties", {}).items() if name != tag}
    if fields.keys() != properties.keys():
        yield f"{path}: fields differ: {sorted(fields.keys() ^ properties.keys())}"
    for name in fields.keys() & properties.keys():
        required = name in schema.get("required", ())
        yield from of_field(fields[name], properties[name], required, f"{path}.{name}")


def of_field(field: attrs.Attribute[Any], schema: Json, required: bool, path: str) -> Iterator[str]:
    types = members_of(field.type)
    if required != (field.default is attrs.NOTHING):
        yield f"{path}: default {field.default}, required {required}"
        return
    if Unset in types:
        if field.default is not UNSET:
            yield f"{path}: default {field.default} where it may be left off"
        types.remove(Unset)
    elif not required:
        default = field.default.factory() if isinstance(field.default, attrs.Factory) else field.default  # type: ignore[arg-type]
        expected = schema.get("default") if isinstance(schema, dict) else None
        if unstructure(default) != expected:
            yield f"{path}: default {default} instead of {expected}"
        if default is None and not is_nullable(schema):
            types = [type_ for type_ in types if type_ is not NoneType]  # that is how it is absent
    yield from of_type(typing.Union[tuple(types)], schema, path)


def of_type(type_: Any, schema: Json, path: str) -> Iterator[str]:
    inner = solid(schema)
    types = members_of(type_)
    if inner is True or not SHAPES & inner.keys():
        if type_ is not Any:
            yield f"{path}: {type_} for any JSON"
        return
    if (NoneType in types) != is_nullable(schema):
        yield f"{path}: {type_} may be null, or the schema"
    rest = [each for each in types if each is not NoneType]
    if "$ref" in inner:
        [public, *_] = bundle.public_names(bundle.target(inner["$ref"]))
        if rest != [each for each in members_of(getattr(protocol, public)) if each is not NoneType]:
            yield f"{path}: {rest} instead of {public}"
    elif len(rest) == 1:
        yield from of_solid(rest[0], inner, path)
    else:
        yield f"{path}: {rest} for {inner}"


def of_solid(type_: Any, schema: Json, path: str) -> Iterator[str]:
    kind = schema["type"]
    if "properties" in schema:
        yield from of_record(type_, schema, path)
    elif kind in PRIMITIVES:
        if type_ is not PRIMITIVES[kind] and not (kind == "string" and type_ in KNOWN_STRINGS):
            yield f"{path}: {type_} for {kind}"
    elif typing.get_origin(type_) is not {"array": list, "object": dict}[kind]:
        yield f"{path}: {type_} for {kind}"
    else:
        inner = schema["items"] if kind == "array" else schema.get("additionalProperties", True)
        yield from of_type(typing.get_args(type_)[-1], inner, f"{path}[]")


def is_class(type_: Any, base: type) -> bool:
    return isinstance(type_, type) and issubclass(type_, base)


def members_of(type_: Any) -> list[Any]:
    """Return the members of a union, or the type alone."""
    return list(typing.get_args(type_)) if typing.get_origin(type_) in {typing.Union, UnionType} else [type_]


def options(schema: Json) -> list[Json]:
    """Return what a schema with a choice or a lone reference in it chooses from."""
    return (schema.get("anyOf") or schema.get("allOf") or []) if isinstance(schema, dict) else []


def solid(schema: Json) -> Json:
    """Return a schema without its "or null"."""
    rest = [option for option in options(schema) if option != {"type": "null"}]
    if len(rest) == 1:
        return solid(rest[0])
    if isinstance(schema, dict) and isinstance(schema.get("type"), list):
        [kind] = [kind for kind in schema["type"] if kind != "null"]
        return {**schema, "type": kind}
    return schema


def is_nullable(schema: Json) -> bool:
    found = options(schema)
    if {"type": "null"} in found:
        return True
    if len(found) == 1:
        return is_nullable(found[0])
    return isinstance(schema, dict) and isinstance(schema.get("type"), list) and "null" in schema["type"]
