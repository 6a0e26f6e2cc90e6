"""The TLS socket: one thread reads while another writes, and every wait ends."""

from __future__ import annotations

import os
import selectors
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from openai_codex._engine.transport.tls import TlsSocket, encrypt
from tests.support.bounds import PATIENCE

CERTIFICATE = Path(__file__).parents[2] / "support" / "localhost.pem"
LARGE = 5_000_000

TLS_STATE = "_sslobj"
"""The attribute of the standard library's socket that holds its state."""


@contextmanager
def pair(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[TlsSocket, TlsSocket]]:
    """Yield the two ends of an encrypted connection: the client and the server."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    context.sslsocket_class = TlsSocket
    near, far = socket.socketpair()
    near.settimeout(PATIENCE)
    served: list[ssl.SSLSocket] = []
    thread = threading.Thread(target=lambda: served.append(context.wrap_socket(far, server_side=True)))
    thread.start()
    client = encrypt(near, "localhost")
    thread.join(PATIENCE)
    (server,) = served
    assert isinstance(server, TlsSocket)
    with client, server:
        yield client, server


class Alone:
    """The TLS state of a socket, which notes how many threads are in it at once."""

    def __init__(self, state: ssl.SSLObject) -> None:
        self._state = state
        self._inside = 0
        self.most = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._state, name)

    def read(self, *arguments: int) -> bytes:
        """Read, and give the other threads a chance to be here too."""
        with self._noted():
            return self._state.read(*arguments)

    def write(self, data: bytes) -> int:
        """Write, and give the other threads a chance to be here too."""
        with self._noted():
            return self._state.write(data)

    @contextmanager
    def _noted(self) -> Iterator[None]:
        self._inside += 1
        self.most = max(self.most, self._inside)
        try:
            os.sched_yield()
            yield
        finally:
            self._inside -= 1


def receive(end: TlsSocket, size: int) -> bytes:
    """Return so many bytes."""
    data = bytearray()
    while len(data) < size and (more := end.recv(1 << 16)):
        data += more
    return bytes(data)


def test_no_two_threads_are_in_the_state_of_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    with pair(monkeypatch) as (client, server):
        state = Alone(getattr(client, TLS_STATE))
        setattr(client, TLS_STATE, state)
        received: dict[str, bytes] = {}
        threads = [
            threading.Thread(target=client.sendall, args=(b"a" * LARGE,)),
            threading.Thread(target=server.sendall, args=(b"b" * LARGE,)),
            threading.Thread(target=lambda: received.update(client=receive(client, LARGE))),
            threading.Thread(target=lambda: received.update(server=receive(server, LARGE))),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        assert received == {"client": b"b" * LARGE, "server": b"a" * LARGE}
        assert state.most == 1


@pytest.mark.parametrize("ended", ["here", "there"])
def test_the_end_of_the_connection_ends_a_wait(monkeypatch: pytest.MonkeyPatch, ended: str) -> None:
    with pair(monkeypatch) as (client, server):
        client.settimeout(None)
        outcome: list[bytes | BaseException] = []

        def wait() -> None:
            try:
                outcome.append(client.recv(1))
            except (OSError, ValueError) as error:
                outcome.append(error)

        thread = threading.Thread(target=wait)
        thread.start()
        (client if ended == "here" else server).close()
        thread.join(PATIENCE)
        assert not thread.is_alive()
        assert len(outcome) == 1


def test_a_socket_that_is_closed_just_before_a_wait_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with pair(monkeypatch) as (client, _):
        client.settimeout(None)

        class Late(selectors.DefaultSelector):
            def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
                client.close()
                return super().select(PATIENCE if timeout is None else timeout)

        monkeypatch.setattr(selectors, "DefaultSelector", Late)
        with pytest.raises(OSError, match="descriptor"):
            client.recv(1)


def test_a_wait_has_the_timeout_of_the_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    with pair(monkeypatch) as (client, server):
        assert client.gettimeout() == PATIENCE
        client.settimeout(0.01)
        with pytest.raises(TimeoutError, match="did not answer in time"):
            client.recv(1)
        with pytest.raises(TimeoutError, match="did not answer in time"):
            client.sendall(b"a" * LARGE)  # which nobody reads
        server.sendall(b"still here")
        client.settimeout(PATIENCE)
        assert receive(client, 10) == b"still here"


def test_it_is_ended_without_a_word_and_stays_encrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    with pair(monkeypatch) as (client, server):
        server.sendall(b"before")
        client.shutdown(socket.SHUT_WR)
        assert receive(client, 6) == b"before"
        assert server.recv(1) == b""
