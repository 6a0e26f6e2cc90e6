"""As much HTTP/1.1 as a scripted model needs: read one request, write one response, close.

It knows asyncio streams and bytes, and nothing of models or scripts.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_HEAD = 256 * 1024
"""The longest request head that is read, in bytes: the runtime sends its metadata in headers."""
MAX_BODY = 128 * 1024 * 1024
"""The longest request body that is read, in bytes."""

_JSON = {"Content-Type": "application/json"}


@attrs.frozen
class HttpRequest:
    """One request, as read."""

    method: str
    target: str
    """The path with its query."""
    headers: dict[str, str]
    """Names in lower case; values of repeated headers joined by commas."""
    body: bytes


class RefusedRequestError(Exception):
    """A request that this server does not read; answered with its status."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(status, reason)
        self.status = status
        self.reason = reason


async def read_request(reader: asyncio.StreamReader) -> HttpRequest | None:
    """Read one request; ``None`` if the client left without a whole one. Raises `RefusedRequestError`."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        method, target, headers = _parse_head(head)
        return HttpRequest(method, target, headers, await reader.readexactly(_body_length(headers)))
    except asyncio.LimitOverrunError:
        raise RefusedRequestError(431, f"request head longer than {MAX_HEAD} bytes") from None
    except asyncio.IncompleteReadError:
        return None


def response_head(status: int, headers: Mapping[str, str]) -> bytes:
    """The head of a response whose body ends with the connection."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Scripted"
    lines = (f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in headers.items()))
    return "\r\n".join((*lines, "Connection: close", "", "")).encode("latin-1")


def response(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
    """A whole response; JSON unless its headers say otherwise."""
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
        raise RefusedRequestError(415, f"content encoding {encoding} is not read")
    length = headers.get("content-length", "0")
    if not length.isascii() or not length.isdigit():
        raise RefusedRequestError(400, "Content-Length is no number")
    if int(length) > MAX_BODY:
        raise RefusedRequestError(413, f"request body longer than {MAX_BODY} bytes")
    return int(length)
