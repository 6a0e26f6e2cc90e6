"""An HTTP/1.1 server on 127.0.0.1: one event loop in one thread, one request per connection.

It owns the listening socket, the thread and every connection, and leaves none of them behind. It does not know what is
answered. (The servers of the standard library use a thread per connection and do not notice that a client has left,
and that has to cancel an answer which is held, delayed or hanging.)
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from http import HTTPStatus

import attrs

from openai_codex.testing._waiting import ScriptError

MAX_HEAD = 256 * 1024
"""The longest request head that is read, in bytes: the runtime sends its metadata in headers."""
MAX_BODY = 128 * 1024 * 1024
"""The longest request body that is read, in bytes."""

_JSON = {"Content-Type": "application/json"}
# Hundreds of turns may send their requests at once; with a short queue, some connections would be refused.
_BACKLOG = 1024
_STOP_TIMEOUT = 5.0


@attrs.frozen
class HttpRequest:
    """One request as it was read.

    Attributes:
        method: The HTTP method.
        target: The path with its query.
        headers: Names in lower case; values of repeated headers joined by commas.
        body: The whole body.
    """

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class RefusedRequestError(Exception):
    """A request that this server does not read; answered with its status."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(status, reason)
        self.status = status
        self.reason = reason


Respond = Callable[[HttpRequest, asyncio.StreamWriter], Coroutine[None, None, None]]


class LoopbackServer:
    """Serves each connection with one call of `respond`, which is cancelled when the client disconnects."""

    def __init__(self, respond: Respond) -> None:
        self._respond = respond
        # Bound before the thread starts, so that the port is known at once.
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
        self.port: int = self._listener.getsockname()[1]
        self._up = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._clients: set[asyncio.Future[None]] = set()
        self._thread = threading.Thread(target=self._run, name=f"codex-model-{self.port}", daemon=True)

    def start(self) -> None:
        """Start the thread; returns once connections are accepted. Raises `ScriptError` after 5 s."""
        self._thread.start()
        if not self._up.wait(_STOP_TIMEOUT):
            raise ScriptError((f"{self._thread.name} did not start within {_STOP_TIMEOUT:g} s",))

    def close(self) -> None:
        """Drop every connection, close the port and end the thread.

        Raises `ScriptError` if the thread still runs after 5 s: then a function of the script blocks it.
        """
        if self._loop is None:
            self._listener.close()
            return
        # An earlier call may have closed the loop.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(_STOP_TIMEOUT)
        if self._thread.is_alive():
            raise ScriptError(
                (f"{self._thread.name} did not stop within {_STOP_TIMEOUT:g} s: a function of the script blocks it",)
            )

    def _run(self) -> None:
        # `asyncio.run` cancels what still runs when `_serve` returns: each connection then aborts its transport.
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self._connected, sock=self._listener, limit=MAX_HEAD)
        self._up.set()
        await self._stop.wait()
        server.close()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Not a coroutine: asyncio logs an error for each cancelled one (3.10, 3.11), and keeps no reference to the task.
        client = asyncio.ensure_future(self._serve_client(reader, writer))
        self._clients.add(client)
        client.add_done_callback(self._clients.discard)

    async def _serve_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(ConnectionError):
                await self._answer(reader, writer)
                writer.close()
                await writer.wait_closed()
        finally:
            # Discards what is still buffered: a client that does not read must not delay `close`.
            writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await read_request(reader)
        except RefusedRequestError as refused:
            writer.write(response(refused.status, refused.reason.encode(), {"Content-Type": "text/plain"}))
            return
        if request is not None:
            await _while_connected(reader, self._respond(request, writer))


async def _while_connected(reader: asyncio.StreamReader, answer: Awaitable[None]) -> None:
    """Run `answer` to its end, or cancel it when the client disconnects."""
    answering = asyncio.ensure_future(answer)
    # The request has been read completely, so the only thing left to read is the end of the connection.
    leaving = asyncio.ensure_future(reader.read(1))
    try:
        await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (answering, leaving):
            task.cancel()
        await asyncio.gather(answering, leaving, return_exceptions=True)
    if not answering.cancelled():
        answering.result()


async def read_request(reader: asyncio.StreamReader) -> HttpRequest | None:
    """Read one request; ``None`` if the client disconnected before its end. Raises `RefusedRequestError`."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        method, target, headers = _parse_head(head)
        return HttpRequest(method, target, headers, await reader.readexactly(_body_length(headers)))
    except asyncio.LimitOverrunError:
        raise RefusedRequestError(431, f"request head longer than {MAX_HEAD} bytes") from None
    except asyncio.IncompleteReadError:
        return None


def response_head(status: int, headers: Mapping[str, str]) -> bytes:
    """Return the head of a response whose body ends with the connection."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Scripted"
    lines = (f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in headers.items()))
    return "\r\n".join((*lines, "Connection: close", "", "")).encode("latin-1")


def response(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
    """Return a whole response; JSON unless its headers set another type."""
    return response_head(status, {**_JSON, **(headers or {}), "Content-Length": str(len(body))}) + body


def _parse_head(head: bytes) -> tuple[str, str, dict[str, str]]:
    first, *rest = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    method, _, target = first.partition(" ")
    target, _, version = target.partition(" ")
    if not version.startswith("HTTP/1."):
        raise RefusedRequestError(400, "not an HTTP/1 request")
    headers: dict[str, str] = {}
    for line in rest:
        name, _, value = line.partition(":")
        key = name.strip().lower()
        headers[key] = f"{headers[key]}, {value.strip()}" if key in headers else value.strip()
    return method, target, headers


def _body_length(headers: Mapping[str, str]) -> int:
    if "transfer-encoding" in headers:
        raise RefusedRequestError(411, "only bodies with Content-Length are read")
    encoding = headers.get("content-encoding", "identity")
    if encoding != "identity":
        raise RefusedRequestError(415, f"content encoding {encoding} is not supported")
    length = headers.get("content-length", "0")
    if not length.isascii() or not length.isdigit():
        raise RefusedRequestError(400, f"Content-Length must be a number, got {length}")
    if int(length) > MAX_BODY:
        raise RefusedRequestError(413, f"request body longer than {MAX_BODY} bytes")
    return int(length)
