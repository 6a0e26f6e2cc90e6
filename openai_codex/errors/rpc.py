"""Errors that the runtime answers a request with."""

from __future__ import annotations

from typing import Any

import attrs

from openai_codex.errors.base import CodexError


@attrs.define(slots=False, eq=False, repr=False)
class JsonRpcError(CodexError):
    """The runtime answered a request with an error."""

    code: int
    """The JSON-RPC error code."""
    message: str
    """The runtime's own words."""
    data: Any = None
    """The error's ``data`` member as it arrived, decoded JSON; ``None`` if there was none."""
    method: str | None = None
    """The method that was refused."""

    def __str__(self) -> str:
        return f"{self.method or 'request'} refused with {self.code}: {self.message}"


class CodexRpcError(JsonRpcError):
    """A refusal whose code the protocol defines."""


class ParseError(CodexRpcError):
    """-32700: the runtime could not read the request."""


class InvalidRequestError(CodexRpcError):
    """-32600: refused. The runtime uses this code for nearly everything: unknown thread, wrong type, wrong state."""


@attrs.define(slots=False, eq=False, repr=False)
class ThreadBusyError(InvalidRequestError):
    """Another process has the thread open; it can be resumed when that one has ended."""

    thread_id: str = ""
    holder: int | None = None
    """The process id of the runtime that has it."""

    def __str__(self) -> str:
        return f"thread {self.thread_id} is open in another runtime, process {self.holder}"


class MethodNotFoundError(CodexRpcError):
    """-32601: the method is not supported here."""


class InvalidParamsError(CodexRpcError):
    """-32602: the parameters are refused, for instance an input above the size limit."""


class InternalRpcError(CodexRpcError):
    """-32603: the runtime failed inside."""


class ServerBusyError(CodexRpcError):
    """-32001: the runtime is overloaded; the request was not carried out and can be sent again."""


class RetryLimitExceededError(ServerBusyError):
    """The runtime was still overloaded after the last attempt of `retry_on_overload`."""


_BY_CODE: dict[int, type[JsonRpcError]] = {
    -32700: ParseError,
    -32600: InvalidRequestError,
    -32601: MethodNotFoundError,
    -32602: InvalidParamsError,
    -32603: InternalRpcError,
    -32001: ServerBusyError,
}


def rpc_error(code: int, message: str, data: Any = None, method: str | None = None) -> JsonRpcError:
    """Build the error class that belongs to a JSON-RPC error code; ``JsonRpcError`` for a code nobody defined."""
    return _BY_CODE.get(code, JsonRpcError)(code, message, data, method)
