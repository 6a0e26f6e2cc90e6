"""Turns the definitions of the schema into declarations: objects, unions, enums, and names for plain types."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from tools.generate import naming, shapes, tables
from tools.generate.docs import Docs, described
from tools.generate.model import Alias, Annotation, Declaration, Enum, Field, Record, named
from tools.generate.roles import Role, Roles
from tools.generate.schema import tag_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tools.generate.schema import Json, Schema


def build(schema: Schema) -> dict[str, list[Declaration]]:
    """Return the declarations of every definition, by its name in the schema."""
    roles = Roles(schema)
    built = {name: list(_Definition(schema, roles, name).declare()) for name in schema.names}
    for response, request in roles.bare_requests():
        built[response].append(request)
    return built


class _Definition:
    """Builds the declarations of one definition: its own, and those of its variants and nested objects."""

    def __init__(self, schema: Schema, roles: Roles, name: str) -> None:
        self._schema = schema
        self._definition = schema.definitions[name]
        self._docs = Docs(schema, roles, name)
        self._roles = roles.of(name)
        self._sent = name in roles.sent
        self._name = name
        self._class_name = naming.class_name(name)
        self._nested: list[Declaration] = []

    def declare(self) -> Iterator[Declaration]:
        """Yield all declarations, the main one last."""
        main = list(self._declare())
        yield from self._nested
        yield from main

    def _declare(self) -> Iterator[Declaration]:
        definition = self._definition
        members = definition.get("oneOf") or definition.get("anyOf")
        if members and all("enum" in member for member in members):
            yield self._enum(self._class_name, members)
        elif members:
            yield from self._union(members)
        elif "enum" in definition:
            yield self._enum(self._class_name, [definition])
        elif self._name in tables.KNOWN_STRINGS:
            yield self._enum(self._class_name, [{"enum": list(tables.KNOWN_STRINGS[self._name])}])
        elif definition["type"] == "object":
            for role in self._roles:
                yield self._record(role.name or self._class_name, definition, role, self._docs.of_class(role))
        else:
            yield self._alias(shapes.annotation(definition, self._inline))

    # ------------------------------------------------------------------------------------------------ unions and enums

    def _union(self, members: list[Json]) -> Iterator[Declaration]:
        strings = [member for member in members if "enum" in member]
        variants = [self._variant(m, index) for index, m in enumerate(members) if "properties" in m]
        enums = [self._enum(naming.strings_of(self._name), strings)] if strings else []
        made: list[Enum | Record] = [*enums, *variants]
        types = [named(one.name) for one in made]
        # A member that allows any string or object only says that the union is open, which every union is.
        plain = [
            m for m in members if "enum" not in m and "properties" not in m and not isinstance(m.get("type"), list)
        ]
        types += [shapes.annotation(member, self._inline) for member in plain]
        if variants or any("$ref" in member for member in plain):
            types.append(named("UnknownVariant"))
        yield from made
        yield self._alias(_either(types))

    def _alias(self, kind: Annotation) -> Alias:
        return Alias(self._class_name, self._docs.of_class(self._roles[0]), kind)

    def _variant(self, member: Json, index: int) -> Record:
        shared = self._definition
        merged = {
            "properties": {**shared.get("properties", {}), **member["properties"], **_alternatives(member)},
            "required": [*shared.get("required", []), *member.get("required", [])],
        }
        tag = tag_of(member)
        name = naming.variant_name(self._name, member.get("title"), tag[1] if tag else str(index))
        [role] = self._roles
        return self._record(name, merged, role.with_tag(tag), self._docs.of_variant(member, tag))

    def _enum(self, name: str, parts: list[Json]) -> Enum:
        # The description of a single part is that of the enum, so it is the docstring of the class.
        several = len(parts) > 1
        members = [(naming.member(v), v, described(part) if several else "") for part in parts for v in part["enum"]]
        members += [(member, value, "") for member, value in tables.MEMBERS_TOO.get(name, {}).items()]
        _must_differ(name, [member for member, _, _ in members])
        return Enum(name, self._docs.of_class(self._roles[0]), tuple(members))

    # ---------------------------------------------------------------------------------------------- records and fields

    def _record(self, name: str, schema: Json, role: Role, doc: str) -> Record:
        required = set(schema.get("required", ()))
        properties = {wire: part for wire, part in schema.get("properties", {}).items() if wire != role.tag_name}
        fields = [self._field(name, wire, part, wire in required) for wire, part in properties.items()]
        fields.sort(key=lambda field: field.default is not None)
        _must_differ(name, [field.name for field in fields])
        return Record(name, role.bases, doc, (*role.constants, *_wire_names(fields)), tuple(fields), role.names)

    def _field(self, owner: str, wire: str, schema: Json, required: bool) -> Field:
        field = Field(
            name=naming.attribute(wire),
            wire=wire,
            annotation=shapes.annotation(schema, lambda inner: self._inline(inner, wire)),
            doc=self._docs.of_field(owner, wire, schema),
            secret=shapes.is_secret(wire, schema),
        )
        return field if required else self._optional(field, schema)

    def _optional(self, field: Field, schema: Json) -> Field:
        value = schema.get("default") if isinstance(schema, dict) else None
        if self._sent:
            return attrs.evolve(field, annotation=field.annotation.with_unset(), default="UNSET", absent=value)
        if value is None:
            return attrs.evolve(field, annotation=field.annotation.or_none(), default="None")
        default, names = shapes.default(value, schema, self._schema)
        return attrs.evolve(field, default=default, runtime_names=names)

    def _inline(self, schema: Json, field: str = "") -> Annotation:
        name = naming.class_name(f"{naming.pascal(field)}Details")
        self._nested.append(self._record(name, schema, Role(), self._docs.of_inline(field)))
        return named(name)


def _either(types: list[Annotation]) -> Annotation:
    first, *rest = types
    for other in rest:
        first |= other
    return first


def _alternatives(member: Json) -> dict[str, Json]:
    """Return the fields of which a variant has one of several; each of them is optional."""
    return {wire: part for other in member.get("anyOf", ()) for wire, part in other["properties"].items()}


def _wire_names(fields: Iterable[Field]) -> Iterator[str]:
    special = {field.name: field.wire for field in fields if naming.camel(field.name) != field.wire}
    if special:
        yield f"WIRE_NAMES: ClassVar[dict[str, str]] = {special!r}"


def _must_differ(owner: str, names: list[str]) -> None:
    if twice := {name for name in names if names.count(name) > 1}:
        raise LookupError(f"{owner}: names clash: {sorted(twice)}")
