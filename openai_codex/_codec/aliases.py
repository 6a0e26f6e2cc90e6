"""Unions of protocol types by their public names: as classes, too, which they are in the published SDK."""

from __future__ import annotations

from types import UnionType
from typing import Any

from openai_codex._codec.dumping import from_text
from openai_codex._runtime.imports import load


def public(name: str, value: Any) -> Any:
    """Return what `openai_codex.types` has under a name: a `UnionAlias` for a union, else the value."""
    return UnionAlias(name, value) if isinstance(value, UnionType) else value


class UnionAlias:
    """A union that can be called: ``SandboxPolicy(root=ReadOnlySandboxPolicy())`` is the member itself.

    It is the union to `typing`, to `isinstance` and to libraries that look at types.
    """

    def __init__(self, name: str, union: Any) -> None:
        self.__name__ = self.__qualname__ = name
        self.__module__ = "openai_codex.types"
        self._union = union

    def __call__(self, root: Any) -> Any:
        """Return a member, or build one from JSON; see `model_validate`."""
        return self.model_validate(root)

    def model_validate(self, obj: Any, **_: Any) -> Any:
        """Return a member of the union as it is, or build one from JSON, with the names of the protocol or of attributes.

        JSON of no member becomes an `UnknownVariant`, as that of a newer runtime does.

        Raises:
            DecodeError: The value cannot be of the union; it is a `ValueError`.
        """
        return load("openai_codex._codec.converter").validated_union(self.__name__, self._union, obj)

    def model_validate_json(self, json_data: str | bytes | bytearray, **_: Any) -> Any:
        """Build a member from JSON text; see `model_validate`."""
        return self.model_validate(from_text(json_data))

    @property  # type: ignore[misc]  # it cannot be set, unlike that of `object`
    def __class__(self) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]  # likewise
        # What `isinstance(alias, UnionType)` goes by, and so the functions of `typing`.
        return UnionType

    def __getattr__(self, name: str) -> Any:
        return getattr(self._union, name)

    def __instancecheck__(self, instance: object) -> bool:
        return isinstance(instance, self._union)

    def __subclasscheck__(self, subclass: type) -> bool:
        return issubclass(subclass, self._union)

    def __or__(self, other: Any) -> Any:
        return self._union | other

    def __ror__(self, other: Any) -> Any:
        return other | self._union

    def __eq__(self, other: object) -> bool:
        return bool(self._union == other)

    def __hash__(self) -> int:
        return hash(self._union)

    def __repr__(self) -> str:
        return f"{self.__module__}.{self.__name__}"

    def __reduce__(self) -> str:
        return self.__name__
