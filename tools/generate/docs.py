"""The text of docstrings: the schema's own description, else one derived from its use. Knows no syntax."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tools.generate import naming

if TYPE_CHECKING:
    from tools.generate.roles import Role, Roles
    from tools.generate.schema import Json, Schema


class Docs:
    """The docstrings of one definition, its variants, its nested objects and its fields."""

    def __init__(self, schema: Schema, roles: Roles, name: str) -> None:
        self._definition: Json = schema.definitions[name]
        self._stable = schema.stable.get(name)
        self._class_name = naming.class_name(name)
        self._use = roles.part_of(name)

    def of_class(self, role: Role) -> str:
        """Return the docstring of the class itself."""
        return self._marked(self._definition.get("description") or role.doc or self._use)

    def of_variant(self, member: Json, tag: tuple[str, str] | None) -> str:
        """Return the docstring of one member of a union."""
        which = f"of {tag[0]} ``{tag[1]}``" if tag else f"with ``{'`` and ``'.join(member['required'])}``"
        return self._marked(member.get("description") or f"A `{self._class_name}` {which}.")

    def of_inline(self, field: str) -> str:
        """Return the docstring of an object that is defined inside a field."""
        return self._marked(f"The `{field}` of a `{self._class_name}`.")

    def of_field(self, owner: str, wire: str, schema: Json) -> str:
        """Return the text about a field; empty if there is none."""
        text = described(schema) or _of_id(wire)
        is_new = self._stable is not None and owner == self._class_name and wire not in self._stable
        return _experimental(text) if is_new else text

    def _marked(self, text: str) -> str:
        return text if self._stable is not None else _experimental(text)


def described(schema: Json) -> str:
    """Return the description of a schema, or an empty text."""
    return str(schema.get("description", "")) if isinstance(schema, dict) else ""


def _of_id(wire: str) -> str:
    """Return a text for a field whose name ends in "Id"; an empty text for others."""
    owner = naming.snake(wire).removesuffix("_id")
    return f"Id of the {owner.replace('_', ' ')}." if wire.endswith("Id") else ""


def _experimental(text: str) -> str:
    already = re.match(r"(?i)experimental\b", text)
    return text if already else f"Experimental. {text}".strip()
