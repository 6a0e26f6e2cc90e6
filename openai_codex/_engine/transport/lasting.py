"""A connection to a runtime elsewhere that is made again when it is lost: its owner goes on as if it had lasted.

Both ends keep their state meanwhile. What has to be said on a new connection is up to a `Session`.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from openai_codex._engine.transport.remote import RefusedError, WebSocket, wait_for
from openai_codex._engine.waiting import Deadline, Latch
from openai_codex._runtime.backoff import Backoff

if TYPE_CHECKING:
    from collections.abc import Callable

    from websockets.sync.client import ClientConnection

    from openai_codex._config import AppServerConfig

    Ask = Callable[[str, dict[str, Any] | None], dict[str, Any]]
    """Sends a request, or without params a notification; returns the response."""


# Of all requests, as they are sent one after another; the actor's are numbers.
_ID = "again"


class Session(Protocol):
    """What a client and a runtime have in common, to be continued on another connection. Called by the reader."""

    def lose(self, reason: str) -> None:
        """Note that the connection was lost, and end what it would have had to answer."""

    def restore(self, ask: Ask, others: list[bytes]) -> list[bytes]:
        """Introduce the client again, and take up its work; return the events that were missed, one line each.

        Whatever else arrives meanwhile is added to ``others``, and delivered afterwards.
        """
        raise NotImplementedError  # abstract


class LastingWebSocket(WebSocket):
    """A `WebSocket` that connects again, with back-off, and gives up after the number of attempts in ``restart``.

    The reader connects, while the writer waits. A line that the writer had in its hand when the connection was lost is
    dropped, as the runtime may have received it.
    """

    def __init__(self, config: AppServerConfig) -> None:
        super().__init__(config)
        assert config.restart is not None, "else it is not made again"
        self._attempts = sys.maxsize - 1 if config.restart.limit is None else config.restart.limit
        self._backoff = Backoff(config.restart.initial_delay, config.restart.max_delay)
        self.session: Session | None = None
        """Set when there is something to be continued: the first handshake is over."""

    def read(self, timeout: float) -> bytes | None:
        """Read as the base class does; on a loss, connect again first. Raises `ConnectionError` when it gives up."""
        try:
            return super().read(timeout)
        except ConnectionError as error:
            if self.session is None or self.ending.is_ready():
                raise
            return self._continue(self.session, error)

    def try_write(self, data: bytes | memoryview) -> int:
        """Write as the base class does; return 0 if the reader has noticed a loss, as the line can go out later.

        A line whose write finds the loss first is dropped once the reader has connected again.
        """
        lost, connection = self.is_open, self._connection
        # Looked at again: the reader replaces it before it connects, and nothing may be said before the session is restored.
        if not lost.is_ready() or self.is_open is not lost:
            return 0
        try:
            return self._send(connection, data)
        except OSError:
            if self.session is None or self.ending.is_ready():
                raise
        while self.is_open is lost and not self.ending.is_ready():
            wait_for(self.ending, 0.01)  # the reader is about to notice
        return len(data)

    def _continue(self, session: Session, error: ConnectionError) -> bytes | None:
        """Connect again; return what was missed. Raises the last error when no other attempt is made."""
        self.is_open = Latch()
        session.lose(str(error))
        for failures in range(1, self._attempts + 1):
            if wait_for(self.ending, self._backoff.delay(failures)):
                return b""
            try:
                missed = self._restore(session)
            except OSError as again:
                if isinstance(again, RefusedError):
                    raise
                error = ConnectionError(f"the connection to the runtime at {self.endpoint} was lost: {again}")
            else:
                self.is_open.set()
                return missed or None
        raise error

    def _restore(self, session: Session) -> bytes:
        self.close_socket()
        connection, others, foreign = self.connect(), list[bytes](), list[bytes]()
        try:
            missed = session.restore(partial(self._ask, connection, others, foreign), others)
        except (LookupError, TypeError, AttributeError) as error:
            what = f"{type(error).__name__}: {error}"
            raise ConnectionError(f"the runtime has answered in a form that is not known: {what}") from error
        return b"".join((*missed, *others, *foreign))

    def _ask(
        self,
        connection: ClientConnection,
        others: list[bytes],
        foreign: list[bytes],
        method: str,
        params: dict[str, Any] | None,
    ) -> dict[str, Any]:
        """Send a request and return its response; keep the other JSON objects that arrive, and drop the rest."""
        from websockets.exceptions import ConnectionClosed

        frame = {"method": method, **({} if params is None else {"id": _ID, "params": params})}
        deadline = Deadline(self.timeout)
        try:
            connection.send(orjson.dumps(frame), text=True)
            while params is not None:
                if deadline.passed():  # also if other messages arrive all the time
                    raise TimeoutError(f"no answer to {method} within {self.timeout:g} s")
                message = connection.recv(deadline.remaining(), decode=False)
                response = _object_in(message)
                if response is not None and response.get("id") == _ID:
                    return response
                # Whoever reads it counts what it cannot use.
                (foreign if response is None else others).append(message.replace(b"\n", b" ") + b"\n")
        except ConnectionClosed as error:
            raise ConnectionError(str(error)) from error
        return {}


def _object_in(message: bytes) -> dict[str, Any] | None:
    """Decode a message; return ``None`` if it is not a JSON object."""
    try:
        found = orjson.loads(message)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
