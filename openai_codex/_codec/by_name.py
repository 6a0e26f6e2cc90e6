"""Requests by the name of their method and a mapping, for programs that do not use the types of their params."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from openai_codex import _protocol as protocol
from openai_codex._codec.base import ClientRequest, Record, UntypedRequest
from openai_codex._codec.converter import structure_named
from openai_codex._codec.dumping import to_wire
from openai_codex._protocol.methods import CLIENT_REQUESTS
from openai_codex.errors import ConfigError, DecodeError

M = TypeVar("M")


def request_of(method: str, params: Mapping[str, Any] | None) -> ClientRequest[Any]:
    """Return the params of a method, from a mapping with the names of the protocol or of attributes.

    Raises `ConfigError` if they do not match.
    """
    if method not in CLIENT_REQUESTS:
        return UntypedRequest(method, None if params is None else to_wire(Any, params))
    name = CLIENT_REQUESTS[method][0]
    try:
        request = structure_named(name, to_wire(getattr(protocol, name), params or {}))
    except DecodeError as error:
        raise ConfigError("params", f"not those of {method}: {'; '.join(error.problems)}") from None
    if not isinstance(request, ClientRequest):
        raise ConfigError("params", f"not those of {method}: no {name} is like this")
    if params and not request.HAS_PARAMS:
        raise ConfigError("params", f"{method} takes none")
    return request


def modelled(model: type[M], result: Any) -> M:
    """Return a result as it is if it is of a class, else what the class builds from its JSON."""
    if isinstance(result, model):
        return result
    built: M = cast("Any", model).model_validate(result.raw if isinstance(result, Record) else result)
    return built
