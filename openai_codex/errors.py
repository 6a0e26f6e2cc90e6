"""The error tree: every error that this package raises, in one file.

    CodexError
    ├── ConfigError                 a setting or argument that cannot work; nothing was sent (also a ValueError)
    ├── TransportError              the connection to the runtime
    │   ├── LaunchError                 the runtime did not come up: missing, not executable, exited, mute
    │   └── TransportClosedError        the runtime is gone, or the client was closed
    ├── CodexTimeoutError           a deadline passed (also a TimeoutError)
    │   ├── RequestTimeoutError         no reply to a request
    │   ├── EventTimeoutError           no notification on a subscription
    │   ├── LoginTimeoutError           a login is still open
    │   └── TurnTimeoutError            a turn or a step of its stream took too long
    ├── DecodeError                 a payload that does not fit its type (also a ValueError)
    ├── OutputError                 an answer that does not fit the type that was asked for (also a ValueError)
    ├── JsonRpcError                the runtime refused a request
    │   └── CodexRpcError               … with a code that the protocol defines
    │       ├── ParseError                  -32700
    │       ├── InvalidRequestError         -32600, nearly everything the runtime refuses
    │       ├── MethodNotFoundError         -32601
    │       ├── InvalidParamsError          -32602
    │       ├── InternalRpcError            -32603
    │       └── ServerBusyError             -32001, safe to retry later
    │           └── RetryLimitExceededError     … and `retry_on_overload` has given up
    └── TurnFailedError             the turn ended as failed (also a RuntimeError)

Errors carry facts as attributes, pickle, and build their text in ``__str__``; no error text is ever parsed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from openai_codex.facts import ProcessFacts as ProcessFacts

if TYPE_CHECKING:
    from openai_codex.protocol import CodexErrorInfo
    from openai_codex.results import RunResult

# No slots, no equality: an exception is compared by identity, and pickle rebuilds it from ``args``, its field values.
_error = attrs.define(slots=False, eq=False, repr=False)


class CodexError(Exception):
    """Base of every error that this package raises. Its ``repr`` is made of its text: ``args`` may hold payloads."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"


@_error
class ConfigError(CodexError, ValueError):
    """A setting or an argument cannot work; nothing was sent and no process was started."""

    what: str
    """The name of the setting or argument."""
    reason: str
    """Why it cannot work."""

    def __str__(self) -> str:
        return f"{self.what}: {self.reason}"


class TransportError(CodexError):
    """The connection to the runtime failed."""


@_error
class LaunchError(TransportError):
    """The runtime did not come up: it is missing, cannot be executed, exited, or did not answer in time."""

    reason: str
    """What happened, with the path or the deadline it happened to."""
    process: ProcessFacts = attrs.Factory(ProcessFacts)
    """The command, the exit code and the last stderr lines."""

    def __str__(self) -> str:
        return f"codex runtime did not start: {self.reason}\n{self.process.describe()}"


@_error
class TransportClosedError(TransportError):
    """The runtime is gone or the client was closed: this call, and every later one, cannot be answered."""

    reason: str
    """Why the connection ended."""
    waiting_for: str | None = None
    """What this caller was waiting for: a method name, or the events of a turn."""
    process: ProcessFacts = attrs.Factory(ProcessFacts)
    """The command, the exit code or signal, and the last stderr lines."""

    def __str__(self) -> str:
        waiting = f" while waiting for {self.waiting_for}" if self.waiting_for else ""
        details = f"\n{self.process.describe()}" if self.process.command else ""
        return f"connection to the codex runtime closed{waiting}: {self.reason}{details}"


class CodexTimeoutError(CodexError, TimeoutError):
    """A deadline passed. The connection stays usable."""


@_error
class RequestTimeoutError(CodexTimeoutError):
    """No reply to a request in time; a late reply is dropped."""

    method: str
    """The JSON-RPC method that was not answered."""
    timeout: float
    """The deadline that passed, in seconds."""

    def __str__(self) -> str:
        return f"no reply to {self.method} within {self.timeout:g} s"


@_error
class EventTimeoutError(CodexTimeoutError):
    """No notification came on a subscription in time; the subscription goes on."""

    timeout: float
    """The deadline that passed, in seconds."""

    def __str__(self) -> str:
        return f"no notification within {self.timeout:g} s"


@_error
class LoginTimeoutError(CodexTimeoutError):
    """A login did not end in time; it is still open."""

    login_id: str
    timeout: float
    """The deadline that passed, in seconds."""

    def __str__(self) -> str:
        return f"login {self.login_id} is still open after {self.timeout:g} s"


@_error
class TurnTimeoutError(CodexTimeoutError):
    """A turn did not finish, or its stream gave no event, in time; if ``run()`` raises it, the turn was interrupted."""

    thread_id: str
    turn_id: str | None
    timeout: float
    """The deadline that passed, in seconds."""
    result: RunResult | None = None
    """What the turn had produced until then, if the caller was ``run()``."""

    def __str__(self) -> str:
        return f"turn {self.turn_id or '(not started)'} of thread {self.thread_id}: nothing within {self.timeout:g} s"


@_error
class DecodeError(CodexError, ValueError):
    """A payload does not fit its type. The connection and all other callers are unaffected."""

    type_name: str
    """The protocol type that was expected."""
    problems: tuple[str, ...]
    """What does not fit and where, one line each; values are left out."""
    raw: Any = None
    """The payload as it arrived, decoded JSON."""

    def __str__(self) -> str:
        return f"payload is no {self.type_name}: {'; '.join(self.problems)}"


@_error
class OutputError(CodexError, ValueError):
    """The answer of a turn does not fit the type that was asked for. The turn itself is done."""

    type_name: str
    """The type that was asked for."""
    text: str
    """The answer as it came; empty if there was none."""
    problems: tuple[str, ...]
    """What does not fit and where, one line each; values are left out."""

    def __str__(self) -> str:
        return f"answer is no {self.type_name}: {'; '.join(self.problems)}"


@_error
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


@_error
class TurnFailedError(CodexError, RuntimeError):
    """The turn ended with status ``failed``. The thread stays usable: the next turn starts afresh."""

    message: str
    """The model's or the provider's own words."""
    result: RunResult
    """What the turn produced before it failed."""
    codex_error_info: CodexErrorInfo | None = None
    """The kind of failure, typed, if the runtime named one."""
    additional_details: str | None = None
    """More words from the runtime, if there are any."""
    resets_at: int | None = None
    """When a usage limit that was hit is lifted, in seconds since the epoch, if the runtime has said so."""

    @property
    def thread_id(self) -> str:
        """The thread of the failed turn."""
        return self.result.thread_id

    @property
    def turn_id(self) -> str:
        """The failed turn."""
        return self.result.id

    def __str__(self) -> str:
        return self.message
