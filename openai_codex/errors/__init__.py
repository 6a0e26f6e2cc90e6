"""The error tree: every error that this package raises, by name.

    CodexError
    ├── ConfigError                 a setting or argument is not valid; nothing was sent (also a ValueError)
    ├── TransportError              the connection to the runtime failed
    │   ├── LaunchError                 the runtime did not start: missing, not executable, exited, silent
    │   ├── TransportClosedError        the runtime exited, or the client was closed
    │   └── ThreadLostError             the runtime was restarted and could not resume this thread
    ├── CodexTimeoutError           a timeout expired (also a TimeoutError)
    │   ├── RequestTimeoutError         no reply to a request
    │   ├── EventTimeoutError           no notification on a subscription
    │   ├── LoginTimeoutError           a login did not complete
    │   └── TurnTimeoutError            a turn, or a step of its stream, took too long
    │       └── TurnStalledError            a turn made no progress
    ├── DecodeError                 JSON from the runtime does not match its type (also a ValueError)
    ├── OutputError                 an answer does not match its output type (also a ValueError)
    ├── JsonRpcError                the runtime answered a request with an error
    │   └── CodexRpcError               … with a code that the protocol defines
    │       ├── ParseError                  -32700
    │       ├── InvalidRequestError         -32600, used for nearly all refusals
    │       │   └── ThreadBusyError             … because another process has the thread open
    │       ├── MethodNotFoundError         -32601
    │       ├── InvalidParamsError          -32602
    │       ├── InternalRpcError            -32603
    │       └── ServerBusyError             -32001, safe to retry later
    │           └── RetryLimitExceededError     … still overloaded at the last attempt of `retry_on_overload`
    └── TurnFailedError             the turn ended as failed (also a RuntimeError)

Errors carry facts as attributes, pickle, and build their text in ``__str__``; do not parse the text.
"""

from __future__ import annotations

from openai_codex.errors._base import *  # noqa: F403  each module says in `__all__` what it exports
from openai_codex.errors._runtime import *  # noqa: F403  as above
