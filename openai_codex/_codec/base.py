"""What every protocol type is made of: records, requests, open enums, and the sentinel for "not sent".

Written by hand; the generated modules beside it build on it. It knows nothing of any method or domain, and nothing of
how JSON becomes a record: that is the converter's.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, ClassVar, Final, Generic, TypeAlias, TypeVar, final

import attrs

JsonObject: TypeAlias = dict[str, Any]
"""A decoded JSON object."""
JsonValue: TypeAlias = Any
"""Any decoded JSON: where the protocol's schema leaves the shape open."""

R = TypeVar("R")

SECRET: Final = {"secret": True}
"""Metadata of a field whose value ``repr`` must not show."""


@final
class Unset(Enum):
    """The type of `UNSET`. It is false, so ``value or default`` reads as expected."""

    UNSET = "UNSET"

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset.UNSET
"""Default of an optional field in a type that we send: the field is left off the wire. ``None`` is sent as ``null``."""


@attrs.define(kw_only=True, eq=False, repr=False)
class Record:  # noqa: PLW1641  mutable and compared by value, so without a hash
    """Base of every protocol object: attribute access to what is known, the JSON itself for the rest.

    Records compare and print by their fields (secrets are masked); as they can change, they have no hash. A record that
    came from the runtime keeps the JSON it was built from, so a field that this version does not know is neither lost
    on the way back nor out of reach. ``attrs.evolve`` makes a record of the program, without `raw`: to change a
    received one and keep its unknown fields, set its attributes.
    """

    WIRE_NAMES: ClassVar[dict[str, str]] = {}
    """Attribute name to JSON name, where that is not simply snake_case to camelCase."""

    raw: JsonObject | None = attrs.field(init=False, default=None)
    """The JSON object this record was built from; ``None`` for one built by the program. Do not change it."""

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return all(getattr(self, field.name) == getattr(other, field.name) for field in shown_fields(type(self)))

    def __repr__(self) -> str:
        values = ((field, getattr(self, field.name)) for field in shown_fields(type(self)))
        shown = (f"{field.name}={_show(field, value)}" for field, value in values if value is not UNSET)
        return f"{type(self).__name__}({', '.join(shown)})"


def shown_fields(cls: type[Record]) -> tuple[attrs.Attribute[Any], ...]:
    """Return the protocol fields of a record class: all but the JSON it keeps."""
    return tuple(field for field in attrs.fields(cls) if field.name != "raw")


def _show(field: attrs.Attribute[Any], value: object) -> str:
    return "'***'" if value is not None and field.metadata.get("secret") else repr(value)


class Variant(Record):
    """A record that is one of several in a union, told from the others by the value of one JSON field."""

    __slots__ = ()

    TAG: ClassVar[str] = "type"
    """The attribute that tells the variants apart; the class holds its value."""


@attrs.define(eq=False, repr=False)
class UnknownVariant(Record):  # noqa: PLW1641  mutable and compared by value, so without a hash
    """A member of a union that this version does not know, or knows in another shape; its JSON goes back as it came."""

    raw: JsonObject | None
    tag: str | None = None
    """The value of the field that tells the variants apart, if there is one."""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, UnknownVariant):
            return NotImplemented
        return self.raw == other.raw


class ClientRequest(Record, Generic[R]):
    """The params of a request to the runtime; ``R`` is the type of its result."""

    __slots__ = ()

    METHOD: ClassVar[str]
    """The JSON-RPC method."""
    HAS_PARAMS: ClassVar[bool] = True
    """``False`` for a method that takes no params at all: they are ``null`` on the wire."""


class ServerRequest(Record, Generic[R]):
    """The params of a request from the runtime; ``R`` is the type of the answer it waits for."""

    __slots__ = ()

    METHOD: ClassVar[str]
    """The JSON-RPC method."""


class ServerNotification(Record):
    """The payload of a notification from the runtime."""

    __slots__ = ()

    METHOD: ClassVar[str]
    """The JSON-RPC method."""


@attrs.define(eq=False, repr=False, init=False)
class UnknownNotification(ServerNotification):  # noqa: PLW1641  mutable and compared by value, so without a hash
    """A notification whose method or shape this version does not know; its payload is in `raw`."""

    method: str
    """The JSON-RPC method."""
    raw: JsonObject | None

    def __init__(self, method: str, raw: JsonObject) -> None:
        self.method = method
        self.raw = raw

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, UnknownNotification):
            return NotImplemented
        return (self.method, self.raw) == (other.method, other.raw)


class OpenEnum(str, Enum):
    """A string with known values. An unknown one becomes a member of its own: equal to its text, and kept nowhere."""

    def __str__(self) -> str:
        return str.__str__(self)

    def __format__(self, format_spec: str) -> str:
        return str.__format__(self, format_spec)

    @classmethod
    def _missing_(cls, value: object) -> OpenEnum | None:
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_ = member._value_ = value
        return member

    @property
    def is_known(self) -> bool:
        """Whether this version of the protocol names the value."""
        return self._value_ in type(self)._value2member_map_
