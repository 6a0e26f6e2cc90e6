"""A TLS socket that one thread reads while another writes.

The state of a TLS connection may be used by one thread at a time, and Python lets several in. The WebSocket library has a
thread that reads and another that writes: without this class, one or two of 1,000 connections failed. It does not know
messages.
"""

from __future__ import annotations

import errno
import os
import selectors
import socket
import ssl
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from openai_codex._engine.waiting import Deadline

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from typing_extensions import Self

    T = TypeVar("T")


def encrypt(connected: socket.socket, host: str | None) -> TlsSocket:
    """Return the encrypted connection over a socket, which it takes. Raises `ssl.SSLError` if the certificate is not that of ``host``."""
    context = ssl.create_default_context()
    context.sslsocket_class = TlsSocket
    encrypted = context.wrap_socket(connected, server_hostname=host)
    assert isinstance(encrypted, TlsSocket), "made by the context"
    return encrypted


class TlsSocket(ssl.SSLSocket):
    """A TLS socket for any threads. ``_lock`` guards the state of TLS, and is released before each wait.

    The reader, the writer and the library's thread take it. `shutdown` and `close`, which a finalizer or a signal handler
    may call, take no lock.

    The socket itself never blocks: a step that needs bytes from the other side, or room, waits outside the lock, at
    most the timeout of the socket.
    """

    _lock: threading.Lock
    _timeout: float | None

    def __new__(cls, *arguments: Any, **options: Any) -> Self:  # the base class is made without `__init__`
        """Return the socket with its lock."""
        made = super().__new__(cls, *arguments, **options)
        made._lock, made._timeout = threading.Lock(), None
        return made

    def settimeout(self, value: float | None, /) -> None:
        """Set how long a step waits for the other side, in seconds; ``None`` removes the limit."""
        self._timeout = value
        super().settimeout(0)

    def gettimeout(self) -> float | None:
        """Return how long a step waits for the other side, in seconds."""
        return self._timeout

    def do_handshake(self, block: bool = False) -> None:
        """Agree on the keys with the other side."""
        self._complete(super().do_handshake, block)

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """Return bytes that have arrived, at most ``buflen``; wait for the first; empty at the end."""
        return self._complete(super().recv, buflen, flags)

    def send(self, data: Any, flags: int = 0) -> int:
        """Send as many bytes as there is room for; wait for room for the first. Return their number."""
        return self._complete(super().send, data, flags)

    def shutdown(self, how: int) -> None:
        """End the connection without a word of TLS. The method of the base class would go on without encryption."""
        socket.socket.shutdown(self, how)

    def close(self) -> None:
        """Close the socket; a thread that waits for the other side ends its wait."""
        with suppress(OSError):  # the other side has ended it, or it is closed
            self.shutdown(socket.SHUT_RDWR)
        super().close()

    def _complete(self, step: Callable[..., T], *arguments: object) -> T:
        """Carry out a step when its bytes, or the room for them, are there. Raises `TimeoutError`."""
        deadline = Deadline(self._timeout)
        while True:
            try:
                with self._lock:
                    return step(*arguments)
            except ssl.SSLWantReadError:
                event = selectors.EVENT_READ
            except ssl.SSLWantWriteError:
                event = selectors.EVENT_WRITE
            self._wait(event, deadline)

    def _wait(self, event: int, deadline: Deadline) -> None:
        """Wait until something has arrived, or there is room. Raises `TimeoutError`, and `OSError` if the socket is closed."""
        number = self.fileno()
        # A wait for the descriptor itself would not end if another thread had closed it just before.
        copy = os.dup(number)
        try:
            if self.fileno() != number:  # and so it may be another file's by now
                raise OSError(errno.EBADF, "the connection is closed")
            with selectors.DefaultSelector() as selector:
                selector.register(copy, event)
                if not selector.select(None if self._timeout is None else deadline.remaining()):
                    raise TimeoutError("the other side of the TLS connection did not answer in time")
        finally:
            os.close(copy)
