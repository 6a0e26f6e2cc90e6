"""The methods by which programs for the published SDK read, copy and build values: those of its models.

They are written once, for records, results, notifications and configs. What they do is loaded when one is called.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ClassVar, TypeVar

from openai_codex._runtime.imports import load

if sys.version_info >= (3, 11):
    from typing import Self
else:
    from typing_extensions import Self

M = TypeVar("M", bound="Model")

# By name, because these modules rest on the classes that have these methods.
_DUMPING, _BUILDING = "openai_codex._codec.dumping", "openai_codex._codec.converter"
_PYDANTIC = "openai_codex._codec.in_pydantic"


def tolerant(init: Callable[..., None]) -> Callable[..., None]:
    """Return the ``__init__`` of a record that takes the names of the protocol and the tag of a variant, too.

    A call with the names of attributes costs what it did; values from the runtime are built without any.
    """
    if hasattr(init, "__wrapped__"):
        return init

    @wraps(init)
    def __init__(self: Any, *args: Any, **given: Any) -> None:  # noqa: N807  it is one
        try:
            init(self, *args, **given)
        except TypeError:
            renamed = load(_DUMPING).renamed(type(self), given)
            if renamed == given:
                raise
            init(self, *args, **renamed)

    return __init__


class _Fields:
    """The fields of a class, by their names; computed when they are asked for."""

    def __get__(self, _: object, cls: type[Model]) -> dict[str, Any]:
        fields: dict[str, Any] = load(_DUMPING).fields_of(cls)
        return fields


class _OfDataclass:
    """What the functions of `dataclasses` look for in a class; computed when they do."""

    def __set_name__(self, _: type, name: str) -> None:
        self._name = name

    def __get__(self, _: object, cls: type[Model]) -> Any:
        if cls is Data:  # `dataclasses` asks the bases of a class, too
            raise AttributeError(self._name)
        return getattr(load(_DUMPING).as_dataclass(cls), self._name)


class Model:
    """A value that has the methods of the published SDK's models."""

    __slots__ = ()

    MEMBERS: ClassVar[tuple[str, ...]] = ()
    """The attributes that are dumped, for a class whose fields are not those that attrs knows."""

    model_fields: ClassVar[Any] = _Fields()
    """The fields of the class: name → `attrs.Attribute`."""

    def model_dump(
        self,
        *,
        mode: str = "python",
        include: Any = None,
        exclude: Any = None,
        by_alias: bool | None = False,
        exclude_unset: bool = False,
        exclude_defaults: bool = False,
        exclude_none: bool = False,
        **others: Any,
    ) -> dict[str, Any]:
        """Return the value as a dict, and all that is in it. Fields that only a newer runtime has are not in it; see `raw`.

        Args:
            mode: ``"json"``: enum members become their values. ``"python"``: they stay.
            include: The names of the attributes to keep, or a mapping of names to those of their parts; ``None``: all.
            exclude: Those to leave out, likewise.
            by_alias: Use the names of the protocol (``itemsView``), not those of the attributes (``items_view``).
            exclude_unset: Leave out what was neither received nor given.
            exclude_defaults: Leave out what has its default.
            exclude_none: Leave out what is ``None``.
            others: The other options of the published SDK's models, such as ``warnings``; they change nothing here.

        Raises:
            TypeError: There is no option of this name.
        """
        dumping = load(_DUMPING)
        dumping.check_others(others)
        options = dumping.Options(mode == "json", bool(by_alias), exclude_none, exclude_unset, exclude_defaults)
        dumped: dict[str, Any] = dumping.dump(self, options, include, exclude)
        return dumped

    def model_dump_json(self, *, indent: int | None = None, ensure_ascii: bool = False, **options: Any) -> str:
        """Return `model_dump` as JSON text.

        Args:
            indent: How many spaces an inner level is indented by; ``None``: everything in one line, without spaces.
            ensure_ascii: Write each character that is not ASCII as an escape with its number.
            options: Those of `model_dump`, except ``mode``.
        """
        text: str = load(_DUMPING).to_text(self.model_dump(mode="json", **options), indent, ensure_ascii)
        return text

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy.

        Args:
            update: New values by the names of their attributes. They are not checked.
            deep: Copy what is in it, too.

        Raises:
            AttributeError: ``update`` has a name that the class has not.
        """
        copied: Self = load(_DUMPING).copied(self, dict(update or {}), deep=deep)
        return copied

    @classmethod
    def model_validate(cls, obj: Any, **_: Any) -> Self:
        """Build a value from a mapping, with the names of the protocol or of the attributes; return an instance as it is.

        Raises:
            DecodeError: The mapping does not match; it is a `ValueError`.
        """
        return obj if isinstance(obj, cls) else load(_BUILDING).validated(cls, obj)

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **_: Any) -> Self:
        """Build a value from JSON text; see `model_validate`."""
        return cls.model_validate(load(_DUMPING).from_text(json_data))

    @classmethod
    def __get_pydantic_core_schema__(cls, *_: Any) -> Any:
        # Models of programs have fields of these types, which are models in the published SDK.
        return load(_PYDANTIC).core_schema(cls)

    @classmethod
    def __get_pydantic_json_schema__(cls, *_: Any) -> dict[str, Any]:
        return {"title": cls.__name__, "type": "object"}


class Data(Model):
    """A value on which the functions of `dataclasses` work, too: it is one in the published SDK."""

    __slots__ = ()

    __dataclass_fields__: ClassVar[Any] = _OfDataclass()
    __dataclass_params__: ClassVar[Any] = _OfDataclass()
