"""The error tree: every error that this package raises, by name.

    CodexError
    ├── ConfigError                 a setting or argument is not valid; nothing was sent (also a ValueError)
    ├── TransportError              the connection to the runtime failed
    │   ├── LaunchError                 the runtime did not start: not executable, exited, silent (also an OSError)
    │   │   └── RuntimeNotFoundError        … because it is missing, or the cwd (also a FileNotFoundError)
    │   ├── TransportClosedError        the runtime exited, or the client was closed
    │   │   └── RuntimeFrozenError      the runtime was alive and did not answer; it was killed
    │   └── ThreadLostError             the runtime was restarted and could not resume this thread
    ├── CodexTimeoutError           a timeout expired (also a TimeoutError)
    │   ├── RequestTimeoutError         no reply to a request
    │   ├── EventTimeoutError           no notification on a subscription
    │   ├── LoginTimeoutError           a login did not complete
    │   └── TurnTimeoutError            a turn, or a step of its stream, took too long
    │       └── TurnStalledError            a turn made no progress
    ├── ThreadTransferError         a thread cannot be exported or imported
    │   ├── ThreadConflictError         the home has it with other turns, or open
    │   └── ThreadDataError             the bytes are no whole exported thread (also a ValueError)
    ├── DecodeError                 JSON from the runtime does not match its type (also a ValueError)
    ├── OutputError                 an answer does not match its output type (also a ValueError)
    ├── JsonRpcError                the runtime answered a request with an error
    │   └── CodexRpcError               … with a code that the protocol defines
    │       ├── ParseError                  -32700
    │       ├── InvalidRequestError         -32600, used for nearly all refusals
    │       │   ├── ThreadBusyError             … because another process has the thread open
    │       │   └── ThreadNotFoundError         … because there is no such thread
    │       ├── MethodNotFoundError         -32601
    │       ├── InvalidParamsError          -32602
    │       ├── InternalRpcError            -32603
    │       └── ServerBusyError             -32001, safe to retry later
    │           └── RetryLimitExceededError     … still overloaded at the last attempt of `retry_on_overload`
    ├── TurnInterruptedError        the turn was interrupted, so it has no output of its output type
    ├── JobError                    a job failed for a reason of its own, or with an error of which only the text is left
    ├── TextWithdrawnError          text that a stream has yielded is not part of the answer
    └── TurnFailedError             the turn ended as failed (also a RuntimeError)

Errors carry facts as attributes and pickle. Their text is for people, with control characters escaped; do not parse it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openai_codex._jobs.failure import JobError as JobError
from openai_codex._portable.errors import ThreadConflictError as ThreadConflictError
from openai_codex._portable.errors import ThreadDataError as ThreadDataError
from openai_codex._portable.errors import ThreadTransferError as ThreadTransferError
from openai_codex._runtime.imports import load
from openai_codex._runtime.process_info import ProcessFacts as ProcessFacts
from openai_codex._runtime.process_info import ProcessInfo as ProcessInfo
from openai_codex.errors._base import CodexError as CodexError
from openai_codex.errors._base import CodexRpcError as CodexRpcError
from openai_codex.errors._base import CodexTimeoutError as CodexTimeoutError
from openai_codex.errors._base import ConfigError as ConfigError
from openai_codex.errors._base import DecodeError as DecodeError
from openai_codex.errors._base import EventTimeoutError as EventTimeoutError
from openai_codex.errors._base import InternalRpcError as InternalRpcError
from openai_codex.errors._base import InvalidParamsError as InvalidParamsError
from openai_codex.errors._base import InvalidRequestError as InvalidRequestError
from openai_codex.errors._base import JsonRpcError as JsonRpcError
from openai_codex.errors._base import LoginTimeoutError as LoginTimeoutError
from openai_codex.errors._base import MethodNotFoundError as MethodNotFoundError
from openai_codex.errors._base import ParseError as ParseError
from openai_codex.errors._base import RequestTimeoutError as RequestTimeoutError
from openai_codex.errors._base import RetryLimitExceededError as RetryLimitExceededError
from openai_codex.errors._base import ServerBusyError as ServerBusyError
from openai_codex.errors._base import ThreadBusyError as ThreadBusyError
from openai_codex.errors._base import ThreadNotFoundError as ThreadNotFoundError
from openai_codex.errors._base import rpc_error as rpc_error
from openai_codex.errors._runtime import LaunchError as LaunchError
from openai_codex.errors._runtime import OutputError as OutputError
from openai_codex.errors._runtime import RuntimeFrozenError as RuntimeFrozenError
from openai_codex.errors._runtime import RuntimeNotFoundError as RuntimeNotFoundError
from openai_codex.errors._runtime import TextWithdrawnError as TextWithdrawnError
from openai_codex.errors._runtime import ThreadLostError as ThreadLostError
from openai_codex.errors._runtime import TransportClosedError as TransportClosedError
from openai_codex.errors._runtime import TransportError as TransportError
from openai_codex.errors._runtime import TurnFailedError as TurnFailedError
from openai_codex.errors._runtime import TurnInterruptedError as TurnInterruptedError
from openai_codex.errors._runtime import TurnStalledError as TurnStalledError
from openai_codex.errors._runtime import TurnTimeoutError as TurnTimeoutError

# Without it `help` would leave the classes out, as they are defined in other modules.
__all__ = [  # pyright: ignore[reportUnsupportedDunderAll]  # one list of names
    name for name, each in globals().items() if isinstance(each, type) and issubclass(each, BaseException)
]

if not TYPE_CHECKING:  # type checkers report a name that is not there

    def __getattr__(name: str) -> Any:
        # `is_retryable_error` and `map_jsonrpc_error` are here in the published SDK.
        return load("openai_codex.generated._published").find(__name__, name)
