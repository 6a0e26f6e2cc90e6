"""The connection to a runtime that was started elsewhere: a WebSocket over TCP, TLS or a Unix socket.

It knows messages of bytes, each of which is a line for its owner; not what they mean.
"""

from __future__ import annotations

import logging
import os
import select
import socket
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from openai_codex import _checks as checks
from openai_codex._engine.transport.base import READ_SIZE
from openai_codex._engine.waiting import Latch, block_until_ready
from openai_codex._log import Log
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

# What is said when the runtime is started, and so not by a client that only connects. The value of each that says nothing.
_OF_A_START: dict[str, Any] = {
    "launch_args_override": None,
    "config_overrides": (),
    "cwd": None,
    "env": None,
    "inherit_env": True,
    "strict_config": False,
}

_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})

_log = Log("connection")


class WebSocket:
    """One connection to a runtime that nobody here has started: the `Transport` of a remote runtime.

    The reader connects with its first read, so that no caller waits for a network. The library reads the socket on a
    thread of its own, into a queue without a limit: a runtime ends the connection of a slow reader. It takes a lock to
    write, so only the writer thread does, and `short` is 0. `kill` and `after_fork` touch the socket alone.
    """

    def __init__(self, config: AppServerConfig) -> None:
        _check(config)
        _check_installed()
        assert config.endpoint is not None, "only for a runtime that was started elsewhere"
        self._endpoint = config.endpoint
        self._parts = urlsplit(config.endpoint)
        self._timeout = config.start_timeout
        self._max_size = config.max_line_bytes
        self._token = _token_of(config)
        if self._token is not None:
            conceal([self._token])
        self.name = self._parts.netloc or self._parts.path
        self._socket: socket.socket | None = None
        self._connection: ClientConnection | None = None
        self._is_open = Latch()
        self._is_ending = False

    def discard(self) -> None:
        """End a connection that no reader owns; it was not made yet."""
        self._is_ending = True

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
            if not (lines or self._is_ending):  # the next read finds it again
                raise ConnectionError(f"the connection to the runtime at {self._endpoint} was lost: {error}") from error
            return b"".join(lines)
        return b"".join(lines) or None

    def _open(self) -> ClientConnection:
        from websockets.exceptions import InvalidHandshake, InvalidStatus

        try:
            self._connection = connection = self._handshake()
        except InvalidStatus as error:
            raise ConnectionError(self._refusal(error.response.status_code)) from None
        except (OSError, InvalidHandshake) as error:
            reason = "it is no WebSocket" if isinstance(error, InvalidHandshake) else str(error) or "no answer in time"
            raise ConnectionError(reason) from error
        finally:
            self._is_open.set()
        if self._is_ending:
            self.kill()
        return connection

    def _handshake(self) -> ClientConnection:
        from websockets.client import ClientProtocol
        from websockets.sync.client import ClientConnection
        from websockets.uri import parse_uri

        self._socket = dialled = self._dial()
        # A Unix socket has no host, and the header needs one.
        uri = parse_uri("ws://localhost/" if self._parts.scheme == "unix" else self._endpoint)
        protocol = ClientProtocol(uri, max_size=self._max_size, logger=_QUIET)
        # The client itself asks a silent runtime for a sign of life.
        connection = ClientConnection(
            dialled, protocol, ping_interval=None, close_timeout=_CLOSE_TIMEOUT, max_queue=None
        )
        connection.__enter__()  # tells the library that this owner closes it
        try:
            headers = {} if self._token is None else {"Authorization": f"Bearer {self._token}"}
            connection.handshake(headers, timeout=self._timeout)
        except BaseException:
            connection.close_socket()
            raise
        return connection

    def _dial(self) -> socket.socket:
        """Return a socket that is connected, and encrypted if the address says so."""
        parts = self._parts
        if parts.scheme == "unix":
            self._socket = dialled = socket.socket(
                socket.AF_UNIX, socket.SOCK_STREAM
            )  # closed by `end`, whatever fails
            dialled.settimeout(self._timeout)
            dialled.connect(parts.path)
        else:
            port = parts.port or (443 if parts.scheme == "wss" else 80)
            self._socket = dialled = socket.create_connection((parts.hostname, port), self._timeout)
            dialled.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if parts.scheme == "wss":
            import ssl

            dialled = ssl.create_default_context().wrap_socket(dialled, server_hostname=parts.hostname)
        dialled.settimeout(None)
        return dialled

    def _refusal(self, status: int) -> str:
        if status not in _REFUSED:
            return f"it answered HTTP {status}"
        return f"it {'requires a' if self._token is None else 'refused the'} token (HTTP {status})"

    def has_exited(self) -> bool:
        """Return ``False``: who has lost the connection reads its end."""
        return False

    def end(self, timeout: float) -> int | None:
        """Close the socket; the runtime goes on without this client. Returns ``None``."""
        self.kill()
        if self._connection is not None:
            self._connection.recv_events_thread.join(min(timeout, _CLOSE_TIMEOUT))
        if self._socket is not None:
            self._socket.close()
        return None

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
        from websockets.exceptions import ConnectionClosed

        if self._connection is None:
            raise BrokenPipeError("there is no connection")
        text = bytes(data).removesuffix(b"\n")
        parts = [text[at : at + _FRAME] for at in range(0, len(text), _FRAME)]
        try:
            self._connection.send(text if len(parts) == 1 else parts, text=True)
        except ConnectionClosed as error:
            raise BrokenPipeError(str(error)) from error
        return len(data)

    def wait_writable(self, timeout: float) -> bool:
        """Wait until there is a connection that takes bytes, or none any longer; at most ``timeout`` seconds."""
        if not block_until_ready(self._is_open, timeout):
            return False
        if self._socket is None or not hasattr(select, "poll"):
            return True
        poll = select.poll()
        try:
            poll.register(self._socket, select.POLLOUT)
        except ValueError:  # it was closed
            return True
        return bool(poll.poll(timeout * 1000))

    def close_input(self) -> None:
        """Say the end of the connection to the runtime, which keeps the threads and their turns."""
        self._is_ending = True
        if self._connection is not None:
            self._connection.close()

    # -- any thread --------------------------------------------------------------------------------------------------

    def terminate(self) -> None:
        """End the connection at once. The runtime is not asked to exit: others may use it."""
        self.kill()

    def kill(self) -> None:
        """End the connection without a word to the other side."""
        self._is_ending = True
        if self._socket is not None:
            with suppress(OSError):  # it is closed
                socket.socket.shutdown(
                    self._socket, socket.SHUT_RDWR
                )  # not that of an SSL socket, which would encrypt no more

    def after_fork(self) -> None:
        """Close the socket of this fork; the connection is the parent's."""
        if self._socket is not None:
            self._socket.close()

    def process_info(self) -> ProcessInfo:
        """Return where the runtime is; its process is not known."""
        return ProcessInfo(endpoint=self._endpoint)

    def rss(self) -> int | None:
        """Return ``None``: the memory of a runtime elsewhere is not known."""
        return None


def _check_installed() -> None:
    try:
        import_module("websockets")
    except ImportError:
        raise ConfigError("endpoint", "it needs the package websockets: pip install 'openai-codex[remote]'") from None


def _check(config: AppServerConfig) -> None:
    """Raise `ConfigError` for settings of a configuration that contradict each other about where the runtime is."""
    given = [name for name in ("token", "token_env") if getattr(config, name) is not None]
    if config.endpoint is None:
        for name in given:
            raise ConfigError(name, "it is for a runtime that listens elsewhere: set endpoint, too")
        return
    if len(given) > 1:
        raise ConfigError("token_env", "expected only one of token and token_env")
    for name, default in _OF_A_START.items():
        if getattr(config, name) != default:
            raise ConfigError(name, "it cannot hold for a runtime that was started elsewhere (endpoint)")


def _token_of(config: AppServerConfig) -> str | None:
    """Return the token to show; ``None`` if there is none. Raises `ConfigError` if the variable for it is not set."""
    token = config.token
    if config.token_env is not None:
        named = os.environ.get(config.token_env)
        if not named:
            raise ConfigError("token_env", f"the variable {config.token_env} is not set")
        token = checks.credential("token_env", named)
    parts = urlsplit(config.endpoint or "")
    if token is not None and parts.scheme == "ws" and parts.hostname not in _LOCAL:
        _log.warning("codex.token_not_encrypted", host=parts.hostname)
    return token
