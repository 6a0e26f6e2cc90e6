"""The error tree: every error that this package raises, by name.

    CodexError
    ├── ConfigError                 a setting or argument that cannot work; nothing was sent (also a ValueError)
    ├── TransportError              the connection to the runtime
    │   ├── LaunchError                 the runtime did not come up: missing, not executable, exited, mute
    │   ├── TransportClosedError        the runtime is gone, or the client was closed
    │   └── ThreadLostError             the runtime was started anew, and this thread could not be resumed
    ├── CodexTimeoutError           a deadline passed (also a TimeoutError)
    │   ├── RequestTimeoutError         no reply to a request
    │   ├── EventTimeoutError           no notification on a subscription
    │   ├── LoginTimeoutError           a login is still open
    │   └── TurnTimeoutError            a turn or a step of its stream took too long
    │       └── TurnStalledError            a turn made no progress
    ├── DecodeError                 a payload that does not fit its type (also a ValueError)
    ├── OutputError                 an answer that does not fit the type that was asked for (also a ValueError)
    ├── JsonRpcError                the runtime refused a request
    │   └── CodexRpcError               … with a code that the protocol defines
    │       ├── ParseError                  -32700
    │       ├── InvalidRequestError         -32600, nearly everything the runtime refuses
    │       │   └── ThreadBusyError             … another process has the thread
    │       ├── MethodNotFoundError         -32601
    │       ├── InvalidParamsError          -32602
    │       ├── InternalRpcError            -32603
    │       └── ServerBusyError             -32001, safe to retry later
    │           └── RetryLimitExceededError     … and `retry_on_overload` has given up
    └── TurnFailedError             the turn ended as failed (also a RuntimeError)

Errors carry facts as attributes, pickle, and build their text in ``__str__``; no error text is ever parsed.
"""

from __future__ import annotations

from openai_codex._runtime.process_info import ProcessFacts as ProcessFacts
from openai_codex.errors.base import CodexError as CodexError
from openai_codex.errors.base import ConfigError as ConfigError
from openai_codex.errors.base import DecodeError as DecodeError
from openai_codex.errors.base import OutputError as OutputError
from openai_codex.errors.deadlines import CodexTimeoutError as CodexTimeoutError
from openai_codex.errors.deadlines import EventTimeoutError as EventTimeoutError
from openai_codex.errors.deadlines import LoginTimeoutError as LoginTimeoutError
from openai_codex.errors.deadlines import RequestTimeoutError as RequestTimeoutError
from openai_codex.errors.deadlines import TurnStalledError as TurnStalledError
from openai_codex.errors.deadlines import TurnTimeoutError as TurnTimeoutError
from openai_codex.errors.rpc import CodexRpcError as CodexRpcError
from openai_codex.errors.rpc import InternalRpcError as InternalRpcError
from openai_codex.errors.rpc import InvalidParamsError as InvalidParamsError
from openai_codex.errors.rpc import InvalidRequestError as InvalidRequestError
from openai_codex.errors.rpc import JsonRpcError as JsonRpcError
from openai_codex.errors.rpc import MethodNotFoundError as MethodNotFoundError
from openai_codex.errors.rpc import ParseError as ParseError
from openai_codex.errors.rpc import RetryLimitExceededError as RetryLimitExceededError
from openai_codex.errors.rpc import ServerBusyError as ServerBusyError
from openai_codex.errors.rpc import ThreadBusyError as ThreadBusyError
from openai_codex.errors.rpc import rpc_error as rpc_error
from openai_codex.errors.transport import LaunchError as LaunchError
from openai_codex.errors.transport import ThreadLostError as ThreadLostError
from openai_codex.errors.transport import TransportClosedError as TransportClosedError
from openai_codex.errors.transport import TransportError as TransportError
from openai_codex.errors.turn import TurnFailedError as TurnFailedError
