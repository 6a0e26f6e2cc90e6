"""The parts of every protocol type: records, requests, open enums, the sentinel for "not sent", names of JSON fields.

The generated modules build on it. It knows no method and no domain, and not how JSON becomes a record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum
from functools import cache
from types import NoneType
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, TypeAlias, TypeVar, final, get_origin

import attrs

from openai_codex._codec.enums import OpenEnum as OpenEnum
from openai_codex._codec.model import Data, Model, tolerant
from openai_codex._runtime.display import hide
from openai_codex._runtime.imports import load

JsonObject: TypeAlias = dict[str, Any]
"""A decoded JSON object."""
JsonValue: TypeAlias = Any
"""Any decoded JSON: where the protocol's schema leaves the shape open."""

R = TypeVar("R")

SECRET: Final = {"secret": True}
"""Metadata of a field whose value ``repr`` must not show."""

JSON_KINDS: dict[type, str] = {
    NoneType: "null",
    bool: "bool",
    int: "int",
    float: "float",
    str: "str",
    list: "array",
    dict: "object",
}
"""Python type of a decoded value → its name in messages."""


def is_a(base: type) -> Callable[[Any], bool]:
    """Return a predicate for types: whether a type is a class derived from this one."""
    # Without the origin check, Python 3.10 would take `list[str]` for a class.
    return lambda type_: isinstance(type_, type) and get_origin(type_) is None and issubclass(type_, base)


class TypeMismatchError(TypeError):
    """A value of another type than expected. Internal: callers see a `DecodeError` or a `ConfigError`."""

    def __init__(self, expected: str, value: object) -> None:
        # The type only: the value may be a secret, or a text of megabytes.
        super().__init__(f"expected {expected}, found {JSON_KINDS.get(type(value), type(value).__name__)}")


# An enum, because type checkers narrow a union by its member, and a copy or pickle of it is the same object.
@final
class Unset(Enum):
    """The type of `UNSET`. It is false, so ``value or default`` reads as expected."""

    UNSET = "UNSET"

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset.UNSET
"""Default of an optional field of a type that is sent: the field is omitted. ``None`` is sent as ``null``."""


# ------------------------------------------------------------------------------------------------------------- records


@attrs.define(kw_only=True, eq=False, repr=False)
class Record(Model):  # noqa: PLW1641  mutable and compared by value, so without a hash
    """Base of every protocol object.

    Records compare and print by their fields; secrets are masked. They are mutable, so they have no hash. A record
    received from the runtime keeps its JSON in `raw`, so fields that this version does not know stay readable and are
    sent back unchanged. ``attrs.evolve`` returns a record without `raw`: to change a received record and keep its
    unknown fields, set its attributes.

    Attributes:
        raw: The JSON object this record was built from; ``None`` if the program built it. Do not change it.
        WIRE_NAMES: Attribute name to JSON name, where the JSON name is not the attribute in camelCase.
    """

    WIRE_NAMES: ClassVar[dict[str, str]] = {}

    raw: JsonObject | None = attrs.field(init=False, default=None)

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "__init__" in cls.__dict__:  # attrs has made it
            type.__setattr__(cls, "__init__", tolerant(cls.__dict__["__init__"]))

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        """Yield attribute and value of each field, and of the tag, for ``dict(record)``."""
        yield from load("openai_codex._codec.dumping").pairs(self)

    @property
    def root(self) -> Any:
        """The record itself: members of unions are not wrapped here, as they are in the published SDK."""
        return self

    def __eq__(self, other: object) -> bool:
        # Without `raw`: a record that the program built equals the same one received from the runtime.
        if other.__class__ is not self.__class__:
            return NotImplemented
        return all(getattr(self, field.name) == getattr(other, field.name) for field in record_fields(type(self)))

    def __repr__(self) -> str:
        shown = (f"{name}={hide(repr(value))}" for name, value in self.__rich_repr__())
        return f"{type(self).__name__}({', '.join(shown)})"

    def __rich_repr__(self) -> Iterator[tuple[str, object]]:
        """Yield what a text about it shows, for the library rich, too: no `raw`, no secret, nothing that is not set."""
        for field in record_fields(type(self)):
            value = getattr(self, field.name)
            if value is not UNSET:
                # ``None`` stays visible: a missing secret is often the fault that is looked for.
                is_secret = value is not None and field.metadata.get("secret")
                yield field.name, "***" if is_secret else hide(value) if type(value) is str else value


type.__setattr__(Record, "__init__", tolerant(Record.__init__))


class Variant(Record):
    """A record that is one of several in a union, identified by the value of one JSON field.

    Attributes:
        TAG: The attribute that identifies the variant; the class holds its value.
    """

    __slots__ = ()

    TAG: ClassVar[str] = "type"


@attrs.define(eq=False, repr=False)
class UnknownVariant(Record):  # noqa: PLW1641  mutable and compared by value, so without a hash
    """A member of a union that this version does not know, or not in this shape. Its JSON is sent back unchanged.

    What the JSON has can be read as an attribute, too, such as the ``type`` and ``id`` of an item; it is not typed.

    Attributes:
        raw: The JSON as received.
        tag: The value of the field that identifies the variant, if there is one.
    """

    raw: JsonObject | None
    tag: str | None = None

    if not TYPE_CHECKING:  # type checkers know the members that are declared

        def __getattr__(self, name: str) -> Any:
            # What all members of a union have, such as the type and id of an item, programs read without a look at the class.
            if not name.startswith("_") and name != "raw" and isinstance(self.raw, dict) and camel(name) in self.raw:
                return self.raw[camel(name)]
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, UnknownVariant):
            return NotImplemented
        # Without the tag, which is a part of the JSON.
        return self.raw == other.raw


class ClientRequest(Record, Generic[R]):
    """The params of a request to the runtime; ``R`` is the type of its result.

    Attributes:
        METHOD: The JSON-RPC method.
        HAS_PARAMS: ``False`` for a method without params: none are sent.
    """

    __slots__ = ()

    METHOD: ClassVar[str]
    HAS_PARAMS: ClassVar[bool] = True


class UntypedRequest(ClientRequest[Any]):
    """The params of a method that this version does not know; they are sent as they are."""

    def __init__(self, method: str, params: JsonObject | None) -> None:
        super().__init__()
        vars(self)["METHOD"] = method  # of the object, not of the class as elsewhere
        self.raw = params


class ServerRequest(Record, Generic[R]):
    """The params of a request from the runtime; ``R`` is the type of the expected answer.

    Attributes:
        METHOD: The JSON-RPC method.
    """

    __slots__ = ()

    METHOD: ClassVar[str]


class ServerNotification(Record):
    """The payload of a notification from the runtime.

    Attributes:
        METHOD: The JSON-RPC method.
    """

    __slots__ = ()

    METHOD: ClassVar[str]


@attrs.define(eq=False, repr=False, init=False)
class UnknownNotification(Data, ServerNotification):  # noqa: PLW1641  mutable and compared by value, so without a hash
    """A notification whose method or shape this version does not know.

    Attributes:
        method: The JSON-RPC method.
        raw: The payload as received; also as ``params``.
    """

    MEMBERS: ClassVar[tuple[str, ...]] = ("params",)

    method: str
    raw: JsonObject | None

    def __init__(
        self, method: str | JsonObject = "", raw: JsonObject | None = None, params: JsonObject | None = None
    ) -> None:
        if isinstance(method, dict):  # the first argument in the published SDK
            params, method = method, ""
        self.method = method
        self.raw = params if raw is None else raw

    @property
    def params(self) -> JsonObject | None:
        """The payload as received, by its name in the published SDK."""
        return self.raw

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, UnknownNotification):
            return NotImplemented
        return (self.method, self.raw) == (other.method, other.raw)


# ---------------------------------------------------------------------------------------------------------- reflection


def record_fields(cls: type[Any]) -> tuple[attrs.Attribute[Any], ...]:
    """Return the protocol fields of a record class: all but `raw`."""
    return tuple(field for field in attrs.fields(cls) if field.name != "raw")


def default_of(field: attrs.Attribute[Any]) -> Any:
    """Return the default of a field; that of a factory is a new value."""
    factory = getattr(field.default, "factory", None)
    return factory() if factory else field.default


def wire_name(cls: type[Any], attribute: str) -> str:
    """Return the JSON name of an attribute of a record class."""
    name: str | None = cls.WIRE_NAMES.get(attribute)
    return name or camel(attribute)


@cache  # as many entries as the protocol has field names
def camel(attribute: str) -> str:
    """Turn ``items_view`` into ``itemsView``."""
    first, *rest = attribute.split("_")
    return first + "".join(word.capitalize() for word in rest)


def tag_of(cls: type[Variant]) -> tuple[str, str]:
    """Return the JSON name and the value of the field that identifies this variant."""
    return wire_name(cls, cls.TAG), getattr(cls, cls.TAG)
