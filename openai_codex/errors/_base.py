"""The root of the error tree, and the errors of values, of single requests and of waits.

Knows no turn and no process; errors that carry those are in `_runtime`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar

import attrs

from openai_codex._codec.deferred import define
from openai_codex._runtime.display import escape
from openai_codex._runtime.imports import load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import dataclass_transform

    T = TypeVar("T")

    @dataclass_transform(eq_default=False, field_specifiers=(attrs.field,))
    def error_class(cls: type[T]) -> type[T]:
        """Make an attrs class of an error."""
        ...
else:
    # No slots and no equality: exceptions are compared by identity, and pickle rebuilds one from its field values.
    error_class = define(slots=False, eq=False, repr=False)


class CodexError(Exception):
    """Base of every error that this package raises. Its ``repr`` shows its text only: ``args`` may hold payloads."""

    def __str__(self) -> str:
        # What the runtime or a model has written stays on its line: it must not forge lines of a log or move a cursor.
        return escape(self._text()) + self._details()

    def _text(self) -> str:
        return super().__str__()

    def _details(self) -> str:
        """Return further lines, escaped."""
        return ""

    def report(self, content: Literal["keep", "hash", "cut"] = "keep") -> str:
        """Return what a bug report needs, as Markdown without secrets: the error, versions, settings, frames, stderr.

        The frames are the newest that the client has kept of the turn, thread or login that the error names, or of the
        runtime; up to 64 KiB per runtime are kept. An error without a client, or one that was pickled, has none.

        Args:
            content: What becomes of prompts, answers, commands and output: ``"keep"``, ``"hash"``, or ``"cut"`` to the
                first 32 characters. Any other word raises `ConfigError`.
        """
        # By name: it rests on modules that raise errors, and is loaded with the first report.
        return str(load("openai_codex._journal.report").report(self, content))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def __rich_repr__(self) -> Iterator[str]:
        # The library rich would show all fields of an attrs class, payloads and results included.
        yield str(self)


# -------------------------------------------------------------------------------------------------------------- values


# Some errors are built-in errors too, so that code which catches ValueError or TimeoutError needs no change.
@error_class
class ConfigError(CodexError, ValueError):
    """A setting or an argument is not valid. Nothing was sent and no process was started.

    Attributes:
        what: The name of the setting or argument.
        reason: What was expected and what was received.
    """

    what: str
    reason: str

    def _text(self) -> str:
        return f"{self.what}: {self.reason}"


@error_class
class DecodeError(CodexError, ValueError):
    """JSON from the runtime does not match its protocol type. The connection and all other callers are unaffected.

    The usual cause is a runtime of another version than the one this package is made for; see `raw` for the payload.

    Attributes:
        type_name: The protocol type that was expected.
        problems: What does not match and where, one line each, without the values.
        raw: The payload as it arrived, decoded JSON.
    """

    type_name: str
    problems: tuple[str, ...]
    raw: Any = None

    def _text(self) -> str:
        return f"payload is not a valid {self.type_name}: {'; '.join(self.problems)}"


# ------------------------------------------------------------------------------------------------------------ timeouts


class CodexTimeoutError(CodexError, TimeoutError):
    """A timeout expired. The connection stays usable."""


@error_class
class RequestTimeoutError(CodexTimeoutError):
    """The runtime did not reply to a request in time. A late reply is dropped.

    Attributes:
        method: The JSON-RPC method of the request.
        timeout: The timeout that expired, in seconds.
    """

    method: str
    timeout: float

    def _text(self) -> str:
        return f"no reply to {self.method} within {self.timeout:g} s"


@error_class
class EventTimeoutError(CodexTimeoutError):
    """A subscription received no notification in time. It stays open: the next step may succeed.

    Attributes:
        timeout: The timeout that expired, in seconds.
    """

    timeout: float

    def _text(self) -> str:
        return f"no notification within {self.timeout:g} s; the subscription stays open"


@error_class
class LoginTimeoutError(CodexTimeoutError):
    """A login did not complete in time. It stays open: wait again, or cancel it.

    Attributes:
        login_id: Id of the login.
        timeout: The timeout that expired, in seconds.
    """

    login_id: str
    timeout: float

    def _text(self) -> str:
        return f"login {self.login_id} did not complete within {self.timeout:g} s; it stays open"


# ------------------------------------------------------------------------------------------------------ error responses


@error_class
class JsonRpcError(CodexError):
    """The runtime answered a request with an error.

    Attributes:
        code: The JSON-RPC error code.
        message: The runtime's message.
        data: The error's ``data`` member as it arrived, decoded JSON; ``None`` if it was absent.
        method: The method of the request.
    """

    code: int
    message: str
    data: Any = None
    method: str | None = None

    def _text(self) -> str:
        return f"{self.method or 'request'} failed with error {self.code}: {self.message}"


class CodexRpcError(JsonRpcError):
    """An error with a code that the protocol defines."""


class ParseError(CodexRpcError):
    """-32700: the runtime could not parse the request."""


class InvalidRequestError(CodexRpcError):
    """-32600: the runtime refused the request. It uses this code for unknown threads, wrong types and wrong states."""


@error_class
class ThreadBusyError(InvalidRequestError):
    """Another process has the thread open. It can be resumed after that process has ended.

    Attributes:
        thread_id: Id of the thread.
        holder: Process id of the runtime that has the thread open, if known.
    """

    # Defaults, because the fields of the base class have defaults too.
    thread_id: str = ""
    holder: int | None = None

    def _text(self) -> str:
        which = "whose process is unknown" if self.holder is None else f"process {self.holder}"
        return f"thread {self.thread_id} is open in another runtime, {which}; resume it after that one has ended"


@error_class
class ThreadNotFoundError(InvalidRequestError):
    """The runtime does not find the thread: it does not exist, or not in the state that the request needs.

    Resume, fork, archive and delete look for stored threads, so they miss an ephemeral one, and one without a turn. Turns and
    other work need a loaded thread; `AsyncCodex.thread_resume` loads one that is stored.

    Attributes:
        thread_id: Id of the thread.
    """

    # A default, because the fields of the base class have defaults too.
    thread_id: str = ""

    def _text(self) -> str:
        hint = next((hint for words, hint in _NOT_FOUND.items() if self.message.startswith(words)), "it does not exist")
        return f"{super()._text()}; {hint}"


@error_class
class MethodNotFoundError(CodexRpcError):
    """The runtime does not have the method, or does not support it for this thread (-32601).

    Attributes:
        version: The version of the runtime; ``None`` if unknown.
    """

    # A default, because the fields of the base class have defaults too.
    version: str | None = None

    def _text(self) -> str:
        is_unknown = self.code == _REFUSED and self.method is not None
        return (
            f"this runtime ({self.version or 'unknown version'}) has no {self.method}"
            if is_unknown
            else super()._text()
        )


class InvalidParamsError(CodexRpcError):
    """-32602: the runtime refused the parameters, for instance an input above the size limit."""


class InternalRpcError(CodexRpcError):
    """-32603: the runtime failed internally."""


class ServerBusyError(CodexRpcError):
    """-32001: the runtime is overloaded. It did not carry out the request, which can be sent again."""


class RetryLimitExceededError(ServerBusyError):
    """The runtime was still overloaded at the last attempt of `retry_on_overload`."""


_REFUSED = -32600

# The runtime reports nearly every refusal as -32600, so its code alone does not tell what to do: see `ThreadBusyError`.
_BY_CODE: dict[int, type[JsonRpcError]] = {
    -32700: ParseError,
    _REFUSED: InvalidRequestError,
    -32601: MethodNotFoundError,
    -32602: InvalidParamsError,
    -32603: InternalRpcError,
    -32001: ServerBusyError,
}

# That a thread is missing is in the message only. What it says before the id → what that means.
_NOT_FOUND = {
    "no rollout found for thread id ": "it does not exist, or is not stored because it is ephemeral or has no turn yet",
    "no archived rollout found for thread id ": "it does not exist, or is not archived",
    "thread not found: ": "it does not exist, or is not loaded; thread_resume loads a stored thread",
    "thread not loaded: ": "it does not exist",
}


def rpc_error(code: int, message: str, data: Any = None, method: str | None = None) -> JsonRpcError:
    """Build the error for a JSON-RPC error response: a `JsonRpcError`, of the class for its code if there is one."""
    kind = _BY_CODE.get(code, JsonRpcError)
    if kind is InvalidRequestError:
        # What follows are the names of all methods that it has: 4 kB.
        unknown = f"Invalid request: unknown variant `{method}`"
        if message.startswith(unknown):
            return MethodNotFoundError(code, unknown, data, method)
        for words in _NOT_FOUND:
            if message.startswith(words):
                return ThreadNotFoundError(code, message, data, method, thread_id=message[len(words) :])
    return kind(code, message, data, method)
