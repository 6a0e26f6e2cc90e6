"""From JSON to protocol types: the functions that the rest of the package calls, and the report of mismatches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

import attrs

from openai_codex import _protocol as protocol
from openai_codex._codec.base import (
    JsonObject,
    Record,
    ServerNotification,
    TypeMismatchError,
    UnknownNotification,
    Variant,
    is_a,
    record_fields,
    tag_of,
    wire_name,
)
from openai_codex._codec.dumping import to_wire
from openai_codex._codec.incomplete import NOTHING, IncompleteError, Missing, allowed, is_required
from openai_codex._codec.structuring import make_converter, prepare_record, record_builder
from openai_codex._codec.unions import Hook, json_kinds
from openai_codex._codec.unstructuring import unstructure as unstructure
from openai_codex._log import Log
from openai_codex._protocol.methods import CLIENT_REQUESTS, NOTIFICATIONS, SERVER_REQUESTS
from openai_codex.errors import DecodeError

T = TypeVar("T")

MISFIT = "codex.payload_misfit"
"""The log event of a payload that does not match its type."""

_log = Log("protocol")
_CONVERTER = make_converter()
_hooks: dict[str, tuple[Hook, Any]] = {}
"""Public name → the hook that builds its values, and the type to pass to the hook."""
_notification_hooks: dict[str, tuple[Hook, Any]] = {}
"""The same by method, to save a lookup: notifications arrive by the thousand."""


def structure(type_: type[T], json: Any) -> T:
    """Build an instance of a protocol class, or of a union of them, from decoded JSON.

    A member of a union that does not match is not an error: it becomes an `UnknownVariant` that keeps the JSON.

    Args:
        type_: The protocol class or union.
        json: Decoded JSON.

    Returns:
        The instance.

    Raises:
        DecodeError: The JSON does not match the type.
    """
    built: T = _build(getattr(type_, "__name__", str(type_)), _CONVERTER.get_structure_hook(type_), type_, json)
    return built


def structure_named(name: str, json: Any) -> Any:
    """Build an instance of the class or union with a public name. Raises `DecodeError` if the JSON does not match."""
    return _build(name, *(_hooks.get(name) or _hook_of(name)), json)


def _build(name: str, hook: Hook, type_: Any, json: Any) -> Any:
    try:
        return hook(json, type_)
    except IncompleteError:
        with allowed(NOTHING):
            return _build(name, hook, type_, json)
    except (KeyError, TypeMismatchError):
        # Without the cause, which is the first mismatch only: the error lists all of them.
        raise _mismatch(name, type_, json) from None


def structure_received(name: str, json: Any, method: str | None = None) -> Any:
    """Build an instance of a class or union from what the runtime has sent; ``method`` is for the log.

    What is missing in an object that has its id, or in the whole, is ``None`` or empty, and logged. Raises `DecodeError`
    for anything else that does not match.
    """
    hook, type_ = _hooks.get(name) or _hook_of(name)
    try:
        return hook(json, type_)
    except (KeyError, TypeMismatchError):
        return _build_incomplete(name, hook, type_, json, method)


def _build_incomplete(name: str, hook: Hook, type_: Any, json: Any, method: str | None) -> Any:
    try:
        with allowed(Missing(json)) as missing:
            built = hook(json, type_)
    except (KeyError, TypeMismatchError):
        raise _mismatch(name, type_, json) from None
    problems = "; ".join(f"{field}: is missing" for field in missing.names)
    _log.warning(MISFIT, method=method, type=name, problems=problems)
    return built


def _hook_of(name: str) -> tuple[Hook, Any]:
    type_ = getattr(protocol, name)
    # For a record, its builder itself: the converter's hook would only look the builder up on every call.
    hook = record_builder(type_, _CONVERTER) if is_a(Record)(type_) else _CONVERTER.get_structure_hook(type_)
    found = _hooks[name] = hook, type_
    return found


def prepare(name: str) -> None:
    """Generate what builds the result of a request, the payload of a notification, or a record that is a part of one.

    Args:
        name: The method, or the name of the class of the part.
    """
    if name in CLIENT_REQUESTS:
        _hook_of(CLIENT_REQUESTS[name][1])
    elif name in NOTIFICATIONS:
        _notification_hooks[name] = _hook_of(NOTIFICATIONS[name])
    else:
        prepare_record(getattr(protocol, name), _CONVERTER)


def structure_result(method: str, json: Any) -> Any:
    """Build the result of a request, as `structure_received` does; of an unknown method it is the JSON."""
    return structure_received(CLIENT_REQUESTS[method][1], json, method) if method in CLIENT_REQUESTS else json


def structure_notification(method: str, params: JsonObject) -> ServerNotification:
    """Build the payload of a notification; an `UnknownNotification` if the method is unknown.

    Raises `DecodeError` if the method is known and its payload does not match; see `structure_received`.
    """
    found = _notification_hooks.get(method)
    if found is None:
        if method not in NOTIFICATIONS:
            # Not an error: a newer runtime may send methods that this version does not know.
            return UnknownNotification(method, params)
        found = _notification_hooks[method] = _hook_of(NOTIFICATIONS[method])
    hook, type_ = found
    try:  # not by `_build`: the call would take a third of the time of a text delta
        payload: ServerNotification = hook(params, type_)
    except (KeyError, TypeMismatchError):
        payload = _build_incomplete(NOTIFICATIONS[method], hook, type_, params, method)
    return payload


def structure_server_request(method: str, params: JsonObject) -> Any:
    """Build the params of a request from the runtime. Raises `DecodeError`, or `KeyError` for an unknown method."""
    return structure_named(SERVER_REQUESTS[method][0], params)


def validated(cls: type[T], obj: Any) -> T:
    """Build an instance from a mapping that may have the names of attributes; see `Model.model_validate`.

    Raises `DecodeError`.
    """
    if is_a(Record)(cls):
        json = to_wire(cls, obj)
        if is_a(Variant)(cls) and isinstance(json, dict):
            _check_tag(cls, json)
        return structure(cls, json)
    if not isinstance(obj, Mapping):
        raise DecodeError(cls.__name__, (f"expected object, found {type(obj).__name__}",), obj)
    try:
        return cls(**obj)
    except TypeError as error:
        raise DecodeError(cls.__name__, (str(error),), obj) from None


def _check_tag(cls: type[Any], json: JsonObject) -> None:
    wire, tag = tag_of(cls)
    if json.get(wire) != tag:  # a program may find out by this which variant it has
        raise DecodeError(cls.__name__, (f"{wire}: expected {tag!r}" if wire in json else f"{wire}: is missing",), json)


def validated_union(name: str, union: Any, obj: Any) -> Any:
    """Return a member of a union, or build one from JSON that may have the names of attributes. Raises `DecodeError`."""
    if not isinstance(obj, (Record, Enum)):
        return _build(name, _CONVERTER.get_structure_hook(union), union, to_wire(union, obj))
    if any(isinstance(obj, member) for member in get_args(union) if is_a(object)(member)):
        return obj
    raise DecodeError(name, (f"expected a member of it, found {type(obj).__name__}",))


# ------------------------------------------------------------------------------------------------- what does not match


def _mismatch(name: str, type_: Any, json: Any) -> DecodeError:
    with allowed(NOTHING):
        return DecodeError(name, tuple(_problems(type_, json, "")), json)


def _problems(type_: Any, json: Any, path: str) -> Iterator[str]:
    """Yield a line for each innermost value that does not match: where it is and what is wrong, without the value.

    The converter stops at the first mismatch; here each part of a value is built by itself to find all of them.
    """
    try:
        _CONVERTER.get_structure_hook(type_)(json, type_)
    except KeyError:
        yield from _problems_inside(type_, json, path)
    except TypeMismatchError as error:
        inside = tuple(_problems_inside(type_, json, path))
        # A mismatch of a part is reported there, so the whole is reported only if all of its parts match.
        yield from inside or [f"{path.lstrip('.')}: {error}" if path else str(error)]


def _problems_inside(type_: Any, json: Any, path: str) -> Iterator[str]:
    origin, kind = get_origin(type_), type(json)
    if origin in {Union, UnionType}:
        # At most one member takes this kind of JSON, but for objects in an open union, which never mismatch.
        members = [member for member in get_args(type_) if kind in json_kinds(member)]
        yield from (line for member in members[:1] for line in _problems_inside(member, json, path))
    elif kind is list and origin is list:
        yield from (line for i, item in enumerate(json) for line in _problems(get_args(type_)[0], item, f"{path}[{i}]"))
    elif kind is dict and origin is dict:
        yield from (line for key in json for line in _problems(get_args(type_)[1], json[key], f"{path}[{key}]"))
    elif kind is dict and is_a(Record)(type_):
        yield from _problems_of_fields(type_, json, path)


def _problems_of_fields(cls: type[Record], json: JsonObject, path: str) -> Iterator[str]:
    attrs.resolve_types(cls)
    for field in record_fields(cls):
        wire = wire_name(cls, field.name)
        if wire in json:
            yield from _problems(field.type, json[wire], f"{path}.{wire}")
        elif is_required(field):
            yield f"{path}.{wire}".lstrip(".") + ": is missing"
