"""The WebSocket to a runtime elsewhere: bytes arrive whole and as lines, its owner never waits, and nothing is left."""

from __future__ import annotations

import os
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from websockets.sync.server import ServerConnection, serve

from openai_codex import AppServerConfig, ConfigError
from openai_codex._engine.transport.remote import WebSocket
from openai_codex._engine.transport.tls import TlsSocket
from openai_codex._engine.waiting import Deadline
from tests.support.bounds import PATIENCE, eventually

CERTIFICATE = Path(__file__).parents[2] / "support" / "localhost.pem"
LARGE = 20_000_000


@contextmanager
def server(talk: Callable[[ServerConnection], None], context: ssl.SSLContext | None = None) -> Iterator[int]:
    """Serve connections by a function; yield the port."""
    with serve(talk, "127.0.0.1", 0, ssl=context, max_size=None, compression=None) as served:
        thread = threading.Thread(target=served.serve_forever)
        thread.start()
        try:
            yield served.socket.getsockname()[1]
        finally:
            served.shutdown()
            thread.join()


def of_localhost() -> ssl.SSLContext:
    """The TLS of a server, whose library has two threads at a socket too."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    context.sslsocket_class = TlsSocket
    return context


def echo(connection: ServerConnection) -> None:
    for message in connection:
        connection.send(message)


@contextmanager
def transport(endpoint: str, **settings: object) -> Iterator[WebSocket]:
    """A transport that is ended at the end."""
    opened = WebSocket(AppServerConfig(endpoint=endpoint, **settings))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  any of them
    try:
        yield opened
    finally:
        opened.close_input()
        assert opened.end(PATIENCE) is None


def read(opened: WebSocket, size: int) -> bytes:
    """Read until so many bytes have arrived."""
    data, deadline = b"", Deadline(PATIENCE)
    while len(data) < size and not deadline.passed():
        data += opened.read(0.1) or b""
    return data


def test_each_message_is_a_line() -> None:
    def talk(connection: ServerConnection) -> None:
        connection.send('{"a":\n1}')
        connection.send(["part", " and ", "part"])
        connection.recv()

    with server(talk) as port, transport(f"ws://127.0.0.1:{port}") as opened:
        assert read(opened, 23) == b'{"a": 1}\npart and part\n'
        assert opened.read(0) is None


def test_what_is_written_arrives_whole_however_long_it_is() -> None:
    with server(echo) as port, transport(f"ws://127.0.0.1:{port}") as opened:
        assert opened.short() == 0
        assert not opened.wait_writable(0)
        assert opened.read(0.01) is None
        assert opened.wait_writable(PATIENCE)
        for line in (b"short\n", bytes(LARGE).replace(b"\0", b"x") + b"\n"):
            assert opened.try_write(memoryview(line)) == len(line)
            received = read(opened, len(line))
            assert received.replace(b"\n", b"") == line.replace(b"\n", b"")
            assert received.endswith(b"\n")


def test_many_messages_come_with_one_read() -> None:
    def talk(connection: ServerConnection) -> None:
        for number in range(1_000):
            connection.send(f"{number}")
        connection.send("x" * (1 << 17))
        connection.recv()

    with server(talk) as port, transport(f"ws://127.0.0.1:{port}") as opened:
        received = read(opened, 3_890 + (1 << 17) + 1)
    assert received.split(b"\n")[:1_000] == [b"%d" % number for number in range(1_000)]


def test_a_message_above_the_limit_ends_the_connection() -> None:
    def talk(connection: ServerConnection) -> None:
        connection.send("x" * (1 << 17))
        connection.recv()

    with (
        server(talk) as port,
        transport(f"ws://127.0.0.1:{port}", max_line_bytes=1 << 16) as opened,
        pytest.raises(ConnectionError, match=r"was lost: .*too big"),
    ):
        read(opened, 1)


def test_who_ends_it_reads_its_end_and_no_error() -> None:
    for end in (WebSocket.kill, WebSocket.terminate, WebSocket.close_input):
        with server(echo) as port, transport(f"ws://127.0.0.1:{port}") as opened:
            assert opened.read(0.01) is None
            thread = threading.Thread(target=end, args=(opened,))
            thread.start()
            assert eventually(lambda: opened.read(0.1) == b"")
            thread.join()
            end(opened)
            with pytest.raises(BrokenPipeError):
                opened.try_write(b"late\n")


def test_the_end_of_the_other_side_is_an_error_that_names_it() -> None:
    with (
        server(lambda _: None) as port,
        transport(f"ws://127.0.0.1:{port}") as opened,
        pytest.raises(ConnectionError, match=f"ws://127.0.0.1:{port} was lost"),
    ):
        read(opened, 1)


def test_it_is_encrypted_and_the_certificate_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    with server(echo, of_localhost()) as port:
        with transport(f"wss://localhost:{port}") as opened, pytest.raises(ConnectionError, match="certificate"):
            opened.read(1)
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
        with transport(f"wss://localhost:{port}", token="secret") as opened:  # noqa: S106  of no service
            assert opened.read(0.01) is None
            assert opened.try_write(b"hello\n") == 6
            assert read(opened, 6) == b"hello\n"
        with (
            transport(f"wss://127.0.0.1:{port}") as opened,
            pytest.raises(ConnectionError, match="IP address mismatch"),
        ):
            opened.read(1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a system without forks")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("scheme", ["ws", "wss"])
def test_a_fork_leaves_the_connection_to_its_parent(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    context = of_localhost() if scheme == "wss" else None
    with server(echo, context) as port, transport(f"{scheme}://localhost:{port}") as opened:
        assert opened.read(0.01) is None
        child = os.fork()
        if child == 0:
            opened.after_fork()
            os._exit(0)
        os.waitpid(child, 0)
        assert opened.try_write(b"still here\n") == 11
        assert read(opened, 11) == b"still here\n"


def test_a_token_that_others_can_read_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    for endpoint in ("ws://127.0.0.1:1", "wss://codex.example:1", "ws://localhost:1", "ws://[::1]:1"):
        WebSocket(AppServerConfig(endpoint=endpoint, token="secret"))  # noqa: S106  of no service
    assert caplog.records == []
    WebSocket(AppServerConfig(endpoint="ws://codex.example:1", token="secret"))  # noqa: S106  of no service
    assert "codex.token_not_encrypted" in caplog.text
    assert "codex.example" in caplog.text
    assert "secret" not in caplog.text


def test_without_the_extra_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "websockets", None)
    with pytest.raises(ConfigError, match=r"openai-codex\[remote\]"):
        WebSocket(AppServerConfig(endpoint="ws://127.0.0.1:1"))
