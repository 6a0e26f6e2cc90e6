"""Enums of the protocol: strings with known values, open to those of a newer runtime."""

from __future__ import annotations

import sys
from enum import Enum, EnumMeta
from typing import TYPE_CHECKING, Any

from openai_codex._runtime.imports import load

if sys.version_info >= (3, 11):
    from typing import Self
else:
    from typing_extensions import Self

# By name, because it rests on the class here.
_DUMPING = "openai_codex._codec.dumping"


class _OpenEnumType(EnumMeta):
    if not TYPE_CHECKING:  # type checkers know how an enum is called

        def __call__(cls, *args: Any, **given: Any) -> Any:
            """Return the member of a value, which may be named ``root``: programs for the published SDK wrap it so."""
            return super().__call__(*((given.pop("root"),) if "root" in given else args), **given)


class OpenEnum(str, Enum, metaclass=_OpenEnumType):
    """A string with known values. An unknown value becomes a member that equals its text and is not registered."""

    def __str__(self) -> str:
        # The text of a str enum differs between Python versions; here it is always the value.
        return str.__str__(self)

    def __format__(self, format_spec: str) -> str:
        return str.__format__(self, format_spec)

    @classmethod
    def _missing_(cls, value: object) -> OpenEnum | None:
        if not isinstance(value, str):
            return None
        # Not registered: values from outside must neither stay in memory nor change what the enum lists.
        member = str.__new__(cls, value)
        member._name_ = member._value_ = value
        return member

    @property
    def root(self) -> Self:
        """The member itself: it is not wrapped here, as it is in the published SDK."""
        return self

    @classmethod
    def model_validate(cls, obj: Any, **_: Any) -> Self:
        """Return the member of a value; see `Record.model_validate`."""
        return cls(obj)

    def model_dump(self, *, mode: str = "python", **_: Any) -> Any:
        """Return the member, or with ``mode="json"`` its value; see `Record.model_dump`."""
        return self.value if mode == "json" else self

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **_: Any) -> Self:
        """Return the member of a value that is JSON text; see `Record.model_validate_json`."""
        return cls(load(_DUMPING).from_text(json_data))

    def model_dump_json(self, **_: Any) -> str:
        """Return the value as JSON text; see `Record.model_dump_json`."""
        text: str = load(_DUMPING).to_text(self.value, None, ensure_ascii=False)
        return text

    @property
    def is_known(self) -> bool:
        """Whether this version of the protocol defines the value."""
        return self._value_ in type(self)._value2member_map_
