"""The connection to a provider: one request each, over HTTP/1.1, with TLS for ``https``. The body comes as it arrives."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from urllib.parse import urlsplit

import attrs

from openai_codex import _checks as checks
from openai_codex.testing._http import MAX_HEAD, HttpRequest

_PORTS = {"http": 80, "https": 443}

# What belongs to one connection, and what would make the answer unreadable.
_NOT_SENT = {"host", "connection", "keep-alive", "content-length", "accept-encoding", "transfer-encoding", "upgrade"}

_PIECE = 1 << 16


class UpstreamError(Exception):
    """The provider cannot be reached, or does not speak HTTP/1.1."""


@attrs.frozen
class Upstream:
    """Where the requests go.

    Attributes:
        host: The host.
        port: The port.
        is_secure: Whether with TLS.
        path: The path in front of that of each request.
    """

    host: str
    port: int
    is_secure: bool
    path: str

    @contextlib.asynccontextmanager
    async def send(self, request: HttpRequest, target: str) -> AsyncGenerator[Answer]:
        """Send a request, and give its answer. Raises `UpstreamError`."""
        with _problems_named():
            opening = asyncio.open_connection(self.host, self.port, ssl=self.is_secure or None, limit=MAX_HEAD)
            reader, writer = await opening
        try:
            with _problems_named():
                writer.write(self._head(request, target) + request.body)
                await writer.drain()
                answer = await _answer(reader)
            yield answer
        finally:
            writer.transport.abort()

    def _head(self, request: HttpRequest, target: str) -> bytes:
        headers = {name: value for name, value in request.headers.items() if name not in _NOT_SENT}
        headers |= {
            "host": self.host if self.port in _PORTS.values() else f"{self.host}:{self.port}",
            "connection": "close",
            "accept-encoding": "identity",
            "content-length": str(len(request.body)),
        }
        lines = (
            f"{request.method} {self.path}{target} HTTP/1.1",
            *(f"{name}: {each}" for name, each in headers.items()),
        )
        return "\r\n".join((*lines, "", "")).encode("latin-1")


@attrs.frozen
class Answer:
    """The answer of a provider.

    Attributes:
        status: The HTTP status.
        headers: The headers, names in lower case.
        body: The body, piece by piece.
    """

    status: int
    headers: dict[str, str]
    body: AsyncIterator[bytes]


def upstream_of(url: str) -> Upstream:
    """Return where a URL leads. Raises `ConfigError`."""
    accepted = "the base URL of a provider, such as https://api.openai.com/v1"
    parts = urlsplit(checks.filled("upstream_url", url))
    try:
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        port = None
    if port is None or not parts.hostname or parts.query or parts.username:
        raise checks.refusal("upstream_url", url, accepted)
    return Upstream(parts.hostname, port, parts.scheme == "https", parts.path.rstrip("/"))


async def _answer(reader: asyncio.StreamReader) -> Answer:
    status, lines = 100, list[str]()
    while status < 200:  # noqa: PLR2004  the answers before the answer
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").rstrip("\r\n").split("\r\n")
        status = int(first.split(" ")[1])
    pairs = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    return Answer(status, headers, _body(reader, headers))


async def _body(reader: asyncio.StreamReader, headers: dict[str, str]) -> AsyncIterator[bytes]:
    pieces = _chunks(reader) if "chunked" in headers.get("transfer-encoding", "").lower() else _plain(reader, headers)
    with _problems_named():
        async for piece in pieces:
            yield piece


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        yield (await reader.readexactly(size + 2))[:-2]


async def _plain(reader: asyncio.StreamReader, headers: dict[str, str]) -> AsyncIterator[bytes]:
    length = headers.get("content-length")
    left = None if length is None else int(length)
    while left != 0 and (piece := await reader.read(_PIECE if left is None else min(left, _PIECE))):
        left = None if left is None else left - len(piece)
        yield piece
    if left:
        raise EOFError(f"{left} bytes are missing")


@contextlib.contextmanager
def _problems_named() -> Generator[None]:
    try:
        yield
    except (OSError, EOFError, ValueError, IndexError, asyncio.LimitOverrunError) as error:
        raise UpstreamError(f"{type(error).__name__}: {error}") from error
