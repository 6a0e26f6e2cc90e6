"""A connection that is made again: what is said on it first, what becomes of lines on their way, and when it gives up."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import attrs
import pytest
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

from openai_codex import AppServerConfig, Restart
from openai_codex._engine.transport.lasting import LastingWebSocket
from openai_codex._engine.transport.remote import RefusedError
from openai_codex._engine.waiting import Deadline, Latch
from tests.support.bounds import PATIENCE, eventually

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

    from openai_codex._engine.transport.lasting import Ask


@attrs.define
class Server:
    """Answers requests, after an event for each, and can cut its connections or refuse them."""

    port: int = 0
    connections: list[ServerConnection] = attrs.Factory(list)
    received: list[str] = attrs.Factory(list)
    tokens: list[str | None] = attrs.Factory(list)
    refuses: bool = False
    before: tuple[str, ...] = ()

    def talk(self, connection: ServerConnection) -> None:
        self.connections.append(connection)
        for message in connection:
            self.received.append(str(message))
            frame = json.loads(message)
            if "id" in frame:
                for line in self.before:
                    connection.send(line)
                connection.send('{"method":"live"}')
                connection.send(json.dumps({"id": frame["id"], "result": frame["method"]}))

    def check(self, connection: ServerConnection, request: Request) -> Response | None:
        self.tokens.append(request.headers.get("Authorization"))
        return connection.respond(HTTPStatus.UNAUTHORIZED, "no") if self.refuses else None

    def cut(self) -> None:
        self.connections[-1].socket.shutdown(2)


@contextmanager
def running() -> Iterator[Server]:
    server = Server()
    with serve(server.talk, "127.0.0.1", 0, process_request=server.check) as served:
        server.port = served.socket.getsockname()[1]
        thread = threading.Thread(target=served.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            served.shutdown()
            thread.join()


@attrs.define
class Recorded:
    """A session that makes one request and has missed one line."""

    lost: list[str] = attrs.Factory(list)
    replies: list[object] = attrs.Factory(list)
    on_restore: Callable[[], object] = bool
    on_lose: Callable[[], object] = bool

    def lose(self, reason: str) -> None:
        self.lost.append(reason)
        self.on_lose()

    def restore(self, ask: Ask, others: list[bytes]) -> list[bytes]:
        self.on_restore()
        assert ask("hello", None) == {}
        self.replies.append(ask("again", {})["result"])
        assert others == [b'{"method":"live"}\n']
        return [b'{"method":"missed"}\n']


@contextmanager
def connected(
    server: Server, restart: Restart | None = None, token_env: str | None = None
) -> Iterator[tuple[LastingWebSocket, Recorded]]:
    """A transport that has connected, with its session."""
    restart = restart or Restart(limit=None, initial_delay=0.01, max_delay=0.05)
    endpoint = f"ws://127.0.0.1:{server.port}"
    transport = LastingWebSocket(AppServerConfig(endpoint=endpoint, restart=restart, token_env=token_env))
    try:
        assert transport.read(0.01) is None
        assert eventually(lambda: server.connections)
        transport.session = session = Recorded()
        yield transport, session
    finally:
        transport.close_input()
        transport.end(PATIENCE)


def read(transport: LastingWebSocket, until: bytes) -> bytes:
    data, deadline = b"", Deadline(PATIENCE)
    while until not in data and not deadline.passed():
        data += transport.read(0.05) or b""
    return data


def test_the_session_speaks_first_and_what_was_missed_comes_first() -> None:
    with running() as server, connected(server) as (transport, session):
        session.on_restore = lambda: transport.is_lost or pytest.fail("a line could be written before the session")
        server.cut()
        assert read(transport, b"live") == b'{"method":"missed"}\n{"method":"live"}\n'
        assert not transport.is_lost
        assert transport.try_write(b'{"id":1,"method":"next"}\n')
        assert read(transport, b'"id"') == b'{"method":"live"}\n{"id": 1, "result": "next"}\n'
        assert session.replies == ["again"]
        assert len(session.lost) == 1
        assert "was lost" in session.lost[0]
    assert [json.loads(line)["method"] for line in server.received] == ["hello", "again", "next"]


def test_what_is_no_json_object_is_left_to_whoever_counts_it() -> None:
    with running() as server, connected(server) as (transport, session):
        server.before = ("not JSON", "[]", '"text"')
        server.cut()
        lines = read(transport, b'"text"').splitlines()
        assert lines == [b'{"method":"missed"}', b'{"method":"live"}', b"not JSON", b"[]", b'"text"']
        assert session.replies == ["again"]


def test_a_line_in_the_hand_of_the_writer_is_dropped_and_not_sent_twice() -> None:
    with running() as server, connected(server) as (transport, _):
        server.cut()
        lines = b'{"method":"in hand"}\n' * 3

        def write() -> None:
            for line in lines.splitlines(keepends=True):
                while not (transport.wait_writable(PATIENCE) and (written := transport.try_write(line))):
                    pass
                assert written == len(line)

        # The reader does not look yet, so the loss is found by the writer, sooner or later.
        writer = threading.Thread(target=write)
        writer.start()
        assert read(transport, b"live")
        writer.join(PATIENCE)
        assert not writer.is_alive()
    assert server.received.count('{"method":"in hand"}') <= 3


def test_a_line_that_comes_to_a_loss_which_the_reader_has_just_noticed_is_sent_later() -> None:
    with running() as server, connected(server) as (transport, session):
        assert transport.wait_writable(PATIENCE)
        noticed, go_on, line = threading.Event(), threading.Event(), b'{"method":"next"}\n'
        session.on_lose = lambda: (noticed.set(), go_on.wait(PATIENCE))
        server.cut()
        reader = threading.Thread(target=read, args=(transport, b"live"))
        reader.start()
        try:
            assert noticed.wait(PATIENCE)
            assert transport.try_write(line) == 0
        finally:
            go_on.set()
            reader.join(PATIENCE)
        assert transport.wait_writable(PATIENCE)
        assert transport.try_write(line) == len(line)
        assert eventually(lambda: server.received[-1:] == ['{"method":"next"}'])


def test_nothing_is_written_on_a_connection_before_its_session_is_restored() -> None:
    transport = LastingWebSocket(AppServerConfig(endpoint="ws://127.0.0.1:1", restart=True))
    sent: list[bytes] = []

    class LostMeanwhile(Latch):
        """Says that there is a connection; right after it the reader loses it, and connects again."""

        def is_ready(self) -> bool:
            transport.is_open = Latch()
            transport._connection = cast("ClientConnection", SimpleNamespace(send=sent.append))  # noqa: SLF001  as it does
            return True

    transport.is_open = LostMeanwhile()
    assert transport.try_write(b'{"id":1}\n') == 0
    assert sent == []


def test_a_loss_while_it_is_restored_is_one_more_attempt() -> None:
    with running() as server, connected(server) as (transport, session):
        cuts = iter([True, True, False])
        session.on_restore = lambda: server.cut() if next(cuts) and eventually(lambda: server.connections) else None
        server.cut()
        assert read(transport, b"live").count(b"missed") == 1
        assert len(session.lost) == 1


def test_each_connection_shows_the_token_that_the_variable_has_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "first")
    with running() as server, connected(server, token_env="TOKEN") as (transport, session):  # noqa: S106  a name
        server.cut()
        monkeypatch.setenv("TOKEN", "second")
        assert read(transport, b"live")
        monkeypatch.delenv("TOKEN")
        session.on_lose = lambda: monkeypatch.setenv("TOKEN", "third")
        server.cut()
        assert read(transport, b"live")
    assert server.tokens == ["Bearer first", "Bearer second", "Bearer third"]


@pytest.mark.parametrize("error", [KeyError("thread"), TypeError("no mapping"), AttributeError("get")], ids=repr)
def test_an_answer_in_an_unknown_form_is_one_more_attempt(error: Exception) -> None:
    with running() as server, connected(server) as (transport, session):
        errors = [error]

        def restore() -> None:
            if errors:
                raise errors.pop()

        session.on_restore = restore
        server.cut()
        assert read(transport, b"live").count(b"missed") == 1
        assert len(session.lost) == 1


class Chatty:
    """A connection on which something arrives all the time, and never the answer."""

    def __init__(self) -> None:
        self.left = 1_000_000

    def send(self, message: bytes, text: bool) -> None:
        del message, text

    def recv(self, timeout: float, decode: bool) -> bytes:
        del timeout, decode
        self.left -= 1
        assert self.left, "it waited for ever"
        return b'{"method":"other"}'


def test_an_answer_that_does_not_come_is_waited_for_no_longer_than_the_limit() -> None:
    transport = LastingWebSocket(AppServerConfig(endpoint="ws://127.0.0.1:1", restart=True, start_timeout=0.01))
    with pytest.raises(TimeoutError, match=r"no answer to thread/resume within 0\.01 s"):
        transport._ask(cast("ClientConnection", Chatty()), [], [], "thread/resume", {})  # noqa: SLF001  the wait itself


def test_a_refusal_of_the_token_is_the_end() -> None:
    with running() as server, connected(server) as (transport, session):
        server.refuses = True
        server.cut()
        with pytest.raises(RefusedError, match=r"requires a token \(HTTP 401\)"):
            read(transport, b"live")
        assert session.replies == []


def test_it_gives_up_after_so_many_attempts() -> None:
    with running() as server:
        restart = Restart(limit=2, initial_delay=0.01, max_delay=0.01)
        with connected(server, restart) as (transport, session):
            attempts: list[None] = []

            def fail() -> None:
                attempts.append(None)
                raise ConnectionError("broken")

            session.on_restore = fail
            server.cut()
            with pytest.raises(ConnectionError, match="was lost: broken"):
                read(transport, b"live")
            assert len(attempts) == 2


def test_it_is_not_made_again_before_the_first_handshake_nor_after_the_end() -> None:
    with running() as server, connected(server) as (transport, session):
        transport.session = None
        server.cut()
        with pytest.raises(ConnectionError, match="was lost"):
            read(transport, b"live")
    with running() as server, connected(server) as (transport, session):
        transport.kill()
        assert eventually(lambda: transport.read(0.05) == b"")
        assert session.lost == []
