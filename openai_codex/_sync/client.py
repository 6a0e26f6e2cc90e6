# Derived from openai_codex/_async/client.py by `python -m tools.unasync`; do not edit.
"""The part of the client that every verb stands on: its life, and one typed request."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from openai_codex._sync import _wait
from openai_codex._sync.connection import Connection
from openai_codex._sync.events import Events
from openai_codex.config import AppServerConfig
from openai_codex.errors import ConfigError

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from openai_codex import protocol
    from openai_codex.metadata import Metadata

R = TypeVar("R")


class Client:
    """The life of a client: connect, ask, close. See `Codex`."""

    def __init__(self, config: AppServerConfig | None = None) -> None:
        self._connection = Connection(config or AppServerConfig())
        _wait.connect_in_constructor(self._connection.open)

    def __enter__(self) -> Self:
        self._connection.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def metadata(self) -> Metadata:
        """What the runtime says of itself. Raises `ConfigError` before the client is connected."""
        metadata = self._connection.metadata
        if metadata is None:
            raise ConfigError("metadata", "the client is not connected yet: enter it, or make a first call")
        return metadata

    def close(self) -> None:
        """Stop the runtime: everyone who waits is woken with `TransportClosedError`, the process ended and reaped.

        Idempotent; takes at most ``shutdown_timeout`` seconds.
        """
        self._connection.close()

    def request(self, params: protocol.ClientRequest[R], *, timeout: float | None = None) -> R:
        """Send any request of the protocol and return its typed result.

        The params class decides the method and the type of the result: all of `openai_codex.types` works here.

        Args:
            params: the request.
            timeout: how long to wait for the reply, in seconds; ``None``: the configured ``request_timeout``.

        Raises `RequestTimeoutError` when no reply came in time (a late one is dropped), `JsonRpcError` or one of its
        subclasses when the runtime refuses, `DecodeError` when the result does not fit its type, `TransportClosedError`
        when the connection is gone, and `ConfigError` when the params cannot be written as JSON. Cancelling takes
        back nothing that the runtime has done.
        """
        return self._connection.request(params, timeout=timeout)

    def events(
        self,
        *types: type[protocol.ServerNotification],
        thread_id: str | None = None,
        limit: int = 10_000,
        timeout: float | None = None,
    ) -> Events:
        """Subscribe to notifications, from now on: of some types, of one thread, or all of them.

        The runtime tells of items and turns only for threads that this client started or resumed. Close the returned
        iterator when it is not needed any more, or use it by ``with``.

        Args:
            types: payload classes, for instance ``ThreadStatusChangedNotification``; none: all.
            thread_id: only what belongs to this thread.
            limit: how many unread notifications are kept; beyond, text is merged and then the oldest are dropped, and
                `Events.dropped` counts them.
            timeout: the longest that one step may wait, in seconds; ``None``: as long as it takes.

        Raises `ConfigError` before the client is connected or for a limit below 1, `TransportClosedError` when the connection is gone.
        """
        if limit < 1:
            raise ConfigError("limit", f"expected at least 1, got {limit}")
        methods = frozenset(each.METHOD for each in types) or None
        return Events(self._connection.running(), thread_id, methods, limit, timeout)
