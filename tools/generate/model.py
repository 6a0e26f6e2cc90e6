"""The parts of a generated Python module: enums, records, aliases and annotations. Plain values, no rules."""

from __future__ import annotations

from typing import Any

import attrs


@attrs.frozen
class Annotation:
    """A type as written in source code, and the protocol names in it."""

    text: str
    names: frozenset[str] = frozenset()

    def __or__(self, other: Annotation) -> Annotation:
        return Annotation(f"{self.text} | {other.text}", self.names | other.names)

    def within(self, template: str) -> Annotation:
        """Return the type with this one inside, as in ``list[{}]``."""
        return Annotation(template.format(self.text), self.names)

    def or_none(self) -> Annotation:
        """Return the type with ``None`` as its last member."""
        if self == JSON_VALUE or self.text.endswith("| None"):
            return self
        return Annotation(f"{self.text} | None", self.names)

    def with_unset(self) -> Annotation:
        """Return the type with `Unset` as a member, before a ``None``."""
        solid = self.text.removesuffix(" | None")
        return Annotation(f"{solid} | Unset{self.text[len(solid) :]}", self.names | {"Unset"})


def named(name: str) -> Annotation:
    """Return the annotation that consists of one protocol name."""
    return Annotation(name, frozenset({name}))


JSON_VALUE = named("JsonValue")


@attrs.frozen
class Field:
    """One attribute of a record."""

    name: str
    wire: str
    annotation: Annotation
    doc: str
    default: str | None = None
    """The source of its default; ``None`` if it is required."""
    secret: bool = False
    runtime_names: frozenset[str] = frozenset()
    """Names that the default needs when the class is built."""
    absent: Any = None
    """The JSON that the runtime takes instead of a field that is not sent; ``None`` if the schema does not say it."""


@attrs.frozen
class Enum:
    """An open enum: members are (name, value, description)."""

    name: str
    doc: str
    members: tuple[tuple[str, str, str], ...]
    names: frozenset[str] = frozenset()
    runtime_names: frozenset[str] = frozenset()


@attrs.frozen
class Record:
    """A class with fields."""

    name: str
    bases: str
    doc: str
    constants: tuple[str, ...]
    fields: tuple[Field, ...]
    base_names: frozenset[str] = frozenset()

    @property
    def names(self) -> frozenset[str]:
        """The protocol names in its annotations."""
        return self.base_names.union(*(field.annotation.names for field in self.fields))

    @property
    def runtime_names(self) -> frozenset[str]:
        """The protocol names that must exist when it is built."""
        return frozenset().union(*(field.runtime_names for field in self.fields))


@attrs.frozen
class Alias:
    """A name for a type. The types in it must exist when the module is imported."""

    name: str
    doc: str
    type: Annotation

    @property
    def names(self) -> frozenset[str]:
        """The protocol names in it."""
        return self.type.names

    @property
    def runtime_names(self) -> frozenset[str]:
        """The same names: an alias is evaluated when its module is imported."""
        return self.type.names


Declaration = Enum | Record | Alias
