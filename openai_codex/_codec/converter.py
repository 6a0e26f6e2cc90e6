"""From JSON to protocol types: the functions that the rest of the package calls, and what a misfit says.

Everything is made by a fast converter; only when that fails, a slow one goes over the same JSON to find out where.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from cattrs import ClassValidationError, IterableValidationError

from openai_codex import _protocol as protocol
from openai_codex._codec.base import JsonObject, Record, ServerNotification, UnknownNotification
from openai_codex._codec.mismatch import TypeMismatchError
from openai_codex._codec.reflection import wire_name
from openai_codex._codec.structuring import make_converter, record_builder
from openai_codex._codec.unstructuring import unstructure as unstructure
from openai_codex._protocol.methods import CLIENT_REQUESTS, NOTIFICATIONS, SERVER_REQUESTS
from openai_codex.errors import DecodeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_codex._codec.structuring import Hook

T = TypeVar("T")

_FAST = make_converter(detailed=False)
_DETAILED = make_converter(detailed=True)
_makers: dict[str, tuple[Hook, Any]] = {}
"""Public name → the hook that makes what it stands for, and the type that the hook wants."""
_notification_makers: dict[str, tuple[Hook, Any]] = {}
"""The same by method: notifications come by the thousand."""


def structure(type_: type[T], json: Any) -> T:
    """Make an instance of a protocol class, or of a union of them, of decoded JSON.

    Raises `DecodeError` if it does not fit. A member of a union that does not fit is no error: it is kept as it came,
    as an `UnknownVariant`.
    """
    hook = _FAST.get_structure_hook(type_)
    try:
        made: T = hook(json, type_)
    except (KeyError, TypeMismatchError):
        raise _explained(getattr(type_, "__name__", str(type_)), type_, json) from None
    return made


def structure_named(name: str, json: Any) -> Any:
    """Make what a public name stands for, be it a class or a union. Raises `DecodeError` if the JSON does not fit."""
    hook, type_ = _makers.get(name) or _maker(name)
    try:
        return hook(json, type_)
    except (KeyError, TypeMismatchError):
        raise _explained(name, type_, json) from None


def _maker(name: str) -> tuple[Hook, Any]:
    type_ = getattr(protocol, name)
    # Of a record its own function, as it is needed now; the hook would only look it up each time.
    is_record = isinstance(type_, type) and issubclass(type_, Record)
    hook = record_builder(type_, _FAST) if is_record else _FAST.get_structure_hook(type_)
    maker = _makers[name] = hook, type_
    return maker


def structure_result(method: str, json: Any) -> Any:
    """Make the result of a request. Raises `DecodeError` if it does not fit, `KeyError` for an unknown method."""
    return structure_named(CLIENT_REQUESTS[method][1], json)


def structure_notification(method: str, params: JsonObject) -> ServerNotification:
    """Make the payload of a notification; an `UnknownNotification` if the method is unknown.

    Raises `DecodeError` if the method is known and its payload does not fit.
    """
    maker = _notification_makers.get(method)
    if maker is None:
        if method not in NOTIFICATIONS:
            return UnknownNotification(method, params)
        maker = _notification_makers[method] = _maker(NOTIFICATIONS[method])
    hook, type_ = maker
    try:
        payload: ServerNotification = hook(params, type_)
    except (KeyError, TypeMismatchError):
        raise _explained(NOTIFICATIONS[method], type_, params) from None
    return payload


def structure_server_request(method: str, params: JsonObject) -> Any:
    """Make the params of a request from the runtime. Raises `DecodeError`, and `KeyError` for an unknown method."""
    return structure_named(SERVER_REQUESTS[method][0], params)


# ------------------------------------------------------------------------------------------------------- what is wrong


def _explained(name: str, type_: Any, json: Any) -> DecodeError:
    try:
        _DETAILED.get_structure_hook(type_)(json, type_)
    except Exception as error:  # noqa: BLE001  it is looked into, never passed on
        return DecodeError(name, tuple(_problems(error, "")), json)
    raise AssertionError(f"{name} fits after all")


def _problems(error: Exception, path: str) -> Iterator[str]:
    """Yield a line for each leaf in a tree of errors: where it is and what is wrong, without any value."""
    if isinstance(error, ClassValidationError):
        for inner, field in error.group_exceptions()[0]:
            yield from _problems(inner, f"{path}.{wire_name(error.cl, field.name)}")
    elif isinstance(error, IterableValidationError):
        for inner, item in error.group_exceptions()[0]:
            yield from _problems(inner, f"{path}[{item.index}]")
    else:
        text = "is missing" if isinstance(error, KeyError) else str(error)
        yield f"{path.lstrip('.')}: {text}" if path else text
