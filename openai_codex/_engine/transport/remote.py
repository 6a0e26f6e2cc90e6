"""The connection to a runtime that was started elsewhere: a WebSocket over TCP, TLS or a Unix socket.

It knows messages of bytes, each of which is a line for its owner; not what they mean.
"""

from __future__ import annotations

import logging
import socket
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from openai_codex._engine.transport.address import check_address, token_of, warn_of_token
from openai_codex._engine.transport.base import READ_SIZE
from openai_codex._engine.waiting import Latch, ThreadWaiter
from openai_codex._runtime.display import conceal
from openai_codex.errors import ConfigError, ProcessInfo

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

    from openai_codex._config import AppServerConfig

# How long the other side may take to answer the end of the connection, and the library's thread to end, in seconds.
_CLOSE_TIMEOUT = 1.0

# The runtime takes no frame above 16 MiB; a longer message is sent in parts.
_FRAME = 1 << 23

# The library would write all messages and the token into its log. It is part of no tree of loggers.
_QUIET = logging.Logger("openai_codex.websockets", logging.CRITICAL + 1)  # noqa: LOG001  its parents would log them

_REFUSED = frozenset({401, 403})


class RefusedError(ConnectionError):
    """The runtime does not accept the token, or asks for one."""


class WebSocket:
    """One connection to a runtime that was started elsewhere: the `Transport` of a remote runtime.

    The reader connects with its first read, so that no caller waits for a network. The library reads the socket on a
    thread of its own, into a queue without a limit: a runtime ends the connection of a slow reader. It takes a lock to
    write, so only the writer thread does, and `short` is 0. `kill` and `after_fork` touch the socket alone.
    """

    def __init__(self, config: AppServerConfig) -> None:
        check_address(config)
        assert config.endpoint is not None, "only for a runtime that was started elsewhere"
        self.endpoint: str = config.endpoint
        self._parts = urlsplit(config.endpoint)
        self.timeout: float = config.start_timeout
        self._max_size = config.max_line_bytes
        self._config = config
        if self._token() is not None:
            warn_of_token(config)
        self.name: str = self._parts.netloc or self._parts.path
        self._socket: socket.socket | None = None
        self._connection: ClientConnection | None = None
        self.is_open: Latch = Latch()
        self.ending: Latch = Latch()
        """Set when this side has ended it."""

    def _token(self) -> str | None:
        token = token_of(self._config)
        if token is not None:
            conceal([token])
        return token

    def discard(self) -> None:
        """End a connection that no reader owns; it was not made yet."""
        self.ending.set()

    # -- the reader thread -------------------------------------------------------------------------------------------

    def read(self, timeout: float) -> bytes | None:
        """Return the messages that have arrived, each as a line; empty at the end; ``None`` after ``timeout`` seconds.

        The first call connects. Raises `ConnectionError` if that fails, or if the connection is lost.
        """
        from websockets.exceptions import ConnectionClosed

        connection = self._connection or self._open()
        lines: list[bytes] = []
        size = 0
        try:
            while size < READ_SIZE:
                message = connection.recv(0 if lines else timeout, decode=False)
                # Between the values of JSON, a line end is a space.
                lines += message.replace(b"\n", b" "), b"\n"
                size += len(message)
        except TimeoutError:
            pass
        except ConnectionClosed as error:
            if not (lines or self.ending.is_ready()):  # the next read finds it again
                raise ConnectionError(f"the connection to the runtime at {self.endpoint} was lost: {error}") from error
            return b"".join(lines)
        return b"".join(lines) or None

    def _open(self) -> ClientConnection:
        try:
            return self.connect()
        finally:
            self.is_open.set()

    def connect(self) -> ClientConnection:
        """Connect, and shake hands. Raises `ConnectionError`: a `RefusedError` if it would happen again."""
        from websockets.exceptions import InvalidStatus, WebSocketException

        try:
            self._connection = connection = self._handshake()
        except InvalidStatus as error:
            kind = RefusedError if error.response.status_code in _REFUSED else ConnectionError
            raise kind(self._refusal(error.response.status_code)) from None
        except (OSError, WebSocketException) as error:
            is_foreign = isinstance(error, WebSocketException)
            reason = "it did not answer as a WebSocket does" if is_foreign else str(error) or "no answer in time"
            raise ConnectionError(reason) from error
        if self.ending.is_ready():
            self.kill()
        return connection

    def _handshake(self) -> ClientConnection:
        from websockets.client import ClientProtocol
        from websockets.sync.client import ClientConnection
        from websockets.uri import parse_uri

        try:
            token = self._token()
        except ConfigError as error:
            raise ConnectionError(str(error)) from error
        self._socket = dialled = self._dial()
        # A Unix socket has no host, and the header needs one.
        uri = parse_uri("ws://localhost/" if self._parts.scheme == "unix" else self.endpoint)
        protocol = ClientProtocol(uri, max_size=self._max_size, logger=_QUIET)
        # The client itself asks a silent runtime for a sign of life.
        connection = ClientConnection(
            dialled, protocol, ping_interval=None, close_timeout=_CLOSE_TIMEOUT, max_queue=None
        )
        connection.__enter__()  # tells the library that this owner closes it
        try:
            headers = {} if token is None else {"Authorization": f"Bearer {token}"}
            connection.handshake(headers, timeout=self.timeout)
        except BaseException:
            connection.close_socket()
            raise
        return connection

    def _dial(self) -> socket.socket:
        """Return a socket that is connected, and encrypted if the address says so."""
        parts = self._parts
        if parts.scheme == "unix":
            # `end` closes it, whatever fails.
            self._socket = dialled = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            dialled.settimeout(self.timeout)
            dialled.connect(parts.path)
        else:
            port = parts.port or (443 if parts.scheme == "wss" else 80)
            self._socket = dialled = socket.create_connection((parts.hostname, port), self.timeout)
            dialled.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if parts.scheme == "wss":
            from openai_codex._engine.transport.tls import encrypt

            dialled = encrypt(dialled, parts.hostname)
        dialled.settimeout(None)
        return dialled

    def _refusal(self, status: int) -> str:
        has_one = self._config.token is not None or self._config.token_env is not None
        is_refusal, what = status in _REFUSED, "refused the" if has_one else "requires a"
        return f"it {what} token (HTTP {status})" if is_refusal else f"it answered HTTP {status}"

    def has_exited(self) -> bool:
        """Return ``False``: a lost connection shows as the end of its output."""
        return False

    def end(self, timeout: float) -> int | None:
        """Close the socket; the runtime goes on without this client. Returns ``None``."""
        self.kill()
        self.close_socket(timeout)
        return None

    def close_socket(self, timeout: float = _CLOSE_TIMEOUT) -> None:
        """Close the socket, and wait until the library's thread has left it. Idempotent."""
        self._shut_down()
        if self._connection is not None:
            self._connection.recv_events_thread.join(min(timeout, _CLOSE_TIMEOUT))
        if self._socket is not None:
            self._socket.close()

    def release(self) -> None:
        """Do nothing: what the runtime has started goes on."""

    # -- the writer thread -------------------------------------------------------------------------------------------

    def short(self) -> int:
        """Return 0: only the writer thread writes."""
        return 0

    def write_short(self, data: bytes, /) -> int | None:  # noqa: ARG002  it is never called
        """Return ``None``: see `short`."""
        return None

    def try_write(self, data: bytes | memoryview) -> int:
        """Send a line, which is given as a whole, as one message; return its length. Raises `OSError` if the connection is lost."""
        return self._send(self._connection, data)

    def _send(self, connection: ClientConnection | None, data: bytes | memoryview) -> int:
        from websockets.exceptions import ConnectionClosed

        if connection is None:
            raise BrokenPipeError("there is no connection")
        text = bytes(data).removesuffix(b"\n")
        parts = [text[at : at + _FRAME] for at in range(0, len(text), _FRAME)]
        try:
            connection.send(text if len(parts) == 1 else parts, text=True)
        except ConnectionClosed as error:
            raise BrokenPipeError(str(error)) from error
        return len(data)

    def wait_writable(self, timeout: float) -> bool:
        """Wait until there is a connection, at most ``timeout`` seconds; a write blocks the writer until there is room."""
        return wait_for(self.is_open, timeout)

    def close_input(self) -> None:
        """Say the end of the connection to the runtime, which keeps the threads and their turns."""
        self.ending.set()
        if self._connection is not None:
            self._connection.close()

    @property
    def is_lost(self) -> bool:
        """Whether there is no connection at this moment."""
        return not self.is_open.is_ready()

    # -- any thread --------------------------------------------------------------------------------------------------

    def terminate(self) -> None:
        """End the connection at once. The runtime is not asked to exit: others may use it."""
        self.kill()

    def kill(self) -> None:
        """End the connection without a word to the other side."""
        self.ending.set()
        self._shut_down()

    def _shut_down(self) -> None:
        if self._socket is not None:
            with suppress(OSError):  # it is closed
                self._socket.shutdown(socket.SHUT_RDWR)

    def after_fork(self) -> None:
        """Close the socket of this fork; the connection is the parent's."""
        if self._socket is not None:
            # Not the method of an encrypted socket: it shuts the connection down, which would end that of the parent, too.
            socket.socket.close(self._socket)

    def process_info(self) -> ProcessInfo:
        """Return where the runtime is; its process is not known."""
        return ProcessInfo(endpoint=self.endpoint)

    def rss(self) -> int | None:
        """Return ``None``: the memory of a runtime elsewhere is not known."""
        return None


def wait_for(latch: Latch, timeout: float) -> bool:
    """Block until a latch is set, at most ``timeout`` seconds; return whether it is. Also on the reader and the writer.

    Other waits return at once there, as a finalizer could wait for these threads. This one is of the transport itself.
    """
    waiter = ThreadWaiter()
    if latch.add_waiter(waiter):
        waiter.block(timeout)
        latch.discard_waiter(waiter)
    return latch.is_ready()
